"""Sandboxes at the double of Modal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from core.experiment import Compute
from core.keys.secret import Secret
from core.sandbox.base import ExecResult, SandboxSpec
from core.sandbox.modal.account import Credentials
from core.sandbox.modal.provider import ModalProvider
from core.sandbox.modal.sandbox import ModalSandbox
from tests.fakes.modal.double import ModalDouble

RUN = "20261123-a-run-7f3a"
DEADLINE_SECONDS = 60.0
APPROVED = "5" * 64
"""The specification of sandboxes that belong to no run."""


@dataclass
class ModalPlace:
    """Where a test's sandboxes are.

    Attributes:
        double: the double of Modal's servers.
        gpu: what its sandboxes have: with one they are of the first generation, without of the second.
        progress: lines that openings showed.
    """

    double: ModalDouble
    gpu: str | None = None
    progress: list[str] = field(default_factory=list)

    def provider(self, **settings: Any) -> ModalProvider:
        """A provider with the token that the double lets in."""
        settings.setdefault("patience_seconds", 20)
        token_id, token_secret = map(Secret, self.double.token)
        return ModalProvider(Credentials(token_id, token_secret), **settings)

    def spec(self, **fields: Any) -> SandboxSpec:
        """What a sandbox is opened with."""
        seeds = fields.pop("seeds", ())
        compute = Compute(**{"gpu": self.gpu, "timeout_seconds": 120, "packages": ("numpy",), **fields})
        return SandboxSpec(RUN, compute, seeds=seeds, specification=APPROVED)

    async def open(self, provider: ModalProvider, name: str = "E1", **fields: Any) -> ModalSandbox:
        """Open a sandbox, or find the one with this name."""
        return await provider.open(self.spec(**fields), name, self.progress.append)

    def use(self, work: Callable[[ModalSandbox], Awaitable[Any]], **settings: Any) -> Any:
        """Open a sandbox, do something in it, and close it."""

        async def whole() -> Any:
            provider = self.provider(**settings)
            sandbox = await self.open(provider)
            try:
                return await work(sandbox)
            finally:
                await sandbox.close()
                await provider.close()

        return asyncio.run(whole())

    @property
    def creates(self) -> list[dict[str, Any]]:
        """Every create that the double has seen."""
        creates: list[dict[str, Any]] = self.double.call("report")["creates"]
        return creates

    @property
    def alive(self) -> list[str]:
        """Ids of sandboxes that are still there."""
        sandboxes = self.double.call("report")["sandboxes"]
        return [name for name, sandbox in sandboxes.items() if sandbox["alive"]]


async def everything(sandbox: ModalSandbox, exec_id: str, offset: int = 0) -> bytes:
    """All that an exec prints."""
    return b"".join([chunk async for chunk in sandbox.output(exec_id, offset)])


async def ran(sandbox: ModalSandbox, code: str, exec_id: str = "x") -> tuple[ExecResult, bytes]:
    """Run a script to its end."""
    await sandbox.start(exec_id, code)
    output = await everything(sandbox, exec_id)
    return await sandbox.wait(exec_id), output


async def in_the_end(condition: Callable[[], Awaitable[object]]) -> None:
    """Wait, with other tasks going on, for something that another process does."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not await condition():  # noqa: ASYNC110 - another process cannot set an event
            await asyncio.sleep(0.01)


@pytest.fixture(scope="session")
def running_double(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModalDouble]:
    """One double for all tests of a process."""
    double = ModalDouble(tmp_path_factory.mktemp("double"))
    yield double
    double.close()


@pytest.fixture
def place(
    running_double: ModalDouble, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[ModalPlace]:
    """A double that knows nothing yet, and makes only what the journals of the test's runs approved.

    A test without a run approves one specification itself.
    """
    running_double.call("reset")
    running_double.call("runs", folder=str(tmp_path / "runs"))
    running_double.call("approve", specification=APPROVED)
    monkeypatch.setenv("MODAL_SERVER_URL", running_double.url)
    yield ModalPlace(running_double)
    objections = running_double.call("report")["objections"]
    running_double.call("reset")
    assert objections == [], "something was asked for that nobody had approved"


@pytest.fixture(params=[None, "H100"], ids=["second generation", "first generation"])
def either(place: ModalPlace, request: pytest.FixtureRequest) -> ModalPlace:
    """Both generations of sandboxes in turn."""
    place.gpu = request.param
    return place


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of the test's own."""
    return tmp_path
