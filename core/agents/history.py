"""An agent's conversation as its journal tells it."""

from __future__ import annotations

from collections.abc import Sequence

from core.agents.agent import Agent
from core.models.base import Message, ModelMessage, ToolResult, ToolSpec, TurnRequest, UserMessage
from core.record.events import Call, MessageSent, TurnStarted
from core.record.live import LiveRun
from core.record.state import AgentState, RunState


def unanswered(conversation: AgentState) -> Call | None:
    """The first tool call of the newest turn that has no result yet."""
    calls = conversation.turns[-1].calls if conversation.turns else ()
    return next((call for call in calls if call.id not in conversation.answers), None)


def request_for(live: LiveRun, agent: Agent, asked: TurnStarted) -> TurnRequest:
    """What a turn is asked with: all of it from the journal, none of it from today's code.

    A provider that signs thoughts refuses them under another system text, other tools or another
    earlier message; a newer fumehood must not change what an older one began.

    Args:
        live: the run.
        agent: whose turn it is.
        asked: the turn, which need not be in the journal yet.
    """
    conversation = live.state.agents[agent.name]
    started = conversation.started
    return TurnRequest(
        agent=agent.name,
        system=started.system,
        tools=tuple(
            ToolSpec(str(tool["name"]), str(tool.get("description", "")), tool.get("schema", {}))
            for tool in started.tools
        ),
        messages=history(conversation, live.state.messages, asked),
    )


def history(
    conversation: AgentState, messages: Sequence[MessageSent], newest: TurnStarted
) -> tuple[Message, ...]:
    """The conversation as it is sent to the model.

    It is made from the journal alone and only ever grows, so that what a provider saw once it sees
    again, byte for byte.

    Args:
        conversation: the agent's conversation.
        messages: every message that the human sent.
        newest: the turn that it is sent for.
    """
    texts = {message.message_id: message.text for message in messages}
    sent: list[Message] = []
    for number in range(1, len(conversation.turns) + 2):
        asked = conversation.asked[number] if number <= len(conversation.turns) else newest
        previous = conversation.turns[number - 2] if number > 1 else None
        words = [] if previous else [conversation.started.prompt]
        words += [f"The human says: {texts[name]}" for name in asked.message_ids if name in texts]
        words += [asked.remark] if asked.remark else []
        results = tuple(_result(conversation, call) for call in previous.calls) if previous else ()
        sent.append(UserMessage("\n\n".join(words), results))
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


def _result(conversation: AgentState, call: Call) -> ToolResult:
    answer = conversation.answers[call.id]
    return ToolResult(call.id if call.given_id is None else call.given_id, answer.text, answer.error)
