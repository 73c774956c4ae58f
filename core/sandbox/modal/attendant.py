"""The attendant: what an engine has done inside a remote sandbox, one short command at a time.

Started as a program, ``python3 -I -S attendant.py <verb> ...``, in the sandbox's folder. It uses
nothing but the standard library of Python 3.9 or later and is imported from nowhere. Scripts run
under ``supervisor.py``, which outlives the command that started it; all that lasts is in files:

==============  ===================================================================================
``work/``       what scripts see as their work folder; it outlives each exec
``execs/<id>/`` one exec; its files are said in ``supervisor.py``, its records are in ``lab/``
``library/``    what scripts import: ``lab`` and its companions
``heartbeat``   touched by the engine; when it stands still for the lease, execs end themselves
``ends_at``     when the sandbox's approved time is over, in seconds since 1970
==============  ===================================================================================

=================================  ================================================================
``open SECONDS``                   make the folders, once; the sandbox may live for so many seconds
``start ID < request``             start a script; starting the same one twice runs it once
``follow ID FILE OFFSET``          print a growing file from a byte on, until its exec has ended
``wait ID``                        wait for the end, and print the status as JSON
``kill ID``                        end an exec and everything it started
``fetch PATH LIMIT``               print a file that a script left behind
``heartbeat``                      say that an engine is still here
``running``                        print the ids of execs that run
=================================  ================================================================

``follow`` and ``fetch`` print, on standard error and as the last thing they do, how many bytes the
whole file has: without it, what was read is not the whole.
"""
# Written for Python 3.9 and for a start in milliseconds; it prints because it is a program.
# ruff: noqa: PTH100, PTH103, PTH105, PTH108, PTH110, PTH112, PTH118, PTH120, PTH123
# ruff: noqa: PTH116, PTH208, S606, SIM105

from __future__ import annotations

import fcntl
import json
import os
import signal
import stat
import sys
import time

ROOT = os.path.dirname(os.path.abspath(__file__))
READ_BYTES = 256 * 1024
FIRST_PAUSE_SECONDS = 0.01
LONGEST_PAUSE_SECONDS = 0.1
END_SECONDS = 5.0
LOST = {"end": "lost", "exit_code": None, "seconds": 0.0, "peak_memory_bytes": 0, "output_bytes": 0}

