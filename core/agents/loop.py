"""The turn loop: one agent from its first turn to its end, the same for every agent.

An agent's whole conversation is in the journal. Each step looks at it and does the one thing that
comes next, so that an engine that starts again goes on where the last one stopped: a complete turn
is never asked for again, and a tool call without a result is made again under the same id.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.agents.tools import Toolbox
from core.errors import ModelBusy, ModelError, Outrun
from core.models.base import (
    Delta,
    Message,
    Model,
    ModelMessage,
    ToolCall,
    ToolResult,
    Turn,
    TurnRequest,
    UserMessage,
)
from core.record.events import (
    AgentEnded,
    AgentStarted,
    Call,
    Event,
    MessageSent,
    ToolAnswered,
    TurnFinished,
    TurnRetried,
    TurnStarted,
)
from core.record.live import LiveRun
from core.record.state import AgentState, RunState

MAX_RETRIES = 8
"""Attempts after the first before a turn that is never complete becomes an error."""

SILENT_TURNS = 3
"""An agent that calls no tool this many turns in a row has given up."""

SAME_ERRORS = 4
"""An agent that gets the same error this many times in a row has given up."""

STREAM_SECONDS = 0.1
"""How often the text of a streaming turn is shown."""

CALL_A_TOOL = "You called no tool. Work goes on, and ends, only by tool calls: call one now."


@dataclass(frozen=True)
class Agent:
    """What makes an agent: a model, its instructions and its tools.

    Attributes:
        name: ``orchestrator``, ``writer`` or an experiment's id.
        model: the model.
        system: the system text; never changes.
        prompt: the first message; never changes.
        prompts_version: which edition of the prompts these are.
        toolbox: the tools.
        max_turns: turns that it may take.
    """

    name: str
    model: Model
    system: str
    prompt: str
    prompts_version: str
    toolbox: Toolbox
    max_turns: int


async def converse(live: LiveRun, agent: Agent) -> AgentEnded:
    """Let an agent work until it has ended, and say how.

    Raises:
        ModelError: the model failed for good; the agent has not ended and can be taken up again.
        SandboxError: a tool's sandbox failed.
    """
    _begin(live, agent)
    while (ended := live.state.agents[agent.name].ended) is None:
        live.record(*await _next_step(live, agent))
    return ended


async def _next_step(live: LiveRun, agent: Agent) -> Sequence[Event]:
    """The one thing that comes next in an agent's conversation."""
    conversation = live.state.agents[agent.name]
    if call := unanswered(conversation):
        return await _answer(agent, call)
    if ended := _reason_to_end(agent, conversation):
        return [ended]
    return [await _take_turn(live, agent)]


def unanswered(conversation: AgentState) -> Call | None:
    """The first tool call of the newest turn that has no result yet."""
    calls = conversation.turns[-1].calls if conversation.turns else ()
    return next((call for call in calls if call.id not in conversation.answers), None)


def history(conversation: AgentState, messages: Sequence[MessageSent]) -> tuple[Message, ...]:
    """The conversation as it is sent to the model, up to and with the turn asked for last.

    It is made from the journal alone and only ever grows, so that what a provider saw once it sees
    again, byte for byte.

    Args:
        conversation: the agent's conversation.
        messages: every message that the human sent.
    """
    texts = {message.message_id: message.text for message in messages}
    sent: list[Message] = []
    for number in range(1, len(conversation.turns) + 2):
        asked = conversation.asked.get(number)
        if asked is None:
            break
        previous = conversation.turns[number - 2] if number > 1 else None
        results = [conversation.answers[call.id] for call in previous.calls] if previous else []
        words = [] if previous else [conversation.started.prompt]
        words += [f"The human says: {texts[name]}" for name in asked.message_ids if name in texts]
        words += [asked.remark] if asked.remark else []
        sent.append(
            UserMessage(
                "\n\n".join(words),
                tuple(ToolResult(answer.call_id, answer.text, answer.error) for answer in results),
            )
        )
        if number <= len(conversation.turns):
            sent.append(ModelMessage(conversation.turns[number - 1].raw))
    return tuple(sent)


def unread_messages(state: RunState, agent: str) -> tuple[str, ...]:
    """Ids of the human's messages to an agent that no complete turn has brought yet."""
    conversation = state.agents.get(agent)
    read = {
        name
        for number, asked in (conversation.asked.items() if conversation else ())
        if conversation is not None and number <= len(conversation.turns)
        for name in asked.message_ids
    }
    return tuple(
        message.message_id
        for message in state.messages
        if message.agent == agent and message.message_id not in read
    )


def _begin(live: LiveRun, agent: Agent) -> None:
    if agent.name in live.state.agents:
        return
    live.record(
        AgentStarted(
            agent=agent.name,
            model=agent.model.name,
            scripted=agent.model.scripted,
            system=agent.system,
            tools=tuple(
                {"name": tool.name, "description": tool.description, "schema": dict(tool.schema)}
                for tool in agent.toolbox.specs
            ),
            prompt=agent.prompt,
            prompts_version=agent.prompts_version,
        )
    )


