"""What goes wrong at Modal or on the way there: survived, or a named error, and never a result."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from core.errors import SandboxLost, SandboxUnavailable
from core.sandbox.base import ExecResult
from core.sandbox.modal.sandbox import ModalSandbox
from tests.core.sandbox.test_modal.conftest import ModalPlace, everything, in_the_end, ran

SLOW = "import time\nfor n in range(100): print(n, flush=True); time.sleep(0.005)"
SLOWLY = b"".join(b"%d\n" % number for number in range(100))
ROUTER = ("TaskExecStart", "TaskExecStdioRead", "TaskExecStdinWrite", "TaskExecWait", "TaskExecPoll")


async def fault(place: ModalPlace, rpc: str, **fields: Any) -> None:
    await place.double.acall("fault", rpc=rpc, **fields)


async def end(place: ModalPlace, sandbox: ModalSandbox, status: str, exit_code: int) -> None:
    await place.double.acall("end", sandbox_id=sandbox.id, status=status, exit_code=exit_code)


@pytest.mark.parametrize("kind", ["cut", "cut connection"])
@pytest.mark.parametrize("after_messages", [0, 1, 3])
def test_a_stream_that_breaks_loses_and_doubles_nothing(
    either: ModalPlace, kind: str, after_messages: int
) -> None:
    async def run(sandbox: ModalSandbox) -> bytes:
        await sandbox.start("x", SLOW)
        await fault(either, "TaskExecStdioRead", kind=kind, after_messages=after_messages, times=4)
        return await everything(sandbox, "x")

    assert either.use(run) == SLOWLY


def test_a_command_that_is_killed_half_way_is_given_again(place: ModalPlace) -> None:
    async def run(sandbox: ModalSandbox) -> bytes:
        await sandbox.start("x", SLOW)
        chunks = sandbox.output("x", 0)
        printed = await anext(chunks)
        await kill_attendants(await root(place, sandbox))
        return printed + b"".join([chunk async for chunk in chunks])

    assert place.use(run) == SLOWLY


def test_a_way_that_breaks_after_a_script_was_silent_for_long_is_taken_up_again(
    place: ModalPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Patience is for a way that is broken: a script may print nothing for as long as it likes."""
    monkeypatch.setattr("core.sandbox.modal.commands.SILENT_SECONDS", 0.05)
    code = "import os, time\nwhile not os.path.exists('go'): time.sleep(0.01)\nprint('done')"

    async def run(sandbox: ModalSandbox) -> tuple[ExecResult, bytes]:
        await sandbox.start("x", code)
        waiting = asyncio.gather(sandbox.wait("x"), everything(sandbox, "x"))
        await asyncio.sleep(1.2)
        folder = await root(place, sandbox)
        await kill_attendants(folder)
        (folder / "fumehood" / "work" / "go").touch()
        return await waiting

    result, output = place.use(run, patience_seconds=1)
    assert (result.clean, output) == (True, b"done\n")


async def root(place: ModalPlace, sandbox: ModalSandbox) -> Path:
    report = await place.double.acall("report")
    return Path(report["sandboxes"][sandbox.id]["folder"])


async def kill_attendants(folder: Path) -> None:
    """Kill every attendant of a sandbox, as a machine that is short of memory may."""
    import os
    import signal

    for process in Path("/proc").glob("[0-9]*"):
        try:
            at, command = (process / "cwd").readlink(), (process / "cmdline").read_bytes()
        except OSError:
            continue
        if at == folder / "fumehood" and b"attendant.py" in command:
            os.kill(int(process.name), signal.SIGKILL)


def test_a_router_that_is_down_for_a_while_costs_nothing(either: ModalPlace) -> None:
    async def run(sandbox: ModalSandbox) -> tuple[ExecResult, bytes]:
        for rpc in ROUTER:
            await fault(either, rpc, times=3)
        return await ran(sandbox, SLOW)

    result, output = either.use(run)
    assert (result.clean, output) == (True, SLOWLY)


def test_a_router_that_stays_down_is_a_lost_sandbox_within_bounds(place: ModalPlace) -> None:
    async def run(sandbox: ModalSandbox) -> None:
        await sandbox.start("x", "import time; time.sleep(99)")
        for rpc in ROUTER:
            await fault(place, rpc, kind="disconnect", times=-1)
        waiting = [asyncio.ensure_future(one) for one in (sandbox.wait("x"), everything(sandbox, "x"))]
        for one in waiting:
            with pytest.raises(SandboxLost, match="Nothing was heard of the sandbox E1 for 1 s"):
                await one

    place.use(run, patience_seconds=1)


