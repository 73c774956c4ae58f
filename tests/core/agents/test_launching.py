"""Having sandboxes again: within what was approved, after a pause that no engine's death makes longer."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core import decisions
from core.agents.closing import Closer
from core.agents.launching import Launcher, Relaunches, Then
from core.approval import next_event
from core.budget import allowance, flat, sandbox_cost, seconds_left
from core.errors import DecisionError, SandboxError, SandboxLost, SandboxUnavailable
from core.experiment import Compute
from core.pricing import Estimate
from core.record import events as e
from core.record.live import LiveRun
from core.record.state import ExperimentState
from core.sandbox.base import Sandbox
from tests.fakes.launching import lock
from tests.fakes.memory_provider import KeptSandbox, MemoryProvider

ENDED = SandboxLost("it was preempted", fault="ended")
HOUR = Compute(timeout_seconds=3600)
DEAR = Decimal("3.60")


def launcher(
    live: LiveRun, provider: MemoryProvider, usd_per_hour: Decimal = DEAR, **relaunches: Any
) -> Launcher:
    return Launcher(live, provider, flat(usd_per_hour), Closer(live, provider), Relaunches(**relaunches))


def opened(live: LiveRun, seconds_ago: float, name: str = "E1", usd_per_hour: Decimal = DEAR) -> None:
    """The journal says that a sandbox was opened some time ago."""
    at = e.now() - timedelta(seconds=seconds_ago)
    live.record(
        e.SandboxRequested(experiment_id="E1", name=name, provider="memory"),
        e.SandboxOpened(
            experiment_id="E1",
            sandbox_id=f"sb-{name}",
            isolation="remote machine",
            usd_per_hour=usd_per_hour,
            at=at,
        ),
    )


def failed(live: LiveRun, provider: MemoryProvider, error: SandboxError, **relaunches: Any) -> Then:
    """What a run does after a fault."""
    return asyncio.run(launcher(live, provider, **relaunches).after("E1", error, None))


def had(live: LiveRun, provider: MemoryProvider, **relaunches: Any) -> Sandbox:
    async def within_seconds() -> Sandbox:
        async with asyncio.timeout(5):
            return await launcher(live, provider, **relaunches).sandbox("E1")

    return asyncio.run(within_seconds())


@pytest.fixture
def running(live: LiveRun) -> LiveRun:
    """A run whose E1 runs with an hour and five dollars."""
    live.record(e.EngineStarted(pid=1, host="h", isolation="remote machine"))
    lock(live, 1, Decimal(5), compute=HOUR)
    return live


def experiment(live: LiveRun) -> ExperimentState:
    return live.state.experiments["E1"]


def test_a_sandbox_carries_what_was_approved_and_what_is_left_of_its_time(running: LiveRun) -> None:
    provider = MemoryProvider()
    opened(running, 600)
    failed(running, provider, ENDED, first_seconds=0)
    had(running, provider, first_seconds=0)
    [(name, spec)] = provider.opened
    locked = experiment(running).locked
    assert locked is not None
    assert (name, spec.specification) == ("E1.2", locked.sha256)
    assert 2990 <= spec.compute.timeout_seconds <= 3001


def test_the_rest_of_a_pause_is_waited_for_whichever_engine_began_it(running: LiveRun) -> None:
    provider = MemoryProvider()
    long_ago = e.now() - timedelta(seconds=301)
    running.record(
        e.SandboxFailed(
            experiment_id="E1",
            fault="no room",
            message="full",
            then="tried again",
            after_seconds=300,
            at=long_ago,
        )
    )
    had(running, provider)
    running.record(
        e.SandboxFailed(
            experiment_id="E1", fault="silent", message="silent", then="tried again", after_seconds=300
        )
    )
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(launcher(running, provider).sandbox("E1"), 0.05))


def test_pauses_grow_up_to_the_longest_and_begin_anew_once_a_script_has_ended(running: LiveRun) -> None:
    provider = MemoryProvider()
    full = SandboxUnavailable("full", fault="no room")
    for _ in range(5):
        assert failed(running, provider, full, first_seconds=10, longest_seconds=50) == "tried again"
    assert [one.after_seconds for one in experiment(running).failures] == [10, 20, 40, 50, 50]
    running.record(
        e.ExecRequested(exec_id="E1-1", experiment_id="E1", call_id="c", code="", code_sha256=""),
        e.ExecEnded(exec_id="E1-1", end="finished", exit_code=0, seconds=1),
    )
    assert experiment(running).failures == []


@pytest.mark.parametrize(
    ("lost_after", "usd_per_hour", "reason"),
    [
        (2400, DEAR, "2400 s were lost with it, and 1200 s of its time are left"),
        (600, Decimal(6), "what is left of the approved money does not pay for another one"),
    ],
    ids=["time", "money"],
)
def test_what_does_not_fit_what_was_approved_is_asked_again(
    running: LiveRun, lost_after: float, usd_per_hour: Decimal, reason: str
) -> None:
    provider = MemoryProvider()
    opened(running, lost_after)
    dear = launcher(running, provider, usd_per_hour)
    assert asyncio.run(dear.after("E1", ENDED, None)) == "asked again"
    state = experiment(running)
    assert state.stage == "proposed"
    assert state.locked is None
    assert state.held_usd == 0
    request = next_event(running.state, lambda spec: Estimate(maximum=Decimal(5)))
    assert isinstance(request, e.ApprovalRequested)
    assert request.detail == f"it was preempted; {reason}"
    assert request.subject == state.spec.sha256
    assert asyncio.run(dear.after("E1", SandboxLost("x", fault="terminated"), None)) == "ended"


def approve_again(live: LiveRun, maximum: Decimal = Decimal(5)) -> None:
    """Let the gate ask, approve it, and let the gate launch."""
    for _ in range(3):
        event = next_event(live.state, lambda spec: Estimate(maximum=maximum))
        assert event is not None
        live.record(event)
        if isinstance(event, e.ApprovalRequested):
            live.record(*decisions.approve(live.state, "E1"))


def test_another_approval_is_good_for_its_whole_time_and_money(running: LiveRun) -> None:
    provider = MemoryProvider()
    opened(running, 2400)
    first = experiment(running).locked_at
    failed(running, provider, ENDED)
    approve_again(running)
    state = experiment(running)
    assert state.stage == "running"
    assert state.locked_at == first
    assert seconds_left(state) == 3600
    assert state.held_usd == 5
    assert state.cost_usd is not None
    assert running.state.committed_usd == state.cost_usd + 5
    opened(running, 0, "E1.2")
    assert allowance(experiment(running)) == Decimal(5) - DEAR


def test_what_it_tests_cannot_be_edited_any_more_but_its_machine_can(running: LiveRun) -> None:
    opened(running, 2400)
    failed(running, MemoryProvider(), ENDED)
    with pytest.raises(DecisionError, match="what it tests is fixed"):
        decisions.edit(running.state, "E1", {"plan": "Look at something else."})
    spec = experiment(running).spec
    moved = spec.model_copy(update={"title": "Moved goalposts"})
    running.record(e.ExperimentEdited(edit_id="x", experiment=moved))
    assert experiment(running).spec == spec
    running.record(*decisions.edit(running.state, "E1", {"compute.timeout_seconds": 7200}))
    assert experiment(running).spec.compute.timeout_seconds == 7200


def test_no_policy_approves_a_second_launch(running: LiveRun) -> None:
    opened(running, 2400)
    failed(running, MemoryProvider(), ENDED)
    assert running.state.created is not None
    settings = running.state.settings.model_copy(update={"approve": "auto"})
    running.state.created = running.state.created.model_copy(update={"settings": settings})
    request = next_event(running.state, lambda spec: Estimate(maximum=Decimal(1)))
    assert isinstance(request, e.ApprovalRequested)
    running.record(request)
    assert next_event(running.state, lambda spec: Estimate(maximum=Decimal(1))) is None


def test_a_sandbox_that_may_still_be_there_is_not_replaced_but_found_again(running: LiveRun) -> None:
    provider = MemoryProvider()
    first = had(running, provider)
    provider.sandboxes["sb-E1"].closings = [SandboxUnavailable("it may still be there", fault="silent")]
    assert failed(running, provider, SandboxLost("gone", fault="gone"), first_seconds=0) == "tried again"
    assert experiment(running).closings == []
    assert had(running, provider, first_seconds=0) is first
    assert len(provider.opened) == 1


def test_one_that_stays_silent_is_closed_before_anybody_is_asked(running: LiveRun) -> None:
    provider = MemoryProvider()
    had(running, provider)
    silent = SandboxLost("nothing was heard", fault="silent")
    thens = [failed(running, provider, silent, most=2, first_seconds=0) for _ in range(3)]
    assert thens == ["tried again", "tried again", "asked again"]
    assert provider.sandboxes["sb-E1"].closed
    assert len(experiment(running).closings) == 1


def test_nothing_is_opened_with_an_isolation_that_nobody_accepted(running: LiveRun) -> None:
    provider = MemoryProvider()
    running.record(e.EngineStarted(pid=2, host="h", isolation="process only"))
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(launcher(running, provider).sandbox("E1"), 0.05))
    assert provider.opened == []


def test_a_price_that_rose_after_the_approval_opens_nothing_and_is_asked_about(running: LiveRun) -> None:
    provider = MemoryProvider()
    dear = launcher(running, provider, Decimal(6))
    with pytest.raises(SandboxUnavailable, match=r"\$6\.00 per hour now, more than was approved") as error:
        asyncio.run(dear.sandbox("E1"))
    assert (provider.opened, experiment(running).requested) == ([], 0)
    assert asyncio.run(dear.after("E1", error.value, None)) == "asked again"
    request = next_event(running.state, lambda spec: Estimate(maximum=Decimal(6)))
    assert isinstance(request, e.ApprovalRequested)
    assert request.detail == error.value.message
    approve_again(running, Decimal(6))
    asyncio.run(dear.sandbox("E1"))
    assert [name for name, _ in provider.opened] == ["E1"]


def test_what_is_left_of_the_money_pays_for_what_is_left_of_the_time(live: LiveRun) -> None:
    """The time that was used and the time that is left add up to a hair more than the whole."""
    used = 904.800528
    live.record(e.EngineStarted(pid=1, host="h", isolation="remote machine"))
    lock(live, 1, DEAR, compute=HOUR)
    opened(live, used)
    cost = sandbox_cost(DEAR, used)
    live.record(e.SandboxClosed(experiment_id="E1", sandbox_id="sb-E1", seconds=used, cost_usd=cost))
    rest = sandbox_cost(DEAR, seconds_left(experiment(live)))
    assert rest is not None
    assert rest > experiment(live).held_usd
    had(live, provider := MemoryProvider())
    assert [name for name, _ in provider.opened] == ["E1.2"]


def test_a_launch_that_a_human_approved_at_an_unknown_price_is_opened_at_any(live: LiveRun) -> None:
    live.record(e.EngineStarted(pid=1, host="h", isolation="remote machine"))
    lock(live, 1, None, compute=HOUR)
    had(live, provider := MemoryProvider())
    assert len(provider.opened) == 1


def test_one_that_may_have_been_made_without_an_answer_costs_nothing_while_a_human_is_asked(
    running: LiveRun,
) -> None:
    provider = MemoryProvider()
    running.record(e.SandboxRequested(experiment_id="E1", name="E1", provider="memory"))
    provider.sandboxes["E1"] = made = KeptSandbox(id="sb-E1")
    unreachable = SandboxUnavailable("no reply", fault="unreachable")
    thens = [failed(running, provider, unreachable, most=1, first_seconds=0) for _ in range(2)]
    assert thens == ["tried again", "asked again"]
    assert made.closed
    assert [one.experiment_id for one in running.state.reaped.values()] == ["E1"]
