"""What the SDK does that nobody would expect, each shown once, and what becomes of it here.

Bounds of minutes are shorter in these tests: the SDK notices a dead connection after 40 s, and waits for
30 s where it is told to come later.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core.errors import SandboxLost, SandboxUnavailable
from core.sandbox.base import ExecResult
from core.sandbox.modal import account, commands, sandbox
from core.sandbox.modal.commands import Commands
from core.sandbox.modal.sandbox import ModalSandbox
from core.sandbox.modal.sdk import FIXED, load_sdk
from tests.core.sandbox.test_modal.conftest import ModalPlace, everything, ran
from tests.core.sandbox.test_modal.test_faults import end, fault
from tests.core.sandbox.test_modal.test_sandbox import ROOT

TICKS = "import time\nfor n in range(60): print(n, flush=True); time.sleep(0.05)"
TICKED = b"".join(b"%d\n" % number for number in range(60))


def inner(sandbox: ModalSandbox) -> Any:
    """The SDK's own sandbox."""
    return sandbox._commands.sandbox


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A process that does nothing for a while, and whose connections stay open."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_connection_that_falls_silent_costs_nothing_but_time(
    either: ModalPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    grpc_utils = pytest.importorskip("modal._utils.grpc_utils")
    monkeypatch.setattr(grpc_utils, "GRPC_KEEPALIVE_TIME_SECS", 0.4)
    monkeypatch.setattr(grpc_utils, "GRPC_KEEPALIVE_TIMEOUT_SECS", 0.4)

    async def run(sandbox: ModalSandbox) -> tuple[ExecResult, bytes]:
        await sandbox.start("x", TICKS)
        chunks = sandbox.output("x", 0)
        first = await anext(chunks)
        with stopped(either.double.pid):
            await asyncio.sleep(1.5)
        rest = b"".join([chunk async for chunk in chunks])
        return await sandbox.wait("x"), first + rest

    result, output = either.use(run)
    assert (result.clean, output) == (True, TICKED)


def test_a_sandbox_that_dies_behind_a_silent_stream_is_noticed(
    either: ModalPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "SILENT_SECONDS", 0.3)

    async def run(sandbox: ModalSandbox) -> None:
        await sandbox.start("x", "import time; time.sleep(99)")
        await fault(either, "TaskExecStdioRead", kind="hang", times=-1)
        waiting = [asyncio.ensure_future(one) for one in (sandbox.wait("x"), everything(sandbox, "x"))]
        await asyncio.sleep(0.5)
        await end(either, sandbox, "FAILURE", 0)
        for one in waiting:
            with pytest.raises(SandboxLost, match="ended at Modal by itself"):
                await one

    either.use(run)


