"""What every sandbox can do, whoever provides it.

A provider opens sandboxes; a sandbox runs scripts, one exec each. Output and records are files
inside the sandbox, read from here by byte offset, so that any engine can take up where another
stopped. A failing script is a result; only a failing sandbox is an error.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from core.experiment import Compute

ExecEnd: TypeAlias = Literal[
    "finished", "time", "cpu", "memory", "processes", "disk", "output", "killed", "lease", "lost"
]
"""Why an exec ended: by itself (``finished``), at the limit of that name, because we killed it
(``killed``), because no engine came back within the lease (``lease``), or for reasons that nobody
recorded, such as a restart of the machine (``lost``). Only ``finished`` is evidence."""

Isolation: TypeAlias = Literal["namespaces", "process only", "remote machine", "none"]
"""How far scripts are kept from the user's own files and keys."""


@dataclass(frozen=True)
class SandboxSpec:
    """What a sandbox is opened with.

    Attributes:
        run_id: the run that it belongs to; every provider tags it with this.
        compute: the approved machine; its limits hold for the sandbox as a whole.
        seeds: the planned seeds, which scripts read with ``lab.seeds()``.
        environment: environment variables that scripts see, beside the provider's own.
        specification: hash of the specification that was approved; empty where none had to be.
    """

    run_id: str
    compute: Compute
    seeds: tuple[int, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    specification: str = ""


@dataclass(frozen=True)
class ExecResult:
    """How a script ended.

    Attributes:
        end: why it ended.
        exit_code: the script's own exit code, negative for a signal; None where it did not
            end by itself.
        seconds: wall time it took.
        peak_memory_bytes: largest resident memory of its process tree that was seen.
        output_bytes: bytes it printed, of which at most the output limit were kept.
    """

    end: ExecEnd
    exit_code: int | None
    seconds: float
    peak_memory_bytes: int = 0
    output_bytes: int = 0

    @property
    def clean(self) -> bool:
        """Whether the script ran to its end and said that all went well."""
        return self.end == "finished" and self.exit_code == 0


@dataclass(frozen=True)
class OpenSandbox:
    """One of ours that is still there, as ``SandboxProvider.list`` sees it.

    Attributes:
        id: what ``reopen`` takes.
        name: the name it was opened under.
        run_id: the run that it belongs to.
        running: ids of the execs that run in it now; None where nobody looked, or nobody answered.
        usd_per_hour: what it costs, USD per hour; None where that is unknown.
        gpu: its GPU as its provider calls it; None for none.
        opened_at: since when it is there, UTC; None where its provider does not say.
    """

    id: str
    name: str
    run_id: str
    running: tuple[str, ...] | None
    usd_per_hour: Decimal | None = None
    gpu: str | None = None
    opened_at: datetime | None = None


class Sandbox(Protocol):
    """One isolated machine, open until it is closed."""

    @property
    def id(self) -> str:
        """What finds this sandbox again; stable across processes."""

    @property
    def isolation(self) -> Isolation:
        """How far scripts are kept from the user."""

    async def start(self, exec_id: str, code: str, *, trial: bool = False) -> None:
        """Start a Python script, detached from this process.

        Starting the same ``exec_id`` twice runs it once: a second call changes nothing.

        Args:
            exec_id: a name unique in the sandbox, ``[A-Za-z0-9-]``.
            code: Python source.
            trial: tell the script (and its records) that nothing it measures will count.

        Raises:
            SandboxLost: the sandbox is gone.
        """

    def output(self, exec_id: str, offset: int) -> AsyncIterator[bytes]:
        """What the script prints, stdout and stderr in order, from a byte offset on.

        Ends when the exec has ended and everything it printed was given out.

        Raises:
            SandboxLost: the sandbox is gone.
        """

    def records(self, exec_id: str, offset: int) -> AsyncIterator[bytes]:
        """The records that the script's ``lab`` wrote, from a byte offset on: whole lines only.

        Ends when the exec has ended and every whole line was given out.

        Raises:
            SandboxLost: the sandbox is gone.
        """

    async def wait(self, exec_id: str) -> ExecResult:
        """Wait until the exec has ended.

        Raises:
            SandboxLost: the sandbox is gone.
        """

    async def kill(self, exec_id: str) -> None:
        """End the exec and everything it started. Killing what has ended changes nothing."""

    async def fetch(self, path: str, limit_bytes: int) -> bytes:
        """A file that a script left behind.

        Args:
            path: relative to the sandbox's work folder or to its records folder.
            limit_bytes: refuse more than this many bytes.

        Raises:
            FileNotFoundError: no regular file by that name inside the sandbox.
            ValueError: it is larger than the limit, or lies outside the sandbox.
            SandboxLost: the sandbox is gone.
        """

    async def heartbeat(self) -> None:
        """Say that an engine is still here. Without one for the lease, execs end themselves."""

    async def close(self) -> None:
        """End every exec and remove the sandbox. Closing twice changes nothing.

        Raises:
            SandboxUnavailable: it may still be there; closing it again tries again.
        """


class SandboxProvider(Protocol):
    """Where sandboxes come from."""

    name: str
    """``local`` or ``modal``."""

    closing_seconds: float
    """How long before its time is over a sandbox is closed, so that what it holds can still be fetched."""

    async def isolation(self) -> tuple[Isolation, str]:
        """What isolation sandboxes will really have, found by trying, and what to do for better.

        Returns:
            The isolation, and the next step for the user (empty where nothing is amiss).
        """

    async def open(self, spec: SandboxSpec, name: str, progress: Callable[[str], None]) -> Sandbox:
        """Open a sandbox under a name, or find the one that has this name.

        Args:
            spec: what it shall be.
            name: unique in the run.
            progress: called with each line that shows progress, such as packages being installed.

        Raises:
            SandboxUnavailable: it cannot be opened here.
            PackagesUnavailable: its packages cannot be installed.
        """

    async def reopen(self, sandbox_id: str, spec: SandboxSpec) -> Sandbox:
        """Find a sandbox again.

        Raises:
            SandboxLost: it is gone.
        """

    async def list(self, run_id: str | None = None, *, inside: bool = True) -> list[OpenSandbox]:
        """Every sandbox of ours that is still there, of one run or of all.

        Args:
            run_id: only those of this run; None for all.
            inside: whether to look for what runs in them, which takes a command in each.

        Raises:
            SandboxUnavailable: the provider cannot be asked.
        """

    async def end(self, sandbox_id: str) -> None:
        """End a sandbox of ours, whatever runs in it.

        Raises:
            SandboxLost: there is none of ours by that id.
            SandboxUnavailable: it may still be there.
        """

    async def billed(self, sandbox_id: str) -> Decimal | None:
        """What the provider says that a sandbox has cost, USD; None where it does not say (yet)."""

    async def close(self) -> None:
        """Let go of whatever is held to ask the provider; sandboxes stay."""


ProviderFactory: TypeAlias = Callable[[Path], SandboxProvider]
"""Makes a provider for one run folder."""
