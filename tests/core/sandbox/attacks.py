"""Scripts that try to get out of the box or to bring the machine down.

A theft prints ``SUCCEEDED`` when it works. An exhaustion goes on for ever if nobody ends it.
"""

from __future__ import annotations

from dataclasses import dataclass

TRY = """
import os, sys
def attempt(name, act):
    try:
        gained = act()
    except BaseException as error:
        print("failed", name, repr(error)[:100])
    else:
        print("SUCCEEDED" if gained else "failed", name)
"""

THEFTS = {
    "read keys on disk": """
attempt("open", lambda: "canary" in open(os.environ["KEY_FILE"]).read())
attempt("list", lambda: os.listdir(os.path.dirname(os.environ["KEY_FILE"])))
attempt("link", lambda: (os.symlink(os.environ["KEY_FILE"], "link"), "canary" in open("link").read())[1])
""",
    "read the app's environment and memory": """
for pid in [os.environ["APP_PID"], *filter(str.isdigit, os.listdir("/proc"))]:
    if int(pid) != os.getpid():
        attempt("environ", lambda: b"canary" in open(f"/proc/{pid}/environ", "rb").read())
    attempt("memory", lambda: b"sandbox.attack_run" in open(f"/proc/{pid}/cmdline", "rb").read())
attempt("mem", lambda: open(f"/proc/{os.environ['APP_PID']}/mem", "rb"))
""",
    "write outside the work folder": """
import lab, pathlib
places = ["/", "/dev", "/etc", "/usr", "/proc", "/experiment", os.path.dirname(lab.__file__), sys.prefix]
places += [os.path.dirname(os.environ["KEY_FILE"]), sys.base_prefix, "/var/tmp", "/run"]
places += ["/dev/shm/..", "/proc/1/root"]
for place in places:
    attempt(place, lambda: pathlib.Path(place, "planted").write_text("x"))
attempt("script", lambda: pathlib.Path(__file__).write_text("x"))
attempt("lab", lambda: pathlib.Path(lab.__file__).write_text("x"))
""",
    "reach the network": """
import socket
address = ("127.0.0.1", int(os.environ["TCP_PORT"]))
attempt("tcp", lambda: socket.create_connection(address, timeout=1))
def udp():
    asking = socket.socket(type=socket.SOCK_DGRAM)
    asking.settimeout(0.5)
    asking.sendto(b"hello", ("127.0.0.1", int(os.environ["UDP_PORT"])))
    return asking.recv(10)
attempt("udp", udp)
attempt("interfaces", lambda: [name for _, name in socket.if_nameindex() if name != "lo"])
""",
    "talk to the session bus": """
import socket
for path in (os.environ["BUS_PATH"], "\\0" + os.environ["BUS_NAME"]):
    bus = socket.socket(socket.AF_UNIX)
    bus.settimeout(1)
    attempt("bus", lambda: (bus.connect(path), bus.recv(10))[1])
""",
    "read the kernel's keyring": """
import ctypes
number = {"x86_64": 250, "aarch64": 219}[os.uname().machine]
libc = ctypes.CDLL(None)
buffer = ctypes.create_string_buffer(100)
for ring in (-1, -2, -3, -4, -5):
    def read():
        key = libc.syscall(number, 10, ring, b"user", os.environ["KEY_NAME"].encode(), 0)
        return key > 0 and libc.syscall(number, 11, key, buffer, 100) > 0
    attempt("keyring", read)
attempt("by number", lambda: libc.syscall(number, 11, int(os.environ["KEY_NUMBER"]), buffer, 100) > 0)
""",
    "kill the app": """
import signal
app = int(os.environ["APP_PID"])
for pid in (app, os.getppid(), -1):
    attempt("kill", lambda: pid != 0 and os.kill(pid, signal.SIGUSR1))
attempt("seen", lambda: open(f"/proc/{app}/status").read())
""",
    "get more rights": """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
attempt("capabilities", lambda: int(open("/proc/self/status").read().split("CapEff:")[1].split()[0], 16))
attempt("namespace", lambda: libc.unshare(0x10000000) == 0)
attempt("mount", lambda: libc.mount(b"none", b"/workspace", b"tmpfs", 0, None) == 0)
attempt("remount", lambda: libc.mount(b"none", b"/", None, 32 | 4096, None) == 0)
attempt("terminal", lambda: os.open("/dev/tty", os.O_RDWR))
""",
}
"""Attacks on the user's files, keys and programs."""

POSSIBLE_WITHOUT_A_BOX = (
    "read keys on disk",
    "read the app's environment and memory",
    "reach the network",
    "talk to the session bus",
)
"""Thefts that work where there is no box, which shows that they are real and why it is said so."""


@dataclass(frozen=True)
class Exhaustion:
    """An attack on the machine's resources.

    Attributes:
        code: the script.
        ends: how it may end, and no other way.
        seconds: wall time it is given; 0 for more than it needs.
    """

    code: str
    ends: tuple[str, ...]
    seconds: float = 0


EXHAUSTIONS = {
    "fork bomb": Exhaustion("while True: os.fork()", ("processes",)),
    "thread bomb": Exhaustion(
        # The kernel counts all tasks of a user: where other attacks have theirs, no thread starts any more.
        "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(9,)).start()",
        ("processes", "finished"),
    ),
    "4 GB in one process": Exhaustion("x = bytearray(4 << 30)\nwhile True: pass", ("memory", "finished")),
    "memory in small steps": Exhaustion(
        "x = []\nwhile True: x.append(bytearray(1 << 20))", ("memory", "finished")
    ),
    "memory over processes": Exhaustion(
        "import time\nfor _ in range(9):\n    if os.fork() == 0: break\n"
        "x = bytearray(b'1') * (60 << 20)\ntime.sleep(99)",
        ("memory",),
    ),
    "memfd": Exhaustion(
        "import time\nwhile True: os.write(os.memfd_create('x'), bytes(1 << 20)); time.sleep(0.001)",
        ("memory",),
    ),
    "shared memory": Exhaustion(
        "import mmap\nx = []\nwhile True: x.append(mmap.mmap(-1, 8 << 20)); x[-1].write(b'1' * (8 << 20))",
        ("memory",),
    ),
    "one file": Exhaustion("f = open('f', 'wb')\nwhile True: f.write(bytes(1 << 20))", ("disk", "finished")),
    "many files": Exhaustion(
        "import itertools\nfor n in itertools.count(): open(f'f{n}', 'wb').write(bytes(1 << 18))", ("disk",)
    ),
    "empty files": Exhaustion(
        "import itertools\nfor n in itertools.count(): open(f'f{n}', 'wb').close()", ("disk",)
    ),
    "deleted but open": Exhaustion(
        "x = []\nwhile True: x.append(open('f', 'wb', 0)); os.unlink('f'); x[-1].write(bytes(1 << 20))",
        ("disk",),
    ),
    "daemon": Exhaustion(
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        "        [os.close(n) for n in (0, 1, 2)]\n        while True: pass\n    os._exit(0)\nos.wait()",
        ("finished",),
    ),
    "endless output": Exhaustion("while True: os.write(1, b'x' * 65536)", ("output",)),
    "endless processor time": Exhaustion("while True: pass", ("time", "cpu"), seconds=1.5),
    "deaf to signals": Exhaustion(
        "import signal, time\n[signal.signal(n, signal.SIG_IGN) for n in (1, 2, 3, 15)]\ntime.sleep(999)",
        ("time",),
        seconds=1.0,
    ),
}
"""Attacks on memory, disk, processes and processor time."""
