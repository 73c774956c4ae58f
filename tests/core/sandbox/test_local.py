"""The local sandbox as an engine uses it, and as the next engine finds it."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import SandboxLost, SandboxUnavailable
from core.experiment import Compute
from core.sandbox.base import ExecResult, SandboxSpec
from core.sandbox.following import follow_lines
from core.sandbox.isolation import found_isolation
from core.sandbox.local import LocalProvider
from core.sandbox.local_sandbox import LocalSandbox
from tests.core.sandbox.conftest import Place, wait_until

ROOT = Path(__file__).parents[3]
WAIT_TO_GO = "while not os.path.exists('go'): time.sleep(0.01)"


async def everything(sandbox: LocalSandbox, exec_id: str, offset: int = 0) -> bytes:
    return b"".join([chunk async for chunk in sandbox.output(exec_id, offset)])


async def in_the_end(condition: Callable[[], object]) -> None:
    """Wait, with other tasks going on, for something that another process does."""
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("waited in vain")


def test_a_failing_script_is_a_result(place: Place) -> None:
    ran = place.run("print('before'); raise SystemExit(3)")
    assert (ran.result.end, ran.result.exit_code, ran.result.clean) == ("finished", 3, False)
    assert ran.output == b"before\n"


def test_output_can_be_read_from_any_offset_during_and_after_the_exec(place: Place) -> None:
    async def read() -> None:
        sandbox = await place.open()
        await sandbox.start("x", "import time\nfor n in range(30): print(n, flush=True); time.sleep(0.01)")
        whole = await everything(sandbox, "x")
        assert whole == b"".join(b"%d\n" % number for number in range(30))
        for offset in (0, 1, 17, len(whole), len(whole) + 5):
            assert await everything(sandbox, "x", offset) == whole[offset:]

    asyncio.run(read())


def test_output_streams_while_the_script_runs(place: Place) -> None:
    code = f"import os, time\nprint('first', flush=True)\n{WAIT_TO_GO}\nprint('last')"

    async def read() -> bytes:
        sandbox = await place.open()
        await sandbox.start("x", code)
        chunks = sandbox.output("x", 0)
        assert await anext(chunks) == b"first\n"
        (sandbox.folder / "work" / "go").touch()
        return b"".join([chunk async for chunk in chunks])

    assert asyncio.run(read()) == b"last\n"


def test_a_hundred_thousand_lines_arrive_whole(place: Place) -> None:
    ran = place.run("for n in range(100_000): print(n)")
    assert ran.output == b"".join(b"%d\n" % number for number in range(100_000))


def test_a_long_backlog_leaves_the_loop_to_others(place: Place) -> None:
    async def read() -> int:
        sandbox = await place.open()
        await sandbox.start("x", "import os\nfor _ in range(20): os.write(1, b'x' * 1048576)")
        await sandbox.wait("x")
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        chunks = [chunk async for chunk in sandbox.output("x", 0)]
        task.cancel()
        assert sum(map(len, chunks)) == 20 * 1024 * 1024
        return turns

    assert asyncio.run(read()) >= 20


def test_records_are_given_out_in_whole_lines_only(place: Place) -> None:
    code = """
import os, time
records = open(os.path.join(os.environ["LAB_DIR"], "records.jsonl"), "wb", buffering=0)
records.write(b'{"a": 1}\\n{"b"')
while not os.path.exists("go"): time.sleep(0.01)
records.write(b': 2}\\n{"c": unfinished')
"""

    async def read() -> None:
        sandbox = await place.open()
        await sandbox.start("x", code)
        chunks = sandbox.records("x", 0)
        assert await anext(chunks) == b'{"a": 1}\n'
        (sandbox.folder / "work" / "go").touch()
        assert [chunk async for chunk in chunks] == [b'{"b": 2}\n']
        assert b"".join([chunk async for chunk in sandbox.records("x", 9)]) == b'{"b": 2}\n'

    asyncio.run(read())


def test_a_line_without_an_end_ends_the_records_instead_of_filling_memory(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    with path.open("wb") as file:
        file.write(b"{}\n")
        file.truncate(200 * 1024 * 1024)

    async def read() -> list[bytes]:
        return [chunk async for chunk in follow_lines(path, 0, lambda: False)]

    assert asyncio.run(read()) == [b"{}\n"]


def test_starting_the_same_exec_again_changes_nothing(place: Place) -> None:
    async def run() -> bytes:
        sandbox = await place.open()
        await asyncio.gather(*(sandbox.start("x", "print('ran')") for _ in range(4)))
        await sandbox.wait("x")
        await sandbox.start("x", "print('again')")
        return await everything(sandbox, "x")

    assert asyncio.run(run()) == b"ran\n"


ENGINE = """
import asyncio, os, signal, sys
from pathlib import Path
from tests.core.sandbox.conftest import Place

