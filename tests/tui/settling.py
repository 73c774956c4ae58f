"""Waiting until a console has done what it was told, by what it still has to do rather than by the clock.

Textual's own wait watches the process's use of the CPU for 20 ms: it takes up to a second where a spinner
turns, and on a machine that others use it takes a console for idle that got no time at all.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from textual._context import active_app

TURNS = 3
"""How many turns in a row the event loop must have nothing else to run."""

PAUSE_SECONDS = 0.002
"""The pause between two looks at what a thread works on or a timer of Textual's paints."""


async def settled(min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
    """Wait until nothing in this process can go on before a timer, or something from outside, wakes it.

    Args:
        min_sleep: seconds to wait at least.
        max_sleep: seconds after which threads and paints are waited for no longer.
    """
    began = time.monotonic()
    await asyncio.sleep(min_sleep)
    while True:
        await _nothing_else_runs()
        if not _threads_work() and not _paint_is_due():
            return
        if time.monotonic() - began > max_sleep:
            return
        await asyncio.sleep(PAUSE_SECONDS)


async def _nothing_else_runs() -> None:
    """Give way until every task of the loop waits for something that has not happened yet."""
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
    idle = 0
    while idle < TURNS:
        await asyncio.sleep(0)
        idle = 0 if ready else idle + 1


def _threads_work() -> bool:
    """Whether a thread of the loop's pool has something to do."""
    pool: ThreadPoolExecutor | None = asyncio.get_running_loop()._default_executor  # type: ignore[attr-defined]
    if pool is None:
        return False
    return pool._work_queue.qsize() > 0 or pool._idle_semaphore._value < len(pool._threads)


def _paint_is_due() -> bool:
    """Whether the screen that is shown waits for its timer to lay out, paint or call back."""
    app = active_app.get(None)
    if app is None or app._exit or not app.screen_stack:
        return False
    screen = app.screen
    return bool(
        screen._layout_required
        or screen._scroll_required
        or screen._repaint_required
        or screen._dirty_widgets
        or screen._callbacks
    )
