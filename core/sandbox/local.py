"""Sandboxes on the user's own machine: a folder, a box around each script, and a supervisor.

Nothing here has to stay alive: supervisors run by themselves, and everything they do is in files
below ``<run folder>/sandboxes/<name>/``:

=================  ================================================================================
``work/``          what scripts see as their work folder; it outlives each exec
``execs/<id>/``    one exec; its files are said in ``supervisor.py``, its records are in ``lab/``
``library/``       what scripts import: ``lab`` and its companions
``heartbeat``      touched by the engine; when it stands still for the lease, execs end themselves
``spec.json``      made last when the sandbox is opened; says when its approved time is over
=================  ================================================================================

Beside them, ``<run folder>/data/`` is what the human gave the run, and ``<run folder>/shared/`` what
its experiments hand to each other: ``/data`` and ``/shared`` in the box. Without a box there is no such
path, and scripts find both by ``lab.data_path`` and ``lab.shared_path``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import stat
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import platformdirs

from core.errors import SandboxLost, SandboxUnavailable
from core.experiment import Compute
from core.sandbox.base import ExecResult, Isolation, OpenSandbox, SandboxSpec
from core.sandbox.environments import Environment, ready_environment
from core.sandbox.execs import LOST, ExecFolder
from core.sandbox.following import follow, follow_lines, read_inside
from core.sandbox.isolation import found_isolation
from core.sandbox.machines import checked_machine
from core.sandbox.setting import Places, Setting

SUPERVISOR = Path(__file__).with_name("supervisor.py")
LIBRARY_FILES = (Path(__file__).with_name("lab.py"), Path(__file__).with_name("wandb.py"))
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
LAUNCH_SECONDS = 30.0
END_SECONDS = 5.0
UNCLAIMED_SECONDS = 30.0


class LocalProvider:
    """Opens sandboxes on this machine.

    Args:
        run_folder: the run's folder; sandboxes live below it.
        isolation: what to give scripts; None for the best that works here.
        lease_seconds: how long execs go on without an engine's heartbeat, in seconds.
        cache: where environments are kept; None for the user's cache folder.
    """

    name = "local"
    closing_seconds = 0.0

    def __init__(
        self,
        run_folder: Path,
        *,
        isolation: Isolation | None = None,
        lease_seconds: float = 600,
        cache: Path | None = None,
    ) -> None:
        self._folder = run_folder.absolute() / "sandboxes"
        self._places = Places(run_folder.absolute() / "data", run_folder.absolute() / "shared")
        self._isolation = isolation
        self._lease_seconds = lease_seconds
        self._cache = cache or platformdirs.user_cache_path("fumehood") / "environments"

    async def isolation(self) -> tuple[Isolation, str]:
        """The isolation that sandboxes will have, and what to do for better."""
        if self._isolation is not None:
            return self._isolation, ""
        found = await found_isolation()
        return found.isolation, found.next_step

    async def open(self, spec: SandboxSpec, name: str, progress: Callable[[str], None]) -> LocalSandbox:
        """Open a sandbox under a name, or find the one that has this name."""
        checked_machine(self.name, spec.compute)
        if not NAME.fullmatch(name):
            raise SandboxUnavailable(f"{name!r} cannot be the name of a sandbox")
        folder = self._folder / name
        environment = await ready_environment(spec.compute.packages, self._cache, progress)
        if not (folder / "spec.json").exists():
            self._make_folder(folder, spec, (await self.isolation())[0])
        return await self._sandbox(folder, spec, environment)

    async def reopen(self, sandbox_id: str, spec: SandboxSpec) -> LocalSandbox:
        """Find a sandbox again."""
        folder = self._folder / sandbox_id
        if not NAME.fullmatch(sandbox_id):
            raise SandboxLost(f"There is no sandbox {sandbox_id!r}")
        if not (folder / "spec.json").exists():
            # An engine may have died while it made or removed the folder; no script runs there.
            await asyncio.to_thread(_remove, folder)
            raise SandboxLost(f"The sandbox {sandbox_id} is gone")
        environment = await ready_environment(spec.compute.packages, self._cache, lambda _: None)
        return await self._sandbox(folder, spec, environment)

    async def list(self, run_id: str | None = None, *, inside: bool = True) -> list[OpenSandbox]:
        """Every sandbox in this run's folder."""
        found = []
        for path in sorted(self._folder.glob("*/spec.json")):
            opened = json.loads(path.read_bytes())
            if run_id in (None, opened["run_id"]):
                execs = sorted((path.parent / "execs").glob("*"))
                running = tuple(folder.name for folder in execs if inside and _runs(ExecFolder(folder)))
                name = path.parent.name
                found.append(OpenSandbox(id=name, name=name, run_id=opened["run_id"], running=running))
        return found

    async def end(self, sandbox_id: str) -> None:
        """End a sandbox in this run's folder, whatever runs in it."""
        folder = self._folder / sandbox_id
        try:
            opened = json.loads((folder / "spec.json").read_bytes()) if NAME.fullmatch(sandbox_id) else None
        except (OSError, ValueError):
            opened = None
        if opened is None:
            raise SandboxLost(f"There is no sandbox {sandbox_id!r}")
        # Only to be closed: it needs no packages, and keeps the isolation that it has.
        spec = SandboxSpec(run_id=opened["run_id"], compute=Compute())
        nothing = Environment(Path())
        sandbox = LocalSandbox(
            folder, self._places, spec, nothing, opened["isolation"], "", 0, self._lease_seconds
        )
        await sandbox.close()

    async def billed(self, sandbox_id: str) -> Decimal | None:
        """Nobody sends a bill for this machine."""
        return None

    async def close(self) -> None:
        """There is nothing to let go of."""

    async def _sandbox(self, folder: Path, spec: SandboxSpec, environment: Environment) -> LocalSandbox:
        isolation, next_step = await self.isolation()
        opened = json.loads((folder / "spec.json").read_bytes())
        if isolation != opened["isolation"]:
            # Never less than what the human has agreed to, and never half of each.
            raise SandboxLost(
                f"The sandbox {folder.name} was opened with isolation {opened['isolation']!r}, and there is "
                f"{isolation!r} now",
                next_step,
                "refused",
            )
        box_program = shutil.which("bwrap") if isolation == "namespaces" else ""
        if box_program is None:
            raise SandboxUnavailable("bubblewrap is not installed", "Install it: sudo apt install bubblewrap")
        # An engine that comes back asks for what is left, so the first one's word counts.
        ends_at = opened.get("ends_at", time.time() + spec.compute.timeout_seconds)
        sandbox = LocalSandbox(
            folder,
            self._places.made(),
            spec,
            environment,
            isolation,
            box_program,
            ends_at,
            self._lease_seconds,
        )
        await sandbox.heartbeat()
        return sandbox

    def _make_folder(self, folder: Path, spec: SandboxSpec, isolation: Isolation) -> None:
        try:
            for inner in ("work", "temporary", "execs", "library"):
                (folder / inner).mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
            for file in LIBRARY_FILES:
                shutil.copyfile(file, folder / "library" / file.name)
            (folder / "heartbeat").touch(mode=0o600)
            ends_at = time.time() + spec.compute.timeout_seconds
            opened = {"run_id": spec.run_id, "ends_at": ends_at, "isolation": isolation}
            _write_whole(folder / "spec.json", opened)
        except OSError as error:
            raise SandboxUnavailable(
                f"The sandbox's folder cannot be made: {error.strerror}", f"Look at {folder}"
            ) from error


