"""One sandbox at Modal, as an engine uses it."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from core.errors import SandboxLost, SandboxUnavailable
from core.sandbox.base import ExecResult, Isolation, SandboxSpec
from core.sandbox.execs import exec_result
from core.sandbox.following import LONGEST_LINE_BYTES
from core.sandbox.modal.commands import Commands
from core.sandbox.modal.sdk import Sdk, one_line, vendor_errors
from core.sandbox.modal.volumes import reloaded

EXEC_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
GIB = 1024**3
OUTPUT_LIMIT_BYTES = 64 * 1024 * 1024
OPEN_SECONDS = 120.0
KILL_SECONDS = 20.0
FETCH_SECONDS = 600.0
HEARTBEAT_SECONDS = 15.0
TERMINATE_SECONDS = 30.0
BEATS_PER_LEASE = 10
UNLIMITED_BYTES = 1 << 62

NOT_FOUND, REFUSED, NOT_STARTED = 3, 4, 5
"""Exit codes of the attendant."""

INSIDE = Path(__file__).parent
FILES = {
    "attendant.py": INSIDE / "attendant.py",
    "supervisor.py": INSIDE.parent / "supervisor.py",
    "library/lab.py": INSIDE.parent / "lab.py",
    "library/wandb.py": INSIDE.parent / "wandb.py",
}

BRING_FILES = """
import json, os, runpy, sys
for name, text in json.load(sys.stdin).items():
    os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
    draft = f"{name}.{os.getpid()}"  # two of us may open one sandbox at the same time
    with open(draft, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(draft, name)
runpy.run_path("attendant.py", run_name="__main__")
"""
"""Brings files, then does what the attendant is told: one command is one way there and back."""

log = logging.getLogger("fumehood.modal")


class ModalSandbox:
    """One sandbox at Modal.

    Args:
        sdk: the vendor's SDK.
        sandbox: the SDK's sandbox.
        name: what people call it.
        spec: what it was opened with.
        lease_seconds: how long execs go on without a heartbeat, in seconds.
        patience_seconds: how long nothing may be heard of it before it counts as lost, in seconds.
    """

    def __init__(
        self,
        sdk: Sdk,
        sandbox: Any,
        name: str,
        spec: SandboxSpec,
        *,
        lease_seconds: float,
        patience_seconds: float,
    ) -> None:
        self._sdk = sdk
        self._sandbox = sandbox
        self._name = name
        self._spec = spec
        self._lease_seconds = lease_seconds
        self._commands = Commands(sdk, sandbox, name, patience_seconds)
        self._beat = -float("inf")
        self._closed = False
        self._ended = False

    @property
    def id(self) -> str:
        """Modal's id."""
        return str(self._sandbox.object_id)

    @property
    def isolation(self) -> Isolation:
        """It is another machine."""
        return "remote machine"

    async def furnish(self) -> None:
        """Bring in what runs scripts; doing it again changes nothing.

        Raises:
            SandboxLost: the sandbox is gone.
        """
        files = {name: path.read_text(encoding="utf-8") for name, path in FILES.items()}
        content = json.dumps(files).encode()
        opened = await self._commands.call(
            "open",
            str(self._spec.compute.timeout_seconds),
            program=("-c", BRING_FILES),
            content=content,
            seconds=OPEN_SECONDS,
        )
        if opened.exit_code != 0:
            raise SandboxLost(
                f"The sandbox {self._name} cannot be used: {opened.said.strip()[-200:]}", fault="silent"
            )
        self._beat = time.monotonic()

    async def start(self, exec_id: str, code: str, *, trial: bool = False) -> None:
        """Start a Python script, detached from this process and from every command."""
        self._must_be_open(exec_id)
        await reloaded(self._sdk, self._sandbox)
        request = {
            "code": code,
            "cpus": self._spec.compute.cpus,
            "policy": self._limits(),
            "environment": self._environment(trial=trial),
        }
        answer = await self._commands.call("start", exec_id, content=json.dumps(request).encode())
        if answer.exit_code != 0:
            reason = answer.said.strip()[-200:]
            raise SandboxLost(f"The supervisor of {exec_id} could not be started: {reason}")

    async def output(self, exec_id: str, offset: int) -> AsyncIterator[bytes]:
        """What the script prints, from a byte offset on."""
        self._must_be_open(exec_id)
        async for chunk in self._commands.follow(exec_id, "output", offset):
            yield chunk

    async def records(self, exec_id: str, offset: int) -> AsyncIterator[bytes]:
        """The records that the script's ``lab`` wrote, in whole lines only."""
        self._must_be_open(exec_id)
        parts: list[bytes] = []
        waiting = 0
        async for chunk in self._commands.follow(exec_id, "lab/records.jsonl", offset):
            end = chunk.rfind(b"\n") + 1
            if end:
                yield b"".join((*parts, chunk[:end]))
                parts, waiting = [], 0
            parts.append(chunk[end:])
            waiting += len(chunk) - end
            if waiting > LONGEST_LINE_BYTES:
                return

    async def wait(self, exec_id: str) -> ExecResult:
        """Wait until the exec has ended."""
        self._must_be_open(exec_id)
        return exec_result(json.loads(await self._commands.wait_for("wait", exec_id)))

    async def kill(self, exec_id: str) -> None:
        """End the exec and everything it started; if that cannot be done, the sandbox with it."""
        if self._closed:
            return
        try:
            async with asyncio.timeout(KILL_SECONDS):
                answer = await self._commands.call("kill", exec_id, seconds=KILL_SECONDS)
            if answer.exit_code == 0:
                return
            reason = answer.said.strip()[-200:]
        except TimeoutError:
            reason = f"no answer within {KILL_SECONDS:g} s"
        except SandboxLost:
            return
        log.warning("the exec %s could not be ended (%s): its sandbox is", exec_id, reason)
        await self.close()

    async def fetch(self, path: str, limit_bytes: int) -> bytes:
        """A file that a script left in its records folder or in the work folder.

        A path may begin with an exec's id, for that exec's records folder; otherwise the latest
        exec that has such a file is meant.
        """
        if self._closed:
            raise SandboxLost(f"The sandbox {self._name} is gone")
        answer = await self._commands.call(
            "fetch", path, str(limit_bytes), seconds=FETCH_SECONDS, limit_bytes=limit_bytes
        )
        if answer.exit_code == NOT_FOUND:
            raise FileNotFoundError(f"no regular file {path!r} in the sandbox")
        whole = answer.said.strip() == str(len(answer.printed))
        if answer.exit_code != 0 or not whole or len(answer.printed) > limit_bytes:
            raise ValueError(f"{path!r} is larger than {limit_bytes:,} bytes, or lies outside the sandbox")
        return answer.printed

    async def heartbeat(self) -> None:
        """Say that an engine is still here; not more often than is of use, as each is a command."""
        now = time.monotonic()
        if self._closed or now - self._beat < self._lease_seconds / BEATS_PER_LEASE:
            return
        await self._commands.try_once("heartbeat", seconds=HEARTBEAT_SECONDS)
        self._beat = now

    async def running(self) -> tuple[str, ...]:
        """Ids of the execs that run in it now."""
        answer = await self._commands.call("running")
        return tuple(map(str, json.loads(answer.printed or b"[]")))

    async def close(self) -> None:
        """End the sandbox, and with it every exec.

        Raises:
            SandboxUnavailable: Modal does not say that it has ended; closing it again tries again.
        """
        if self._ended:
            return
        self._closed = True
        self._commands.close()
        try:
            async with asyncio.timeout(TERMINATE_SECONDS):
                await self._terminate(vendor_errors(self._sdk))
        except TimeoutError:
            raise SandboxUnavailable(
                f"Modal does not say that the sandbox {self._name} has ended",
                "It ends itself when it has stood idle; see 'fumehood sandboxes'",
                "silent",
            ) from None
        self._ended = True
        await self._sandbox.detach.aio()

    async def _terminate(self, errors: tuple[type[Exception], ...]) -> None:
        """Ask until Modal says that it is gone; what is not there any more needs no end."""
        pause = 0.1
        while True:
            try:
                await self._sandbox.terminate.aio()
                return
            except (self._sdk.exception.NotFoundError, self._sdk.exception.ConflictError):
                return
            except errors as error:
                log.info("%s is not terminated yet: %s", self.id, one_line(error))
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2.0)

    def _must_be_open(self, exec_id: str) -> None:
        if not EXEC_ID.fullmatch(exec_id):
            raise ValueError(f"{exec_id!r} cannot be the id of an exec")
        if self._closed:
            raise SandboxLost(f"The sandbox {self._name} is gone")

    def _limits(self) -> dict[str, Any]:
        """What the supervisor holds a script to; its fields are said in ``supervisor.py``."""
        compute = self._spec.compute
        limits: dict[str, Any] = {
            "memory_bytes": int(compute.memory_gib * GIB),
            "disk_bytes": int(compute.disk_gib * GIB),
            "processes": compute.processes,
            "output_bytes": OUTPUT_LIMIT_BYTES,
            "lease_seconds": self._lease_seconds,
        }
        if compute.gpu is not None:
            # GPU drivers reserve far more address space than memory; the watchdog counts memory.
            limits["data_bytes"] = UNLIMITED_BYTES
        return limits

    def _environment(self, *, trial: bool) -> dict[str, str]:
        """What is added to the machine's own variables."""
        threads = str(self._spec.compute.cpus)
        return {
            **self._spec.environment,
            "USER": "experiment",
            "LOGNAME": "experiment",
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "PYTHONNOUSERSITE": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "MPLBACKEND": "Agg",
            "OMP_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
            "MKL_NUM_THREADS": threads,
            "NUMEXPR_NUM_THREADS": threads,
            "LAB_SEEDS": json.dumps(self._spec.seeds) if self._spec.seeds else "",
            "LAB_TRIAL": "1" if trial else "",
        }