async def drive():
    sandbox = await Place(Path(sys.argv[1]), Path(sys.argv[2])).open()
    await sandbox.start("x", sys.argv[3])
    async for chunk in sandbox.output("x", 0):
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(drive())
"""


def test_a_killed_engine_leaves_the_script_running_and_the_next_one_misses_no_byte(place: Place) -> None:
    code = f"import os, time\nprint('early', flush=True)\n{WAIT_TO_GO}\nprint('late')"
    engine = subprocess.run(
        [sys.executable, "-c", ENGINE, str(place.folder), str(place.cache), code],
        cwd=ROOT,
        timeout=30,
        check=False,
    )
    assert engine.returncode == -signal.SIGKILL

    async def take_over() -> bytes:
        provider = place.provider()
        (found,) = await provider.list("run")
        assert found.running == ("x",)
        sandbox = await provider.reopen(found.id, SandboxSpec("run", Compute()))
        await sandbox.start("x", code)
        (sandbox.folder / "work" / "go").touch()
        assert (await sandbox.wait("x")).clean
        return await everything(sandbox, "x")

    assert asyncio.run(take_over()) == b"early\nlate\n"


def test_without_a_heartbeat_an_exec_ends_after_the_lease(place: Place) -> None:
    async def run() -> ExecResult:
        sandbox = await place.open(lease_seconds=0.3)
        await sandbox.start("x", "import time; time.sleep(99)")
        return await sandbox.wait("x")

    assert asyncio.run(run()).end == "lease"


def test_an_exec_gets_what_is_left_of_the_sandboxes_time(place: Place) -> None:
    async def run() -> list[str]:
        sandbox = await place.open()
        ends: list[str] = []
        for exec_id, left in (("some", 0.5), ("none", -1)):
            older = dataclasses.replace(sandbox, ends_at=time.time() + left)
            await older.start(exec_id, "import time; time.sleep(99)")
            ends.append((await older.wait(exec_id)).end)
        return ends

    assert asyncio.run(run()) == ["time", "time"]


def test_an_engine_that_comes_back_does_not_take_the_time_that_has_passed_off_twice(place: Place) -> None:
    async def run() -> tuple[float, float]:
        first = await place.open()
        # It is opened again with what is left of its time, as the journal has it: here almost nothing.
        spec = dataclasses.replace(first.spec, compute=Compute(timeout_seconds=1))
        second = await place.provider().reopen(first.id, spec)
        await second.start("x", "print('went through')")
        await second.wait("x")
        policy = json.loads((second.folder / "execs/x/policy.json").read_bytes())
        return first.ends_at, time.time() + policy["wall_seconds"]

    ends_at, exec_ends_at = asyncio.run(run())
    assert abs(ends_at - exec_ends_at) < 20


def test_killing_ends_an_exec_and_killing_again_changes_nothing(place: Place) -> None:
    async def run() -> ExecResult:
        sandbox = await place.open()
        await sandbox.start("x", "import time; time.sleep(99)")
        await sandbox.kill("x")
        await sandbox.kill("x")
        await sandbox.kill("never-started")
        return await sandbox.wait("x")

    assert asyncio.run(run()).end == "killed"


def test_a_supervisor_that_hangs_is_ended_by_force(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.sandbox.local_sandbox.END_SECONDS", 0.1)

    async def run() -> ExecResult:
        sandbox = await place.open()
        await sandbox.start("x", "import time; time.sleep(99)")
        claim = json.loads((sandbox.folder / "execs/x/claim").read_bytes())
        os.kill(claim["pid"], signal.SIGSTOP)
        await sandbox.kill("x")
        return await sandbox.wait("x")

    assert asyncio.run(run()).end == "lost"


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc here")
def test_a_killed_supervisor_leaves_no_orphan(place: Place) -> None:
    code = "import os, time\nos.fork() or os.setsid()\nprint(os.getpid(), flush=True)\ntime.sleep(99)"

    async def run() -> list[str]:
        sandbox = await place.open()
        await sandbox.start("x", code)
        output = sandbox.folder / "execs/x/output"
        await in_the_end(lambda: output.exists() and output.read_bytes().count(b"\n") == 2)
        os.kill(json.loads((sandbox.folder / "execs/x/claim").read_bytes())["pid"], signal.SIGKILL)
        assert (await sandbox.wait("x")).end == "lost"
        return output.read_text().split()

    pids = asyncio.run(run())
    wait_until(
        lambda: (
            not any(
                Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes()
                for pid in pids
            )
        ),
        "both to die",
    )


def test_closing_ends_every_exec_removes_the_folder_and_can_be_repeated(place: Place) -> None:
    async def run() -> None:
        sandbox = await place.open()
        code = "import os, time\nos.makedirs('locked/inner'); os.chmod('locked', 0)\ntime.sleep(99)"
        for exec_id in ("a", "b"):
            await sandbox.start(exec_id, code)
        locked = sandbox.folder / "work/locked"
        await in_the_end(lambda: locked.exists() and not locked.stat().st_mode & 0o777)
        await sandbox.close()
        await sandbox.close()
        assert not sandbox.folder.exists()
        assert await place.provider().list() == []
        with pytest.raises(SandboxLost):
            await sandbox.start("c", "")
        with pytest.raises(SandboxLost):
            await sandbox.wait("a")
        with pytest.raises(SandboxLost):
            await place.provider().reopen("sandbox", SandboxSpec("run", Compute()))

    asyncio.run(run())


def test_closing_touches_nothing_that_links_lead_to(place: Place, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir(mode=0o755)
    (kept / "file").touch()

    async def run() -> None:
        sandbox = await place.open()
        await sandbox.start("x", f"import os; os.symlink({str(kept)!r}, 'link')")
        await sandbox.wait("x")
        await sandbox.close()

    asyncio.run(run())
    assert (kept / "file").exists()
    assert kept.stat().st_mode & 0o777 == 0o755


def test_a_sandbox_is_found_again_under_its_name_with_its_files(place: Place) -> None:
    async def run() -> bytes:
        first = await place.open("name")
        await first.start("x", "open('kept', 'w').write('here')")
        await first.wait("x")
        second = await place.open("name")
        assert second.ends_at == first.ends_at
        return await second.fetch("kept", 100)

    assert asyncio.run(run()) == b"here"


def test_a_sandbox_never_goes_on_with_less_isolation_than_it_was_opened_with(place: Place) -> None:
    async def run() -> None:
        sandbox = await place.open()
        marker = sandbox.folder / "spec.json"
        marker.write_text(marker.read_text().replace("process only", "namespaces"))
        with pytest.raises(SandboxLost, match="namespaces"):
            await place.provider().reopen(sandbox.id, sandbox.spec)

    asyncio.run(run())


def test_whoever_follows_a_sandbox_that_is_closed_is_told(place: Place) -> None:
    async def run() -> None:
        sandbox = await place.open()
        await sandbox.start("x", "import time; print(1, flush=True); time.sleep(99)")
        chunks = sandbox.output("x", 0)
        await anext(chunks)
        await sandbox.close()
        with pytest.raises(SandboxLost):
            await anext(chunks)

    asyncio.run(run())


def test_only_the_runs_own_sandboxes_are_listed(place: Place) -> None:
    async def run() -> None:
        await place.open("one")
        assert [found.name for found in await place.provider().list("run")] == ["one"]
        assert await place.provider().list("another run") == []

    asyncio.run(run())


def test_an_artifact_is_fetched_by_the_name_in_its_record(place: Place) -> None:
    async def run() -> None:
        sandbox = await place.open()
        code = "import lab\nopen('model.bin', 'wb').write(b'weights')\nlab.artifact('model.bin')"
        await sandbox.start("x", code)
        records = b"".join([chunk async for chunk in sandbox.records("x", 0)])
        artifact = json.loads(records.splitlines()[0])
        assert artifact["bytes"] == 7
        assert await sandbox.fetch(artifact["file"], 7) == b"weights"
        assert await sandbox.fetch(f"x/{artifact['file']}", 7) == b"weights"
        with pytest.raises(ValueError, match="larger"):
            await sandbox.fetch(artifact["file"], 6)

    asyncio.run(run())


def test_traps_in_the_work_folder_are_not_walked_into(place: Place, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("canary")
    code = f"""
