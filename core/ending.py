"""Ends processes that we started, so that nothing of them stays open."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio.subprocess import Process

CLOSING_SECONDS = 1.0
"""How long a killed process's pipes may stay open: a child of its own may hold them."""


async def end(process: Process) -> None:
    """End a process if it has not ended, and read its pipes to their end.

    Whoever waits for its exit alone may leave while the loop still has its pipes open. It is done to its
    end even if we are cancelled.

    Args:
        process: one whose output nobody reads any more.
    """
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await asyncio.shield(_closed(process))


async def _closed(process: Process) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSING_SECONDS):
            await process.communicate()
    await process.wait()
    process._transport.close()  # type: ignore[attr-defined]  # asyncio has no public way to let go of a pipe