PASSED_ON = ("PATH", "TZ", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR")
PASSED_ON_PREFIXES = ("LC_", "CUDA_", "NVIDIA_", "NCCL_")
"""The machine's variables that scripts get: where programs, libraries and GPUs are."""

NOT_FOUND = 3
REFUSED = 4
NOT_STARTED = 5


def inside(*parts: str) -> str:
    """A path in the sandbox's folder."""
    return os.path.join(ROOT, *parts)


def open_regular(path: str, folder: int | None = None) -> int | None:
    """Open a regular file for reading, never by way of a link; None where there is none."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        handle = os.open(path, flags, dir_fd=folder)
    except OSError:
        return None
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return handle
    os.close(handle)
    return None


def write_whole(path: str, content: str) -> None:
    """Write a file so that it is there whole or not at all."""
    draft = f"{path}.{os.getpid()}"
    with open(draft, "w", encoding="utf-8") as file:
        file.write(content)
    os.replace(draft, path)


def print_bytes(content: bytes) -> None:
    """Write to standard output, all of it."""
    view = memoryview(content)
    while view:
        view = view[os.write(1, view) :]


def say_size(size: int) -> None:
    """Say how many bytes the whole has: the last thing that is said."""
    os.write(2, b"%d\n" % size)


def supervised(exec_id: str) -> bool:
    """Whether an exec's supervisor lives: it holds a lock for just as long."""
    handle = open_regular(inside("execs", exec_id, "claim"))
    if handle is None:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def status(exec_id: str) -> dict[str, object] | None:
    """How an exec ended; None while it runs or before it was started."""
    claimed = os.path.exists(inside("execs", exec_id, "claim"))
    lives = not claimed or supervised(exec_id)
    handle = open_regular(inside("execs", exec_id, "status.json"))
    if handle is not None:
        with os.fdopen(handle, "rb") as file:
            fields: dict[str, object] = json.loads(file.read(65536))
        return fields
    return None if lives else dict(LOST)


def open_folders(seconds: float) -> int:
    """Make the folders; the time that is left is written down by the first who gets here."""
    for name in ("work", "temporary", "execs", "library"):
        os.makedirs(inside(name), mode=0o700, exist_ok=True)
    heartbeat()
    draft = inside(f"ends_at.{os.getpid()}")
    with open(draft, "w", encoding="utf-8") as file:
        file.write(str(time.time() + seconds))
    try:
        os.link(draft, inside("ends_at"))
    except FileExistsError:
        pass
    os.unlink(draft)
    return 0


def heartbeat() -> int:
    """Say that an engine is still here."""
    with open(inside("heartbeat"), "a", encoding="utf-8"):
        os.utime(inside("heartbeat"))
    return 0


def machine_environment() -> dict[str, str]:
    """Of the machine's own variables those that say what it has; it may have secrets, too."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in PASSED_ON or name.startswith(PASSED_ON_PREFIXES)
    }


def script_environment(exec_id: str, request: dict[str, object]) -> dict[str, str]:
    """The script's whole environment: what it needs of the machine's own, and ours over it."""
    given = request["environment"]
    assert isinstance(given, dict)
    folder = inside("execs", exec_id)
    return {
        **machine_environment(),
        **given,
        "HOME": inside("work"),
        "TMPDIR": inside("temporary"),
        "PYTHONPATH": f"{inside('library')}:{inside('work')}",
        "LAB_DIR": os.path.join(folder, "lab"),
        "LAB_SCRIPT": os.path.join(folder, "script.py"),
    }


def start(exec_id: str) -> int:
    """Start a script under a supervisor; the request comes on standard input."""
    request = json.load(sys.stdin)
    folder = inside("execs", exec_id)
    if os.path.exists(os.path.join(folder, "claim")) or status(exec_id):
        return 0
    os.makedirs(os.path.join(folder, "lab"), mode=0o700, exist_ok=True)
    write_whole(os.path.join(folder, "script.py"), request["code"])
    with open(inside("ends_at"), encoding="utf-8") as file:
        left = float(file.read()) - time.time()
    policy = {
        **request["policy"],
        "command": [sys.executable, os.path.join(folder, "script.py")],
        "work_folder": inside("work"),
        "environment": script_environment(exec_id, request),
        "wall_seconds": max(0.1, left),
        "cpu_seconds": max(1.0, left * request["cpus"]),
        "disk_folders": [inside("work"), inside("temporary"), os.path.join(folder, "lab")],
        "heartbeat": inside("heartbeat"),
    }
    write_whole(os.path.join(folder, "policy.json"), json.dumps(policy))
    command = [sys.executable, "-I", "-S", inside("supervisor.py"), os.path.join(folder, "policy.json")]
    child = os.fork()
    if child == 0:
        # A script can read the environment of its supervisor.
        os.execve(command[0], command, machine_environment())
    _, code = os.waitpid(child, 0)
    return 0 if code == 0 or os.path.exists(os.path.join(folder, "claim")) else NOT_STARTED


def follow(exec_id: str, name: str, offset: int) -> int:
    """Print a growing file from an offset on, until its exec has ended and all was printed."""
    path = inside("execs", exec_id, *name.split("/"))
    handle = None
    pause = FIRST_PAUSE_SECONDS
    while True:
        # Asked before reading: what was written before the end is then read after it.
        done = status(exec_id) is not None
        if handle is None:
            handle = open_regular(path)
        chunk = b"" if handle is None else os.pread(handle, READ_BYTES, offset)
        if chunk:
            offset += len(chunk)
            pause = FIRST_PAUSE_SECONDS
            print_bytes(chunk)
        elif done:
            say_size(max(offset, 0 if handle is None else os.fstat(handle).st_size))
            return 0
        else:
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)


def wait(exec_id: str) -> int:
    """Wait for the end, and print the status."""
    pause = FIRST_PAUSE_SECONDS
    ended = status(exec_id)
    while ended is None:
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
        ended = status(exec_id)
    print_bytes(json.dumps(ended).encode())
    return 0


def kill(exec_id: str) -> int:
    """End an exec: its supervisor first, which ends the rest, and by force if that is of no use."""
    folder = inside("execs", exec_id)
    if not os.path.isdir(folder):
        return 0
    with open(os.path.join(folder, "kill"), "a", encoding="utf-8"):
        pass
    for number in (signal.SIGTERM, signal.SIGKILL):
        signal_supervisor(exec_id, number)
        deadline = time.monotonic() + END_SECONDS
        while time.monotonic() < deadline:
            if not supervised(exec_id):
                end_orphans(exec_id)
                return 0
            time.sleep(FIRST_PAUSE_SECONDS)
    return 1


def signal_supervisor(exec_id: str, number: int) -> None:
    """Send a signal to an exec's supervisor, if it lives."""
    if not supervised(exec_id):
        return
    try:
        with open(inside("execs", exec_id, "claim"), encoding="utf-8") as file:
            os.kill(int(json.load(file)["pid"]), number)
    except (OSError, ValueError, KeyError):
        pass


def end_orphans(exec_id: str) -> None:
    """End what a dead supervisor left behind, as far as it can be told."""
    mark = f"LAB_DIR={inside('execs', exec_id, 'lab')}".encode()
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                if mark in file.read().split(b"\0"):
                    os.kill(int(name), signal.SIGKILL)
        except OSError:
            pass


def fetch(path: str, limit: int) -> int:
    """Print a file from an exec's records folder or from the work folder, the latest exec's first."""
    parts = path.split("/")
    if not path or path.startswith("/") or ".." in parts:
        return REFUSED
    execs = sorted(os.listdir(inside("execs")), key=lambda name: -os.stat(inside("execs", name)).st_mtime)
    places = [(inside("execs", parts[0], "lab"), parts[1:])] if parts[0] in execs and parts[1:] else []
    places += [(inside("execs", name, "lab"), parts) for name in execs]
    for folder, inner in (*places, (inside("work"), parts)):
        handle = open_below(folder, inner)
        if handle is not None:
            return print_file(handle, limit)
    return NOT_FOUND


def open_below(folder: str, parts: list[str]) -> int | None:
    """Open a regular file below a folder, never by way of a link."""
    try:
        at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            os.close(at)
            at = inner
        return open_regular(parts[-1], at)
    except OSError:
        return None
    finally:
        os.close(at)


def print_file(handle: int, limit: int) -> int:
    """Print an open file, unless it is larger than the limit."""
    size = os.fstat(handle).st_size
    if size > limit:
        return REFUSED
    sent = 0
    while sent <= limit:
        chunk = os.pread(handle, READ_BYTES, sent)
        if not chunk:
            say_size(sent)
            return 0
        sent += len(chunk)
        print_bytes(chunk)
    return REFUSED


def running() -> int:
    """Print the ids of execs that run."""
    names = os.listdir(inside("execs")) if os.path.isdir(inside("execs")) else []
    print(json.dumps(sorted(name for name in names if supervised(name))))
    return 0


def main(arguments: list[str]) -> int:
    """Do what the command says; the exit code tells how it went."""
    os.umask(0o077)
    verb, rest = arguments[0], arguments[1:]
    if verb == "open":
        return open_folders(float(rest[0]))
    if verb == "start":
        return start(rest[0])
    if verb == "follow":
        return follow(rest[0], rest[1], int(rest[2]))
    if verb == "wait":
        return wait(rest[0])
    if verb == "kill":
        return kill(rest[0])
    if verb == "fetch":
        return fetch(rest[0], int(rest[1]))
    if verb == "heartbeat":
        return heartbeat()
    return running()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
