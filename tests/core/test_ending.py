"""Processes that are ended: nothing of them stays open, and nobody waits for their children."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path

from core.ending import end


def ended(command: str) -> tuple[Process, int]:
    """A process that was ended while somebody read it, and the number that it had printed."""

    async def main() -> tuple[Process, int]:
        process = await asyncio.create_subprocess_exec("sh", "-c", command, stdin=DEVNULL, stdout=PIPE)
        assert process.stdout is not None
        number = int(await process.stdout.readline())
        reading = asyncio.create_task(process.communicate())
        await asyncio.sleep(0)
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading
        await end(process)
        assert process.stdout.at_eof()  # what is open still would be a warning here, and so a failure
        return process, number

    return asyncio.run(main())


def test_a_process_that_is_ended_leaves_no_pipe_open() -> None:
    process, _ = ended("echo 1; exec sleep 60")
    assert process.returncode == -signal.SIGKILL


def test_a_loop_that_ends_meanwhile_leaves_nothing_open() -> None:
    async def main() -> tuple[Process, int]:
        command = "sleep 60 & echo $!; exec sleep 60"
        process = await asyncio.create_subprocess_exec("sh", "-c", command, stdin=DEVNULL, stdout=PIPE)
        assert process.stdout is not None
        child = int(await process.stdout.readline())
        ending = asyncio.create_task(end(process))
        while process.returncode is None:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)
        assert not ending.done()  # the child holds the pipe, and now the loop ends
        return process, child

    process, child = asyncio.run(main())
    os.kill(child, signal.SIGKILL)
    assert process._transport.is_closing()  # type: ignore[attr-defined]


def test_what_has_ended_by_itself_is_let_go() -> None:
    async def main() -> Process:
        process = await asyncio.create_subprocess_exec("sh", "-c", "exit 3", stdin=DEVNULL, stdout=PIPE)
        await process.wait()
        await end(process)
        return process

    process = asyncio.run(main())
    assert process.returncode == 3
    assert process._transport.is_closing()  # type: ignore[attr-defined]


def test_everything_that_it_started_ends_with_it() -> None:
    async def main() -> int:
        command = "sleep 60 & echo $!; exec sleep 60"
        process = await asyncio.create_subprocess_exec(
            "sh", "-c", command, stdin=DEVNULL, stdout=PIPE, start_new_session=True
        )
        assert process.stdout is not None
        child = int(await process.stdout.readline())
        await end(process, group=True)
        assert process.stdout.at_eof()  # nobody holds it
        return child

    child = asyncio.run(main())
    with contextlib.suppress(ChildProcessError, ProcessLookupError):
        os.kill(child, 0)
        assert "Z" in Path(f"/proc/{child}/stat").read_text().split()[2]


def test_a_child_that_holds_the_pipe_is_not_waited_for() -> None:
    process, child = ended("sleep 60 & echo $!; exec sleep 60")
    assert process.returncode == -signal.SIGKILL
    os.kill(child, signal.SIGKILL)  # it is there: else this raises
