"""Pacing: one request to a host at a time, and none before its time, for all agents of an engine."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from core.errors import SourceFailed
from core.literature.sources import Source


@dataclass
class _Host:
    """The line of requests to a host.

    Attributes:
        lock: held by the request that is under way.
        free_at: when the next request may begin, on the pacing's clock.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    free_at: float = 0.0


class Pacing:
    """Whose turn it is.

    Args:
        clock: gives a time that only goes forward, seconds.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.clock = clock
        self._sleep = sleep
        self._hosts: dict[str, _Host] = {}

    @contextlib.asynccontextmanager
    async def turn(self, source: Source, by: float) -> AsyncIterator[None]:
        """Wait until the source may be asked, and keep others from asking it meanwhile.

        Args:
            source: who will be asked.
            by: the latest time, on the clock, at which asking makes sense.

        Raises:
            SourceFailed: its time comes only later; nothing was waited for.
        """
        host = self._host(source)
        self._check(source, host, by)
        async with host.lock:
            self._check(source, host, by)
            if (wait := host.free_at - self.clock()) > 0:
                await self._sleep(wait)
            try:
                yield
            finally:
                host.free_at = max(host.free_at, self.clock() + source.gap_seconds)

    def leave_alone(self, source: Source, seconds: float) -> None:
        """Ask a source nothing for so many seconds, because it said so or because it failed."""
        host = self._host(source)
        host.free_at = max(host.free_at, self.clock() + seconds)

    def _host(self, source: Source) -> _Host:
        return self._hosts.setdefault(source.host, _Host())

    def _check(self, source: Source, host: _Host, by: float) -> None:
        if (wait := host.free_at - self.clock()) > 0 and host.free_at >= by:
            raise SourceFailed(
                f"{source.name} is left alone for another {wait:.0f} s",
                "Go on without it, or try again later.",
            )