import os
os.symlink({str(tmp_path / "secret" / "key")!r}, "link")
os.symlink({str(tmp_path / "secret")!r}, "folder")
os.mkfifo("pipe")
os.mkdir("inner")
os.symlink({str(tmp_path / "secret" / "key")!r}, os.environ["LAB_DIR"] + "/records.jsonl")
"""

    async def run() -> None:
        sandbox = await place.open()
        await sandbox.start("x", code)
        assert (await sandbox.wait("x")).clean
        for path in ("link", "folder/key", "pipe", "inner", "absent", "absent/too"):
            with pytest.raises(FileNotFoundError):
                await sandbox.fetch(path, 1000)
        for path in ("../spec.json", "/etc/passwd", "", "inner/../link"):
            with pytest.raises(ValueError, match="outside"):
                await sandbox.fetch(path, 1000)
        assert [chunk async for chunk in sandbox.records("x", 0)] == []

    asyncio.run(run())


def test_files_are_the_users_own(place: Place) -> None:
    sandbox = asyncio.run(place.open())
    assert sandbox.folder.stat().st_mode & 0o777 == 0o700


def test_an_experiment_that_wants_a_gpu_is_refused(place: Place) -> None:
    spec = SandboxSpec("run", Compute(gpu="H100"))
    with pytest.raises(SandboxUnavailable, match="H100"):
        asyncio.run(place.provider().open(spec, "gpu", lambda _: None))


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".", "x" * 65])
def test_a_name_that_is_no_folder_name_is_refused(place: Place, name: str) -> None:
    with pytest.raises(SandboxUnavailable):
        asyncio.run(place.open(name))


def test_numerical_libraries_get_as_many_threads_as_there_are_processors_and_no_more(place: Place) -> None:
    code = "import os; print(*(os.environ[n + '_NUM_THREADS'] for n in ('OMP', 'OPENBLAS', 'MKL')))"
    assert place.run(code).output == b"1 1 1\n"


def test_neither_the_apps_packages_nor_the_users_are_there(place: Place) -> None:
    code = (
        "import sys\ntry:\n    import pydantic\nexcept ImportError: print('absent', sys.flags.no_user_site)"
    )
    assert place.run(code).output == b"absent 1\n"


def test_a_script_in_a_box_works_with_processes_shared_memory_and_temporary_files(
    tmp_path: Path, cache: Path
) -> None:
    if asyncio.run(found_isolation()).isolation != "namespaces":
        pytest.skip("bubblewrap does not work here")
    code = """
