"""How events about agents change the state."""

from __future__ import annotations

from core.pricing import Tokens
from core.record import events as e
from core.record.fold.money import bill, cut_off
from core.record.state import AgentState, RunState


def agent_started(state: RunState, event: e.AgentStarted) -> None:
    """An agent has its instructions once."""
    state.agents.setdefault(event.agent, AgentState(event))


def turn_started(state: RunState, event: e.TurnStarted) -> None:
    """An attempt is under way; an earlier one that nobody ended is cut off."""
    if agent := state.agents.get(event.agent):
        cut_off(state, event.agent)
        agent.asked[event.number] = event
        agent.under_way = event
        agent.retry = None
        if event.reserved_usd:
            state.turn_reserves[event.agent] = event.reserved_usd


def turn_retried(state: RunState, event: e.TurnRetried) -> None:
    """Book the dropped attempt."""
    if agent := state.agents.get(event.agent):
        agent.retry = event
        bill(state, event.agent, event.cost_usd, event.unsettled_usd)


def turn_failed(state: RunState, event: e.TurnFailed) -> None:
    """Book the dropped attempt; the first failure that pauses blocks the run."""
    if event.pauses and state.blocked is None:
        state.blocked = event
    if event.agent in state.agents:
        bill(state, event.agent, event.cost_usd, event.unsettled_usd)


def turn_finished(state: RunState, event: e.TurnFinished) -> None:
    """Book the turn if it is the agent's next."""
    agent = state.agents.get(event.agent)
    if agent is None or event.number != len(agent.turns) + 1:
        return
    agent.turns.append(event)
    agent.retry = None
    state.input_tokens += event.input_tokens
    state.output_tokens += event.output_tokens
    known = agent.bill.tokens
    agent.bill.tokens = Tokens(
        known.input + event.input_tokens,
        known.output + event.output_tokens,
        known.cached + event.cached_tokens,
        known.cache_written + event.cache_written_tokens,
    )
    bill(state, event.agent, event.cost_usd)


def tool_answered(state: RunState, event: e.ToolAnswered) -> None:
    """The first answer to a call counts."""
    if agent := state.agents.get(event.agent):
        agent.answers.setdefault(event.call_id, event)


def results_told(state: RunState, event: e.ResultsTold) -> None:
    """The orchestrator knows how these ended."""
    state.tellings.setdefault(event.call_id, event.experiment_ids)
    for experiment_id in event.experiment_ids:
        if experiment := state.experiments.get(experiment_id):
            experiment.told = True


def agent_ended(state: RunState, event: e.AgentEnded) -> None:
    """Nothing is reserved for its turns any more."""
    if agent := state.agents.get(event.agent):
        cut_off(state, event.agent)
        agent.ended = event
    state.turn_reserves.pop(event.agent, None)
