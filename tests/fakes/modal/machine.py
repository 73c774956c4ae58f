"""A sandbox of the double: a folder on this machine, and commands as processes that it can end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modal_proto import api_pb2

SECRETS = {
    "MODAL_IDENTITY_TOKEN": "a-token-that-no-script-may-see",
    "MODAL_TASK_ID": "ta-own",
    "AWS_SESSION_TOKEN": "a-secret-that-no-script-may-see",
    "HF_TOKEN": "another-secret-that-no-script-may-see",
}
"""Variables of a sandbox's own that are nobody else's business."""

READ_BYTES = 256 * 1024
LOOK_SECONDS = 0.02
TOOLS_PATH = "/__modal/.bin/modal-sandbox-fs-tools"
TOOLS_PROGRAM = Path(__file__).with_name("filesystem_tool.py")
RESULT = api_pb2.GenericResult


class Command:
    """One exec: a process, and everything that it has printed.

    Args:
        argv: the program and its arguments.
        folder: where it starts.
        environment: its whole environment.
        timeout_seconds: after these it is killed; None for never.
    """

    def __init__(
        self, argv: Sequence[str], folder: Path, environment: dict[str, str], timeout_seconds: int | None
    ) -> None:
        self.argv = argv
        self.folder = folder
        self.environment = environment
        self.timeout_seconds = timeout_seconds
        self.exit_code: int | None = None
        self.printed = {1: bytearray(), 2: bytearray()}
        self.closed = {1: False, 2: False}
        self.stdin_bytes = 0
        self.stdin_closed = False
        self.process: asyncio.subprocess.Process | None = None
        self._changed = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []
        self._starting = asyncio.create_task(self._start())

    async def started(self) -> None:
        """Wait until the process runs, which it will, even if whoever asked for it is cut off."""
        await asyncio.shield(self._starting)

    async def _start(self) -> None:
        """Start the process; a program that is not there ends at once with exit code 127."""
        try:
            self.process = await asyncio.create_subprocess_exec(
                *self.argv,
                cwd=self.folder,
                env=self.environment,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            self.printed[2] += str(error).encode()
            self.closed = {1: True, 2: True}
            self.exit_code = 127
            return
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._tasks = [
            asyncio.create_task(self._pump(1, self.process.stdout)),
            asyncio.create_task(self._pump(2, self.process.stderr)),
            asyncio.create_task(self._see_end(self.process)),
        ]

    async def write(self, offset: int, content: bytes, *, end: bool) -> None:
        """Take in standard input; what was taken in before is left out."""
        fresh = content[max(0, self.stdin_bytes - offset) :]
        if self.process is None or self.process.stdin is None:
            return
        with contextlib.suppress(OSError):
            # Counted at once: who is cut off while it drains writes again from where this ends.
            self.stdin_bytes += len(fresh)
            if fresh:
                self.process.stdin.write(fresh)
            if end and not self.stdin_closed:
                self.stdin_closed = True
                self.process.stdin.close()
            elif fresh:
                await self.process.stdin.drain()

    async def read(self, stream: int, offset: int) -> bytes:
        """What was printed from an offset on; waits for more, and is empty at the end."""
        async with self._changed:
            while len(self.printed[stream]) <= offset and not self.closed[stream]:
                await self._changed.wait()
        return bytes(self.printed[stream][offset : offset + READ_BYTES])

    async def wait(self) -> int:
        """Its exit code, negative for a signal."""
        async with self._changed:
            while self.exit_code is None:
                await self._changed.wait()
        return self.exit_code

    async def lose(self) -> None:
        """End all readers: the machine is gone."""
        for task in self._tasks:
            task.cancel()
        async with self._changed:
            self.closed = {1: True, 2: True}
            self.exit_code = -signal.SIGKILL if self.exit_code is None else self.exit_code
            self.printed = {1: bytearray(), 2: bytearray()}  # Nobody can ask for it any more.
            self._changed.notify_all()

    async def _pump(self, stream: int, source: asyncio.StreamReader) -> None:
        while chunk := await source.read(READ_BYTES):
            async with self._changed:
                self.printed[stream] += chunk
                self._changed.notify_all()
        async with self._changed:
            self.closed[stream] = True
            self._changed.notify_all()

    async def _see_end(self, process: asyncio.subprocess.Process) -> None:
        try:
            async with asyncio.timeout(self.timeout_seconds or None):
                code = await process.wait()
        except TimeoutError:
            # As at Modal: the process ends, what it started may not.
            process.kill()
            code = await process.wait()
        async with self._changed:
            self.exit_code = code
            self._changed.notify_all()


@dataclass(frozen=True)
class Mount:
    """A volume as one sandbox sees it: as it was when the sandbox began, or last reloaded its volumes.

    As at Modal, what a sandbox writes gets into the volume when the sandbox ends.

    Attributes:
        path: where it is in the sandbox.
        volume: the volume's own files.
        seen: the files that the sandbox has.
        writable: whether it may change them.
    """

    path: str
    volume: Path
    seen: Path
    writable: bool

    def reload(self) -> None:
        """See what has got into the volume meanwhile."""
        shutil.copytree(self.volume, self.seen, dirs_exist_ok=True, symlinks=True)

    def commit(self) -> None:
        """Put what was written into the volume."""
        if self.writable:
            shutil.copytree(self.seen, self.volume, dirs_exist_ok=True, symlinks=True)


@dataclass
class Machine:
    """One sandbox.

    Attributes:
        id: its id; its form says which generation it is.
        task_id: what the command router calls it.
        app_id: the app that it belongs to.
        definition: what was asked for.
        tags: its tags.
        folder: stands for its root folder.
        programs: folder with its interpreter.
        mounts: its volumes.
        scheduled: whether it has a machine.
    """

    id: str
    task_id: str
    app_id: str
    definition: api_pb2.Sandbox
    tags: dict[str, str]
    folder: Path
    programs: Path
    mounts: list[Mount] = field(default_factory=list)
    scheduled: bool = True
    created_at: float = field(default_factory=time.time)
    ended_at: float | None = None
    result: Any = None
    commands: dict[str, Command] = field(default_factory=dict)
    active_at: float = field(default_factory=time.monotonic)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    _ending: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """Its name; empty for none."""
        return self.definition.name

    @property
    def seconds(self) -> float:
        """How long it was there, in seconds."""
        return (self.ended_at or time.time()) - self.created_at

    @property
    def alive(self) -> bool:
        """Whether it is still there."""
        return self.result is None

    def path(self, path: str) -> Path:
        """Where a path of the sandbox is on this machine."""
        return self.folder / path.lstrip("/")

    async def run(self, exec_id: str, request: Any, environment: dict[str, str]) -> None:
        """Start a command; starting the same exec twice runs it once."""
        if exec_id in self.commands:
            await self.commands[exec_id].started()
            return
        argv = list(request.command_args)
        workdir = request.workdir or self.definition.workdir or "/"
        folder = self.path(workdir)
        folder.mkdir(parents=True, exist_ok=True)
        if argv[0] == TOOLS_PATH:
            argv = [sys.executable, "-I", str(TOOLS_PROGRAM), str(self.folder), *argv[1:]]
        whole = {
            "PATH": f"{self.programs}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "MODAL_SANDBOX_ID": self.id,
            "CUDA_VERSION": "12.8",
            **SECRETS,
            **environment,
        }
        timeout = request.timeout_secs if request.HasField("timeout_secs") else None
        command = Command(self._mounted(argv), folder, whole, timeout)
        self.commands[exec_id] = command
        self.active_at = time.monotonic()
        await command.started()

    def _mounted(self, argv: list[str]) -> list[str]:
        box = shutil.which("bwrap")
        if not self.mounts or box is None:
            return argv
        wrapped = [box]
        for entry in sorted(Path("/").iterdir()):
            if entry.is_symlink():
                wrapped += ["--symlink", str(entry.readlink()), str(entry)]
            elif entry.is_dir():
                wrapped += ["--dev-bind", str(entry), str(entry)]
        for mount in self.mounts:
            wrapped += ["--bind" if mount.writable else "--ro-bind", str(mount.seen), mount.path]
        return [*wrapped, "--", *argv]

    async def watch(self) -> None:
        """End it when its time is over, or when nothing ran in it for too long."""
        timeout = self.definition.timeout_secs
        idle = self.definition.idle_timeout_secs if self.definition.HasField("idle_timeout_secs") else 0
        while self.alive:
            await asyncio.sleep(LOOK_SECONDS)
            if any(command.exit_code is None for command in self.commands.values()):
                self.active_at = time.monotonic()
            if timeout and self.seconds > timeout:
                await self.end(RESULT.GENERIC_STATUS_TIMEOUT, 124)
            elif idle and time.monotonic() - self.active_at > idle:
                # As at Modal: an idle sandbox ends with its entrypoint's exit code, which may be 0.
                await self.end(RESULT.GENERIC_STATUS_SUCCESS, 0)

    async def end(self, status: int, exit_code: int, exception: str = "") -> None:
        """End it with everything that runs in it."""
        if self.alive:
            self.result = RESULT(status=status, exitcode=exit_code, exception=exception)  # type: ignore[arg-type]
            self.ended_at = time.time()
            self._ending = asyncio.create_task(self._end())
        if self._ending is not None:
            await asyncio.shield(self._ending)

    async def _end(self) -> None:
        await asyncio.to_thread(end_processes, self.folder)
        for command in self.commands.values():
            await command.lose()
        for mount in self.mounts:
            await asyncio.to_thread(mount.commit)
        self.over.set()
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)


def processes_of(folder: Path) -> Iterable[int]:
    """Every process of a sandbox that can be seen: each has to do with its folder (Linux)."""
    mark = os.fsencode(f"{folder}/")
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            own = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
            if mark in own or (process / "cwd").readlink().is_relative_to(folder):
                yield int(process.name)


def end_processes(folder: Path) -> None:
    """End every process of a sandbox, until none is left."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        pids = list(processes_of(folder))
        if not pids:
            return
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)
