"""What turns cost, as the state tells it: complete ones, dropped ones, and ones that were cut off."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.budget import fits
from core.pricing import Tokens
from core.record import events as e
from core.record.events import Event
from core.record.live import LiveRun
from tests.fakes.launching import lock

STARTED = e.EngineStarted(pid=1, host="h", isolation="namespaces")


def usd(*amounts: int | str) -> tuple[Decimal, ...]:
    return tuple(Decimal(amount) for amount in amounts)


def begin(live: LiveRun, agent: str = "orchestrator") -> None:
    live.record(
        e.BudgetSet(cap_usd=Decimal(10)),
        e.AgentStarted(
            agent=agent, model="m", scripted=False, system="s", tools=(), prompt="p", prompts_version="1"
        ),
    )


def asked(agent: str = "orchestrator", at_most: Decimal | None = Decimal(2), number: int = 1) -> Event:
    reserved = at_most if agent == "orchestrator" and at_most is not None else Decimal(0)
    return e.TurnStarted(agent=agent, number=number, reserved_usd=reserved, at_most_usd=at_most)


def finished(cost: Decimal | None, agent: str = "orchestrator", number: int = 1) -> Event:
    return e.TurnFinished(
        agent=agent,
        number=number,
        raw={},
        text="",
        thoughts="",
        calls=(),
        input_tokens=100,
        output_tokens=10,
        cached_tokens=60,
        cache_written_tokens=30,
        cost_usd=cost,
    )


def retried(cost: Decimal | None) -> Event:
    return e.TurnRetried(agent="orchestrator", number=1, reason="cut", after_seconds=1, cost_usd=cost)


def test_a_dropped_attempt_that_was_billed_is_spent_and_frees_what_was_kept_for_it(live: LiveRun) -> None:
    begin(live)
    live.record(asked(), retried(Decimal("0.25")))
    assert (live.state.spent_usd, live.state.reserved_usd) == usd("0.25", 0)
    live.record(asked(), finished(Decimal("0.50")))
    agent = live.state.agents["orchestrator"]
    assert live.state.spent_usd == agent.bill.spent_usd == Decimal("0.75")
    assert live.state.unsettled_usd == 0
    assert agent.bill.tokens == Tokens(100, 10, 60, 30)


def test_inside_an_experiment_a_dropped_attempt_is_paid_from_its_reservation(live: LiveRun) -> None:
    lock(live, 1, Decimal(3))
    begin(live, "E1")
    live.record(asked("E1"))
    live.record(
        e.TurnRetried(agent="E1", number=1, reason="cut", after_seconds=1, cost_usd=Decimal(1)), asked("E1")
    )
    experiment = live.state.experiments["E1"]
    assert (experiment.model_cost_usd, experiment.held_usd, live.state.spent_usd) == usd(1, 2, 1)


def test_an_attempt_of_unknown_price_makes_sums_unknown_and_never_nothing(live: LiveRun) -> None:
    lock(live, 1, Decimal(3))
    begin(live, "E1")
    live.record(asked("E1"), finished(Decimal(1), "E1"), asked("E1", number=2), finished(None, "E1", 2))
    bill = live.state.agents["E1"].bill
    assert (bill.spent_usd, bill.unknown_costs) == (Decimal(1), 1)
    assert (live.state.spent_usd, live.state.unknown_costs) == (Decimal(1), 1)
    assert live.state.experiments["E1"].cost_usd is None


@pytest.mark.parametrize(
    "end",
    [
        STARTED,
        e.EngineStopped(reason="asked"),
        e.AgentEnded(agent="orchestrator", outcome="killed"),
        e.RunEnded(outcome="killed"),
    ],
    ids=lambda event: event.type,
)
def test_a_turn_that_was_cut_off_counts_against_the_cap_with_all_it_can_have_cost(
    live: LiveRun, end: Event
) -> None:
    begin(live)
    live.record(STARTED, asked(), end)
    assert (live.state.spent_usd, live.state.reserved_usd, live.state.unsettled_usd) == usd(0, 0, 2)
    assert live.state.free_usd == 8
    assert fits(live.state, Decimal(8))
    assert not fits(live.state, Decimal("8.01"))
    live.record(STARTED)
    assert live.state.unsettled_usd == live.state.agents["orchestrator"].bill.unsettled_usd == 2


def test_a_turn_that_is_asked_for_again_without_a_word_on_the_first_is_kept_too(
    live: LiveRun,
) -> None:
    begin(live)
    live.record(asked(), asked())
    assert (live.state.unsettled_usd, live.state.reserved_usd) == usd(2, 2)


def test_a_turn_that_was_cut_off_inside_an_experiment_eats_up_its_reservation_and_no_more(
    live: LiveRun,
) -> None:
    lock(live, 1, Decimal(3))
    begin(live, "E1")
    before = live.state.committed_usd
    live.record(asked("E1"), STARTED)
    assert live.state.experiments["E1"].held_usd == 1
    assert live.state.committed_usd == before == 3
    live.record(e.ExperimentEnded(experiment_id="E1", outcome="killed"))
    assert (live.state.unsettled_usd, live.state.committed_usd) == usd(2, 2)


def test_a_turn_of_unknown_price_that_was_cut_off_is_an_unknown_cost(live: LiveRun) -> None:
    begin(live)
    live.record(asked(at_most=None), STARTED)
    assert (live.state.unsettled_usd, live.state.unknown_costs) == (Decimal(0), 1)


def test_what_a_dropped_attempt_may_have_cost_beyond_what_came_is_kept_of_the_cap(live: LiveRun) -> None:
    begin(live)
    dropped = {"cost_usd": Decimal("0.25"), "unsettled_usd": Decimal("0.75")}
    live.record(asked(), retried(Decimal(0)).model_copy(update=dropped))
    assert (live.state.spent_usd, live.state.unsettled_usd, live.state.reserved_usd) == usd("0.25", "0.75", 0)
    failed = e.TurnFailed(agent="orchestrator", number=1, reason="cut", pauses=True, **dropped)
    live.record(asked(), failed, STARTED)
    assert (live.state.spent_usd, live.state.unsettled_usd) == usd("0.5", "1.5")
    assert live.state.agents["orchestrator"].bill.unsettled_usd == Decimal("1.5")
    assert live.state.free_usd == 8


def test_of_a_cost_that_nobody_knows_the_most_that_it_can_be_is_kept_of_the_cap(live: LiveRun) -> None:
    lock(live, 1, Decimal(3))
    begin(live, "E1")
    before = live.state.committed_usd
    live.record(asked("E1"), finished(Decimal("0.5"), "E1"))
    for number in (2, 3):
        live.record(asked("E1", Decimal(1), number), finished(None, "E1", number))
        assert live.state.committed_usd == before == 3
    experiment = live.state.experiments["E1"]
    assert experiment.cost_usd is None
    assert (experiment.held_usd, experiment.unsettled_usd) == usd("0.5", 2)


def test_a_reservation_is_not_whole_again_because_a_cost_is_unknown(live: LiveRun) -> None:
    lock(live, 1, Decimal(3))
    begin(live, "E1")
    live.record(asked("E1"), finished(Decimal(2), "E1"))
    live.record(asked("E1", at_most=None, number=2), finished(None, "E1", 2))
    assert live.state.experiments["E1"].held_usd == 1
    assert live.state.committed_usd == 3


def test_between_two_attempts_nothing_is_under_way_that_could_be_cut_off(live: LiveRun) -> None:
    begin(live)
    live.record(asked(), retried(Decimal(0)), STARTED)
    assert live.state.unsettled_usd == 0


def test_the_first_failure_that_pauses_the_run_stands_until_another_engine_begins(live: LiveRun) -> None:
    begin(live)
    first = e.TurnFailed(
        agent="orchestrator", number=1, reason="bad key", pauses=True, cost_usd=Decimal("0.1")
    )
    live.record(asked(), first, first.model_copy(update={"reason": "late", "cost_usd": Decimal(0)}))
    assert live.state.blocked is not None
    assert live.state.blocked.reason == "bad key"
    assert (live.state.spent_usd, live.state.unsettled_usd) == usd("0.1", 0)
    live.record(STARTED)
    assert live.state.blocked is None
