"""What isolation sandboxes on this machine really have: found by trying, not by looking.

That bubblewrap is installed proves nothing: a distribution's AppArmor rules or a container's
filter of system calls can forbid what it does.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from core.ending import end
from core.sandbox.base import Isolation
from core.sandbox.bubblewrap import WORK, Bind, Box, bubblewrap_command

PROBE_SECONDS = 10.0


@dataclass(frozen=True)
class Finding:
    """What a probe found.

    Attributes:
        isolation: ``namespaces`` or ``process only``.
        next_step: what to do for better; empty where nothing is amiss.
    """

    isolation: Isolation
    next_step: str = ""


_found: Finding | None = None


async def found_isolation() -> Finding:
    """The isolation that this machine gives, tried once in the life of this process."""
    global _found
    if _found is None:
        _found = await probe()
    return _found


async def probe(program: str = "bwrap") -> Finding:
    """Run a command in a box like those that scripts get.

    Args:
        program: bubblewrap's name or path.
    """
    if sys.platform == "darwin":
        return Finding("process only", "macOS has no namespaces: run code that you do not trust on Modal")
    path = shutil.which(program)
    if path is None:
        return Finding("process only", "Install bubblewrap (Debian, Ubuntu: sudo apt install bubblewrap)")
    with tempfile.TemporaryDirectory() as folder:
        box = Box((Bind(Path(folder), WORK, writable=True),), network=False, folder_bytes=1024 * 1024)
        command = bubblewrap_command(path, box, [shutil.which("true") or "/usr/bin/true"])
        exit_code, complaint = await _run(command)
    return Finding("namespaces") if exit_code == 0 else Finding("process only", next_step(complaint))


def next_step(complaint: str) -> str:
    """What to do about a box that could not be made, from what bubblewrap printed."""
    if "Unknown option" in complaint:
        return "Install bubblewrap 0.8 or later; this one is too old"
    if "uid map: Permission denied" in complaint or "RTM_NEWADDR" in complaint:
        return (
            "AppArmor forbids bubblewrap its namespaces. On Ubuntu: sudo apt install apparmor-profiles && "
            "sudo ln -s /usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/ && "
            "sudo systemctl reload apparmor"
        )
    if "kernel.unprivileged_userns_clone" in complaint:
        return "Allow namespaces: sudo sysctl kernel.unprivileged_userns_clone=1"
    if "namespace" in complaint or "Operation not permitted" in complaint:
        return (
            "This container or kernel forbids user namespaces. Run fumehood outside the container, or start "
            "it with --security-opt seccomp=unconfined --security-opt systempaths=unconfined"
        )
    return f"bubblewrap does not work here: {complaint.strip()[:200] or 'it gave no reason'}"


async def _run(command: list[str]) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
    )
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            _, complaint = await process.communicate()
    except TimeoutError:
        return None, f"it did not end within {PROBE_SECONDS:.0f} seconds"
    finally:
        await end(process)
    return process.returncode, complaint.decode(errors="replace")
