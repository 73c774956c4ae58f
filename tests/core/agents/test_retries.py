"""Turns that are not complete: asked for again, booked, and in the end a pause of the run."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from core.agents.agent import Agent
from core.agents.loop import converse
from core.agents.retries import Retries
from core.agents.tools import Arguments, Reply, Tool, Toolbox
from core.errors import (
    ContextFull,
    ModelBusy,
    ModelError,
    ModelRefused,
    ModelRejected,
    ModelUnusable,
)
from core.models.base import TurnRequest
from core.record.events import (
    AgentEnded,
    BudgetSet,
    EngineStarted,
    SandboxOpened,
    TurnFailed,
    TurnRetried,
    TurnStarted,
)
from core.record.live import LiveRun
from tests.fakes.behaving_model import (
    AT_ONCE,
    BUSY,
    BehavingModel,
    Behaviour,
    Breaks,
    Fails,
    Says,
    calls,
)
from tests.fakes.launching import lock

END = calls("end")


class End(Arguments):
    """End it."""


async def end(arguments: End, call_id: str) -> Reply:
    return Reply("It has ended.", ends=True)


def agent(model: BehavingModel, name: str = "orchestrator") -> Agent:
    return Agent(name, model, "s", "p", "1", Toolbox(Tool("end", End, end)), 30)


def talk(
    live: LiveRun,
    *behaviours: Behaviour,
    name: str = "orchestrator",
    retries: Retries = AT_ONCE,
    price: Decimal | None = Decimal(0),
) -> tuple[AgentEnded, list[TurnRequest]]:
    """Converse with an engine of its own."""
    live.record(EngineStarted(pid=1, host="h", isolation="namespaces"))
    model = BehavingModel(behaviours, price=price)
    return asyncio.run(converse(live, agent(model, name), retries)), model.requests


def retried(live: LiveRun) -> list[TurnRetried]:
    return [event for event in live.journal.read() if isinstance(event, TurnRetried)]


def failed(live: LiveRun) -> TurnFailed:
    [event] = [event for event in live.journal.read() if isinstance(event, TurnFailed)]
    return event


def test_a_busy_model_is_asked_again_and_the_human_sees_why(live: LiveRun) -> None:
    busy = Fails(ModelBusy("overloaded", after_seconds=0.01))
    ended, requests = talk(live, busy, BUSY, END)
    assert ended.outcome == "done"
    assert [(event.number, event.reason, event.after_seconds) for event in retried(live)] == [
        (1, "overloaded", 0.01),
        (1, "the fake is busy", 0),
    ]
    assert requests[0] == requests[1] == requests[2]


def test_a_stream_that_is_cut_is_asked_for_again_as_a_whole(live: LiveRun) -> None:
    ended, requests = talk(live, Says("Hm"), Breaks(), END)
    assert ended.outcome == "done"
    assert requests[1] == requests[2]
    assert "without a complete turn" in retried(live)[0].reason


def test_a_model_that_stays_busy_pauses_the_run_and_the_agent_can_be_taken_up_again(live: LiveRun) -> None:
    with pytest.raises(ModelBusy, match=rf"in {AT_ONCE.most + 1} attempts: the fake is busy"):
        talk(live, Says("Hm"), *[BUSY] * (AT_ONCE.most + 1))
    assert len(retried(live)) == AT_ONCE.most
    assert live.state.blocked == failed(live)
    assert "Resume the run" in failed(live).next_step
    assert live.state.agents["orchestrator"].ended is None
    ended, requests = talk(live, END)
    assert ended.outcome == "done"
    assert len(requests[0].messages) == 3


def test_what_mends_the_cause_is_still_said_after_the_last_attempt(live: LiveRun) -> None:
    gone = Fails(ModelBusy("cannot connect to x", after_seconds=0, next_step="Check that the server runs."))
    with pytest.raises(ModelBusy):
        talk(live, *[gone] * (AT_ONCE.most + 1))
    assert failed(live).next_step == "Check that the server runs. Then resume the run."


@pytest.mark.parametrize(
    ("error", "name", "pauses"),
    [
        (ModelUnusable("bad key"), "E1", True),
        (ModelUnusable("bad key"), "orchestrator", True),
        (ModelBusy("asks to wait", after_seconds=1e5), "E1", True),
        (ModelRejected("bad request"), "E1", False),
        (ContextFull("too long"), "E1", False),
        (ModelRefused("no"), "E1", False),
        (ModelRejected("bad request"), "writer", True),
        (ContextFull("too long"), "orchestrator", True),
        (ModelRefused("no"), "writer", True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_what_asking_again_cannot_mend_is_not_asked_again_and_pauses_what_nobody_else_can_mend(
    live: LiveRun, error: ModelError, name: str, pauses: bool
) -> None:
    lock(live, 1)
    with pytest.raises(type(error)):
        talk(live, Fails(error), name=name)
    assert not retried(live)
    assert failed(live).pauses == pauses
    assert (live.state.blocked is not None) == pauses
    assert talk(live, END, name=name)[0].outcome == "done"


def test_while_the_run_pauses_no_agent_asks_for_a_turn(live: LiveRun) -> None:
    async def main() -> BehavingModel:
        live.record(EngineStarted(pid=1, host="h", isolation="namespaces"))
        live.record(TurnFailed(agent="E1", number=1, reason="bad key", pauses=True))
        model = BehavingModel([END])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(converse(live, agent(model)), 0.05)
        return model

    assert asyncio.run(main()).requests == []


def test_what_dropped_attempts_cost_is_spent_and_every_attempt_asks_whether_it_fits(live: LiveRun) -> None:
    live.record(BudgetSet(cap_usd=Decimal(3)))
    cut = Fails(ModelBusy("cut", after_seconds=0, cost_usd=Decimal("0.75")))
    ended, requests = talk(live, cut, cut, cut, END, price=Decimal(2))
    assert (ended.outcome, len(requests)) == ("out of budget", 2)
    assert live.state.spent_usd == live.state.agents["orchestrator"].bill.spent_usd == Decimal("1.50")
    assert (live.state.reserved_usd, live.state.unsettled_usd) == (Decimal(0), Decimal(0))


def test_inside_an_experiment_dropped_attempts_eat_up_its_allowance(live: LiveRun) -> None:
    lock(live, 1, Decimal(3))
    cut = Fails(ModelBusy("cut", after_seconds=0, cost_usd=Decimal(1)))
    ended, requests = talk(live, cut, cut, cut, name="E1", price=Decimal(2))
    assert (ended.outcome, len(requests)) == ("out of budget", 2)
    assert live.state.spent_usd == 2


def test_a_researcher_never_spends_what_its_open_sandbox_may_yet_cost(live: LiveRun) -> None:
    lock(live, 1, Decimal(3))
    timeout = live.state.experiments["E1"].spec.compute.timeout_seconds
    two_dollars = Decimal(2) * 3600 / timeout
    live.record(
        SandboxOpened(experiment_id="E1", sandbox_id="s", isolation="namespaces", usd_per_hour=two_dollars)
    )
    ended, requests = talk(live, END, name="E1", price=Decimal("1.01"))
    assert (ended.outcome, requests) == ("out of budget", [])


def test_what_the_attempt_cost_that_ends_it_all_is_spent_too(live: LiveRun) -> None:
    with pytest.raises(ModelRefused):
        talk(live, Fails(ModelRefused("no", cost_usd=Decimal("0.5"))))
    assert live.state.spent_usd == Decimal("0.5")
    last = Fails(ModelBusy("cut", after_seconds=9e9, cost_usd=Decimal("0.25")))
    with pytest.raises(ModelBusy):
        talk(live, last)
    assert live.state.spent_usd == Decimal("0.75")


@pytest.mark.parametrize("error", [ModelRefused("no"), ModelBusy("cut", after_seconds=9e9)])
def test_what_it_may_have_cost_beyond_that_is_kept_of_the_cap(live: LiveRun, error: ModelError) -> None:
    error.cost_usd, error.unsettled_usd = Decimal("0.25"), Decimal("0.5")
    with pytest.raises(type(error)):
        talk(live, Fails(error))
    assert (live.state.spent_usd, live.state.unsettled_usd) == (Decimal("0.25"), Decimal("0.5"))


def test_an_attempt_of_unknown_price_is_counted_as_unknown(live: LiveRun) -> None:
    talk(live, Fails(ModelBusy("cut", after_seconds=0, cost_usd=None)), Breaks(), END, price=None)
    assert (live.state.spent_usd, live.state.unknown_costs) == (Decimal(0), 2)


def test_the_price_of_a_turn_is_that_of_everything_it_will_send(live: LiveRun) -> None:
    lengths: list[int] = []

    class Weighing(BehavingModel):
        def turn_price(self, request: TurnRequest) -> Decimal:
            lengths.append(len(request.messages))
            return Decimal(0)

    model = Weighing([Says("Hm"), END])
    asyncio.run(converse(live, agent(model)))
    assert lengths == [len(request.messages) for request in model.requests] == [1, 3]


def test_an_attempt_that_is_cancelled_counts_with_all_it_can_have_cost(live: LiveRun) -> None:
    lock(live, 1, Decimal(3))

    class Endless(BehavingModel):
        async def turn(self, request: TurnRequest):  # type: ignore[no-untyped-def]
            await asyncio.Event().wait()
            yield

    async def main() -> None:
        conversation = asyncio.create_task(converse(live, agent(Endless([], price=Decimal(2)), "E1")))
        await live.until(lambda state: "E1" in state.agents and state.agents["E1"].under_way)
        conversation.cancel()
        await asyncio.gather(conversation, return_exceptions=True)

    asyncio.run(main())
    live.record(AgentEnded(agent="E1", outcome="killed"))
    assert (live.state.unsettled_usd, live.state.experiments["E1"].held_usd) == (Decimal(2), Decimal(1))


def test_a_pause_between_attempts_can_be_cut_short(live: LiveRun) -> None:
    async def main() -> None:
        model = BehavingModel([Fails(ModelBusy("busy", after_seconds=500)), END])
        conversation = asyncio.create_task(converse(live, agent(model)))
        await live.until(lambda state: "orchestrator" in state.agents and state.agents["orchestrator"].retry)
        conversation.cancel()
        await asyncio.wait([conversation])
        assert conversation.cancelled()

    asyncio.run(asyncio.wait_for(main(), 20))
    assert [event.after_seconds // 1 for event in retried(live)] == [500]
    assert live.state.agents["orchestrator"].under_way is None


def test_each_attempt_is_in_the_journal_before_the_model_is_asked(live: LiveRun) -> None:
    talk(live, BUSY, BUSY, END)
    kinds = [event.type for event in live.journal.read() if isinstance(event, TurnStarted | TurnRetried)]
    assert kinds == ["turn.started", "turn.retried"] * 2 + ["turn.started"]


def test_pauses_double_up_to_a_minute_where_the_server_names_none() -> None:
    steady = Retries(jitter=lambda: 1.0)
    busy = ModelBusy("busy")
    assert [steady.delay("m", attempt, busy) for attempt in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    halved = Retries(jitter=lambda: 0.0)
    assert [halved.delay("m", attempt, busy) for attempt in range(3)] == [0.5, 1, 2]


def test_a_pause_that_the_server_names_is_kept_and_never_shortened() -> None:
    assert Retries(jitter=lambda: 0.0).delay("m", 0, ModelBusy("busy", 7.5)) == 7.5
    assert Retries(jitter=lambda: 1.0).delay("m", 0, ModelBusy("busy", 7.5)) == 8
    assert Retries(jitter=lambda: 0.0).delay("m", 0, ModelBusy("busy", -1.0)) == 0


def test_a_server_that_asks_for_hours_is_not_waited_for_in_silence() -> None:
    with pytest.raises(ModelBusy, match=r"m is to be asked again only in 3.0 hours: quota") as raised:
        Retries().delay("m", 0, ModelBusy("quota", 3 * 3600))
    assert raised.value.next_step == "Resume the run then."
    with pytest.raises(ModelBusy, match="in 11 minutes"):
        Retries().delay("m", 0, ModelBusy("quota", 660))
