"""The run as its engine holds it."""

from __future__ import annotations

import asyncio

import pytest

from core.errors import Outrun
from core.record.events import BudgetSet, LaunchingContinued, LaunchingPaused
from core.record.live import LiveRun


def test_what_is_recorded_is_in_the_state_at_once(live: LiveRun) -> None:
    live.record(LaunchingPaused())
    assert live.state.paused
    assert live.state.seq == 2


def test_a_conditional_record_that_was_outrun_takes_in_what_came_first(live: LiveRun) -> None:
    with live.folder.journal() as console:
        console.append(BudgetSet(cap_usd=3))
    with pytest.raises(Outrun):
        live.record_if_unchanged(LaunchingPaused())
    assert live.state.cap_usd == 3
    assert not live.state.paused
    live.record_if_unchanged(LaunchingPaused())
    assert live.state.paused


def test_an_event_of_another_process_between_two_own_ones_is_not_missed(live: LiveRun) -> None:
    live.record(LaunchingPaused())
    with live.folder.journal() as console:
        console.append(BudgetSet(cap_usd=3))
    live.record(LaunchingContinued())
    assert live.state.cap_usd == 3
    assert not live.state.paused


def test_who_waits_is_woken_by_own_records_and_by_other_processes(live: LiveRun) -> None:
    async def main() -> tuple[object, object]:
        watching = asyncio.create_task(live.watch())
        paused = asyncio.create_task(live.until(lambda state: state.paused))
        cap = asyncio.create_task(live.until(lambda state: state.cap_usd == 3 and state.cap_usd))
        await asyncio.sleep(0)
        live.record(LaunchingPaused())
        first = await paused
        with live.folder.journal() as console:
            console.append(BudgetSet(cap_usd=3))
        second = await cap
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        return first, second

    assert asyncio.run(asyncio.wait_for(main(), 20)) == (True, 3)
