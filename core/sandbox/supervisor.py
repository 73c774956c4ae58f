"""The supervisor: runs one script, holds it to its limits and writes down how it ended.

Started as a program, ``python -I -S supervisor.py <exec folder>/policy.json``, on the user's
machine or inside a remote sandbox. It uses nothing but the standard library of Python 3.9 or later
and is imported from nowhere. It detaches itself, so that it outlives whoever started it, and talks
through files in the exec's folder only:

==============  ===================================================================================
``policy.json`` what to run and within which limits; see ``Policy``
``claim``       made by the first supervisor to get here, others leave: an exec runs at most once.
                Its owner keeps it locked (``flock``), so that a free lock means a dead supervisor
``output``      what the script printed, stdout and stderr in order, up to the limit
``kill``        made by anyone who wants the exec to end
``status.json`` how it ended; made whole, after everything else is on disk
==============  ===================================================================================
"""
# Written for Python 3.9 and for a start in milliseconds: pathlib, subprocess and contextlib stay out.
# ruff: noqa: PTH100, PTH104, PTH108, PTH110, PTH116, PTH118, PTH120, PTH123, PTH208, S606, SIM105

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import resource
import select
import signal
import stat
import sys
import time

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
HAS_PROC = os.path.exists("/proc/self/stat")
APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
READ_BYTES = 256 * 1024
FIRST_LOOK_SECONDS = 0.01
NEAR_LOOK_SECONDS = 0.03
CALM_LOOK_SECONDS = 0.25
DISK_LOOK_SECONDS = 0.4
NEAR = 0.5
SPARE_TASKS = 1024
SUPERVISOR_PRIORITY = -10
SET_PARENT_DEATH_SIGNAL = 1
SET_CHILD_SUBREAPER = 36
OUT_OF_MEMORY_SCORE = b"600"
SET_PIPE_SIZE = 1031
PIPE_BYTES = 1024 * 1024
KEYCTL = {"x86_64": 250, "aarch64": 219}
JOIN_SESSION_KEYRING = 1