def test_a_command_whose_end_is_never_told_is_given_up(
    place: ModalPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK's wait for a process asks again for ever."""
    monkeypatch.setattr(sandbox, "KILL_SECONDS", 1.0)

    async def run(sandbox: ModalSandbox) -> None:
        await sandbox.start("x", "import time; time.sleep(99)")
        await fault(place, "TaskExecWait", times=-1)
        await sandbox.kill("x")
        assert not any(one["alive"] for one in (await place.double.acall("report"))["sandboxes"].values())

    place.use(run)


def test_an_execs_own_timeout_raises_nothing_and_is_never_an_answer(place: ModalPlace) -> None:
    async def run(sandbox: ModalSandbox) -> None:
        process = await inner(sandbox).exec.aio("sleep", "99", text=False, timeout=1)
        assert await process.stdout.read.aio() == b""
        assert await process.wait.aio() == -1
        assert -1 not in commands.KNOWN_EXIT_CODES
        await sandbox.start("x", "import time; time.sleep(99)")
        own = Commands(await load_sdk(), inner(sandbox), "E1", patience_seconds=0.0)
        with pytest.raises(SandboxLost, match="Nothing was heard"):
            await own.call("wait", "x", seconds=0.9)

    place.use(run)


def test_a_grandchild_that_holds_the_pipe_does_not_hold_up_a_command(place: ModalPlace) -> None:
    leaves_one = "import subprocess; subprocess.Popen(['sleep', '99']); print('said')"

    async def run(sandbox: ModalSandbox) -> None:
        own = Commands(await load_sdk(), inner(sandbox), "E1", patience_seconds=0.0)
        async with asyncio.timeout(20):
            with pytest.raises(SandboxLost, match="Nothing was heard"):
                await own.call(program=("-c", leaves_one), seconds=0.9)

    place.use(run)


def test_what_a_script_leaves_behind_with_its_pipe_open_ends_with_it(either: ModalPlace) -> None:
    code = "import subprocess\nprint(subprocess.Popen(['sleep', '99']).pid, flush=True)"

    async def run(sandbox: ModalSandbox) -> None:
        async with asyncio.timeout(20):
            result, output = await ran(sandbox, code)
        assert result.clean
        assert not Path(f"/proc/{int(output)}").exists()

    either.use(run)


@pytest.mark.parametrize("status", ["NOT_FOUND", "FAILED_PRECONDITION"])
def test_a_command_for_a_dead_sandbox_is_its_loss(place: ModalPlace, status: str) -> None:
    async def run(sandbox: ModalSandbox) -> None:
        await end(place, sandbox, "FAILURE", 0)
        await fault(place, "TaskExecStart", status=status, times=-1)
        for call in (sandbox.start("y", ""), sandbox.heartbeat()):
            with pytest.raises(SandboxLost, match="exit code 0"):
                await call

    place.use(run, lease_seconds=0)


def test_two_readers_of_one_exec_both_get_all_of_it(either: ModalPlace) -> None:
    """Two readers of one stream of the SDK's would share it; here each has a stream of its own."""

    async def run(sandbox: ModalSandbox) -> list[bytes]:
        await sandbox.start("x", TICKS)
        return list(await asyncio.gather(*(everything(sandbox, "x") for _ in range(2))))

    assert either.use(run) == [TICKED, TICKED]


def test_a_call_that_would_block_the_loop_is_an_error_in_tests(place: ModalPlace) -> None:
    async def run(sandbox: ModalSandbox) -> bool:
        warned = blocks(inner(sandbox), (await load_sdk()).exception.AsyncUsageWarning)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # What it would have awaited is left over.
            gc.collect()
        return warned

    assert place.use(run)


def blocks(sandbox: Any, warning: type[Exception]) -> bool:
    """Whether a synchronous call is known to be wrong here."""
    try:
        sandbox.poll()
    except warning:
        return True
    return False


def test_a_script_larger_than_what_is_taken_at_once_arrives_whole(place: ModalPlace) -> None:
    code = "# " + "x" * (17 * 1024 * 1024) + "\nimport os\nprint(os.path.getsize(__file__))"
    _, output = place.use(lambda sandbox: ran(sandbox, code))
    assert int(output) == len(code)


def test_a_server_that_always_says_later_is_given_up(
    place: ModalPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a limit, which the SDK always gets, it would ask again for ever."""
    assert FIXED["MODAL_MAX_THROTTLE_WAIT"] == "30"
    monkeypatch.setitem(FIXED, "MODAL_MAX_THROTTLE_WAIT", "1")
    place.double.call(
        "fault", rpc="SandboxCreateV2", status="RESOURCE_EXHAUSTED", retry_after_seconds=0.2, times=-1
    )

    async def run() -> None:
        async with asyncio.timeout(20):
            await place.open(place.provider())

    with pytest.raises(SandboxUnavailable, match="no room"):
        asyncio.run(run())
    assert place.alive == []


def test_logging_in_takes_ten_seconds_at_most() -> None:
    assert account.LOGIN_SECONDS == 10


def test_a_login_that_is_over_is_not_in_the_way_of_the_next(place: ModalPlace) -> None:
    """The SDK keeps environments, by name alone, for the whole process: here a process has one account."""

    async def run() -> None:
        first, second = place.provider(), place.provider()
        await first.account.connect()
        await first.close()
        opened = await place.open(second)
        assert (await ran(opened, "print('here')"))[1] == b"here\n"
        await opened.close()
        await second.close()

    asyncio.run(run())


ENGINE = """
import asyncio, contextlib, sys
from types import SimpleNamespace
from tests.core.sandbox.test_modal.conftest import ModalPlace, everything
from tests.fakes.modal.world import TOKEN
async def main():
    place = ModalPlace(SimpleNamespace(token=TOKEN), gpu=sys.argv[1] or None)
    provider = place.provider()
    sandbox = await place.open(provider)
    await sandbox.start("x", "import time; print('on', flush=True); time.sleep(99)")
    readers = [asyncio.ensure_future(one) for one in (sandbox.wait("x"), everything(sandbox, "x"))]
    async with contextlib.aclosing(sandbox.output("x", 0)) as chunks:  # not at some time or other
        await anext(chunks)
    if sys.argv[2] == "in order":
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        await sandbox.close()
        await provider.close()
    print("over", flush=True)
asyncio.run(main())
"""


@pytest.mark.parametrize("how", ["in order", "at once"])
def test_an_engine_that_ends_with_readers_under_way_ends_soon_and_in_silence(
    either: ModalPlace, how: str
) -> None:
    either.double.call("warn", message="a warning of the server's")
    engine = subprocess.Popen(
        [sys.executable, "-c", ENGINE, either.gpu or "", how],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    said, complaints = engine.communicate(timeout=30)
    assert (engine.returncode, said, complaints) == (0, "over\n", "")
    assert (either.alive == []) == (how == "in order")


LOADED = """
import asyncio, gc
from core.sandbox.modal.sdk import load_sdk
asyncio.run(load_sdk())
print(gc.get_freeze_count() > 10 * len(gc.get_objects()))
"""


def test_what_the_sdk_brings_along_is_never_searched_for_garbage() -> None:
    """A search of all of it takes 30 ms and more, in which nothing else in the engine moves."""
    loaded = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (loaded.stdout, loaded.stderr) == ("True\n", "")
