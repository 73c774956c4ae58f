"""What a human decides, as events: the same rules for the commands and for the console.

Every function is pure. It takes the state that the human saw and what the human typed, and gives the
events to append, or says why nothing waits for that decision. A decision that can be made once
carries an id that is made here, so that appending it twice is once.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import uuid4

from pydantic import ValidationError

from core.errors import DecisionError, SandboxUnavailable
from core.experiment import Experiment, Proposal
from core.pricing import dollars
from core.record.events import (
    ApprovalDecided,
    BudgetSet,
    ExperimentEdited,
    KillRequested,
    LaunchingContinued,
    LaunchingPaused,
    MessageSent,
    ReproductionRequested,
    RunRenamed,
    SeedsRequested,
    StopRequested,
)
from core.record.state import ExperimentState, Request, RunState
from core.repeats import reproducible
from core.sandbox.machines import checked_machine

ALL = "all"
"""Stands for every launch and script that waits."""

AGENTS = ("orchestrator", "writer")
"""Agents that a message can be sent to before they exist, beside every open experiment."""

MAX_TEXT_CHARACTERS = 8000
MAX_TITLE_CHARACTERS = 200
FEWEST_SEEDS, MOST_SEEDS = 2, 1000

FIXED = ("id", "round", "alpha", "repeats")
"""What an edit cannot touch: the place in the plan and the share of the error budget."""


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
    return (_decided(request, "reject", _text(note, "the note", empty=True)),)


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
    return (_decided(request, "answer", _text(text, "the answer")),)


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
    experiment = _open_experiment(state, experiment_id)
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
    return (ExperimentEdited(edit_id=_new_id(), experiment=edited),)


def kill(state: RunState, experiment_id: str | None, note: str) -> tuple[KillRequested, ...]:
    """End an experiment, or with None the whole run, for good.

    Raises:
        DecisionError: it has ended or is being killed already.
    """
    note = _text(note, "the note", empty=True)
    if experiment_id is None:
        _refuse_ended_run(state)
        if state.kill is not None:
            raise DecisionError("the run is being killed already", _see(state))
        return (KillRequested(note=note),)
    experiment = _open_experiment(state, experiment_id)
    if experiment.kill is not None:
        raise DecisionError(f"{experiment.id} is being killed already", _see(state))
    return (KillRequested(experiment_id=experiment.id, note=note),)


def pause(state: RunState) -> tuple[LaunchingPaused, ...]:
    """Let nothing new start; what runs goes on.

    Raises:
        DecisionError: it is paused, or the run has ended.
    """
    _refuse_ended_run(state)
    if state.paused:
        raise DecisionError(
            "launching is paused already", f"Continue with 'fumehood continue {run_id(state)}'."
        )
    return (LaunchingPaused(),)


def go_on(state: RunState) -> tuple[LaunchingContinued, ...]:
    """Let approved experiments start again.

    Raises:
        DecisionError: launching is not paused, or the run has ended.
    """
    _refuse_ended_run(state)
    if not state.paused:
        raise DecisionError("launching is not paused", _see(state))
    return (LaunchingContinued(),)


def tell(state: RunState, agent: str, text: str) -> tuple[MessageSent, ...]:
    """Send an agent a message; it arrives at that agent's next turn.

    Args:
        state: the run as the human sees it.
        agent: ``orchestrator``, ``writer`` or an experiment's id.
        text: what to say.

    Raises:
        DecisionError: there is no such agent, it will take no further turn, or there is no text.
    """
    _refuse_reproduced_run(state)
    name = agent.lower() if agent.lower() in AGENTS else _experiment(state, agent).id
    conversation = state.agents.get(name)
    experiment = state.experiments.get(name)
    if (conversation is not None and conversation.ended is not None) or (experiment and not experiment.open):
        raise DecisionError(f"{name} has ended and takes no further turn", _see(state))
    if experiment is not None and experiment.spec.repeats is not None:
        raise DecisionError(
            f"{name} runs the scripts of {experiment.spec.repeats} again, without a model that could listen",
            _see(state),
        )
    return (MessageSent(message_id=_new_id(), agent=name, text=_text(text, "the message")),)


def seeds(state: RunState, experiment_id: str, count: int) -> tuple[SeedsRequested, ...]:
    """Ask for an experiment's scripts to be run again with more seeds; that is priced and approved, too.

    Args:
        state: the run as the human sees it.
        experiment_id: an experiment that was carried out.
        count: how many seeds more.

    Raises:
        DecisionError: it was not carried out, has no hypothesis, or the count does not make sense.
    """
    _refuse_reproduced_run(state)
    experiment = _experiment(state, experiment_id)
    if not FEWEST_SEEDS <= count <= MOST_SEEDS:
        raise DecisionError(
            f"{count} seeds are not between {FEWEST_SEEDS} and {MOST_SEEDS:,}", "Ask for another number."
        )
    if experiment.spec.hypothesis is None:
        raise DecisionError(f"{experiment.id} is an exploration and has no seeds that count", _see(state))
    if experiment.open:
        raise DecisionError(f"{experiment.id} has not ended", "Wait until it has a verdict.")
    if experiment.outcome != "done":
        raise DecisionError(
            f"{experiment.id} was not carried out ({experiment.outcome}), so there is nothing to repeat",
            _see(state),
        )
    if "writer" in state.agents:
        raise DecisionError("the paper is being written already", _see(state))
    return (SeedsRequested(request_id=_new_id(), experiment_id=experiment.id, count=count),)


def budget(state: RunState, cap_usd: Decimal) -> tuple[BudgetSet, ...]:
    """Raise or lower the cap.

    Args:
        state: the run as the human sees it.
        cap_usd: the new cap, USD.

    Raises:
        DecisionError: it is negative, or below what is spent and reserved already.
    """
    _refuse_ended_run(state)
    if not cap_usd.is_finite() or cap_usd < 0:
        raise DecisionError(f"a cap cannot be {cap_usd}", "Name USD from 0 up.")
    bound = state.spent_usd + state.reserved_usd
    if cap_usd < bound:
        raise DecisionError(
            f"the cap cannot be {dollars(cap_usd)}: {dollars(state.spent_usd)} is spent and"
            f" {dollars(state.reserved_usd)} reserved",
            f"Name {dollars(bound)} or more, or kill what runs.",
        )
    return (BudgetSet(cap_usd=cap_usd),)


def reproduce(state: RunState) -> tuple[ReproductionRequested, ...]:
    """Have the scripts of a run that has ended run again, to see whether they give the same.

    What that comes to is priced, and waits for approval like any other experiment.

    Raises:
        DecisionError: the run has not ended, is being reproduced already, or nothing in it counts.
    """
    if state.reproduction is not None:
        raise DecisionError(
            "the run is being reproduced already", f"Go on with it: 'fumehood resume {run_id(state)}'."
        )
    if state.ended is None:
        raise DecisionError("the run has not ended", "Reproduce it once it has.")
    if not reproducible(state):
        raise DecisionError("no script of the run ended well, so there is nothing to reproduce", _see(state))
    return (ReproductionRequested(request_id=_new_id()),)


def stop(state: RunState, *, close_sandboxes: bool) -> tuple[StopRequested, ...]:
    """Let the engine end; the run can be resumed.

    Raises:
        DecisionError: the run has ended.
    """
    _refuse_ended_run(state)
    return (StopRequested(close_sandboxes=close_sandboxes),)


def rename(state: RunState, title: str) -> tuple[RunRenamed, ...]:
    """Give the run a title, at any time; its question stays what it is.

    Raises:
        DecisionError: there is none, it is too long, or the run has it already.
    """
    title = " ".join(_text(title, "the title").split())
    if len(title) > MAX_TITLE_CHARACTERS:
        raise DecisionError(
            f"the title has {len(title):,} characters, more than {MAX_TITLE_CHARACTERS:,}", "Say it shorter."
        )
    if title == state.title:
        raise DecisionError("the run is called that already", _see(state))
    return (RunRenamed(title=title),)


def approvable(state: RunState) -> list[Request]:
    """What ``all`` approves.

    Raises:
        DecisionError: there is nothing.
    """
    _refuse_ended_run(state)
    requests = [request for request in state.waiting if request.asked.kind in ("launch", "script")]
    if requests:
        return requests
    if others := [request.asked.request_id for request in state.waiting]:
        raise DecisionError(f"only {', '.join(others)} waits, which needs a decision of its own", _see(state))
    raise DecisionError("nothing waits for a decision", _see(state))


def run_id(state: RunState) -> str:
    """The run's id, for commands in messages."""
    return state.created.run_id if state.created else "RUN"


