"""Processes that are ended: nothing of them stays open, and nobody waits for their children."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process

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


def test_a_child_that_holds_the_pipe_is_not_waited_for() -> None:
    process, child = ended("sleep 60 & echo $!; exec sleep 60")
    assert process.returncode == -signal.SIGKILL
    os.kill(child, signal.SIGKILL)  # it is there: else this raises
