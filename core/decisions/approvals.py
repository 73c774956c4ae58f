"""Deciding about what waits: approving, rejecting, answering."""

from __future__ import annotations

from core.decisions.checks import new_id, refuse_ended_experiment, refuse_ended_run, run_id, see_run, text_of
from core.errors import DecisionError
from core.record.events import ApprovalDecided
from core.record.state import ExperimentState, Request, RunState

ALL = "all"
"""Stands for every launch and script that waits."""


def approve(state: RunState, name: str) -> tuple[ApprovalDecided, ...]:
    """Approve what waits, at the price that was asked for.

    Args:
        state: the run as the human sees it.
        name: an experiment, a request's id or any part of it that no other waiting one has, or
            ``all``. ``all`` leaves out questions, which need words, and running without isolation,
            which needs a yes of its own.

    Raises:
        DecisionError: nothing of that name waits.
    """
    if name == ALL:
        return tuple(_decided(request, "approve") for request in approvable(state))
    request = _waiting(state, name)
    if request.asked.kind == "question":
        raise DecisionError(
            f"{request.asked.request_id} is a question, and a yes does not answer it",
            f"Answer it with 'fumehood answer {run_id(state)} {request.asked.request_id} \"…\"'.",
        )
    return (_decided(request, "approve"),)


def reject(state: RunState, name: str, note: str) -> tuple[ApprovalDecided, ...]:
    """Reject what waits, with a reason that the agents read.

    Args:
        state: the run as the human sees it.
        name: an experiment, or a request's id or a part of it.
        note: why; may be empty.

    Raises:
        DecisionError: nothing of that name waits, or it is a question.
    """
    request = _waiting(state, name)
    if request.asked.kind == "question":
        raise DecisionError(
            f"{request.asked.request_id} is a question, which is answered and not rejected",
            f"Answer it with 'fumehood answer {run_id(state)} {request.asked.request_id} \"…\"'.",
        )
    return (_decided(request, "reject", text_of(note, "the note", empty=True)),)


def answer(state: RunState, name: str, text: str) -> tuple[ApprovalDecided, ...]:
    """Answer a question of an agent.

    Raises:
        DecisionError: no question of that name waits, or the answer is empty or too long.
    """
    request = _waiting(state, name)
    if request.asked.kind != "question":
        raise DecisionError(
            f"{request.asked.request_id} is not a question",
            f"Approve it with 'fumehood approve {run_id(state)} {request.asked.request_id}', or reject it.",
        )
    return (_decided(request, "answer", text_of(text, "the answer")),)


def approvable(state: RunState) -> list[Request]:
    """What ``all`` approves.

    Raises:
        DecisionError: there is nothing.
    """
    refuse_ended_run(state)
    requests = [request for request in state.waiting if request.asked.kind in ("launch", "script")]
    if requests:
        return requests
    if others := [request.asked.request_id for request in state.waiting]:
        raise DecisionError(
            f"only {', '.join(others)} waits, which needs a decision of its own", see_run(state)
        )
    raise DecisionError("nothing waits for a decision", see_run(state))


def _decided(request: Request, decision: str, note: str = "") -> ApprovalDecided:
    estimate = request.asked.estimate
    return ApprovalDecided.model_validate(
        {
            "by": "human",
            "decision_id": new_id(),
            "request_id": request.asked.request_id,
            "subject": request.asked.subject,
            "decision": decision,
            "maximum_usd": estimate.maximum if estimate and decision == "approve" else None,
            "note": note,
        }
    )


def _waiting(state: RunState, name: str) -> Request:
    """The request that waits under a name.

    Raises:
        DecisionError: none does, several do, or it is decided already.
    """
    refuse_ended_run(state)
    if name.upper() in state.experiments:
        return _waiting_launch(state, state.experiments[name.upper()])
    if (exact := state.requests.get(name)) is not None:
        return _still_waiting(state, exact, name)
    fitting = [request for request in state.waiting if name and name in request.asked.request_id]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(request.asked.request_id for request in fitting)
        raise DecisionError(f"{name!r} fits {len(fitting)} that wait: {names}", "Type more of the name.")
    names = ", ".join(request.asked.experiment_id or request.asked.request_id for request in state.waiting)
    raise DecisionError(f"nothing called {name!r} waits", f"There waits: {names or 'nothing'}.")


def _waiting_launch(state: RunState, experiment: ExperimentState) -> Request:
    scripts = [
        request.asked.request_id
        for request in state.waiting
        if request.asked.experiment_id == experiment.id and request.asked.kind != "launch"
    ]
    if scripts and experiment.locked is not None:
        raise DecisionError(
            f"{experiment.id} is approved; what waits there is {', '.join(scripts)}",
            "Name that instead.",
        )
    refuse_ended_experiment(state, experiment)
    request = state.live_request(experiment.id)
    if request is None:
        raise DecisionError(
            f"{experiment.id} has no price yet", "Try again in a moment, while its engine runs."
        )
    return _still_waiting(state, request, experiment.id)


def _still_waiting(state: RunState, request: Request, name: str) -> Request:
    if request.decision is not None:
        decision = request.decision
        what = {"approve": "approved", "reject": "rejected", "answer": "answered"}[decision.decision]
        raise DecisionError(
            f"{name} was {what} already by {decision.by} at {decision.at:%Y-%m-%d %H:%M:%S} UTC",
            see_run(state),
        )
    if request.void:
        raise DecisionError(f"{name} does not wait any more: what it asked about has changed", see_run(state))
    return request