async def _answer(agent: Agent, call: Call) -> Sequence[Event]:
    result, ends = await agent.toolbox.answer(ToolCall(call.id, call.name, call.arguments))
    answered = ToolAnswered(
        agent=agent.name, call_id=call.id, text=result.text, error=result.error, ends=ends
    )
    return [answered, AgentEnded(agent=agent.name, outcome="done")] if ends else [answered]


def _reason_to_end(agent: Agent, conversation: AgentState) -> AgentEnded | None:
    if len(conversation.turns) >= agent.max_turns:
        return AgentEnded(
            agent=agent.name, outcome="out of turns", message=f"took all of its {agent.max_turns} turns"
        )
    newest = conversation.turns[-SILENT_TURNS:]
    if len(newest) == SILENT_TURNS and not any(turn.calls for turn in newest):
        said = f"; it said: {newest[-1].text[:200]}" if newest[-1].text else ""
        return AgentEnded(
            agent=agent.name, outcome="gave up", message=f"called no tool in {SILENT_TURNS} turns{said}"
        )
    answers = [conversation.answers[call.id] for turn in conversation.turns for call in turn.calls]
    last = answers[-SAME_ERRORS:]
    if len(last) == SAME_ERRORS and all(answer.error for answer in last) and len({a.text for a in last}) == 1:
        return AgentEnded(
            agent=agent.name,
            outcome="gave up",
            message=f"met the same error {SAME_ERRORS} times: {last[-1].text[:200]}",
        )
    return None


async def _take_turn(live: LiveRun, agent: Agent) -> Event:
    """Ask the model for one complete turn, again and again where that can help."""
    number = len(live.state.agents[agent.name].turns) + 1
    if not _ask(live, agent, number):
        return AgentEnded(
            agent=agent.name, outcome="out of budget", message="what is left does not pay for another turn"
        )
    for attempt in range(MAX_RETRIES + 1):
        try:
            turn = await _stream(live, agent)
        except ModelBusy as error:
            if attempt == MAX_RETRIES:
                raise ModelError(
                    f"{agent.model.name} gave no complete turn in {attempt + 1} attempts: {error.message}",
                    "The run can be resumed when the provider is well again.",
                ) from None
            delay = _delay(attempt, error.after_seconds)
            live.record(
                TurnRetried(agent=agent.name, number=number, reason=error.message, after_seconds=delay)
            )
            await asyncio.sleep(delay)
        else:
            return _finished(agent, number, turn)
    raise AssertionError("the last attempt returns or raises")


def _ask(live: LiveRun, agent: Agent, number: int) -> bool:
    """Note that a turn is asked for, with its price kept free; False where the cap has no room."""
    while True:
        state = live.state
        price = agent.model.turn_price(_request(live, agent)) or Decimal(0)
        experiment = state.experiments.get(agent.name)
        # A human may have approved an experiment of unknown price; then nothing is reserved for it.
        reserved = experiment is not None and experiment.reserved
        if price > (experiment.held_usd if experiment and reserved else state.free_usd):
            return False
        conversation = state.agents[agent.name]
        silent = bool(conversation.turns) and not conversation.turns[-1].calls
        asked = TurnStarted(
            agent=agent.name,
            number=number,
            message_ids=unread_messages(state, agent.name),
            remark=CALL_A_TOOL if silent else "",
            reserved_usd=Decimal(0) if reserved else price,
        )
        try:
            live.record_if_unchanged(asked)
        except Outrun:
            continue
        return True


def _request(live: LiveRun, agent: Agent) -> TurnRequest:
    conversation = live.state.agents[agent.name]
    return TurnRequest(
        agent=agent.name,
        system=conversation.started.system,
        tools=agent.toolbox.specs,
        messages=history(conversation, live.state.messages),
    )


async def _stream(live: LiveRun, agent: Agent) -> Turn:
    """Collect one turn while it streams, showing its text a few times a second."""
    request = _request(live, agent)
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
                live.journal.set_partial(agent.name, text)
                shown, shown_at = True, at
    finally:
        if shown:
            live.journal.set_partial(agent.name, "")
    if turn is None:
        raise ModelBusy(f"{agent.model.name} ended its stream without a complete turn")
    return turn


def _visible(delta: Delta) -> str:
    return f"\n→ {delta.text}\n" if delta.kind == "call" else delta.text


def _finished(agent: Agent, number: int, turn: Turn) -> TurnFinished:
    return TurnFinished(
        agent=agent.name,
        number=number,
        raw=_storable(dict(turn.raw)),
        text=_storable(turn.text),
        thoughts=_storable(turn.thoughts),
        calls=tuple(
            Call(id=_storable(call.id), name=_storable(call.name), arguments=_storable(dict(call.arguments)))
            for call in turn.calls
        ),
        input_tokens=turn.usage.input,
        output_tokens=turn.usage.output,
        cached_tokens=turn.usage.cached,
        stop=turn.stop,
        cost_usd=turn.cost_usd,
    )


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


def _delay(attempt: int, asked_for: float | None) -> float:
    """Seconds before the next attempt: what the server asked for, else doubling with jitter to 60."""
    backoff = min(60.0, 2.0**attempt) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
    return backoff if asked_for is None else max(asked_for, 0.0) + random.uniform(0.0, 0.5)  # noqa: S311
