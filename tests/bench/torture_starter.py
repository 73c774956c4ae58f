"""Starting the engines that torture kills."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from tests.bench.torture_engine import SHUT_OUT, Order
from tests.bench.torture_site import Site


class Starter:
    """Starts engines, one after the other, through one forking process.

    Args:
        process: that process.
        life_seconds: no engine takes longer than this to end by itself.
    """

    def __init__(self, process: asyncio.subprocess.Process, life_seconds: float) -> None:
        self._process = process
        self._life_seconds = life_seconds

    @classmethod
    @asynccontextmanager
    async def ready(
        cls, folder: Path, *, judges: bool = True, providers: bool = False, site: Site | None = None
    ) -> AsyncIterator[Starter]:
        """A starter, gone at the end with whatever it started.

        Args:
            folder: where engines may leave temporary files.
            judges: whether engines get to judge anything, so that it pays to import scipy beforehand.
            providers: whether they ask model providers, so that it pays to import their SDKs.
            site: where experiments are; None for this machine.
        """
        site = site or Site()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.torture_engine", *(["--judges"] if judges else []),
            *(["--providers"] if providers else []), *site.arguments,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "TMPDIR": str(folder), "OPENBLAS_NUM_THREADS": "1", **site.environment},
        )  # fmt: skip
        try:
            yield cls(process, site.life_seconds)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()

    async def engine(self, order: Order) -> int:
        """Start an engine, and say how it ended: its exit code, or its signal, negative.

        Raises:
            RuntimeError: it ended neither well nor by a kill, or not at all.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        started = time.monotonic()
        bounded = order if order.kill_after is not None else replace(order, kill_after=self._life_seconds)
        self._process.stdin.write(bounded.line())
        await self._process.stdin.drain()
        line = await self._process.stdout.readline()
        ended = int(line) if line else 1
        if ended not in (0, -signal.SIGKILL, -signal.SIGTERM, SHUT_OUT):
            raise RuntimeError(f"an engine of {order.folder} ended with {ended}")
        if time.monotonic() - started > self._life_seconds:
            raise RuntimeError(f"an engine of {order.folder} did not end")
        return ended
