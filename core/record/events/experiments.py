"""Events about experiments, from their place in the plan to their verdict."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Literal, TypeAlias

from core.experiment import Experiment, Verdict
from core.record.events.base import By, Event

ExperimentOutcome: TypeAlias = Literal[
    "done", "rejected", "killed", "timed out", "out of turns", "out of budget", "gave up", "failed"
]
"""How an experiment ended. ``gave up``: its researcher called no tool or repeated an error;
``failed``: a model or a sandbox failed. Only a ``done`` experiment was carried out as planned."""


class ExperimentProposed(Event):
    """An experiment has its place in the plan."""

    type: Literal["experiment.proposed"] = "experiment.proposed"
    experiment: Experiment
    call_id: str
    """The tool call, or the request for more seeds or a reproduction, that it came from."""


class ExperimentEdited(Event):
    """The human changed a specification before it was approved."""

    type: Literal["experiment.edited"] = "experiment.edited"
    once: ClassVar[str | None] = "edit_id"
    by: By = "human"
    edit_id: str
    experiment: Experiment


class ExperimentLocked(Event):
    """An approval was used: the hypothesis is fixed and the money reserved."""

    type: Literal["experiment.locked"] = "experiment.locked"
    once: ClassVar[str | None] = "decision_id"
    experiment_id: str
    decision_id: str
    sha256: str
    """The specification's."""
    hypothesis_sha256: str | None
    reserved_usd: Decimal | None
    """USD; None where a human approved an unknown price."""


class ExperimentStarted(Event):
    """A locked experiment has one of the places of those that run at once."""

    type: Literal["experiment.started"] = "experiment.started"
    experiment_id: str


class FindingRecorded(Event):
    """A researcher learned something worth a sentence."""

    type: Literal["finding.recorded"] = "finding.recorded"
    once: ClassVar[str | None] = "finding_id"
    experiment_id: str
    call_id: str
    text: str

    @property
    def finding_id(self) -> str:
        """The tool call that it came from; call ids are unique only within a conversation."""
        return f"{self.experiment_id}:{self.call_id}"


class ExperimentEnded(Event):
    """An experiment is over."""

    type: Literal["experiment.ended"] = "experiment.ended"
    once: ClassVar[str | None] = "experiment_id"
    experiment_id: str
    outcome: ExperimentOutcome
    message: str = ""


class VerdictReached(Event):
    """The measurements were judged."""

    type: Literal["verdict.reached"] = "verdict.reached"
    once: ClassVar[str | None] = "experiment_id"
    experiment_id: str
    verdict: Verdict
