"""Commands in a sandbox: the attendant's verbs, carried through whatever the way there does.

The SDK gives up on a broken way after about ten seconds, with errors of several families; the sandbox
is asked for then, and the command is given again, until it is known that the sandbox is gone or
nothing was heard of it for too long. Every verb can be given twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from core.errors import SandboxLost
from core.sandbox.modal.images import FOLDER
from core.sandbox.modal.sdk import Sdk, one_line, vendor_errors

ASK_SECONDS = 10.0
CALL_SECONDS = 60.0
LAST_WORDS_SECONDS = 15.0
SILENT_SECONDS = 30.0
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
INPUT_BYTES = 4 * 1024 * 1024
"""What is written at once; the SDK takes at most 16 MiB."""

KNOWN_EXIT_CODES = frozenset((0, 1, 3, 4, 5))
"""What the attendant ends with itself; anything else was done to it."""

REFUSED = 4

TIMED_OUT, TERMINATED = 124, 137

Result = TypeVar("Result")


@dataclass(frozen=True)
class Answer:
    """What a command gave.

    Attributes:
        exit_code: how it ended.
        printed: what it printed.
        said: what it said on standard error.
    """

    exit_code: int
    printed: bytes
    said: str


class _Broken(Exception):
    """A command ended without having said that it did all of it."""


class Commands:
    """Gives commands to one sandbox.

    Args:
        sdk: the vendor's SDK.
        sandbox: the SDK's sandbox.
        name: what people call it.
        patience_seconds: how long nothing may be heard of it before it counts as lost, in seconds.
    """

    def __init__(self, sdk: Sdk, sandbox: Any, name: str, patience_seconds: float) -> None:
        self.sandbox = sandbox
        self._sdk = sdk
        self._name = name
        self._patience_seconds = patience_seconds
        self._closed = False
        self._errors: tuple[type[Exception], ...] = (*vendor_errors(sdk), _Broken)

    def close(self) -> None:
        """Know that the sandbox is gone, without asking."""
        self._closed = True

    async def call(
        self,
        *arguments: str,
        content: bytes = b"",
        seconds: float = CALL_SECONDS,
        limit_bytes: int | None = None,
        program: tuple[str, ...] = ("attendant.py",),
    ) -> Answer:
        """Give a command and wait for its end.

        Args:
            arguments: the verb and what belongs to it.
            content: what it reads on standard input.
            seconds: how long one attempt may take, in seconds.
            limit_bytes: stop reading after more than so many bytes; None for no limit.
            program: what Python runs.

        Raises:
            SandboxLost: the sandbox is gone, or nothing was heard of it for too long.
        """

        async def once(_: _Patience) -> Answer:
            async with asyncio.timeout(seconds):
                return await self._once((*program, *arguments), content, math.ceil(seconds), limit_bytes)

        return await self._patiently(once)

    async def try_once(self, *arguments: str, seconds: float = CALL_SECONDS) -> None:
        """Give a command that nobody waits for; that it failed matters only where the sandbox is gone.

        Raises:
            SandboxLost: the sandbox is gone.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._once(("attendant.py", *arguments), b"", math.ceil(seconds), None)
        except self._errors:
            await self.must_be_there()

    async def follow(self, exec_id: str, name: str, offset: int) -> AsyncIterator[bytes]:
        """A growing file of an exec from a byte on, until the exec has ended and all was given out.

        Raises:
            SandboxLost: the sandbox is gone, or nothing was heard of it for too long.
        """
        patience = _Patience(self._patience_seconds)
        while True:
            error: BaseException | None = None
            try:
                process = await self._start(("attendant.py", "follow", exec_id, name, str(offset)), None)
                async with contextlib.aclosing(aiter(process.stdout)) as chunks:
                    while chunk := await self._while_there(_next(chunks), patience):
                        offset += len(chunk)
                        patience.renew()
                        yield chunk
                async with asyncio.timeout(LAST_WORDS_SECONDS):
                    said = (await process.stderr.read.aio()).decode(errors="replace")
                # A stream that merely broke off also just ends: only the attendant knows the whole.
                if said.strip().isdigit() and offset >= int(said):
                    return
            except self._errors as broken:
                error = broken
            await self._bear(patience, error)

    async def wait_for(self, *arguments: str) -> bytes:
        """Give a command that may take as long as a script, and read what it prints, which is not empty.

        Raises:
            SandboxLost: the sandbox is gone, or nothing was heard of it for too long.
        """

        async def once(patience: _Patience) -> bytes:
            process = await self._start(("attendant.py", *arguments), None)
            printed: bytes = await self._while_there(process.stdout.read.aio(), patience)
            if not printed:
                raise _Broken("the stream ended")
            return printed

        return await self._patiently(once)

    async def must_be_there(self) -> None:
        """Ask Modal whether the sandbox is still there; if it cannot be asked, it may be.

        Raises:
            SandboxLost: it is gone.
        """
        if self._closed:
            raise SandboxLost(f"The sandbox {self._name} is gone: it was closed")
        try:
            async with asyncio.timeout(ASK_SECONDS):
                exit_code = await self.sandbox.poll.aio()
        except self._sdk.exception.NotFoundError as error:
            raise SandboxLost(
                f"The sandbox {self._name} is gone: Modal does not know it any more", fault="ended"
            ) from error
        except self._errors:
            return
        if exit_code is not None:
            raise await why_gone(self._sdk, self.sandbox, self._name, exit_code)

    async def _while_there(self, waiting: Awaitable[Result], patience: _Patience) -> Result:
        """Wait for something that may take as long as a script, and ask now and then for the sandbox.

        A way that is merely silent says neither that the sandbox is gone nor that it is not. It uses up no
        patience: that begins when a way breaks, not when a script printed last.

        Raises:
            SandboxLost: the sandbox is gone.
        """
        task = asyncio.ensure_future(waiting)
        try:
            while not (await asyncio.wait({task}, timeout=SILENT_SECONDS))[0]:
                await self.must_be_there()
                patience.renew()
            return task.result()
        finally:
            if task.cancel():
                await asyncio.wait({task}, timeout=ASK_SECONDS)
            if task.done() and not task.cancelled():
                task.exception()  # Nobody else asks for it where we are cancelled now.

    async def _patiently(self, attempt: Callable[[_Patience], Awaitable[Result]]) -> Result:
        patience = _Patience(self._patience_seconds)
        while True:
            try:
                return await attempt(patience)
            except self._errors as error:
                broken = error
            await self._bear(patience, broken)

    async def _bear(self, patience: _Patience, error: BaseException | None) -> None:
        """Wait before the next attempt, unless there is no point in one."""
        await self.must_be_there()
        if patience.is_over:
            said = f": {one_line(error)}" if error is not None else ""
            raise SandboxLost(
                f"Nothing was heard of the sandbox {self._name} for {self._patience_seconds:g} s{said}",
                "It ends itself; look at status.modal.com",
                "silent",
            )
        await patience.pause()

    async def _once(
        self, arguments: tuple[str, ...], content: bytes, seconds: int, limit_bytes: int | None
    ) -> Answer:
        process = await self._start(arguments, seconds)
        for start in range(0, len(content), INPUT_BYTES):
            process.stdin.write(content[start : start + INPUT_BYTES])
            await process.stdin.drain.aio()
        process.stdin.write_eof()
        await process.stdin.drain.aio()
        printed: list[bytes] = []
        size = 0
        async for chunk in process.stdout:
            printed.append(chunk)
            size += len(chunk)
            if limit_bytes is not None and size > limit_bytes:
                return Answer(REFUSED, b"", "more than the limit")
        said = (await process.stderr.read.aio()).decode(errors="replace")
        exit_code = await process.wait.aio()
        if exit_code not in KNOWN_EXIT_CODES:
            raise _Broken(f"a command ended with exit code {exit_code}: {said[-200:]}")
        return Answer(exit_code, b"".join(printed), said)

    async def _start(self, arguments: tuple[str, ...], seconds: int | None) -> Any:
        return await self.sandbox.exec.aio(
            "python3", "-I", "-S", *arguments, text=False, timeout=seconds, workdir=FOLDER
        )


