"""Removing a run for good."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from pathlib import Path

from core.errors import RunLocked, StorageError
from core.record.folder import RunFolder


def delete_run(folder: RunFolder) -> None:
    """Remove a run with everything in it; what ran in its sandboxes must have ended before.

    The journal goes first, so that a removal cut short leaves no run that looks whole.

    Raises:
        RunLocked: an engine drives it.
        StorageError: something in it cannot be removed.
    """
    if folder.path.is_symlink():
        raise StorageError(
            f"{folder.path} is a link, and what it leads to is not ours", "Remove it yourself."
        )
    try:
        with folder.locked():
            for suffix in ("", "-wal", "-shm"):
                Path(f"{folder.journal_path}{suffix}").unlink(missing_ok=True)
            _unlock(folder.path)
            shutil.rmtree(folder.path)
    except FileNotFoundError:
        return  # somebody else removed it meanwhile
    except OSError as error:
        raise StorageError(
            f"{folder.path} cannot be removed: {error.strerror}", "Check who owns it, or remove it yourself."
        ) from None


def refuse_if_driven(folder: RunFolder) -> None:
    """Refuse what would pull a run out from under its engine.

    Raises:
        RunLocked: an engine drives it.
    """
    if folder.has_engine():
        raise RunLocked(
            f"an engine drives {folder.run_id}", f"End it first: 'fumehood stop {folder.run_id}'."
        )


def _unlock(path: Path) -> None:
    """Make folders that scripts locked ours again; a link may lead to the user's own folders."""
    for parent, folders, _ in os.walk(path):
        for inner in (Path(parent, name) for name in folders):
            if not inner.is_symlink():
                with contextlib.suppress(OSError):
                    inner.chmod(stat.S_IRWXU)
