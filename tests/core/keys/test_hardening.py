"""A process that holds keys cannot be read by others of the same user, nor dumped when it crashes."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc and PR_SET_DUMPABLE")

HOLDS = """
import sys, time
from core.keys.hardening import harden
if sys.argv[1] == "hardened":
    harden()
print("ready", flush=True)
sys.stdin.read()
"""

READS = "import sys; sys.stdout.write(str(b'canary' in open(f'/proc/{sys.argv[1]}/environ', 'rb').read()))"

ABORTS = """
import os, resource, sys
from core.keys.hardening import harden
hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
harden()
os.abort()
"""


def as_plain_user() -> dict[str, int]:
    """Options for a process of a user without rights; none where the tests run as one."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid}


@linux
@pytest.mark.parametrize(("how", "readable"), [("open", True), ("hardened", False)])
def test_another_process_of_the_same_user_cannot_read_the_environment(how: str, readable: bool) -> None:
    # From the file, because a plain user may not enter the folder of the tests.
    source = Path("core/keys/hardening.py").read_text(encoding="utf-8")
    program = HOLDS.replace("from core.keys.hardening import harden", source.replace("from __future__", "# "))
    python = Path(sys.executable).resolve() if not as_plain_user() else Path("/usr/bin/python3")
    if not python.exists():
        pytest.skip("there is no python3 that a plain user can start")
    options = as_plain_user()
    holder = subprocess.Popen(
        [str(python), "-c", program, how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"ANTHROPIC_API_KEY": "canary"},
        **options,  # type: ignore[call-overload]
    )
    with holder:
        assert holder.stdout.readline() == b"ready\n"
        reader = subprocess.run(
            [str(python), "-c", READS, str(holder.pid)],
            capture_output=True,
            check=False,
            timeout=30,
            env={},
            **options,  # type: ignore[call-overload]
        )
        holder.stdin.close()
    assert (reader.stdout == b"True") is readable
    assert (b"Permission denied" in reader.stderr) is not readable


@linux
def test_a_crash_leaves_no_core_file(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", ABORTS], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(Path.cwd())}
    )
    _, status = os.waitpid(child.pid, 0)
    child.returncode = -6
    assert os.WTERMSIG(status) == 6
    assert not os.WCOREDUMP(status)
    assert list(tmp_path.iterdir()) == []
