"""Sandboxes in memory, in which scripts do nothing, or leave behind what they are told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from decimal import Decimal

from core.sandbox.base import ExecResult, Isolation, OpenSandbox, SandboxSpec


class Meeting:
    """Makes a number of scripts wait for one another, so that all of them run at once.

    Args:
        count: how many must have come before any of them goes on.
    """

    def __init__(self, count: int) -> None:
        self._missing = count
        self._complete = asyncio.Event()

    async def wait(self) -> None:
        """Come, and wait for the others."""
        self._missing -= 1
        if self._missing <= 0:
            self._complete.set()
        await self._complete.wait()


@dataclass
class IdleSandbox:
    """A sandbox whose execs end as soon as they may.

    Attributes:
        id: its name.
        meeting: what each exec waits for before it ends; None for nothing.
        printed: what each prints.
        recorded: what each records, whole lines.
    """

    id: str
    meeting: Meeting | None
    printed: bytes
    recorded: bytes
    isolation: Isolation = "namespaces"
    _over: dict[str, asyncio.Event] = field(default_factory=dict)

    async def start(self, exec_id: str, code: str, *, trial: bool = False) -> None:
        """Start nothing."""
        self._over.setdefault(exec_id, asyncio.Event())

    async def output(self, exec_id: str, offset: int) -> AsyncIterator[bytes]:
        """What it prints."""
        if self.printed[offset:]:
            yield self.printed[offset:]
        await self._over[exec_id].wait()

    async def records(self, exec_id: str, offset: int) -> AsyncIterator[bytes]:
        """What it records."""
        if self.recorded[offset:]:
            yield self.recorded[offset:]
        await self._over[exec_id].wait()

    async def wait(self, exec_id: str) -> ExecResult:
        """Wait for the others, if there is a meeting, and end."""
        if self.meeting is not None:
            await self.meeting.wait()
        self._over[exec_id].set()
        return ExecResult("finished", 0, 0.0, output_bytes=len(self.printed))

    async def kill(self, exec_id: str) -> None:
        """It has ended or is about to."""

    async def fetch(self, path: str, limit_bytes: int) -> bytes:
        """Nothing was left behind."""
        raise FileNotFoundError(path)

    async def heartbeat(self) -> None:
        """Nobody listens."""

    async def close(self) -> None:
        """There is nothing to remove."""


class IdleProvider:
    """Opens idle sandboxes.

    Args:
        at_once: how many execs wait for one another; 0 for none.
        printed: what each exec prints.
        recorded: what each exec records, whole lines.
    """

    name = "local"
    closing_seconds = 0.0

    def __init__(self, *, at_once: int = 0, printed: bytes = b"", recorded: bytes = b"") -> None:
        self._meeting = Meeting(at_once) if at_once else None
        self._printed = printed
        self._recorded = recorded

    async def isolation(self) -> tuple[Isolation, str]:
        """As if there were a box."""
        return "namespaces", ""

    async def open(self, spec: SandboxSpec, name: str, progress: Callable[[str], None]) -> IdleSandbox:
        """A sandbox, at once."""
        return IdleSandbox(name, self._meeting, self._printed, self._recorded)

    async def reopen(self, sandbox_id: str, spec: SandboxSpec) -> IdleSandbox:
        """The same again."""
        return IdleSandbox(sandbox_id, self._meeting, self._printed, self._recorded)

    async def list(self, run_id: str | None = None, *, inside: bool = True) -> list[OpenSandbox]:
        """None: they leave no trace."""
        return []

    async def end(self, sandbox_id: str) -> None:
        """There is nothing to end."""

    async def billed(self, sandbox_id: str) -> Decimal | None:
        """They cost nothing."""
        return None

    async def close(self) -> None:
        """There is nothing to let go of."""
