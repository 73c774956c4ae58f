"""How one specification of an experiment differs from another, for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textual.content import Content

from core.experiment import Experiment, Proposal
from core.record.events import ExperimentProposed
from tui.run_feed import RunFeed
from tui.safe_text import one_line

SHOWN_CHARACTERS = 48

NAMES = {
    "hypothesis.statement": "hypothesis",
    "hypothesis.criterion.min_effect": "smallest effect",
    "hypothesis.criterion.margin": "margin",
    "hypothesis.criterion.low": "lower limit",
    "hypothesis.criterion.high": "upper limit",
    "hypothesis.criterion.direction": "direction",
    "hypothesis.seeds": "seeds",
    "hypothesis.paired": "paired",
    "compute.gpu": "GPU",
    "compute.timeout_seconds": "time limit",
    "compute.expected_seconds": "expected time",
    "compute.cpus": "CPUs",
    "compute.memory_gib": "memory",
    "compute.disk_gib": "disk",
    "compute.processes": "processes",
    "compute.packages": "packages",
    "compute.network": "network",
    "compute.domains": "domains",
}
"""What people call the fields; the others go by their own names."""

UNITS = {
    "compute.timeout_seconds": " s",
    "compute.expected_seconds": " s",
    "compute.memory_gib": " GiB",
    "compute.disk_gib": " GiB",
}


@dataclass(frozen=True)
class Difference:
    """One field that differs.

    Attributes:
        name: what people call the field.
        before: its value before, short and safe to show.
        after: its value now.
    """

    name: str
    before: str
    after: str

    def shown(self) -> Content:
        """The difference in one line."""
        return Content.assemble(f"{self.name}  ", (self.before, "$muted"), " → ", (self.after, "bold"))


def differences(before: Experiment, after: Experiment) -> list[Difference]:
    """Every field of the proposal that differs, in the order of the specification."""
    old, new = _flat(_fields(before)), _flat(_fields(after))
    return [
        Difference(NAMES.get(place, place), _shown(place, old.get(place)), _shown(place, new.get(place)))
        for place in {**old, **new}
        if old.get(place) != new.get(place)
    ]


def was_edited(feed: RunFeed, experiment_id: str) -> bool:
    """Whether a specification was asked about that is not the one of now."""
    experiment = feed.state.experiments[experiment_id]
    subjects = {feed.state.requests[name].asked.subject for name in experiment.requests}
    return bool(subjects - {experiment.spec.sha256})


def proposal_of(feed: RunFeed, experiment_id: str) -> Experiment | None:
    """The experiment as it was proposed, before anybody edited it; None where the journal does not say."""
    for event in feed.journal.read():
        if isinstance(event, ExperimentProposed) and event.experiment.id == experiment_id:
            return event.experiment
    return None


def _fields(experiment: Experiment) -> dict[str, Any]:
    return experiment.model_dump(mode="json", include=set(Proposal.model_fields))


def _flat(document: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in document.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _shown(place: str, value: Any) -> str:
    if value is None or value == "" or value == []:
        return "none"
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    return one_line(str(value), SHOWN_CHARACTERS) + UNITS.get(place, "")