class _Patience:
    """How much longer to go on, and how long to pause.

    Args:
        seconds: how long nothing may be heard.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.renew()

    def renew(self) -> None:
        """Something was heard."""
        self._since = time.monotonic()
        self._pause = FIRST_PAUSE_SECONDS

    @property
    def is_over(self) -> bool:
        """Whether nothing was heard for too long."""
        return time.monotonic() - self._since > self._seconds

    async def pause(self) -> None:
        """Wait, longer each time."""
        await asyncio.sleep(self._pause)
        self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)


async def _next(chunks: AsyncIterator[bytes]) -> bytes:
    """The next chunk; empty at the end."""
    try:
        return await anext(chunks)
    except StopAsyncIteration:
        return b""


async def why_gone(sdk: Sdk, sandbox: Any, name: str, exit_code: int) -> SandboxLost:
    """Why a sandbox is gone, as far as Modal tells.

    Its exit code alone says little. A sandbox that is idle, preempted or failed ends with its own
    entrypoint's, which may be 0, never a success, and which may look like that of a termination.

    Args:
        sdk: the vendor's SDK.
        sandbox: the SDK's sandbox.
        name: what people call it.
        exit_code: what it ended with.
    """
    timed_out, terminated = exit_code == TIMED_OUT, exit_code == TERMINATED
    if timed_out or terminated:
        try:
            async with asyncio.timeout(ASK_SECONDS):
                await sandbox.wait.aio()
            timed_out = terminated = False
        except sdk.exception.SandboxTimeoutError:
            timed_out, terminated = True, False
        except sdk.exception.SandboxTerminatedError:
            timed_out, terminated = False, True
        except vendor_errors(sdk):
            pass  # The code has to do.
    if timed_out:
        return SandboxLost(f"The sandbox {name} has ended: its approved time was over", fault="time over")
    if terminated:
        return SandboxLost(f"The sandbox {name} was terminated at Modal", fault="terminated")
    return SandboxLost(
        f"The sandbox {name} has ended at Modal by itself (exit code {exit_code}): it was preempted, stood "
        "idle for too long, or failed",
        "What it measured before is kept; run the experiment again",
        "ended",
    )