import asyncio, lab, multiprocessing, sqlite3, tempfile
from multiprocessing import shared_memory
def square(n):
    return n * n
if __name__ == "__main__":
    for method in ("fork", "spawn", "forkserver"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            print(method, pool.map(square, range(3)))
    block = shared_memory.SharedMemory(create=True, size=1000)
    block.close(); block.unlink()
    sqlite3.connect("file.db").execute("create table t (x)")
    tempfile.NamedTemporaryFile().write(b"x")
    asyncio.run(asyncio.sleep(0))
    lab.result("x", 1)
    raise SystemExit(5)
"""

    async def run() -> tuple[bytes, bytes, ExecResult]:
        provider = LocalProvider(tmp_path / "run", isolation="namespaces", cache=cache)
        sandbox = await provider.open(SandboxSpec("run", Compute(timeout_seconds=60)), "box", lambda _: None)
        await sandbox.start("x", code)
        result = await sandbox.wait("x")
        records = b"".join([chunk async for chunk in sandbox.records("x", 0)])
        return await everything(sandbox, "x"), records, result

    output, records, result = asyncio.run(run())
    assert output.count(b"[0, 1, 4]") == 3, output.decode()
    assert json.loads(records.splitlines()[0])["line"] == 15
    assert (result.end, result.exit_code) == ("finished", 5)
