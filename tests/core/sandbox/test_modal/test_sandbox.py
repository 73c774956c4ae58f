"""A sandbox at Modal as an engine uses it, and as the next engine finds it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import SandboxLost
from core.sandbox.base import ExecResult
from core.sandbox.modal.sandbox import ModalSandbox
from tests.core.sandbox.test_modal.conftest import ModalPlace, everything, ran
from tests.fakes.modal.machine import SECRETS

ROOT = Path(__file__).parents[4]
WAIT_TO_GO = "while not os.path.exists('go'): time.sleep(0.01)"


def sandbox_folder(place: ModalPlace, sandbox_id: str) -> Path:
    """Where the double keeps our files in a sandbox."""
    return Path(place.double.call("report")["sandboxes"][sandbox_id]["folder"]) / "fumehood"


async def folder_of(place: ModalPlace, sandbox: ModalSandbox) -> Path:
    """``sandbox_folder``, inside a running loop."""
    report = await place.double.acall("report")
    return Path(report["sandboxes"][sandbox.id]["folder"]) / "fumehood"


def test_a_failing_script_is_a_result(either: ModalPlace) -> None:
    result, output = either.use(lambda sandbox: ran(sandbox, "print('before'); raise SystemExit(3)"))
    assert (result.end, result.exit_code, result.clean) == ("finished", 3, False)
    assert output == b"before\n"


def test_output_can_be_read_from_any_offset_during_and_after_the_exec(either: ModalPlace) -> None:
    async def read(sandbox: ModalSandbox) -> None:
        await sandbox.start("x", "import time\nfor n in range(30): print(n, flush=True); time.sleep(0.01)")
        whole = await everything(sandbox, "x")
        assert whole == b"".join(b"%d\n" % number for number in range(30))
        for offset in (0, 1, 17, len(whole), len(whole) + 5):
            assert await everything(sandbox, "x", offset) == whole[offset:]

    either.use(read)


def test_output_streams_while_the_script_runs(either: ModalPlace) -> None:
    code = f"import os, time\nprint('first', flush=True)\n{WAIT_TO_GO}\nprint('last')"

    async def read(sandbox: ModalSandbox) -> bytes:
        await sandbox.start("x", code)
        chunks = sandbox.output("x", 0)
        assert await anext(chunks) == b"first\n"
        (await folder_of(either, sandbox) / "work" / "go").touch()
        return b"".join([chunk async for chunk in chunks])

    assert either.use(read) == b"last\n"


def test_bytes_that_are_no_text_arrive_as_they_are(either: ModalPlace) -> None:
    code = "import os\nos.write(1, bytes(range(256)) * 1000)"
    _, output = either.use(lambda sandbox: ran(sandbox, code))
    assert output == bytes(range(256)) * 1000


def test_a_hundred_thousand_lines_arrive_whole(place: ModalPlace) -> None:
    _, output = place.use(lambda sandbox: ran(sandbox, "for n in range(100_000): print(n)"))
    assert output == b"".join(b"%d\n" % number for number in range(100_000))


def test_a_slow_reader_misses_nothing(place: ModalPlace) -> None:
    async def read(sandbox: ModalSandbox) -> int:
        await sandbox.start("x", "import os\nfor _ in range(20): os.write(1, b'x' * 1048576)")
        size = 0
        async for chunk in sandbox.output("x", 0):
            size += len(chunk)
            await asyncio.sleep(0.002)
        return size

    assert place.use(read) == 20 * 1024 * 1024


def test_records_are_given_out_in_whole_lines_only(either: ModalPlace) -> None:
    code = f"""
