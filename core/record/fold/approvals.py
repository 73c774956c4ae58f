"""How requests and decisions change the state."""

from __future__ import annotations

from core.record import events as e
from core.record.state import Request, RunState


def approval_requested(state: RunState, event: e.ApprovalRequested) -> None:
    """A request waits unless it is about what is not the plan any more; it replaces an earlier one."""
    if event.request_id in state.requests:
        return
    request = Request(event)
    state.requests[event.request_id] = request
    if event.kind != "launch":
        return
    experiment = state.experiments.get(event.experiment_id or "")
    if (
        experiment is None
        or experiment.stage not in ("proposed", "waiting", "approved")
        or experiment.spec.sha256 != event.subject
    ):
        request.void = True
        return
    if earlier := state.live_request(experiment.id):
        earlier.void = True
    experiment.requests.append(event.request_id)
    experiment.stage = "waiting"


def approval_decided(state: RunState, event: e.ApprovalDecided) -> None:
    """The first decision about exactly what was asked counts."""
    request = state.requests.get(event.request_id)
    if request is None or not request.waits or request.asked.subject != event.subject:
        return
    estimate = request.asked.estimate
    if event.decision == "approve" and estimate is not None and event.maximum_usd != estimate.maximum:
        return
    if event.decision == "answer" and request.asked.kind != "question":
        return
    experiment = state.experiments.get(request.asked.experiment_id or "")
    if request.asked.kind == "launch" and experiment is not None and not experiment.open:
        return
    request.decision = event
    if request.asked.kind == "launch" and experiment is not None and event.decision == "approve":
        experiment.stage = "approved"
