"""Real sandboxes for tests."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.experiment import Compute
from core.sandbox.base import ExecResult, SandboxSpec
from core.sandbox.local import LocalProvider
from core.sandbox.local_sandbox import LocalSandbox

DEADLINE_SECONDS = 20.0


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Wait for something that another process does; fail when it takes unreasonably long."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.005)


@dataclasses.dataclass(frozen=True)
class Ran:
    """What became of a script.

    Attributes:
        result: how it ended.
        output: what it printed.
        records: the raw lines that its ``lab`` wrote.
    """

    result: ExecResult
    output: bytes
    records: list[bytes]


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a test's sandboxes are.

    Attributes:
        folder: the run's folder.
        cache: where environments are kept.
    """

    folder: Path
    cache: Path

    def provider(self, lease_seconds: float = 600) -> LocalProvider:
        """A provider without a box, which runs on every machine."""
        return LocalProvider(
            self.folder, isolation="process only", lease_seconds=lease_seconds, cache=self.cache
        )

    async def open(
        self, name: str = "sandbox", lease_seconds: float = 600, seeds: tuple[int, ...] = ()
    ) -> LocalSandbox:
        """Open a sandbox, or find the one with this name."""
        spec = SandboxSpec("run", Compute(timeout_seconds=60), seeds=seeds)
        return await self.provider(lease_seconds).open(spec, name, lambda _: None)

    def run(self, code: str, *, seeds: tuple[int, ...] = (), trial: bool = False) -> Ran:
        """Run a script to its end."""
        return asyncio.run(self._run(code, seeds, trial))

    async def _run(self, code: str, seeds: tuple[int, ...], trial: bool) -> Ran:
        sandbox = await self.open(seeds=seeds)
        exec_id = f"exec-{time.monotonic_ns()}"
        await sandbox.start(exec_id, code, trial=trial)
        output = b"".join([chunk async for chunk in sandbox.output(exec_id, 0)])
        records = b"".join([chunk async for chunk in sandbox.records(exec_id, 0)])
        return Ran(await sandbox.wait(exec_id), output, records.splitlines())


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Environments, made once for all tests."""
    return tmp_path_factory.mktemp("environments")


@pytest.fixture
def place(tmp_path: Path, cache: Path) -> Place:
    """A run's folder to open sandboxes in."""
    return Place(tmp_path / "run", cache)
