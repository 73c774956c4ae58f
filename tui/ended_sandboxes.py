"""Sandboxes that were there and have ended, as the journals of this machine know them."""

from __future__ import annotations

import contextlib
from pathlib import Path

from core.errors import FumehoodError
from core.record.folder import RunFolder, list_runs
from core.record.state import RunState
from core.sandbox.machines import MODAL
from tui.open_sandboxes import ModalLook


def has_ended(runs: Path, name: str, look: ModalLook) -> bool:
    """Whether a sandbox that is not open was so once.

    Args:
        runs: the folder that holds all runs.
        name: Modal's id, or its name behind that of its run.
        look: what Modal said; where it did not say what is there, nothing there is known to have ended.
    """
    run_id, slash, local = name.rpartition("/")
    modal_said = look.trouble is None and not look.unasked
    for folder in list_runs(runs):
        if slash and folder.run_id == run_id:
            return _had(folder, local, at_modal=False)
        if not slash and modal_said and _had(folder, name, at_modal=True):
            return True
    return False


def _had(folder: RunFolder, sandbox_id: str, *, at_modal: bool) -> bool:
    """Whether a run had this sandbox; not where its journal cannot be read."""
    with contextlib.suppress(FumehoodError, OSError):
        state = folder.state()
        return (state.settings.sandbox == MODAL) == at_modal and sandbox_id in _ids(state)
    return False


def _ids(state: RunState) -> set[str]:
    closed = {closing.sandbox_id for one in state.experiments.values() for closing in one.closings}
    opened = {one.sandbox.sandbox_id for one in state.experiments.values() if one.sandbox is not None}
    return closed | opened | set(state.reaped)