@pytest.mark.parametrize(
    ("status", "exit_code", "said"),
    [
        ("SUCCESS", 0, "ended at Modal by itself .exit code 0."),
        ("FAILURE", 0, "ended at Modal by itself .exit code 0."),
        ("FAILURE", 137, "ended at Modal by itself .exit code 137."),
        ("FAILURE", 124, "ended at Modal by itself .exit code 124."),
        ("INTERNAL_FAILURE", 1, "ended at Modal by itself .exit code 1."),
        ("TERMINATED", 0, "terminated at Modal"),
        ("TIMEOUT", 0, "its approved time was over"),
    ],
)
def test_a_sandbox_that_ends_under_a_script_is_never_the_scripts_result(
    either: ModalPlace, status: str, exit_code: int, said: str
) -> None:
    async def run(sandbox: ModalSandbox) -> None:
        await sandbox.start("x", "import time\nprint('on', flush=True)\ntime.sleep(99)")
        chunks = sandbox.output("x", 0)
        assert await anext(chunks) == b"on\n"
        waiting = [asyncio.ensure_future(one) for one in (sandbox.wait("x"), anext(chunks))]
        await asyncio.sleep(0.05)
        await end(either, sandbox, status, exit_code)
        for one in waiting:
            with pytest.raises(SandboxLost, match=said):
                await one
        for call in (
            sandbox.start("y", ""),
            sandbox.wait("x"),
            sandbox.fetch("a", 1),
            everything(sandbox, "x"),
        ):
            with pytest.raises(SandboxLost):
                await call
        await sandbox.kill("x")

    either.use(run)


def test_a_sandbox_that_the_vendor_forgot_is_lost(place: ModalPlace) -> None:
    async def run(sandbox: ModalSandbox) -> None:
        for rpc in ("TaskExecStart", "SandboxWaitV2"):
            await fault(place, rpc, status="NOT_FOUND", times=-1)
        with pytest.raises(SandboxLost, match="does not know it any more"):
            await sandbox.start("x", "")

    place.use(run)


def test_a_close_whose_answer_is_lost_is_asked_again(either: ModalPlace) -> None:
    async def run(sandbox: ModalSandbox) -> None:
        rpc = "SandboxTerminate" if either.gpu else "SandboxTerminateV2"
        await fault(either, rpc, times=6)
        await sandbox.close()

    either.use(run)
    assert either.alive == []


def test_readers_and_waiters_can_be_called_off_at_once(place: ModalPlace) -> None:
    async def run(sandbox: ModalSandbox) -> None:
        await sandbox.start("x", "import time; time.sleep(99)")
        tasks = [asyncio.ensure_future(one) for one in (sandbox.wait("x"), everything(sandbox, "x"))]
        await asyncio.sleep(0.2)
        async with asyncio.timeout(5):
            for task in tasks:
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task

    place.use(run)


def test_a_heartbeat_that_fails_is_no_error_while_the_sandbox_is_there(place: ModalPlace) -> None:
    async def run(sandbox: ModalSandbox) -> None:
        await fault(place, "TaskExecStart", status="NOT_FOUND", times=-1)
        await sandbox.heartbeat()
        await end(place, sandbox, "SUCCESS", 0)
        with pytest.raises(SandboxLost):
            await sandbox.heartbeat()

    place.use(run, lease_seconds=0)


def test_the_same_sandbox_is_never_two(either: ModalPlace) -> None:
    async def run() -> None:
        providers = [either.provider() for _ in range(3)]
        sandboxes = await asyncio.gather(*(either.open(provider) for provider in providers))
        assert len({sandbox.id for sandbox in sandboxes}) == 1
        await sandboxes[0].close()
        for provider in providers:
            await provider.close()

    asyncio.run(run())
    assert len(either.creates) == 1


def test_a_sandbox_that_ends_before_it_has_a_machine_was_not_refused(place: ModalPlace) -> None:
    place.gpu = "H100"
    place.double.call("no room", gpus=["H100"])

    async def run() -> SandboxUnavailable:
        provider = place.provider()
        opening = asyncio.ensure_future(place.open(provider))

        async def made() -> bool:
            return bool((await place.double.acall("report"))["sandboxes"])

        await in_the_end(made)
        [sandbox_id] = (await place.double.acall("report"))["sandboxes"]
        await place.double.acall("end", sandbox_id=sandbox_id, status="FAILURE", exit_code=0)
        with pytest.raises(SandboxUnavailable, match="E1 ended at Modal before it had a machine") as ended:
            await opening
        await provider.close()
        return ended.value

    assert asyncio.run(run()).fault == "ended"
