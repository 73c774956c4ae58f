"""What happens around an experiment: heartbeats, closing, bills and what was left behind."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from core.agents.accounts import Accounts
from core.agents.closing import Closer
from core.agents.conduct import Conductor
from core.agents.sweeping import sweep
from core.budget import flat
from core.errors import SandboxFault, SandboxLost, SandboxUnavailable
from core.experiment import Compute
from core.models.scripted import ScriptedModel, Trajectory
from core.record import events as e
from core.record.live import LiveRun
from core.sandbox.base import OpenSandbox, SandboxSpec
from tests.core.agents.test_launching import DEAR, experiment, opened
from tests.fakes.launching import lock
from tests.fakes.memory_provider import KeptSandbox, MemoryProvider

STAYS = SandboxUnavailable("it may still be there", fault="silent")
NOBODY = ScriptedModel("scripted:nobody", Trajectory(title="", question="", turns={}))


class Unfound(MemoryProvider):
    """A provider that finds none of its sandboxes."""

    def __init__(self, error: SandboxLost) -> None:
        super().__init__()
        self.error = error

    async def reopen(self, sandbox_id: str, spec: SandboxSpec) -> KeptSandbox:
        raise self.error

    async def end(self, sandbox_id: str) -> None:
        raise self.error


@pytest.fixture
def running(live: LiveRun) -> LiveRun:
    """A run whose E1 has had a sandbox for ten minutes."""
    lock(live, 1, Decimal(5), compute=Compute(timeout_seconds=3600))
    opened(live, 600)
    return live


def test_a_silent_sandbox_delays_no_heartbeat_of_another(live: LiveRun) -> None:
    async def beat() -> KeptSandbox:
        conductor = Conductor(live, MemoryProvider(), NOBODY, flat(DEAR))
        heard, silent = KeptSandbox(), KeptSandbox(silent=True)
        conductor.open = {"E1": silent, "E2": heard}
        beating = asyncio.create_task(conductor.keep_alive(0.01))
        async with asyncio.timeout(10):
            while heard.beats < 10:  # noqa: ASYNC110 - a heartbeat sets no event
                await asyncio.sleep(0.001)
        beating.cancel()
        await asyncio.wait([beating])
        return heard

    assert asyncio.run(beat()).beats >= 10


def test_heartbeats_outlive_every_error_of_a_sandbox(live: LiveRun) -> None:
    class Broken(KeptSandbox):
        async def heartbeat(self) -> None:
            self.beats += 1
            raise SandboxLost("it is gone") if self.beats % 2 else OSError("the way is broken")

    async def beat() -> None:
        conductor = Conductor(live, MemoryProvider(), NOBODY, flat(DEAR))
        broken = Broken()
        conductor.open = {"E1": broken}
        beating = asyncio.create_task(conductor.keep_alive(0.001))
        async with asyncio.timeout(10):
            while broken.beats < 5:  # noqa: ASYNC110 - a heartbeat sets no event
                await asyncio.sleep(0.001)
        assert not beating.done()
        beating.cancel()
        await asyncio.wait([beating])

    asyncio.run(beat())


def test_a_close_that_may_have_failed_ends_no_bill(running: LiveRun) -> None:
    sandbox = KeptSandbox(id="sb-E1", closings=[STAYS])
    closing = asyncio.run(Closer(running, MemoryProvider()).close("E1", sandbox, "killed"))
    running.record(*closing.events, e.ExperimentEnded(experiment_id="E1", outcome="done"))
    state = experiment(running)
    assert state.sandbox is not None
    assert state.held_usd == 5
    assert "closed again" in [one.then for one in closing.events if isinstance(one, e.SandboxFailed)]


@pytest.mark.parametrize(("fault", "is_over"), [("silent", False), ("ended", True), ("gone", True)])
def test_only_one_that_is_known_to_be_gone_ends_its_bill(
    running: LiveRun, fault: SandboxFault, is_over: bool
) -> None:
    """Whether it is looked for by an engine that does not have it, or closed again later."""
    lost = SandboxLost("it is not found", fault=fault)
    closing = asyncio.run(Closer(running, Unfound(lost)).close("E1", None, "killed"))
    assert any(isinstance(one, e.SandboxClosed) for one in closing.events) == is_over
    assert bool(closing.trouble) != is_over
    running.record(e.ExperimentEnded(experiment_id="E1", outcome="done"))
    assert asyncio.run(Closer(running, Unfound(lost)).close_again()) == is_over


def test_what_could_not_be_closed_is_closed_again_until_it_is(running: LiveRun) -> None:
    provider = MemoryProvider()
    provider.sandboxes["sb-E1"] = KeptSandbox(id="sb-E1", closings=[STAYS, STAYS])
    running.record(e.ExperimentEnded(experiment_id="E1", outcome="done"))

    async def go_on() -> None:
        closing = asyncio.create_task(Closer(running, provider, 0.01, 0.02).go_on())
        async with asyncio.timeout(10):
            await running.until(lambda state: state.experiments["E1"].closings)
        closing.cancel()
        await asyncio.wait([closing])

    asyncio.run(go_on())
    state = experiment(running)
    [closed] = state.closings
    assert 600 <= closed.seconds < 620
    assert state.held_usd == 0
    said = [event for event in running.journal.read() if isinstance(event, e.SandboxFailed)]
    assert [one.then for one in said] == ["closed again", "closed again"]


def test_a_sandbox_whose_time_is_over_has_ended_itself_and_costs_no_more(live: LiveRun) -> None:
    provider = MemoryProvider()
    lock(live, 1, Decimal(5), compute=Compute(timeout_seconds=3600))
    opened(live, 9000)
    live.record(e.ExperimentEnded(experiment_id="E1", outcome="done"))
    assert asyncio.run(Closer(live, provider).close_again())
    [closed] = experiment(live).closings
    assert (closed.seconds, closed.cost_usd) == (3600, DEAR)
    assert provider.ended == []


def gone(live: LiveRun, seconds_ago: float, cost: Decimal | None = Decimal(1)) -> None:
    live.record(
        e.SandboxClosed(
            experiment_id="E1",
            sandbox_id="sb-E1",
            seconds=600,
            cost_usd=cost,
            at=e.now() - timedelta(seconds=seconds_ago),
        )
    )


def settled(live: LiveRun, bill: str | None = None) -> MemoryProvider:
    """Ask for the bills once, of a provider that says this, or nothing."""
    provider = MemoryProvider(bills={"sb-E1": Decimal(bill)} if bill else {})
    asyncio.run(Accounts(live, provider).settle())
    return provider


def test_a_figure_of_a_sandbox_that_is_long_gone_counts_whatever_it_is(running: LiveRun) -> None:
    gone(running, 1000)
    settled(running, "0.25")
    assert running.state.spent_usd == experiment(running).sandbox_cost_usd == Decimal("0.25")
    assert settled(running, "0.50").asked == []


def test_a_young_figure_counts_only_where_it_is_above_ours(running: LiveRun) -> None:
    gone(running, 5)
    settled(running, "0.25")
    assert running.state.spent_usd == 1
    settled(running, "1.25")
    assert running.state.spent_usd == experiment(running).sandbox_cost_usd == Decimal("1.25")


def test_a_young_figure_is_not_believed_where_there_is_none_of_ours(running: LiveRun) -> None:
    gone(running, 5, None)
    settled(running, "0.01")
    assert (running.state.spent_usd, running.state.unknown_costs) == (Decimal(0), 1)


def test_a_figure_makes_an_unknown_cost_known(running: LiveRun) -> None:
    gone(running, 1000, None)
    assert (running.state.unknown_costs, experiment(running).cost_usd) == (1, None)
    settled(running, "0.25")
    assert (running.state.unknown_costs, experiment(running).cost_usd) == (0, Decimal("0.25"))


def test_a_provider_that_does_not_say_is_asked_again_by_the_next_engine(running: LiveRun) -> None:
    gone(running, 1000)
    assert settled(running).asked == ["sb-E1"]
    assert running.state.spent_usd == 1
    settled(running, "0.75")
    assert running.state.spent_usd == Decimal("0.75")


def test_only_what_nobody_needs_of_this_run_is_swept_up(running: LiveRun) -> None:
    own = running.folder.run_id
    here = [("sb-E1", "E1", own), ("sb-old", "E1", own), ("sb-E7", "E7.2", own), ("sb-x", "E1", "another")]
    provider = MemoryProvider(
        others=[OpenSandbox(id=name, name=called, run_id=run, running=()) for name, called, run in here]
    )
    asyncio.run(sweep(running, provider))
    assert provider.ended == ["sb-old", "sb-E7"]
    assert {name: one.experiment_id for name, one in running.state.reaped.items()} == {
        "sb-old": "E1",
        "sb-E7": None,
    }
    assert experiment(running).sandbox is not None


def test_one_that_cannot_be_ended_keeps_none_of_the_others(running: LiveRun) -> None:
    names = ("sb-first", "sb-second", "sb-third")
    provider = MemoryProvider(
        others=[OpenSandbox(id=name, name="E7", run_id=running.folder.run_id, running=()) for name in names]
    )
    provider.sandboxes["sb-first"] = KeptSandbox(id="sb-first", closings=[STAYS])
    provider.sandboxes["sb-second"] = KeptSandbox(
        id="sb-second", closings=[SandboxLost("it has just ended", fault="ended")]
    )
    asyncio.run(sweep(running, provider))
    assert provider.ended == list(names)
    assert list(running.state.reaped) == ["sb-third"]


def test_what_an_ended_experiment_left_is_closed_with_its_bill(running: LiveRun) -> None:
    running.record(e.ExperimentEnded(experiment_id="E1", outcome="done"))
    left = OpenSandbox(id="sb-E1", name="E1", run_id=running.folder.run_id, running=())
    asyncio.run(sweep(running, MemoryProvider(others=[left])))
    assert experiment(running).sandbox is None
    assert len(experiment(running).bills) == 1


def test_a_name_that_was_noted_is_waited_for_and_not_swept_up(live: LiveRun) -> None:
    lock(live, 1)
    live.record(e.SandboxRequested(experiment_id="E1", name="E1", provider="memory"))
    made = OpenSandbox(id="sb-new", name="E1", run_id=live.folder.run_id, running=())
    provider = MemoryProvider(others=[made])
    asyncio.run(sweep(live, provider))
    assert provider.ended == []
