"""How events about experiments change the state."""

from __future__ import annotations

from core.experiment import Experiment
from core.record import events as e
from core.record.state import ExperimentState, RunState


def experiment_proposed(state: RunState, event: e.ExperimentProposed) -> None:
    """The first proposal under an id counts."""
    spec = event.experiment
    state.experiments.setdefault(spec.id, ExperimentState(spec, event.at, event.call_id))


def experiment_edited(state: RunState, event: e.ExperimentEdited) -> None:
    """Replace a specification that was not used yet; whatever was asked about it is void."""
    experiment = state.experiments.get(event.experiment.id)
    if experiment is None or experiment.stage not in ("proposed", "waiting", "approved"):
        return
    if _place(event.experiment) != _place(experiment.spec):
        return
    if experiment.locked_at is not None and not _differs_in_machine_only(event.experiment, experiment.spec):
        return  # its hypothesis was fixed before anything was measured
    if request := state.live_request(experiment.id):
        request.void = True
    experiment.spec = event.experiment
    experiment.stage = "proposed"


def _differs_in_machine_only(edited: Experiment, spec: Experiment) -> bool:
    return edited.model_copy(update={"compute": spec.compute}) == spec


def _place(spec: Experiment) -> tuple[int, float, str | None, str | None]:
    """What no edit may change: its round, its share of the error budget and what it repeats, and for what."""
    return spec.round, spec.alpha, spec.repeats, spec.reproduces


def experiment_locked(state: RunState, event: e.ExperimentLocked) -> None:
    """An approved experiment waits for its place, and starts counting anew."""
    experiment = state.experiments.get(event.experiment_id)
    if experiment is not None and experiment.stage == "approved":
        experiment.locked = event
        experiment.locked_at = experiment.locked_at or event.at
        experiment.stage = "queued"
        experiment.failures.clear()
        experiment.earlier_seconds = experiment.sandbox_seconds
        experiment.earlier_usd = experiment.booked_usd + experiment.unsettled_usd


def experiment_started(state: RunState, event: e.ExperimentStarted) -> None:
    """A queued experiment runs."""
    experiment = state.experiments.get(event.experiment_id)
    if experiment is not None and experiment.stage == "queued":
        experiment.stage = "running"
        experiment.started_at = experiment.started_at or event.at


def finding_recorded(state: RunState, event: e.FindingRecorded) -> None:
    """Keep the sentence."""
    if experiment := state.experiments.get(event.experiment_id):
        experiment.findings.append(event.text)


def experiment_ended(state: RunState, event: e.ExperimentEnded) -> None:
    """The first end counts; what waited for a decision about it is void."""
    experiment = state.experiments.get(event.experiment_id)
    if experiment is None or not experiment.open:
        return
    for request in state.requests.values():
        if request.waits and request.asked.experiment_id == experiment.id:
            request.void = True
    experiment.stage = "ended"
    experiment.outcome = event.outcome
    experiment.message = event.message
    experiment.ended_at = event.at


def verdict_reached(state: RunState, event: e.VerdictReached) -> None:
    """Keep the verdict."""
    if experiment := state.experiments.get(event.experiment_id):
        experiment.verdict = event.verdict
