"""One sandbox on the user's own machine; ``core.sandbox.local`` says what its files are."""

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
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.ending import end
from core.errors import SandboxLost
from core.sandbox.base import ExecResult, Isolation, SandboxSpec
from core.sandbox.environments import Environment
from core.sandbox.execs import LOST, ExecFolder
from core.sandbox.following import follow, follow_lines, read_inside
from core.sandbox.setting import Places, Setting

SUPERVISOR = Path(__file__).with_name("supervisor.py")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
LAUNCH_SECONDS = 30.0
END_SECONDS = 5.0
UNCLAIMED_SECONDS = 30.0


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
        write_whole(run.path / "policy.json", policy)
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
        await asyncio.to_thread(remove_sandbox, self.folder)

    async def _see_it_end(self, run: ExecFolder) -> None:
        """Wait for a supervisor to end what it was asked to end; do it by force if it does not."""
        for ask in (run.ask_to_end, run.force_to_end):
            ask()
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
            await end(process)
        if process.returncode != 0 and not run.claimed:
            reason = complaint.decode(errors="replace").strip()[-200:]
            raise SandboxLost(f"The supervisor of {run.path.name} could not be started: {reason}")


def write_whole(path: Path, fields: dict[str, Any]) -> None:
    """Write a file so that it is there whole or not at all, whoever else writes it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(fields), encoding="utf-8")
    draft.replace(path)


def remove_sandbox(folder: Path) -> None:
    """Remove a folder, with what scripts locked in it. The marker goes first."""
    (folder / "spec.json").unlink(missing_ok=True)
    for parent, folders, _ in os.walk(folder):
        for inner in (Path(parent, name) for name in folders):
            # A link may lead to the user's own folders.
            if not inner.is_symlink():
                with contextlib.suppress(OSError):
                    inner.chmod(stat.S_IRWXU)
    shutil.rmtree(folder, ignore_errors=True)