class Policy:
    """What to run and within which limits, as ``policy.json`` in the exec's folder says.

    Attributes:
        folder: the exec's folder, absolute.
        command: the program and its arguments.
        work_folder: where it starts.
        environment: its whole environment.
        wall_seconds: wall time.
        cpu_seconds: processor time of all its processes together.
        memory_bytes: memory of all its processes together, with files that live in memory.
        disk_bytes: what all of ``disk_folders`` together may hold, with deleted files still open.
        processes: processes and threads at once.
        output_bytes: what it may print.
        disk_folders: the folders it can fill.
        heartbeat: the file that an engine touches; empty for no lease.
        lease_seconds: how long the heartbeat may stand still.
        box_processes: processes that belong to the box around the script and do not count.
        memory_folders: folders inside the box that live in memory, with their sizes in bytes.
        shell_exit_codes: whether the box reports a signal as an exit code above 128.
        niceness: how much the script gives way to other programs, 0 to 19.
        data_bytes: what one process may reserve; by default somewhat more than all may use.
    """

    def __init__(self, path: str) -> None:
        with open(path, encoding="utf-8") as file:
            values = json.load(file)
        self.folder = os.path.dirname(os.path.abspath(path))
        self.command: list[str] = values["command"]
        self.work_folder: str = values["work_folder"]
        self.environment: dict[str, str] = values["environment"]
        self.wall_seconds: float = values["wall_seconds"]
        self.cpu_seconds: float = values["cpu_seconds"]
        self.memory_bytes: int = values["memory_bytes"]
        self.disk_bytes: int = values["disk_bytes"]
        self.processes: int = values["processes"]
        self.output_bytes: int = values["output_bytes"]
        self.disk_folders: list[str] = values["disk_folders"]
        self.heartbeat: str = values.get("heartbeat", "")
        self.lease_seconds: float = values.get("lease_seconds", 600)
        self.box_processes: int = values.get("box_processes", 0)
        self.memory_folders: dict[str, int] = values.get("memory_folders", {})
        self.shell_exit_codes: bool = values.get("shell_exit_codes", False)
        self.niceness: int = values.get("niceness", 0)
        # Some air, so that it is usually the watchdog that ends the exec, under the right name.
        air = max(self.memory_bytes // 4, 256 * 1024 * 1024)
        self.data_bytes: int = values.get("data_bytes", self.memory_bytes + air)

    def path(self, name: str) -> str:
        """A file in the exec's folder."""
        return os.path.join(self.folder, name)


class Process:
    """One process of the tree, as ``/proc/<pid>/stat`` or ``ps`` shows it.

    Attributes:
        parent: its parent's process id.
        dead: whether it has ended and only waits to be reaped.
        threads: its threads.
        cpu_seconds: processor time of it and of its reaped children.
        memory_bytes: its resident memory.
    """

    __slots__ = ("cpu_seconds", "dead", "memory_bytes", "parent", "threads")

    def __init__(self, parent: int, dead: bool, threads: int, cpu_seconds: float, memory_bytes: int) -> None:
        self.parent = parent
        self.dead = dead
        self.threads = threads
        self.cpu_seconds = cpu_seconds
        self.memory_bytes = memory_bytes


def read_bytes(path: str) -> bytes:
    """A small file of ``/proc``; empty where it is gone or forbidden."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(handle, 65536)
    except OSError:
        return b""
    finally:
        os.close(handle)


def read_process(pid: int) -> Process | None:
    """One process; None where it is gone."""
    line = read_bytes(f"/proc/{pid}/stat")
    fields = line[line.rfind(b")") + 2 :].split()
    if len(fields) < 22:
        return None
    return Process(
        parent=int(fields[1]),
        dead=fields[0] in (b"Z", b"X"),
        threads=max(1, int(fields[17])),
        cpu_seconds=sum(map(int, fields[11:15])) / TICKS_A_SECOND,
        memory_bytes=int(fields[21]) * PAGE_BYTES,
    )


def list_folder(path: str) -> list[str]:
    """Names in a folder; none where it is gone or forbidden."""
    try:
        return os.listdir(path)
    except OSError:
        return []


def children(pid: int, threads: int) -> list[int]:
    """The children of a process, all its threads' together; ``threads`` may be 0 for unknown."""
    tasks = [str(pid)] if threads == 1 else list_folder(f"/proc/{pid}/task")
    found: list[int] = []
    for task in tasks:
        found.extend(map(int, read_bytes(f"/proc/{pid}/task/{task}/children").split()))
    return found


HAS_CHILDREN = os.path.exists(f"/proc/self/task/{os.getpid()}/children")


def quick_tree(enough: int) -> dict[int, Process]:
    """Every descendant of this process, by walking down from it; stops beyond ``enough``."""
    found: dict[int, Process] = {}
    waiting = [(os.getpid(), 1)]
    while waiting and len(found) <= enough:
        pid, threads = waiting.pop()
        for child in children(pid, threads):
            process = None if child in found else read_process(child)
            if process is not None:
                found[child] = process
                waiting.append((child, process.threads))
    return found


def all_processes() -> dict[int, Process]:
    """Every process of the machine that can be seen."""
    if not HAS_PROC:
        return listed_processes()
    processes: dict[int, Process] = {}
    for name in list_folder("/proc"):
        process = read_process(int(name)) if name.isdigit() else None
        if process is not None:
            processes[int(name)] = process
    return processes


def listed_processes() -> dict[int, Process]:
    """Every process as ``ps`` lists them, where there is no ``/proc``. Threads are not seen."""
    import subprocess  # Slow to import and only needed here.

    listing = subprocess.run(
        ["/bin/ps", "-axo", "pid=,ppid=,state=,rss=,time="],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
        timeout=10,
    ).stdout.decode("ascii", "replace")
    processes: dict[int, Process] = {}
    for line in listing.splitlines():
        fields = line.split()
        if len(fields) >= 5 and fields[0].isdigit():
            pid, parent, state, kilobytes, clock = fields[:5]
            processes[int(pid)] = Process(
                int(parent), state.startswith("Z"), 1, clock_seconds(clock), int(kilobytes) * 1024
            )
    return processes


def clock_seconds(clock: str) -> float:
    """Seconds of a time such as ``1-02:03:04`` or ``3:04.56``."""
    days, _, rest = clock.rpartition("-")
    seconds = 0.0
    for part in rest.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds + (int(days) * 86400 if days else 0)


def full_tree() -> dict[int, Process]:
    """Every descendant of this process, found among all processes of the machine."""
    processes = all_processes()
    offspring: dict[int, list[int]] = {}
    for pid, process in processes.items():
        offspring.setdefault(process.parent, []).append(pid)
    found: dict[int, Process] = {}
    waiting = [os.getpid()]
    while waiting:
        for child in offspring.get(waiting.pop(), ()):
            if child not in found:
                found[child] = processes[child]
                waiting.append(child)
    return found


def tree(enough: int) -> dict[int, Process]:
    """Descendants of this process, the cheapest way there is; all, or more than ``enough``."""
    return quick_tree(enough) if HAS_CHILDREN else full_tree()


def freeze_tree() -> set[int]:
    """Stop every descendant of this process, so that none can start another.

    Each is stopped before its children are listed, so a tree that grows while it is walked is
    stopped from the top down; what loses its parent meanwhile comes up as a child of this process.
    """
    frozen: set[int] = set()
    while True:
        before = len(frozen)
        if HAS_CHILDREN:
            freeze_children(frozen)
        else:
            for pid, process in full_tree().items():
                if not process.dead and pid not in frozen:
                    send(pid, signal.SIGSTOP)
                    frozen.add(pid)
        if len(frozen) == before:
            return frozen


def freeze_children(frozen: set[int]) -> None:
    """Walk down once and stop whatever is not stopped yet."""
    waiting, seen = [os.getpid()], set()
    while waiting:
        pid = waiting.pop()
        for child in children(pid, 1 if pid == os.getpid() else 0):
            if child not in seen:
                seen.add(child)
                waiting.append(child)
                if child not in frozen:
                    send(child, signal.SIGSTOP)
                    frozen.add(child)


def send(pid: int, number: int) -> None:
    """Send a signal to a process that may be gone."""
    try:
        os.kill(pid, number)
    except OSError:
        pass


def proportional_memory(pids: list[int]) -> int | None:
    """Memory of some processes with shared pages counted once; None where the kernel cannot say."""
    total = 0
    for pid in pids:
        text = read_bytes(f"/proc/{pid}/smaps_rollup")
        at = text.find(b"\nPss:")
        if at < 0:
            if os.path.exists(f"/proc/{pid}"):
                return None
            continue
        total += int(text[at + 5 :].split(None, 1)[0]) * 1024
    return total


def deleted_open_bytes(pids: list[int], disks: set[int]) -> tuple[int, int]:
    """Bytes of files that have no name any more but are still open.

    Args:
        pids: processes that may hold them.
        disks: devices that count as disk; what lies elsewhere (memfd, tmpfs) is memory.

    Returns:
        Bytes on disk and bytes in memory.
    """
    sizes: dict[tuple[int, int], int] = {}
    for pid in pids:
        folder = f"/proc/{pid}/fd"
        for name in list_folder(folder):
            try:
                status = os.stat(f"{folder}/{name}")
            except OSError:
                continue
            if status.st_nlink == 0 and stat.S_ISREG(status.st_mode):
                sizes[status.st_dev, status.st_ino] = status.st_blocks * 512
    on_disk = sum(size for (device, _), size in sizes.items() if device in disks)
    return on_disk, sum(sizes.values()) - on_disk


def folder_bytes(path: str, enough: int) -> int:
    """Bytes that a folder fills on disk; stops counting beyond ``enough``."""
    total = 0
    waiting = [path]
    while waiting and total <= enough:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    # An empty file has no blocks, but millions of them fill a disk all the same.
                    try:
                        total += max(4096, entry.stat(follow_symlinks=False).st_blocks * 512)
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
                    except OSError:
                        continue
        except OSError:
            continue
    return total


def own_tasks() -> int:
    """Processes and threads that this user has now; the kernel counts them all against one limit."""
    count, user = 0, os.getuid()
    for name in list_folder("/proc"):
        if name.isdigit():
            try:
                if os.stat(f"/proc/{name}").st_uid == user:
                    count += len(os.listdir(f"/proc/{name}/task"))
            except OSError:
                continue
    return count


def set_process_control(option: int, value: int) -> None:
    """Set an option with ``prctl``; does nothing where there is none (macOS)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def leave_session_keyring() -> None:
    """Go on with an empty session keyring: the kernel hands keys in it down to every child."""
    number = KEYCTL.get(os.uname().machine) if sys.platform == "linux" else None
    if number is not None:
        ctypes.CDLL(None, use_errno=True).syscall(number, JOIN_SESSION_KEYRING, None)


class Supervisor:
    """Runs the script of one policy to its end."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        # Who was started with nice gives way already, and may not take that back.
        self.niceness = max(policy.niceness, os.getpriority(os.PRIO_PROCESS, 0))
        self.end = ""
        self.exit_status: int | None = None
        self.script = 0
        self.pipe = -1
        self.started = self.last_beat = time.monotonic()
        self.beat: float | None = None
        self.written = self.printed = 0
        self.peak_memory = self.peak_processes = 0
        self.on_disk = self.in_memory_files = 0
        self.disk_looked = 0.0
        self.disk_cost = 0.0
        self.disk_cpu = -1.0
        self.pause = FIRST_LOOK_SECONDS
        self.cpu_seconds = 0.0
        self.disks = {os.stat(folder).st_dev for folder in policy.disk_folders}
        self.output = os.open(policy.path("output"), APPEND, 0o600)

    def run(self) -> None:
        """Run the script, see to its end and write the status."""
        set_process_control(SET_CHILD_SUBREAPER, 1)
        leave_session_keyring()
        wake = self._listen_to_signals()
        if os.path.exists(self.policy.path("kill")):
            self.end = "killed"
        else:
            self._start_script()
            self._watch(wake)
        self._kill_tree()
        self._drain()
        self._write_status()

    def _listen_to_signals(self) -> int:
        read, write = os.pipe()
        os.set_blocking(read, False)
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._asked_to_end)
        for ignored in (signal.SIGHUP, signal.SIGINT):
            signal.signal(ignored, signal.SIG_IGN)
        return read

    def _asked_to_end(self, *_: object) -> None:
        self.end = self.end or "killed"

    def _start_script(self) -> None:
        self.pipe, write = os.pipe()
        os.set_blocking(self.pipe, False)
        if sys.platform == "linux":
            try:
                fcntl.fcntl(write, SET_PIPE_SIZE, PIPE_BYTES)  # Fewer, larger reads.
            except OSError:
                pass
        tasks = own_tasks()
        self._go_first()
        self.script = os.fork()
        if self.script == 0:
            self._become_script(write, tasks)
        os.close(write)

    def _go_first(self) -> None:
        """Be scheduled before the script, where that is allowed, to win against a fork bomb."""
        try:
            os.setpriority(os.PRIO_PROCESS, 0, SUPERVISOR_PRIORITY)
        except OSError:
            pass

    def _become_script(self, write: int, tasks: int) -> None:
        """In the child: put on the limits and become the script. Never returns."""
        try:
            parent = os.getppid()
            for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            os.setsid()
            set_process_control(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)
            self._set_limits(tasks)
            null = os.open("/dev/null", os.O_RDONLY)
            for source, target in ((null, 0), (write, 1), (write, 2)):
                os.dup2(source, target)
            os.chdir(self.policy.work_folder)
            os.execve(self.policy.command[0], self.policy.command, self.policy.environment)
        except OSError as error:
            os.write(write, f"cannot start {self.policy.command[0]}: {error}\n".encode())
        finally:
            os._exit(127)

    def _set_limits(self, tasks: int) -> None:
        policy = self.policy
        os.setpriority(os.PRIO_PROCESS, 0, self.niceness)
        if HAS_PROC:
            score = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
            os.write(score, OUT_OF_MEMORY_SCORE)
            os.close(score)
        # The watchdog looks from time to time; these hold one process in between.
        limits = {
            resource.RLIMIT_CORE: 0,
            resource.RLIMIT_CPU: int(policy.cpu_seconds) + 1,
            resource.RLIMIT_FSIZE: policy.disk_bytes,
            resource.RLIMIT_DATA: policy.data_bytes,
            resource.RLIMIT_NOFILE: 4096,
        }
        if HAS_PROC:
            limits[resource.RLIMIT_NPROC] = tasks + policy.processes + SPARE_TASKS
        for limit, value in limits.items():
            hard = resource.getrlimit(limit)[1]
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(limit, (value, value))

    def _watch(self, wake: int) -> None:
        next_look = time.monotonic()
        readers = [self.pipe, wake]
        while not self.end and self.exit_status is None:
            ready = select.select(readers, [], [], max(0.0, next_look - time.monotonic()))[0]
            if self.pipe in ready and not self._take_output():
                readers.remove(self.pipe)
            if wake in ready:
                read_all(wake)
                self._reap()
            if time.monotonic() >= next_look and self.exit_status is None:
                self._look()
                next_look = time.monotonic() + self.pause

    def _take_output(self) -> bool:
        """Keep what the script printed; False once nobody can print any more."""
        try:
            chunk = os.read(self.pipe, READ_BYTES)
        except BlockingIOError:
            return True
        self.printed += len(chunk)
        room = self.policy.output_bytes - self.written
        if room > 0:
            write_all(self.output, chunk[:room])
            self.written += min(room, len(chunk))
        if self.printed > self.policy.output_bytes:
            self.end = self.end or "output"
        return bool(chunk)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.script:
                self.exit_status = status

    def _look(self) -> None:
        """Compare what the script uses with what it may use, and choose when to look again."""
        policy, now = self.policy, time.monotonic()
        processes = tree(2 * (policy.processes + policy.box_processes))
        tasks = sum(process.threads for process in processes.values()) - policy.box_processes
        self.peak_processes = max(self.peak_processes, tasks)
        if tasks > policy.processes:
            # Nothing else is measured first: a fork bomb would double meanwhile.
            self.end = self.end or "processes"
            return
        reaped = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = reaped.ru_utime + reaped.ru_stime + sum(p.cpu_seconds for p in processes.values())
        pids = [pid for pid, process in processes.items() if not process.dead]
        if cpu != self.disk_cpu:
            self._look_at_files(pids, cpu, now)
        memory = self._memory(processes, pids)
        self.peak_memory = max(self.peak_memory, memory)
        used = {
            "time": (now - self.started) / policy.wall_seconds,
            "cpu": cpu / policy.cpu_seconds,
            "memory": memory / policy.memory_bytes,
            "disk": self.on_disk / policy.disk_bytes,
        }
        for name, share in used.items():
            if share > 1:
                self.end = self.end or name
        if os.path.exists(policy.path("kill")):
            self.end = self.end or "killed"
        if self._lease_is_over(now):
            self.end = self.end or "lease"
        filling = max(used["memory"], used["disk"], tasks / policy.processes)
        self._choose_pause(
            filling, calm=cpu == self.cpu_seconds, left=policy.wall_seconds - (now - self.started)
        )
        self.cpu_seconds = cpu

    def _choose_pause(self, filling: float, *, calm: bool, left: float) -> None:
        """Look more often the nearer a limit is, and never later than the end of the time."""
        if filling > NEAR and not calm:
            self.pause = NEAR_LOOK_SECONDS
        else:
            self.pause = min(CALM_LOOK_SECONDS, self.pause * 1.5)
        self.pause = max(0.002, min(self.pause, left))

    def _look_at_files(self, pids: list[int], cpu: float, now: float) -> None:
        """Measure disk and files in memory; only called when the script has done anything."""
        policy = self.policy
        deleted, self.in_memory_files = deleted_open_bytes(pids, self.disks) if HAS_PROC else (0, 0)
        if now - self.disk_looked < max(DISK_LOOK_SECONDS, 20 * self.disk_cost):
            return
        self.on_disk = deleted
        for folder in policy.disk_folders:
            self.on_disk += folder_bytes(folder, policy.disk_bytes)
        self.disk_looked, self.disk_cpu = now, cpu
        self.disk_cost = time.monotonic() - now

    def _memory(self, processes: dict[int, Process], pids: list[int]) -> int:
        files = self.in_memory_files + self._box_memory(pids)
        memory = sum(process.memory_bytes for process in processes.values()) + files
        if memory > self.policy.memory_bytes:
            # Forked processes share pages, which the quick sum counts several times.
            exact = proportional_memory(pids)
            memory = memory if exact is None else exact + files
        return memory

    def _box_memory(self, pids: list[int]) -> int:
        """What lies in the box's own folders in memory."""
        total = 0
        for path, size in self.policy.memory_folders.items() if pids else ():
            try:
                status = os.statvfs(f"/proc/{pids[-1]}/root{path}")
            except OSError:
                continue
            # Before the box stands, this is a folder of the machine, of another size.
            if abs(status.f_blocks * status.f_frsize - size) <= PAGE_BYTES:
                total += (status.f_blocks - status.f_bfree) * status.f_frsize
        return total

    def _lease_is_over(self, now: float) -> bool:
        """Whether the heartbeat stood still for too long.

        Only changes of the file's time count, on a clock that stands still while the machine
        sleeps: neither a wrong wall clock nor a closed lid ends an exec.
        """
        if not self.policy.heartbeat:
            return False
        try:
            beat: float | None = os.stat(self.policy.heartbeat).st_mtime
        except OSError:
            beat = self.beat
        if beat != self.beat:
            self.beat, self.last_beat = beat, now
        return now - self.last_beat > self.policy.lease_seconds

    def _kill_tree(self) -> None:
        """Freeze, then kill: a fork bomb cannot outrun that."""
        if self.policy.box_processes and self.script and self.exit_status is None:
            send(self.script, signal.SIGKILL)  # The box's first process takes all others with it.
        sure = False
        while not sure:
            frozen = freeze_tree()
            for pid in frozen:
                send(pid, signal.SIGKILL)
            self._reap()
            # The quick walk can miss a process that moves: the last look is at all of the machine.
            sure = not frozen and all(process.dead for process in full_tree().values())
            if not sure:
                time.sleep(0.002)

    def _drain(self) -> None:
        while self.pipe >= 0 and self.printed <= self.policy.output_bytes:
            before = self.printed
            if not self._take_output() or self.printed == before:
                return

    def _write_status(self) -> None:
        self._reap()
        end, exit_code = self.end or "finished", None
        if end == "finished" and self.exit_status is not None:
            exit_code = os.waitstatus_to_exitcode(self.exit_status)
            if self.policy.shell_exit_codes and 128 < exit_code <= 128 + 64:
                exit_code = 128 - exit_code
            if exit_code == -signal.SIGXCPU:
                end, exit_code = "cpu", None
        status = {
            "end": end,
            "exit_code": exit_code,
            "seconds": round(time.monotonic() - self.started, 4),
            "peak_memory_bytes": self.peak_memory,
            "output_bytes": self.printed,
            "processes": self.peak_processes,
        }
        os.fsync(self.output)
        draft = self.policy.path("status.json.draft")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        write_all(handle, json.dumps(status).encode())
        os.fsync(handle)
        os.close(handle)
        os.rename(draft, self.policy.path("status.json"))


