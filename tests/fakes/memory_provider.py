"""A provider whose sandboxes are in memory, and which fails as a test says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from core.errors import SandboxError, SandboxLost
from core.sandbox.base import Isolation, OpenSandbox, SandboxSpec
from tests.fakes.memory_sandbox import MemorySandbox


@dataclass
class KeptSandbox(MemorySandbox):
    """A sandbox that counts its heartbeats and can refuse to be closed.

    Attributes:
        beats: heartbeats that were heard.
        silent: whether a heartbeat is never answered.
        closings: errors that the next closes end in.
        closed: whether it was closed.
    """

    beats: int = 0
    silent: bool = False
    closings: list[SandboxError] = field(default_factory=list)
    closed: bool = False

    async def heartbeat(self) -> None:
        """Count it; or never answer."""
        self.beats += 1
        if self.silent:
            await asyncio.Event().wait()

    async def close(self) -> None:
        """End it, or fail."""
        if self.closings:
            raise self.closings.pop(0)
        self.closed = True


@dataclass
class MemoryProvider:
    """Opens sandboxes in memory.

    Attributes:
        openings: errors that the next openings end in.
        opened: names and specifications of what was opened, oldest first.
        sandboxes: what was opened, by id.
        bills: what the provider says that sandboxes cost, USD, by id.
        asked: ids that were asked about, as often as they were.
        others: sandboxes that are there beside those.
        ended: ids of sandboxes that were ended from outside.
        found: isolation of sandboxes.
    """

    openings: list[SandboxError] = field(default_factory=list)
    opened: list[tuple[str, SandboxSpec]] = field(default_factory=list)
    sandboxes: dict[str, KeptSandbox] = field(default_factory=dict)
    bills: dict[str, Decimal] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    others: list[OpenSandbox] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    found: Isolation = "remote machine"
    name: str = "memory"
    closing_seconds: float = 0.0

    async def isolation(self) -> tuple[Isolation, str]:
        """What the test says."""
        return self.found, ""

    async def open(self, spec: SandboxSpec, name: str, progress: Callable[[str], None]) -> KeptSandbox:
        """Open one, or fail."""
        if self.openings:
            raise self.openings.pop(0)
        self.opened.append((name, spec))
        sandbox = KeptSandbox(id=f"sb-{name}")
        self.sandboxes[sandbox.id] = sandbox
        return sandbox

    async def reopen(self, sandbox_id: str, spec: SandboxSpec) -> KeptSandbox:
        """Find one by its id or its name."""
        sandbox = self.sandboxes.get(sandbox_id) or self.sandboxes.get(f"sb-{sandbox_id}")
        if sandbox is None or sandbox.closed:
            raise SandboxLost(f"There is no sandbox {sandbox_id}", fault="ended")
        return sandbox

    async def list(self, run_id: str | None = None, *, inside: bool = True) -> list[OpenSandbox]:
        """What is there beside what was opened."""
        return self.others

    async def end(self, sandbox_id: str) -> None:
        """End one."""
        self.ended.append(sandbox_id)
        if sandbox_id in self.sandboxes:
            await self.sandboxes[sandbox_id].close()

    async def billed(self, sandbox_id: str) -> Decimal | None:
        """What the test says."""
        self.asked.append(sandbox_id)
        return self.bills.get(sandbox_id)

    async def close(self) -> None:
        """There is nothing to let go of."""
