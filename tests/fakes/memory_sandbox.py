"""A sandbox in memory, whose one exec has printed and recorded what a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from core.errors import SandboxLost
from core.sandbox.base import ExecResult, Isolation


@dataclass
class MemorySandbox:
    """Gives out what an exec printed and recorded, in given pieces.

    Attributes:
        output_pieces: what it prints, piece by piece.
        record_pieces: what it records, in pieces of whole lines.
        result: how it ends.
        started: ids of execs, as often as they were started.
        lost_after: pieces of output after which the sandbox is gone; None for never.
        gate: set to let each piece through; every piece waits for it.
        given: pieces that were given out.
    """

    output_pieces: Sequence[bytes] = ()
    record_pieces: Sequence[bytes] = ()
    result: ExecResult = field(default_factory=lambda: ExecResult("finished", 0, 1.5))
    started: list[str] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)
    lost_after: int | None = None
    stops_after: int | None = None
    given: int = 0
    id: str = "memory"
    isolation: Isolation = "none"

    async def start(self, exec_id: str, code: str, *, trial: bool = False) -> None:
        """Start an exec; a second start changes nothing."""
        self.started.append(exec_id)

    async def output(self, exec_id: str, offset: int) -> AsyncIterator[bytes]:
        """What it prints from an offset on."""
        for number, piece in enumerate(_from(self.output_pieces, offset)):
            if number == self.lost_after:
                raise SandboxLost("the sandbox is gone")
            await self._pass()
            yield piece

    async def records(self, exec_id: str, offset: int) -> AsyncIterator[bytes]:
        """What it records from an offset on."""
        for piece in _from(self.record_pieces, offset):
            await self._pass()
            yield piece

    async def wait(self, exec_id: str) -> ExecResult:
        """How it ends."""
        await asyncio.sleep(0)
        return self.result

    async def kill(self, exec_id: str) -> None:
        """End it."""
        self.killed.append(exec_id)

    async def fetch(self, path: str, limit_bytes: int) -> bytes:
        """Nothing is left behind."""
        raise FileNotFoundError(path)

    async def heartbeat(self) -> None:
        """It needs no sign of life."""

    async def close(self) -> None:
        """It leaves nothing behind."""

    async def _pass(self) -> None:
        """Let a piece through, unless as many as may have gone through: then wait for ever."""
        await asyncio.sleep(0)
        if self.given == self.stops_after:
            await asyncio.Event().wait()
        self.given += 1


def _from(pieces: Sequence[bytes], offset: int) -> list[bytes]:
    """The pieces without their first bytes."""
    left = []
    for piece in pieces:
        if offset < len(piece):
            left.append(piece[offset:])
        offset = max(0, offset - len(piece))
    return left
