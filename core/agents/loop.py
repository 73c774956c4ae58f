"""The turn loop: one agent from its first turn to its end, the same for every agent.

An agent's whole conversation is in the journal. Each step looks at it and does the one thing that
comes next, so that an engine that starts again goes on where the last one stopped: a complete turn
is never asked for again, and a tool call without a result is made again under the same id.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.agents.agent import Agent
from core.agents.history import unanswered
from core.agents.retries import PATIENT, Retries
from core.agents.turn import take_turn
from core.models.base import ToolCall
from core.record.events import AgentEnded, AgentStarted, Call, Event, ToolAnswered
from core.record.live import LiveRun
from core.record.state import AgentState

SILENT_TURNS = 3
"""An agent that calls no tool this many turns in a row has given up."""

SAME_ERRORS = 4
"""An agent that gets the same error this many times in a row has given up."""


async def converse(live: LiveRun, agent: Agent, retries: Retries = PATIENT) -> AgentEnded:
    """Let an agent work until it has ended, and say how.

    Args:
        live: the run.
        agent: the agent.
        retries: when a turn that was not complete is asked for again.

    Raises:
        ModelError: there is no turn now; the agent has not ended and can be taken up again. Where
            ``live.state.blocked`` is set, the run has to pause.
        SandboxError: a tool's sandbox failed.
    """
    _begin(live, agent)
    while (ended := live.state.agents[agent.name].ended) is None:
        live.record(*await _next_step(live, agent, retries))
    return ended


async def _next_step(live: LiveRun, agent: Agent, retries: Retries) -> Sequence[Event]:
    """The one thing that comes next in an agent's conversation."""
    conversation = live.state.agents[agent.name]
    if call := unanswered(conversation):
        return await _answer(agent, call)
    if ended := _reason_to_end(agent, conversation):
        return [ended]
    return [await take_turn(live, agent, retries)]


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