def write_all(handle: int, content: bytes) -> None:
    """Write every byte."""
    view = memoryview(content)
    while view:
        view = view[os.write(handle, view) :]


def read_all(handle: int) -> None:
    """Empty a pipe that does not block."""
    try:
        while os.read(handle, 4096):
            pass
    except BlockingIOError:
        pass


def identity(pid: int) -> dict[str, object]:
    """What tells this process from every other, also after a restart of the machine."""
    line = read_bytes(f"/proc/{pid}/stat")
    fields = line[line.rfind(b")") + 2 :].split()
    started = int(fields[19]) if len(fields) > 19 else 0
    return {
        "pid": pid,
        "started": started,
        "boot": read_bytes("/proc/sys/kernel/random/boot_id").decode().strip(),
    }


def claim(policy: Policy) -> bool:
    """Take the exec, if nobody has. The claim appears complete and locked, or not at all."""
    draft = policy.path(f"claim.{os.getpid()}")
    # Left open on purpose: the lock lasts as long as this process.
    handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    write_all(handle, json.dumps(identity(os.getpid())).encode())
    try:
        os.link(draft, policy.path("claim"))
    except FileExistsError:
        return False
    finally:
        os.unlink(draft)
    return True


def detach(policy: Policy) -> None:
    """Leave the session, the terminal and the parent behind."""
    os.setsid()
    if os.fork():
        os._exit(0)
    os.umask(0o077)
    os.chdir("/")
    log = os.open(policy.path("supervisor.log"), APPEND, 0o600)
    null = os.open("/dev/null", os.O_RDWR)
    for source, target in ((null, 0), (null, 1), (log, 2)):
        os.dup2(source, target)


def main(path: str) -> int:
    """Start a supervisor and wait until the exec is claimed, by it or by another.

    Returns:
        The exit code: 0 where the exec is claimed.
    """
    os.closerange(3, 256)
    policy = Policy(path)
    read, write = os.pipe()
    child = os.fork()
    if child:
        os.close(write)
        os.waitpid(child, 0)
        return 0 if os.read(read, 1) else 1
    detach(policy)
    os.close(read)
    claimed = claim(policy)
    try:
        os.write(write, b"1")
    except BrokenPipeError:
        pass  # Whoever started us was killed; that must not cost the exec, which is ours by now.
    os.close(write)
    if claimed:
        Supervisor(policy).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
