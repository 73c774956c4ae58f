"""Ends processes that we started, so that nothing of them stays open."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import Process

CLOSING_SECONDS = 1.0
"""How long a killed process's pipes may stay open: a child of its own may hold them."""


async def end(process: Process, *, group: bool = False) -> None:
    """End a process if it has not ended, read its pipes to their end, and let go of it.

    Whoever waits for its exit alone may leave while the loop still has its pipes open. It is done to its
    end even if we are cancelled.

    Args:
        process: one whose output nobody reads any more.
        group: end everything in its process group; it must lead one.
    """
    if process.returncode is not None:
        _let_go(process)
        return
    with contextlib.suppress(ProcessLookupError):
        if group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    await asyncio.shield(_closed(process))


async def _closed(process: Process) -> None:
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_SECONDS):
                await process.communicate()
        await process.wait()
    finally:
        _let_go(process)  # also where the loop itself ends, which asks nobody


def _let_go(process: Process) -> None:
    process._transport.close()  # type: ignore[attr-defined]  # asyncio has no public way to let go of a pipe
