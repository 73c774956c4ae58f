"""Booking what was spent, and what may have been."""

from __future__ import annotations

from decimal import Decimal

from core.record.state import ExperimentState, RunState

NOTHING = Decimal(0)


def bill(state: RunState, name: str, cost_usd: Decimal | None, unsettled_usd: Decimal = NOTHING) -> None:
    """Book what an agent's attempt at a turn cost; it is not under way any more.

    Of a cost that nobody knows, the most that it can be is kept of the cap where that is known.
    """
    agent = state.agents[name]
    asked, agent.under_way = agent.under_way, None
    state.turn_reserves.pop(name, None)
    if cost_usd is None:
        agent.bill.unknown_costs += 1
        unsettled_usd = (asked and asked.at_most_usd) or unsettled_usd
    else:
        agent.bill.spent_usd += cost_usd
    agent.bill.unsettled_usd += unsettled_usd
    state.unsettled_usd += unsettled_usd
    experiment = state.experiments.get(name)
    if experiment is not None:
        experiment.unsettled_usd += unsettled_usd
    spend(state, experiment, cost_usd, "model_cost_usd")


def cut_off(state: RunState, name: str) -> None:
    """Keep the price of an attempt that nobody waits for any more: it may have been billed."""
    asked = state.agents[name].under_way
    if asked is not None:
        known = asked.at_most_usd is not None
        bill(state, name, NOTHING if known else None, asked.at_most_usd or NOTHING)


def cut_off_all(state: RunState) -> None:
    """Cut off every agent's attempt."""
    for name in state.agents:
        cut_off(state, name)


def spend(
    state: RunState, experiment: ExperimentState | None, cost_usd: Decimal | None, account: str
) -> None:
    """Book a cost. An unknown one is counted, and makes the experiment's total unknown."""
    if cost_usd is None:
        state.unknown_costs += 1
    else:
        state.spent_usd += cost_usd
    if experiment is not None:
        experiment.booked_usd += cost_usd or NOTHING
        booked: Decimal | None = getattr(experiment, account)
        setattr(experiment, account, None if booked is None or cost_usd is None else booked + cost_usd)
