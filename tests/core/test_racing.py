"""Waiting for whichever of several things happens first."""

from __future__ import annotations

import asyncio

import pytest

from core.errors import SandboxLost
from core.racing import first_of


def test_the_first_to_end_counts_and_the_others_have_cleaned_up_by_then() -> None:
    gone: list[str] = []

    async def for_ever(name: str) -> str:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            gone.append(name)
        return name

    async def at_once() -> str:
        return "won"

    assert asyncio.run(first_of(for_ever("a"), at_once(), for_ever("b"))) == "won"
    assert sorted(gone) == ["a", "b"]


def test_of_two_that_end_at_once_the_one_named_first_counts() -> None:
    async def says(word: str) -> str:
        return word

    assert asyncio.run(first_of(says("kill"), says("time"))) == "kill"


def test_an_error_of_the_first_is_raised_and_one_of_the_others_is_not() -> None:
    async def fails() -> None:
        raise SandboxLost("it is gone")

    async def fails_when_left() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ValueError("in cleaning up") from None

    with pytest.raises(SandboxLost):
        asyncio.run(first_of(fails_when_left(), fails()))


def test_whoever_is_cancelled_leaves_no_racer_behind() -> None:
    async def main() -> int:
        waiting = asyncio.create_task(first_of(asyncio.Event().wait(), asyncio.Event().wait()))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return len(asyncio.all_tasks())

    assert asyncio.run(main()) == 1
