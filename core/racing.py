"""Waiting for whichever of several things happens first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def first_of(*racers: Awaitable[T]) -> T:
    """The result, or the error, of whichever ends first; the others are cancelled and waited for.

    Args:
        racers: what is waited for. Where several end at once, the one that is named first counts.
    """
    tasks = [asyncio.ensure_future(racer) for racer in racers]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(task for task in tasks if task in done).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
