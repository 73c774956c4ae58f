"""The supervisor alone, started as a program with a policy of the test's own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from core.sandbox.execs import ExecFolder
from tests.core.sandbox.conftest import wait_until

SUPERVISOR = Path(__file__).parents[3] / "core/sandbox/supervisor.py"
MIB = 1024**2


def prepare(folder: Path, code: str, **changes: Any) -> ExecFolder:
    """Lay out an exec that nobody has started."""
    (folder / "lab").mkdir(parents=True)
    (folder / "script.py").write_text(code)
    policy = {
        "command": [sys.executable, "-I", "-S", str(folder / "script.py")],
        "work_folder": str(folder / "lab"),
        "environment": {"GREETING": "hello"},
        "wall_seconds": 30,
        "cpu_seconds": 30,
        "memory_bytes": 512 * MIB,
        "disk_bytes": 64 * MIB,
        "processes": 32,
        "output_bytes": 4 * MIB,
        "disk_folders": [str(folder / "lab")],
    }
    (folder / "policy.json").write_text(json.dumps(policy | changes))
    return ExecFolder(folder)


def launch(run: ExecFolder, python: str = sys.executable) -> subprocess.Popen[bytes]:
    """Start a supervisor."""
    return subprocess.Popen([python, "-I", "-S", str(SUPERVISOR), str(run.path / "policy.json")])


def finish(run: ExecFolder, python: str = sys.executable) -> dict[str, Any]:
    """Run an exec to its end; returns its status."""
    assert launch(run, python).wait(20) == 0
    wait_until((run.path / "status.json").exists, "the status")
    status: dict[str, Any] = json.loads((run.path / "status.json").read_bytes())
    return status


def printed(run: ExecFolder) -> bytes:
    return run.output.read_bytes()


def test_output_keeps_stdout_and_stderr_in_order(tmp_path: Path) -> None:
    code = "import os\nfor n in range(100): os.write(1 + n % 2, b'%d\\n' % n)"
    run = prepare(tmp_path / "x", code)
    status = finish(run)
    assert printed(run) == b"".join(b"%d\n" % number for number in range(100))
    assert (status["end"], status["exit_code"]) == ("finished", 0)


@pytest.mark.parametrize(
    "content",
    [b"no newline at the end", b"nul \0 and \xff\xfe broken \xc3", b"x" * 1_000_000 + b"\n"],
    ids=["no newline", "not text", "long line"],
)
def test_output_is_kept_byte_for_byte(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "content").write_bytes(content)
    run = prepare(
        tmp_path / "x",
        f"import sys\nsys.stdout.buffer.write(open({str(tmp_path / 'content')!r},'rb').read())",
    )
    assert finish(run)["output_bytes"] == len(content)
    assert printed(run) == content


def test_output_beyond_the_limit_ends_the_exec_and_is_not_kept(tmp_path: Path) -> None:
    run = prepare(tmp_path / "x", "while True: print('x' * 1000)", output_bytes=10_000)
    status = finish(run)
    assert status["end"] == "output"
    assert len(printed(run)) == 10_000
    assert status["output_bytes"] > 10_000


def test_a_script_gives_way_at_least_as_much_as_the_user_wants(tmp_path: Path) -> None:
    run = prepare(tmp_path / "x", "import os; print(os.nice(0))", niceness=5)
    nice = ["nice", "-n", "10", sys.executable, "-I", "-S", str(SUPERVISOR), str(run.path / "policy.json")]
    assert subprocess.run(nice, timeout=20, check=False).returncode == 0
    wait_until((run.path / "status.json").exists, "the status")
    assert int(printed(run)) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)


def test_an_exit_code_and_a_signal_are_told_apart(tmp_path: Path) -> None:
    assert finish(prepare(tmp_path / "code", "raise SystemExit(137)"))["exit_code"] == 137
    assert finish(prepare(tmp_path / "signal", "import os; os.kill(os.getpid(), 9)"))["exit_code"] == -9


def test_a_script_sees_its_own_environment_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "canary")
    run = prepare(tmp_path / "x", "import os; print(sorted(os.environ))")
    finish(run)
    assert set(eval(printed(run))) <= {"GREETING", "LC_CTYPE"}


def test_a_program_that_is_not_there_is_said_in_the_output(tmp_path: Path) -> None:
    run = prepare(tmp_path / "x", "", command=["/no/such/python"])
    assert finish(run)["exit_code"] == 127
    assert b"/no/such/python" in printed(run)


def test_wall_time_is_limited(tmp_path: Path) -> None:
    assert finish(prepare(tmp_path / "x", "import time; time.sleep(99)", wall_seconds=0.3))["end"] == "time"


def test_processor_time_counts_over_all_processes(tmp_path: Path) -> None:
    code = "import os\nfor _ in range(3): os.fork()\nwhile True: pass"
    assert finish(prepare(tmp_path / "x", code, cpu_seconds=0.5))["end"] == "cpu"


def test_processor_time_of_children_that_are_gone_counts_too(tmp_path: Path) -> None:
    code = """
import os, time
while True:
    if os.fork() == 0:
        end = time.process_time() + 0.05
        while time.process_time() < end: pass
        os._exit(0)
    os.wait()
