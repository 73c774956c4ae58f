"""Logs for other programs: saved to a file, and read in a pager."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
from pathlib import Path

from core.errors import InputError, StorageError
from tui.child_environment import child_environment
from tui.log_tail import LogTail
from tui.screen import wants_colours

DEFAULT_PAGER = "less -R"


def save(log: Path, target: str) -> Path:
    """Copy a log, byte for byte.

    Args:
        log: the log.
        target: where to, as typed; ``~`` is the home folder. Nothing is overwritten.

    Returns:
        The new file.

    Raises:
        InputError: there is no name, or something lies there already.
        StorageError: it cannot be written or read.
    """
    if not target.strip():
        raise InputError("there is no name to save to", "Type a path.")
    path = Path(target.strip())
    try:
        path = path.expanduser()
        with log.open("rb") as source, path.open("xb") as copy:
            shutil.copyfileobj(source, copy)
    except FileExistsError:
        raise InputError(f"{path} is there already", "Choose another name.") from None
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StorageError(f"the log cannot be saved to {path}: {reason}", "Choose another place.") from None
    return path


def page_through(log: Path) -> None:
    """Read a log in ``$PAGER``, in the terminal, until the reader leaves it.

    The pager is given clean lines: not every pager keeps escape sequences from the terminal.

    Raises:
        InputError: the pager cannot be started.
    """
    wanted = os.environ.get("PAGER") or DEFAULT_PAGER
    environment = child_environment() | {"LESS": os.environ.get("LESS") or "-R"}
    try:
        pager = subprocess.Popen(shlex.split(wanted), stdin=subprocess.PIPE, env=environment)
    except (OSError, ValueError, IndexError) as error:
        raise InputError(f"the pager {wanted!r} cannot be started: {error}", "Set PAGER.") from None
    assert pager.stdin is not None
    tail = LogTail(log, skips=False)
    with contextlib.suppress(BrokenPipeError):  # the reader has left before the end
        while tail.behind:
            _write(pager, tail.take(colours=wants_colours()))
        _write(pager, tail.take(colours=wants_colours(), ended=True))
    with contextlib.suppress(BrokenPipeError):
        pager.stdin.close()
    pager.wait()


def _write(pager: subprocess.Popen[bytes], lines: list[str]) -> None:
    assert pager.stdin is not None
    pager.stdin.write("".join(f"{line}\n" for line in lines).encode(errors="replace"))
