"""How a run stands: what its journal says, and whether an engine drives it now."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass, replace

from core.record.events import EngineStopped
from core.record.folder import RunFolder
from core.record.state import RunState
from tui import glyphs
from tui.left_open import left_in_words, left_open
from tui.screen import Mark

STOPPED = Mark("‖", "stopped", "yellow")
INTERRUPTED = Mark("!", "interrupted", "red")

SANDBOXES_GO_ON = "Its sandboxes stay open: their time and cost go on"
"""What is approved of an experiment is how long its sandbox is open, whatever goes on in it."""

FULL_BYTES = 1024 * 1024
"""With less room than this no engine can work."""


@dataclass(frozen=True)
class Status:
    """How a run stands.

    Attributes:
        mark: for people.
        resumable: whether an engine can be started for it.
        explanation: a sentence on why no engine drives it, and what it has left open at Modal.
    """

    mark: Mark
    resumable: bool = False
    explanation: str = ""


def status_of(folder: RunFolder, state: RunState) -> Status:
    """How a run stands now."""
    status = _status(folder, state)
    left = left_in_words(left_open(folder, state))
    if not left:
        return status
    return replace(status, explanation=". ".join(filter(None, (status.explanation, left))))


def _status(folder: RunFolder, state: RunState) -> Status:
    if state.ended is not None:
        return Status(
            {"done": glyphs.DONE, "killed": glyphs.KILLED, "failed": glyphs.FAILED}[state.ended.outcome]
        )
    if folder.has_engine():
        if state.paused:
            return Status(glyphs.PAUSED)
        idle = not state.in_stage("running") and state.waiting
        return Status(glyphs.WAITS if idle else glyphs.RUNNING)
    stopped = state.engine_stopped
    if stopped is None:
        why = "The engine is gone without a word" if state.engine else "The engine never started"
        return Status(INTERRUPTED, True, f"{why}{full_disk(folder)}")
    if stopped.reason == "finished":
        return Status(STOPPED, True, "A reproduction was asked for, and no engine has begun with it")
    if stopped.reason == "asked":
        return Status(STOPPED, True, "The engine ended as asked")
    if stopped.reason == "paused":
        return Status(glyphs.PAUSED, True, f"The run is paused: {paused_in_words(stopped)}")
    return Status(INTERRUPTED, True, f"The engine ended because of an error: {stopped.message.rstrip('.')}")


def paused_in_words(stopped: EngineStopped) -> str:
    """Why a run is paused, what to do, and what goes on meanwhile; without the final full stop."""
    parts = (
        stopped.message.rstrip("."),
        stopped.next_step.rstrip("."),
        SANDBOXES_GO_ON if stopped.sandboxes == "left" else "",
    )
    return ". ".join(part for part in parts if part)


def waiting_count(state: RunState) -> int:
    """How many requests wait for the human; none once the run is over."""
    return 0 if state.ended is not None else len(state.waiting)


def full_disk(folder: RunFolder) -> str:
    """Half a sentence on a disk that may well be why an engine could not even say its last word."""
    try:
        free = shutil.disk_usage(folder.path).free
    except OSError:
        return ""
    return ", and the run's disk is full" if free < FULL_BYTES else ""


def verdicts_in_short(state: RunState) -> str:
    """The verdicts of a run: ``✓2 ✗1 ≈1``; ``–`` where there is none."""
    counts = Counter[str](x.verdict.outcome for x in state.experiments.values() if x.verdict)
    shown = [f"{mark.glyph}{counts[name]}" for name, mark in glyphs.VERDICTS.items() if counts[name]]
    return " ".join(shown) or "–"