import os, time
records = open(os.path.join(os.environ["LAB_DIR"], "records.jsonl"), "wb", buffering=0)
records.write(b'{{"a": 1}}\\n{{"b"')
{WAIT_TO_GO}
records.write(b': 2}}\\n{{"c": unfinished')
"""

    async def read(sandbox: ModalSandbox) -> None:
        await sandbox.start("x", code)
        chunks = sandbox.records("x", 0)
        assert await anext(chunks) == b'{"a": 1}\n'
        (await folder_of(either, sandbox) / "work" / "go").touch()
        assert [chunk async for chunk in chunks] == [b'{"b": 2}\n']
        assert b"".join([chunk async for chunk in sandbox.records("x", 9)]) == b'{"b": 2}\n'

    either.use(read)


def test_starting_the_same_exec_again_changes_nothing(either: ModalPlace) -> None:
    async def run(sandbox: ModalSandbox) -> bytes:
        await asyncio.gather(*(sandbox.start("x", "print('once')") for _ in range(3)))
        await sandbox.wait("x")
        await sandbox.start("x", "print('again')")
        return await everything(sandbox, "x")

    assert either.use(run) == b"once\n"


def test_a_script_longer_than_a_command_line_may_be_runs(place: ModalPlace) -> None:
    code = "\n".join(f"x{number} = {number}" for number in range(40_000)) + "\nprint(x39999)"
    assert place.use(lambda sandbox: ran(sandbox, code))[1] == b"39999\n"


def test_scripts_see_the_planned_seeds(place: ModalPlace) -> None:
    async def run() -> bytes:
        provider = place.provider()
        sandbox = await place.open(provider, seeds=(3, 5))
        await sandbox.start("x", "import lab\nprint(lab.seeds(), lab.trial())", trial=True)
        output = await everything(sandbox, "x")
        await sandbox.close()
        await provider.close()
        return output

    assert asyncio.run(run()) == b"(3, 5) True\n"


ENVIRONMENTS = """
import json, os
supervisor = open(f"/proc/{os.getppid()}/environ").read().split("\\0")
print(json.dumps([dict(os.environ), [line for line in supervisor if line]]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc here")
def test_neither_a_script_nor_its_supervisor_has_the_machines_secrets(either: ModalPlace) -> None:
    _, output = either.use(lambda sandbox: ran(sandbox, ENVIRONMENTS))
    own, supervisor = json.loads(output)
    assert own["CUDA_VERSION"] == "12.8"
    assert own["HOME"].endswith("/work")
    assert not {*SECRETS, "MODAL_SANDBOX_ID"} & own.keys()
    assert {line.partition("=")[0] for line in supervisor} == {"PATH", "CUDA_VERSION"}
    assert not any(secret in output.decode() for secret in SECRETS.values())


ENGINE = """
import asyncio, sys
from tests.core.sandbox.test_modal.conftest import ModalPlace
from types import SimpleNamespace
from tests.fakes.modal.world import TOKEN
async def main():
    place = ModalPlace(SimpleNamespace(token=TOKEN), gpu=sys.argv[1] or None)
    sandbox = await place.open(place.provider())
    await sandbox.start("x", sys.argv[2])
    async for chunk in sandbox.output("x", 0):
        sys.stdout.buffer.write(chunk)
        sys.stdout.flush()
asyncio.run(main())
"""


def test_a_killed_engine_leaves_the_script_running_and_the_next_one_misses_no_byte(
    either: ModalPlace,
) -> None:
    code = f"import os, time\nprint('early', flush=True)\n{WAIT_TO_GO}\nprint('late')"
    engine = subprocess.Popen(
        [sys.executable, "-c", ENGINE, either.gpu or "", code], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert engine.stdout is not None
    with engine:
        assert engine.stdout.readline() == b"early\n"
        engine.kill()

    async def take_over(sandbox: ModalSandbox) -> bytes:
        (await folder_of(either, sandbox) / "work" / "go").touch()
        return await everything(sandbox, "x", len(b"early\n"))

    assert either.use(take_over) == b"late\n"
    assert len(either.creates) == 1


def test_without_a_heartbeat_an_exec_ends_after_the_lease(place: ModalPlace) -> None:
    async def run(sandbox: ModalSandbox) -> ExecResult:
        await sandbox.start("x", "import time; time.sleep(99)")
        return await sandbox.wait("x")

    assert place.use(run, lease_seconds=0.3).end == "lease"


def test_heartbeats_keep_an_exec_alive(place: ModalPlace) -> None:
    code = f"import os, time\n{WAIT_TO_GO}\nprint('kept')"

    async def run(sandbox: ModalSandbox) -> bytes:
        await sandbox.start("x", code)
        async with asyncio.timeout(20):
            for _ in range(10):
                await sandbox.heartbeat()
                await asyncio.sleep(0.2)
        (await folder_of(place, sandbox) / "work" / "go").touch()
        return await everything(sandbox, "x")

    assert place.use(run, lease_seconds=1.0) == b"kept\n"


def test_an_exec_gets_what_is_left_of_the_sandboxes_time_also_from_the_next_engine(place: ModalPlace) -> None:
    async def run() -> str:
        first, second = place.provider(), place.provider()
        sandbox = await place.open(first)
        ends_at = await folder_of(place, sandbox) / "ends_at"
        ends_at.write_text(str(float(ends_at.read_text()) - 119.5))
        again = await second.reopen(sandbox.id, place.spec(timeout_seconds=7200))
        await again.start("x", "import time; time.sleep(99)")
        end = (await again.wait("x")).end
        await again.close()
        await first.close()
        await second.close()
        return end

    assert asyncio.run(run()) == "time"


def test_killing_ends_an_exec_and_killing_again_changes_nothing(either: ModalPlace) -> None:
    async def run(sandbox: ModalSandbox) -> ExecResult:
        await sandbox.start("x", "import time; time.sleep(99)")
        await sandbox.kill("x")
        await sandbox.kill("x")
        await sandbox.kill("never-started")
        return await sandbox.wait("x")

    assert either.use(run).end == "killed"


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc here")
def test_a_script_that_forks_is_ended_with_all_its_children(place: ModalPlace) -> None:
    code = "import os, time\nos.fork() or os.setsid()\nprint(os.getpid(), flush=True)\ntime.sleep(99)"

    async def run(sandbox: ModalSandbox) -> list[str]:
        await sandbox.start("x", code)
        printed = b""
        async for chunk in sandbox.output("x", 0):
            printed += chunk
            if printed.count(b"\n") == 2:
                await sandbox.kill("x")
        return printed.decode().split()

    assert not any(Path(f"/proc/{pid}").exists() for pid in place.use(run))


def test_a_supervisor_that_hangs_is_ended_by_force(place: ModalPlace) -> None:
    async def run(sandbox: ModalSandbox) -> ExecResult:
        await sandbox.start("x", "import time; time.sleep(99)")
        claim = json.loads((await folder_of(place, sandbox) / "execs/x/claim").read_bytes())
        os.kill(claim["pid"], signal.SIGSTOP)
        await sandbox.kill("x")
        return await sandbox.wait("x")

    assert place.use(run).end == "lost"


def test_an_exec_that_cannot_be_ended_is_ended_with_its_sandbox(place: ModalPlace) -> None:
    async def run(sandbox: ModalSandbox) -> None:
        await sandbox.start("x", "import time; time.sleep(99)")
        (await folder_of(place, sandbox) / "attendant.py").write_text("raise SystemExit(1)")
        await sandbox.kill("x")
        assert [one["alive"] for one in (await place.double.acall("report"))["sandboxes"].values()] == [False]

    place.use(run)


def test_closing_ends_every_exec_and_can_be_repeated(either: ModalPlace) -> None:
    async def run() -> None:
        provider = either.provider()
        sandbox = await either.open(provider)
        await sandbox.start("x", "import time; time.sleep(99)")
        await sandbox.close()
        await sandbox.close()
        assert await provider.list() == []
        with pytest.raises(SandboxLost):
            await sandbox.start("c", "")
        with pytest.raises(SandboxLost):
            await sandbox.wait("a")
        for identity in (sandbox.id, "E1"):
            with pytest.raises(SandboxLost):
                await provider.reopen(identity, either.spec())
        await provider.close()

    asyncio.run(run())
    assert either.alive == []


def test_a_sandbox_is_found_again_under_its_name_and_its_id_with_its_files(either: ModalPlace) -> None:
    async def run() -> None:
        first, second = either.provider(), either.provider()
        sandbox = await either.open(first)
        await ran(sandbox, "open('kept', 'w').write('here')")
        for identity in ("E1", sandbox.id):
            again = await second.reopen(identity, either.spec())
            assert again.id == sandbox.id
            assert await again.fetch("kept", 100) == b"here"
        assert (await either.open(second)).id == sandbox.id
        await sandbox.close()
        await first.close()
        await second.close()

    asyncio.run(run())
    assert len(either.creates) == 1


def test_whoever_follows_a_sandbox_that_is_closed_is_told(either: ModalPlace) -> None:
    async def run(sandbox: ModalSandbox) -> None:
        await sandbox.start("x", "import time\nprint('on', flush=True)\ntime.sleep(99)")
        chunks = sandbox.output("x", 0)
        assert await anext(chunks) == b"on\n"
        await sandbox.close()
        with pytest.raises(SandboxLost):
            await anext(chunks)

    either.use(run)


def test_an_artifact_is_fetched_by_the_name_in_its_record(place: ModalPlace) -> None:
    code = "import lab\nopen('model.bin', 'wb').write(bytes(100_000))\nlab.artifact('model.bin')"

    async def run(sandbox: ModalSandbox) -> None:
        await ran(sandbox, code)
        records = b"".join([chunk async for chunk in sandbox.records("x", 0)]).splitlines()
        file = json.loads(records[0])["file"]
        for path in (file, f"x/{file}", "model.bin"):
            assert await sandbox.fetch(path, 100_000) == bytes(100_000)
        with pytest.raises(ValueError, match="larger"):
            await sandbox.fetch(file, 99_999)

    place.use(run)


def test_traps_in_the_work_folder_are_not_walked_into(place: ModalPlace) -> None:
    code = """
import os
os.symlink('/etc/hostname', 'link')
os.symlink('/etc', 'folder')
os.mkfifo('pipe')
open('big', 'wb').truncate(10_000_000)
"""

    async def run(sandbox: ModalSandbox) -> None:
        await ran(sandbox, code)
        for path in ("link", "folder/hostname", "pipe", "nothing", "."):
            with pytest.raises(FileNotFoundError):
                await sandbox.fetch(path, 1000)
        for path in ("../ends_at", "/etc/hostname", "", "big"):
            with pytest.raises(ValueError, match="outside"):
                await sandbox.fetch(path, 1000)

    place.use(run)