@dataclass(frozen=True)
class LocalSandbox:
    """One sandbox on this machine.

    Attributes:
        folder: its files.
        places: what it has in common with the run's other sandboxes.
        spec: what it was opened with.
        environment: its interpreter and packages.
        isolation: how far scripts are kept from the user.
        box_program: the path of ``bwrap``; empty for no box.
        ends_at: when its approved time is over, in seconds since 1970.
        lease_seconds: how long execs go on without a heartbeat, in seconds.
    """

    folder: Path
    places: Places
    spec: SandboxSpec
    environment: Environment
    isolation: Isolation
    box_program: str
    ends_at: float
    lease_seconds: float

    @property
    def id(self) -> str:
        """Its name, which is unique in the run's folder."""
        return self.folder.name

    async def start(self, exec_id: str, code: str, *, trial: bool = False) -> None:
        """Start a Python script, detached from this process."""
        run = self._exec(exec_id)
        if run.claimed or run.ended():
            return
        run.lab.mkdir(mode=0o700, parents=True, exist_ok=True)
        script = run.path / "script.py"
        draft = run.path / f"script.py.{os.getpid()}"
        draft.write_text(code, encoding="utf-8")
        draft.replace(script)
        left = self.ends_at - time.time()
        setting = Setting(
            self.folder, self.places, self.spec, self.environment, self.box_program, self.lease_seconds
        )
        # A thread, because experiments may have handed on a million files.
        shared = await asyncio.to_thread(self.places.shared_bytes)
        policy = setting.policy(run, seconds_left=max(0.001, left), trial=trial, shared_bytes=shared)
        _write_whole(run.path / "policy.json", policy)
        await self._launch(run)

    def output(self, exec_id: str, offset: int) -> AsyncIterator[bytes]:
        """What the script prints, from a byte offset on."""
        run = self._exec(exec_id)
        return follow(run.output, offset, lambda: self._ended(run))

    def records(self, exec_id: str, offset: int) -> AsyncIterator[bytes]:
        """The records that the script's ``lab`` wrote, whole lines from a byte offset on."""
        run = self._exec(exec_id)
        return follow_lines(run.records, offset, lambda: self._ended(run))

    async def wait(self, exec_id: str) -> ExecResult:
        """Wait until the exec has ended; one that nobody ever started is ``lost``."""
        run, pause, started = self._exec(exec_id), 0.01, time.monotonic()
        while (result := run.result()) is None:
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.1)
            self._exec(exec_id)
            if not run.claimed and time.monotonic() - started > UNCLAIMED_SECONDS:
                return LOST
        if result.end == "lost":
            run.end_orphans()
        return result

    async def kill(self, exec_id: str) -> None:
        """End the exec and everything it started."""
        run = self._exec(exec_id)
        if not run.path.exists() or run.ended():
            return
        await self._see_it_end(run)

    async def fetch(self, path: str, limit_bytes: int) -> bytes:
        """A file that a script left in its records folder or in the work folder.

        A path may begin with an exec's id, for that exec's records folder; otherwise the latest
        exec that has such a file is meant.
        """
        self._must_exist()
        execs = sorted((self.folder / "execs").iterdir(), key=lambda run: run.stat().st_mtime, reverse=True)
        first, _, rest = path.partition("/")
        places = [(run / "lab", rest) for run in execs if run.name == first and rest]
        places += [(run / "lab", path) for run in execs]
        for folder, inner in places:
            with contextlib.suppress(FileNotFoundError):
                return read_inside(folder, inner, limit_bytes)
        return read_inside(self.folder / "work", path, limit_bytes)

    async def heartbeat(self) -> None:
        """Say that an engine is still here."""
        with contextlib.suppress(FileNotFoundError):
            os.utime(self.folder / "heartbeat")

    async def close(self) -> None:
        """End every exec and remove the sandbox."""
        if not self.folder.exists():
            return
        runs = [ExecFolder(path) for path in (self.folder / "execs").glob("*")]
        async with asyncio.TaskGroup() as group:
            for run in runs:
                group.create_task(self.kill(run.path.name))
        # A thread, because a full sandbox takes long to remove and there is no other way to wait.
        await asyncio.to_thread(_remove, self.folder)

    async def _see_it_end(self, run: ExecFolder) -> None:
        """Wait for a supervisor to end what it was asked to end; do it by force if it does not."""
        for end in (run.ask_to_end, run.force_to_end):
            end()
            for _ in range(int(END_SECONDS / 0.01)):
                if not run.supervised:
                    run.end_orphans()
                    return
                await asyncio.sleep(0.01)

    def _exec(self, exec_id: str) -> ExecFolder:
        if not NAME.fullmatch(exec_id):
            raise ValueError(f"{exec_id!r} cannot be the id of an exec")
        self._must_exist()
        return ExecFolder(self.folder / "execs" / exec_id)

    def _ended(self, run: ExecFolder) -> bool:
        self._must_exist()
        return run.ended()

    def _must_exist(self) -> None:
        if not (self.folder / "spec.json").exists():
            raise SandboxLost(f"The sandbox {self.id} is gone")

    async def _launch(self, run: ExecFolder) -> None:
        # Its environment is empty: whatever is there, a script without a box could read.
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-S",
            str(SUPERVISOR),
            str(run.path / "policy.json"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        )
        try:
            # Not wait_for: in Python 3.11 it swallows a cancellation that meets the end of the process,
            # and whoever was asked to stop would then wait for the whole script.
            async with asyncio.timeout(LAUNCH_SECONDS):
                _, complaint = await process.communicate()
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await asyncio.shield(process.wait())
        if process.returncode != 0 and not run.claimed:
            reason = complaint.decode(errors="replace").strip()[-200:]
            raise SandboxLost(f"The supervisor of {run.path.name} could not be started: {reason}")


def _runs(run: ExecFolder) -> bool:
    return run.claimed and not run.ended()


def _write_whole(path: Path, fields: dict[str, Any]) -> None:
    """Write a file so that it is there whole or not at all, whoever else writes it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(fields), encoding="utf-8")
    draft.replace(path)


def _remove(folder: Path) -> None:
    """Remove a folder, with what scripts locked in it. The marker goes first."""
    (folder / "spec.json").unlink(missing_ok=True)
    for parent, folders, _ in os.walk(folder):
        for inner in (Path(parent, name) for name in folders):
            # A link may lead to the user's own folders.
            if not inner.is_symlink():
                with contextlib.suppress(OSError):
                    inner.chmod(stat.S_IRWXU)
    shutil.rmtree(folder, ignore_errors=True)
