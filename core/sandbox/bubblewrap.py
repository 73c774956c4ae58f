"""The box around a script on the user's own machine: arguments for bubblewrap.

Every flag closes a hole that was tried out; ``tests/core/sandbox/test_attacks.py`` tries them again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

WORK = Path("/workspace")
"""Where the sandbox's work folder appears in the box."""
LAB = Path("/lab")
"""Where the exec's records folder appears in the box."""
DATA = Path("/data")
"""Where the human's files appear in the box; nothing there can be changed."""
SHARED = Path("/shared")
"""Where what experiments of a run hand to each other appears in the box."""
LIBRARY = Path("/experiment/library")
"""Where ``lab`` and its companions appear in the box."""
SCRIPT = Path("/experiment/script.py")
"""Where the script appears in the box."""

BOX_PROCESSES = 2
"""Processes that belong to bubblewrap itself: one outside the box, one that is the box's first."""

SYSTEM_FILES = (
    "/usr",
    "/nix/store",
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/etc/localtime",
)
"""What programs need of the machine; nothing in it is the user's own."""

NETWORK_FILES = (
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
)
"""What is needed besides where the network is open."""


@dataclass(frozen=True)
class Bind:
    """A file or folder of the machine that appears in the box.

    Attributes:
        source: where it is on the machine.
        target: where it appears in the box.
        writable: whether scripts may change it.
    """

    source: Path
    target: Path
    writable: bool = False


@dataclass(frozen=True)
class Box:
    """What one script can see and use.

    Attributes:
        binds: files and folders beside the system's own.
        network: whether it can reach the network.
        folder_bytes: the size of each of its two folders in memory, ``/tmp`` and ``/dev/shm``.
    """

    binds: Sequence[Bind]
    network: bool
    folder_bytes: int

    @property
    def memory_folders(self) -> dict[str, int]:
        """Folders in memory and their sizes in bytes."""
        return {"/tmp": self.folder_bytes, "/dev/shm": self.folder_bytes}  # noqa: S108


def bubblewrap_command(program: str, box: Box, command: Sequence[str]) -> list[str]:
    """The command line that runs a command in a box.

    The environment is not here: the supervisor builds it from nothing, and what stands on a command
    line can be read by every user of the machine.

    Args:
        program: the path of ``bwrap``.
        box: what the command can see and use.
        command: the program inside and its arguments.
    """
    arguments = [program, "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
    arguments += ["--unshare-cgroup-try", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    # Without a way to make further namespaces, most of the kernel's risky parts are out of reach.
    arguments += ["--disable-userns"]
    if not box.network:
        arguments += ["--unshare-net"]
    arguments += ["--proc", "/proc", "--dev", "/dev"]
    for folder, size in box.memory_folders.items():
        arguments += ["--size", str(size), "--tmpfs", folder]
    for path in (*SYSTEM_FILES, *(NETWORK_FILES if box.network else ())):
        arguments += ["--ro-bind-try", path, path]
    for name in ("bin", "sbin", "lib", "lib32", "lib64"):
        arguments += _system_folder(Path("/", name))
    for bind in box.binds:
        arguments += ["--bind" if bind.writable else "--ro-bind", str(bind.source), str(bind.target)]
    # Otherwise the root and /dev are memory without a limit that no watchdog sees.
    arguments += ["--remount-ro", "/dev", "--remount-ro", "/"]
    return [*arguments, "--chdir", str(WORK), "--", *command]


def _system_folder(path: Path) -> list[str]:
    if path.is_symlink():
        return ["--symlink", str(path.readlink()), str(path)]
    return ["--ro-bind-try", str(path), str(path)]
