"""One complete turn of a model, asked for again and again where that can help.

What every attempt cost is booked, and every attempt asks anew whether its price still fits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from core.agents.agent import Agent
from core.agents.history import request_for, unread_messages
from core.agents.retries import Retries
from core.budget import allowance
from core.errors import ModelBusy, ModelError, ModelRefused, ModelRejected, ModelUnusable, Outrun
from core.models.base import Delta, Turn, TurnRequest
from core.record.events import AgentEnded, Call, Event, TurnFailed, TurnFinished, TurnRetried, TurnStarted
from core.record.live import LiveRun
from core.record.state import AgentState, RunState

STREAM_SECONDS = 0.1
"""How often the text of a streaming turn is shown."""

SHOWN_CHARACTERS = 16_000
"""How much of it is shown: its end."""

SANDBOX_LOST = (
    "Your sandbox was lost, with every file and every running script in it, and a new, empty one takes its"
    " place. That is no result of the experiment. What scripts recorded that had ended by themselves is"
    " kept; whatever your next script needs from before has to be made again."
)

CALL_A_TOOL = "You called no tool. Work goes on, and ends, only by tool calls: call one now."


async def take_turn(live: LiveRun, agent: Agent, retries: Retries) -> Event:
    """Ask the model for one complete turn.

    Returns:
        The turn, or the agent's end where what is left does not pay for it.

    Raises:
        ModelError: there is no turn now; that is in the journal, with whether the run pauses over it.
    """
    number = len(live.state.agents[agent.name].turns) + 1
    attempt = 0
    while True:
        await live.until(lambda state: state.blocked is None)
        request = _asked(live, agent, number)
        if request is None:
            return AgentEnded(
                agent=agent.name,
                outcome="out of budget",
                message="what is left does not pay for another turn",
            )
        try:
            return _finished(live.state.agents[agent.name], number, await _stream(live, agent, request))
        except ModelBusy as error:
            delay = _delay(live, agent, number, retries, attempt, error)
            live.record(
                TurnRetried(
                    agent=agent.name,
                    number=number,
                    reason=error.message,
                    after_seconds=delay,
                    cost_usd=error.cost_usd,
                    unsettled_usd=error.unsettled_usd,
                )
            )
        except ModelError as error:
            _record_failure(live, agent, number, error, error)
            raise
        await asyncio.sleep(delay)
        attempt += 1


def _delay(
    live: LiveRun, agent: Agent, number: int, retries: Retries, attempt: int, error: ModelBusy
) -> float:
    try:
        return retries.delay(agent.model.name, attempt, error)
    except ModelBusy as last:
        _record_failure(live, agent, number, last, error)
        raise


def _record_failure(live: LiveRun, agent: Agent, number: int, error: ModelError, attempt: ModelError) -> None:
    """Note why there is no turn, and what the last attempt at it cost."""
    live.record(
        TurnFailed(
            agent=agent.name,
            number=number,
            reason=error.message,
            next_step=error.next_step,
            cost_usd=attempt.cost_usd,
            unsettled_usd=attempt.unsettled_usd,
            pauses=_pauses(live.state, agent, error),
        )
    )


def _pauses(state: RunState, agent: Agent, error: ModelError) -> bool:
    """Whether the run has to wait for a human.

    A conversation that cannot go on costs an experiment, which the orchestrator hears of. Nobody hears
    of the orchestrator's and the writer's. A key or a provider that fails says nothing about any of
    them, and must not end experiments that somebody paid for.
    """
    own_fault = isinstance(error, ModelRejected | ModelRefused) and not isinstance(error, ModelUnusable)
    return not (own_fault and agent.name in state.experiments)


def _asked(live: LiveRun, agent: Agent, number: int) -> TurnRequest | None:
    """Note that a turn is asked for, with its price kept free; None where the cap has no room.

    A turn of unknown price is asked for as long as anything is left. The human was told that the cap
    cannot hold it.
    """
    while True:
        state = live.state
        conversation = state.agents[agent.name]
        silent = bool(conversation.turns) and not conversation.turns[-1].calls
        asked = TurnStarted(
            agent=agent.name,
            number=number,
            message_ids=unread_messages(state, agent.name),
            remark=" ".join(_remarks(state, agent.name, silent=silent)),
        )
        price = agent.model.turn_price(request_for(live, agent, asked))
        experiment = state.experiments.get(agent.name)
        # A human may have approved an experiment of unknown price; then nothing is reserved for it.
        reserved = experiment is not None and experiment.reserved
        left = allowance(experiment) if experiment and reserved else state.free_usd
        if left < price if price is not None else left <= 0:
            return None
        kept = Decimal(0) if reserved or price is None else price
        try:
            live.record_if_unchanged(asked.model_copy(update={"reserved_usd": kept, "at_most_usd": price}))
        except Outrun:
            continue
        return request_for(live, agent, asked)


def _remarks(state: RunState, name: str, *, silent: bool) -> list[str]:
    """What the engine tells an agent with its next turn."""
    remarks = [CALL_A_TOOL] if silent else []
    conversation, experiment = state.agents[name], state.experiments.get(name)
    if experiment is not None and conversation.turns and experiment.closings:
        told = conversation.asked.get(len(conversation.turns))
        remarks += [SANDBOX_LOST] if told and experiment.closings[-1].seq > told.seq else []
    return remarks


async def _stream(live: LiveRun, agent: Agent, request: TurnRequest) -> Turn:
    """Collect one turn while it streams, showing the end of its text a few times a second."""
    text, shown_at = "", asyncio.get_running_loop().time()
    shown = False
    turn: Turn | None = None
    try:
        # To its end, even behind the turn: a stream left half-read is closed later by another task.
        async for piece in agent.model.turn(request):
            if isinstance(piece, Turn):
                turn = piece
                continue
            text += _visible(piece)
            if (at := asyncio.get_running_loop().time()) - shown_at >= STREAM_SECONDS:
                text = text[-SHOWN_CHARACTERS:]
                live.journal.set_partial(agent.name, _storable(text))
                shown, shown_at = True, at
    finally:
        if shown:
            live.journal.set_partial(agent.name, "")
    if turn is None:
        # What it cost nobody knows: the most that it can be is kept of the cap.
        free = agent.model.turn_price(request) == 0
        raise ModelBusy(
            f"{agent.model.name} ended its stream without a complete turn",
            cost_usd=Decimal(0) if free else None,
        )
    return turn


def _visible(delta: Delta) -> str:
    return f"\n→ {delta.text}\n" if delta.kind == "call" else delta.text


def _finished(conversation: AgentState, number: int, turn: Turn) -> TurnFinished:
    return TurnFinished(
        agent=conversation.started.agent,
        number=number,
        raw=_storable(dict(turn.raw)),
        text=_storable(turn.text),
        thoughts=_storable(turn.thoughts),
        calls=_calls(conversation, number, turn),
        input_tokens=turn.usage.input,
        output_tokens=turn.usage.output,
        cached_tokens=turn.usage.cached,
        cache_written_tokens=turn.usage.cache_written,
        stop=turn.stop,
        cost_usd=turn.cost_usd,
    )


def _calls(conversation: AgentState, number: int, turn: Turn) -> tuple[Call, ...]:
    """The turn's calls, under ids that are unique in the conversation, as not every server makes them."""
    taken = {call.id for earlier in conversation.turns for call in earlier.calls}
    calls = []
    for place, call in enumerate(turn.calls, 1):
        given = own = _storable(call.id)
        while not own or own in taken:
            own = f"{given}~{number}.{place}" if own == given else f"{own}~"
        taken.add(own)
        calls.append(
            Call(
                id=own,
                name=_storable(call.name),
                arguments=_arguments(call.arguments),
                given_id=None if own == given else given,
            )
        )
    return tuple(calls)


def _arguments(given: object) -> dict[str, Any]:
    """The arguments of a call; what is no JSON object becomes one that no tool takes."""
    if isinstance(given, Mapping):
        arguments: dict[str, Any] = _storable(dict(given))
        return arguments
    return {"arguments that are no object": _storable(given)}


def _storable(value: Any) -> Any:
    r"""The same JSON value with every lone half of a surrogate pair replaced.

    Models write such halves at times (``"\ud83d"`` in arguments). They are no text: neither the
    journal nor a provider takes them, so that without this a paid turn would be lost again and again.
    """
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case dict():
            return {_storable(key): _storable(item) for key, item in value.items()}
        case list() | tuple():
            return [_storable(item) for item in value]
    return value
