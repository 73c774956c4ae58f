"""Finding the run that a command is about, and appending what the human decided."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from core.config import read_settings
from core.errors import JournalError, Outrun, RunNotFound
from core.record.events import Event
from core.record.folder import RunFolder, find_run, list_runs
from core.record.live import LiveRun
from core.record.state import RunState
from tui.screen import Screen

SUBJECT = re.compile(r"(?i:E\d+(-\d+)?)|all|engine|isolation|orchestrator|writer|(script|question):.*")
"""What can only be the subject of a command, so that the run before it was left out."""

MOST_NAMED = 5

ATTEMPTS = 200
"""How often a decision is made again because the journal grew meanwhile."""


def named_run(name: str | None) -> RunFolder:
    """The run of a name, or the one that changed last.

    Raises:
        RunNotFound: none or several fit.
        ConfigError: the settings cannot be read.
    """
    return find_run(read_settings().runs_folder, name)


def run_to_change(name: str | None) -> RunFolder:
    """The run of a name. Without one it is the run that an engine drives, or else the one that changed last.

    Raises:
        RunNotFound: none or several fit; several are driven, so that a decision could reach the wrong one.
        ConfigError: the settings cannot be read.
    """
    if name is not None:
        return named_run(name)
    driven = [folder for folder in list_runs(read_settings().runs_folder) if folder.has_engine()]
    if len(driven) > 1:
        names = ", ".join(folder.run_id for folder in driven[:MOST_NAMED])
        raise RunNotFound(f"{len(driven)} runs are under way: {names}", "Name the one that you mean.")
    return driven[0] if driven else named_run(None)


def run_and_rest(
    words: Sequence[str], rest: int = 0, find: Callable[[str | None], RunFolder] = run_to_change
) -> tuple[RunFolder, list[str]]:
    """Tell the run from what follows it.

    Args:
        words: as typed.
        rest: how many words must follow the run; with exactly that many the run was left out.
        find: finds the run of a name, or of None where it was left out.

    Raises:
        RunNotFound: none or several fit.
    """
    left_out = not words or SUBJECT.fullmatch(words[0]) or (rest > 0 and len(words) == rest)
    return (find(None), list(words)) if left_out else (find(words[0]), list(words[1:]))


def decide(
    folder: RunFolder, decision: Callable[[RunState], Sequence[Event]]
) -> tuple[Sequence[Event], RunState]:
    """Append what a human decided about the run exactly as it is now.

    Args:
        folder: the run.
        decision: the events for a state; called again where another process appended meanwhile.

    Returns:
        The events, and the state with them.

    Raises:
        DecisionError: nothing waits for it.
        StorageError: the disk is full, read-only or forbidden.
    """
    with folder.journal() as journal:
        live = LiveRun(folder, journal)
        for _ in range(ATTEMPTS):
            events = decision(live.state)
            try:
                live.record_if_unchanged(*events)
            except Outrun:
                continue
            return events, live.state
    raise JournalError("the run changed faster than a decision could be made", "Try again.")


def say_if_no_engine(folder: RunFolder, state: RunState, screen: Screen) -> None:
    """Where no engine is there to act on a decision, say so, and how to start one."""
    if state.ended is None and not folder.has_engine():
        screen.line(
            "  The engine is not running: this counts once you start it with"
            f" 'fumehood resume {folder.run_id}'."
        )
