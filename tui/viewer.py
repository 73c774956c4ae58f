"""Showing a file in the desktop's own viewer, where there is a desktop."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from core.errors import InputError
from tui.child_environment import child_environment

START_SECONDS = 5.0
"""How long a viewer may take to say that it cannot show a file; after that it is showing it."""


def open_in_viewer(
    path: Path, environment: Mapping[str, str] = os.environ, platform: str = sys.platform
) -> None:
    """Show a file in the viewer that the desktop has for it, and come back at once.

    The viewer gets no variable that could hold a key.

    Args:
        path: the file.
        environment: ours; it says whether there is a desktop.
        platform: as ``sys.platform`` names it.

    Raises:
        InputError: there is no desktop here, no viewer, or it fails; the message says which.
    """
    command = [*_opener(path, environment, platform), str(path)]
    try:
        viewer = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=child_environment(environment),
            start_new_session=True,
        )
    except OSError as error:
        raise InputError(f"{command[0]} does not start: {error.strerror}", f"It is {path}.") from None
    try:
        code = viewer.wait(START_SECONDS)
    except subprocess.TimeoutExpired:
        return
    if code != 0:
        raise InputError(f"{command[0]} has no viewer for {path.name}", f"It is {path}.")


def _opener(path: Path, environment: Mapping[str, str], platform: str) -> list[str]:
    remote = any(environment.get(name) for name in ("SSH_CONNECTION", "SSH_TTY"))
    fetch = f"Fetch it to where you sit: scp HOST:{shlex.quote(str(path))} ."
    if platform == "darwin":
        if remote:
            raise InputError("over SSH it would open on the screen of the other machine", fetch)
        return ["open"]
    search = environment.get("PATH")
    if environment.get("WSL_DISTRO_NAME") and shutil.which("wslview", path=search):
        return ["wslview"]
    if not any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")):
        where = "on this side of the SSH connection" if remote else "here"
        raise InputError(f"there is no desktop {where} to open it on", fetch if remote else f"It is {path}.")
    if not (opener := shutil.which("xdg-open", path=search)):
        raise InputError("xdg-open, which opens files on a desktop, is not installed", f"It is {path}.")
    return [opener]
