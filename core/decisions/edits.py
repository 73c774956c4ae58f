"""Changing the specification of an experiment before it is locked."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from core.decisions.checks import new_id, open_experiment, run_id
from core.errors import DecisionError, SandboxUnavailable
from core.experiment import Experiment, Proposal
from core.record.events import ExperimentEdited
from core.record.state import RunState
from core.sandbox.machines import checked_machine

FIXED = ("id", "round", "alpha", "repeats")
"""What an edit cannot touch: the place in the plan and the share of the error budget."""


def edit(state: RunState, experiment_id: str, changes: Mapping[str, Any]) -> tuple[ExperimentEdited, ...]:
    """Change the specification of an experiment that has not been locked; it is priced again.

    Args:
        state: the run as the human sees it.
        experiment_id: the experiment.
        changes: new values by where they go in a ``Proposal``, nested names joined by dots, e.g.
            ``{"compute.timeout_seconds": 600}``; ``{"compute": {…}}`` replaces the whole.

    Raises:
        DecisionError: it is locked or has ended, a change does not fit or is not allowed, or nothing
            would change.
    """
    experiment = open_experiment(state, experiment_id)
    if experiment.locked is not None:
        raise DecisionError(
            f"{experiment.id} is locked: what was approved is what runs",
            f"To change it now, kill it: 'fumehood kill {run_id(state)} {experiment.id}'.",
        )
    edited = _on_a_machine(state, _edited(experiment.spec, changes))
    if edited.reproduces != experiment.spec.reproduces:
        raise DecisionError(
            "a hypothesis makes another experiment of it: one that repeats either tests something or"
            " reproduces it",
            "Nothing was changed.",
        )
    if experiment.locked_at is not None and edited != experiment.spec.model_copy(
        update={"compute": edited.compute}
    ):
        raise DecisionError(
            f"{experiment.id} has been running: what it tests is fixed, and only its machine can be edited",
            "Nothing was changed.",
        )
    if edited == experiment.spec:
        raise DecisionError(f"nothing in {experiment.id} would change", "Nothing was done.")
    return (ExperimentEdited(edit_id=new_id(), experiment=edited),)


def _edited(spec: Experiment, changes: Mapping[str, Any]) -> Experiment:
    document = spec.model_dump(mode="json")
    for place, value in changes.items():
        if place.split(".")[0] in FIXED:
            raise DecisionError(
                f"{place!r} cannot be edited", f"These can: {', '.join(Proposal.model_fields)}."
            )
        _put(document, place, value)
    try:
        return Experiment.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the specification"
        message = re.sub("^Value error, ", "", first["msg"])
        raise DecisionError(f"the edit does not fit: {where}: {message}", "Nothing was changed.") from None


def _on_a_machine(state: RunState, spec: Experiment) -> Experiment:
    """The specification with its machine as the run's provider has it."""
    if state.created is None:
        return spec
    try:
        return spec.model_copy(update={"compute": checked_machine(state.settings.sandbox, spec.compute)})
    except SandboxUnavailable as error:
        raise DecisionError(
            f"the edit does not fit: {error.message}", f"{error.next_step}. Nothing was changed."
        ) from None


def _put(document: dict[str, Any], place: str, value: Any) -> None:
    """Put a value where dotted names lead."""
    *path, last = place.split(".")
    target = document
    for name in path:
        inner = target.get(name)
        if not isinstance(inner, dict):
            raise DecisionError(
                f"there is no {place!r} to edit", "See the names with 'fumehood edit --editor'."
            )
        target = inner
    target[last] = copy.deepcopy(value)