def _decided(request: Request, decision: str, note: str = "") -> ApprovalDecided:
    estimate = request.asked.estimate
    return ApprovalDecided.model_validate(
        {
            "by": "human",
            "decision_id": _new_id(),
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
    _refuse_ended_run(state)
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
    _refuse_ended_experiment(state, experiment)
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
            f"{name} was {what} already by {decision.by} at {decision.at:%Y-%m-%d %H:%M:%S} UTC", _see(state)
        )
    if request.void:
        raise DecisionError(f"{name} does not wait any more: what it asked about has changed", _see(state))
    return request


def _experiment(state: RunState, name: str) -> ExperimentState:
    experiment = state.experiments.get(name.upper())
    if experiment is None:
        known = ", ".join(state.experiments) or "none yet"
        raise DecisionError(f"there is no experiment {name!r}", f"There are: {known}.")
    return experiment


def _open_experiment(state: RunState, name: str) -> ExperimentState:
    _refuse_ended_run(state)
    experiment = _experiment(state, name)
    _refuse_ended_experiment(state, experiment)
    return experiment


def _refuse_ended_experiment(state: RunState, experiment: ExperimentState) -> None:
    if experiment.outcome is not None:
        raise DecisionError(f"{experiment.id} has ended: {experiment.outcome}", _see(state))


def _refuse_ended_run(state: RunState) -> None:
    if state.ended is not None:
        raise DecisionError(f"the run has ended: {state.ended.outcome}", _see(state))


def _refuse_reproduced_run(state: RunState) -> None:
    _refuse_ended_run(state)
    if state.reproduction is not None:
        raise DecisionError("the run is only being reproduced, without a model that could think", _see(state))


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


def _text(text: str, what: str, *, empty: bool = False) -> str:
    text = text.strip()
    if not text and not empty:
        raise DecisionError(f"{what} is empty", "Say it in quotes.")
    if len(text) > MAX_TEXT_CHARACTERS:
        raise DecisionError(
            f"{what} has {len(text):,} characters, more than {MAX_TEXT_CHARACTERS:,}", "Say it shorter."
        )
    return text


def _see(state: RunState) -> str:
    return f"See 'fumehood show {run_id(state)}'."


def _new_id() -> str:
    return str(uuid4())
