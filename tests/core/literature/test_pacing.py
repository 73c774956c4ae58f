"""Pacing: one at a time, never too soon, by a clock of the test's."""

from __future__ import annotations

import asyncio

import pytest

from core.errors import SourceFailed
from core.literature.pacing import Pacing
from core.literature.sources import ARXIV, Source
from tests.fakes.literature_servers import Clock

OTHER = Source("Other", "https://other.example", 0.5)


def test_many_who_ask_at_once_are_let_through_one_by_one_with_the_gap_between() -> None:
    async def main() -> list[float]:
        clock = Clock(now=0.0)
        pacing, began, inside = Pacing(clock, clock.sleep), [], 0

        async def ask() -> None:
            nonlocal inside
            async with pacing.turn(ARXIV, by=100.0):
                inside += 1
                assert inside == 1
                began.append(clock.now)
                clock.now += 1.0
                await asyncio.sleep(0)
                inside -= 1

        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(ask())
        return began

    assert asyncio.run(main()) == [0.0, 4.0, 8.0, 12.0, 16.0]


def test_hosts_do_not_wait_for_each_other() -> None:
    async def main() -> None:
        clock = Clock(now=0.0)
        pacing = Pacing(clock, clock.sleep)
        async with pacing.turn(ARXIV, by=100.0), pacing.turn(OTHER, by=100.0):
            pass
        assert clock.slept == []

    asyncio.run(main())


def test_whoever_would_be_let_through_too_late_does_not_wait_at_all() -> None:
    async def main() -> None:
        clock = Clock(now=0.0)
        pacing = Pacing(clock, clock.sleep)
        pacing.leave_alone(ARXIV, 30)
        with pytest.raises(SourceFailed, match="left alone for another 30 s"):
            async with pacing.turn(ARXIV, by=20.0):
                raise AssertionError("let through")
        assert clock.slept == []
        async with pacing.turn(ARXIV, by=40.0):
            assert clock.now == 30.0

    asyncio.run(main())


def test_a_turn_that_ends_badly_makes_room_for_the_next() -> None:
    async def main() -> None:
        clock = Clock(now=0.0)
        pacing = Pacing(clock, clock.sleep)
        with pytest.raises(ValueError, match="bad"):
            async with pacing.turn(ARXIV, by=100.0):
                raise ValueError("bad")
        async with pacing.turn(ARXIV, by=100.0):
            assert clock.now == ARXIV.gap_seconds

    asyncio.run(main())
