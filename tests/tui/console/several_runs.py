"""A history of runs in many states and of many ages, the same every time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from core.record import events as e
from core.record.folder import RunFolder
from tests.fakes import console_runs, console_story
from tui.run_history import READING
from tui.screens.runs import RunsScreen
from tui.widgets.run_list import RunList

LIVE = "20261123-bagging-help-every-7f3a"
WAITING = "20261123-label-smoothing-help-51c0"
DONE = "20261121-double-descent-real-9a1e"
INTERRUPTED = "20261117-dropout-needed-batch-0c44"
FAILED = "20261114-scaling-laws-sparse-b3d2"


def told_ago(told: Callable[..., RunFolder], parent: Path, ago: timedelta, **story: Any) -> RunFolder:
    """A run that began so long before the others."""
    with patch.object(console_story, "BEGIN", console_story.BEGIN - ago):
        return told(parent, **story)


def _failed(parent: Path) -> RunFolder:
    """A run that could not be carried out."""
    story = console_story.Story(parent, FAILED, "Do sparse and dense attention scale with the same exponent?")
    story.engine()
    story.tell(
        e.RunEnded(outcome="failed", message="no experiment could be carried out"),
        e.EngineStopped(reason="finished"),
    )
    return story.told()


@contextlib.contextmanager
def several_runs(parent: Path) -> Iterator[Path]:
    """The folder of five runs, two of which seem to be driven by engines."""
    live = told_ago(console_runs.running, parent, timedelta(0), run_id=LIVE)
    waiting = told_ago(
        console_runs.waiting,
        parent,
        timedelta(minutes=40),
        run_id=WAITING,
        question="Does label smoothing help a ViT-B on CIFAR-10 when labels are scarce?",
    )
    told_ago(
        console_runs.done,
        parent,
        timedelta(days=2),
        run_id=DONE,
        question="Is double descent real, or an artefact of how the model is regularised?",
        model="scripted:double_descent",
    )
    told_ago(
        console_runs.running,
        parent,
        timedelta(days=6),
        run_id=INTERRUPTED,
        question="Is dropout needed with batch norm?",
    )
    told_ago(_failed, parent, timedelta(days=9))
    with console_runs.driven(live), console_runs.driven(waiting):
        yield parent / "runs"


def all_read(screen: RunsScreen) -> bool:
    """Whether every run is listed as it is."""
    listed = screen.query_one(RunList).shown
    whole = len(listed) == len(screen.history.summaries)
    return screen.history.listed and whole and all(run.mark != READING for run in listed)