"""
    assert finish(prepare(tmp_path / "x", code, cpu_seconds=0.5))["end"] == "cpu"


def test_memory_that_forked_processes_share_counts_once(tmp_path: Path) -> None:
    code = f"""
import os, time
shared = bytearray(b'1') * ({100 * MIB})
for _ in range(5):
    if os.fork() == 0:
        time.sleep(0.6)
        os._exit(0)
time.sleep(0.7)
"""
    status = finish(prepare(tmp_path / "x", code, memory_bytes=300 * MIB))
    assert (status["end"], status["exit_code"]) == ("finished", 0)


def test_a_kill_file_ends_the_exec_with_all_its_children(tmp_path: Path) -> None:
    code = "import os, time\nos.fork(); os.fork()\nprint(os.getpid(), flush=True)\ntime.sleep(99)"
    run = prepare(tmp_path / "x", code)
    launch(run).wait(20)
    wait_until(lambda: run.output.exists() and printed(run).count(b"\n") == 4, "four processes")
    (run.path / "kill").touch()
    wait_until(run.ended, "the end")
    result = run.result()
    assert result is not None
    assert (result.end, result.exit_code) == ("killed", None)
    assert not any(alive(int(pid)) for pid in printed(run).split())


def test_an_exec_that_was_killed_before_it_started_never_runs(tmp_path: Path) -> None:
    run = prepare(tmp_path / "x", "print('ran')")
    (run.path / "kill").touch()
    assert finish(run)["end"] == "killed"
    assert printed(run) == b""


def test_a_heartbeat_that_stands_still_for_the_lease_ends_the_exec(tmp_path: Path) -> None:
    heartbeat = tmp_path / "heartbeat"
    heartbeat.touch()
    run = prepare(tmp_path / "x", "import time; time.sleep(99)", heartbeat=str(heartbeat), lease_seconds=0.6)
    started = time.monotonic()
    launch(run).wait(20)
    while time.monotonic() < started + 1.5:
        os.utime(heartbeat)
        assert not run.ended()
        time.sleep(0.05)
    wait_until(run.ended, "the end of the lease")
    result = run.result()
    assert result is not None
    assert result.end == "lease"


def test_a_heartbeat_from_the_future_does_not_prolong_the_lease(tmp_path: Path) -> None:
    heartbeat = tmp_path / "heartbeat"
    heartbeat.touch()
    os.utime(heartbeat, (time.time() + 9999,) * 2)
    run = prepare(tmp_path / "x", "import time; time.sleep(99)", heartbeat=str(heartbeat), lease_seconds=0.2)
    assert finish(run)["end"] == "lease"


def test_many_supervisors_at_once_run_the_script_once(tmp_path: Path) -> None:
    run = prepare(tmp_path / "x", "import time; print('ran', flush=True); time.sleep(0.3)")
    launchers = [launch(run) for _ in range(8)]
    assert [launcher.wait(20) for launcher in launchers] == [0] * 8
    wait_until(run.ended, "the end")
    assert printed(run) == b"ran\n"
    assert launch(run).wait(20) == 0
    assert printed(run) == b"ran\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_when_the_supervisor_is_killed_the_script_dies_and_the_exec_is_lost(tmp_path: Path) -> None:
    run = prepare(tmp_path / "x", "import os, time; print(os.getpid(), flush=True); time.sleep(99)")
    launch(run).wait(20)
    wait_until(lambda: run.output.exists() and printed(run), "the script")
    supervisor = json.loads((run.path / "claim").read_bytes())["pid"]
    assert run.result() is None
    os.kill(supervisor, signal.SIGKILL)
    wait_until(run.ended, "the loss to be seen")
    result = run.result()
    assert result is not None
    assert result.end == "lost"
    wait_until(lambda: not alive(int(printed(run))), "the script's death")


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc here")
def test_a_supervisor_leaves_the_session_and_no_zombie_behind(tmp_path: Path) -> None:
    run = prepare(tmp_path / "x", "import time; time.sleep(99)")
    launch(run).wait(20)
    supervisor = json.loads((run.path / "claim").read_bytes())["pid"]
    assert os.getsid(supervisor) != os.getsid(0)
    assert parent(supervisor) != os.getpid()
    os.kill(supervisor, signal.SIGTERM)
    wait_until(run.ended, "the end")
    result = run.result()
    assert result is not None
    assert result.end == "killed"


@pytest.mark.skipif(shutil.which("python3.9") is None, reason="Python 3.9 is not installed")
def test_the_supervisor_and_lab_run_on_python_3_9(tmp_path: Path) -> None:
    python = shutil.which("python3.9") or ""
    if subprocess.run([python, "-V"], capture_output=True, check=False).returncode != 0:
        pytest.skip("Python 3.9 is not installed")
    library = str(SUPERVISOR.parent / "lab.py")
    code = f"""
import importlib.util, os, sys
os.environ["LAB_DIR"] = os.getcwd()
spec = importlib.util.spec_from_file_location("lab", {library!r})
lab = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lab)
lab.result("x", 0.5)
"""
    run = prepare(tmp_path / "x", code, command=[python, "-I", "-S", str(tmp_path / "x/script.py")])
    assert finish(run, python)["exit_code"] == 0, printed(run)
    assert b'"name":"x"' in run.records.read_bytes()


def alive(pid: int) -> bool:
    """Whether a process lives; one that only waits to be reaped does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
