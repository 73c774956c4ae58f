"""Lines about what the human asks for."""

from __future__ import annotations

from collections.abc import Iterator

from core.pricing import dollars
from core.record import events as e
from core.record.state import RunState
from tui import glyphs
from tui.plain.telling import SPEECH_CHARACTERS, Telling
from tui.safe_text import one_line
from tui.wording import size_in_words


def run_renamed(telling: Telling, state: RunState, event: e.RunRenamed) -> Iterator[str]:
    """Its new title."""
    yield telling.line(event.at, "", f"renamed by {event.by}: {one_line(event.title)}")


def message_sent(telling: Telling, state: RunState, event: e.MessageSent) -> Iterator[str]:
    """Who tells whom what."""
    yield telling.line(
        event.at, "", f"{event.by} tells {event.agent}: {one_line(event.text, SPEECH_CHARACTERS)}"
    )


def data_added(telling: Telling, state: RunState, event: e.DataAdded) -> Iterator[str]:
    """The file, its size and its hash."""
    size = size_in_words(event.size_bytes)
    yield telling.line(
        event.at,
        "",
        f"{event.by} adds data: {one_line(event.name)}, {size}, sha256 {one_line(event.sha256, 12)}",
    )


def seeds_requested(telling: Telling, state: RunState, event: e.SeedsRequested) -> Iterator[str]:
    """For how many."""
    yield telling.line(event.at, event.experiment_id, f"{event.count} more seeds asked for by {event.by}")


def reproduction_requested(
    telling: Telling, state: RunState, event: e.ReproductionRequested
) -> Iterator[str]:
    """That no model is asked."""
    if state.reproduction is event:
        yield telling.line(event.at, "", f"a reproduction was asked for by {event.by}: no model is asked")


def budget_set(telling: Telling, state: RunState, event: e.BudgetSet) -> Iterator[str]:
    """The new cap."""
    yield telling.line(event.at, "", f"cap set to {dollars(event.cap_usd)} by {event.by}")


def launching_paused(telling: Telling, state: RunState, event: e.LaunchingPaused) -> Iterator[str]:
    """That nothing new starts."""
    yield telling.line(
        event.at, "", f"{telling.screen.mark(glyphs.PAUSED)} by {event.by}: nothing new starts"
    )


def launching_continued(telling: Telling, state: RunState, event: e.LaunchingContinued) -> Iterator[str]:
    """Who continued."""
    yield telling.line(event.at, "", f"continued by {event.by}")


def kill_requested(telling: Telling, state: RunState, event: e.KillRequested) -> Iterator[str]:
    """Who asked, and why."""
    note = f": {one_line(event.note)}" if event.note else ""
    yield telling.line(event.at, event.experiment_id or "", f"kill asked for by {event.by}{note}")


def stop_requested(telling: Telling, state: RunState, event: e.StopRequested) -> Iterator[str]:
    """Who asked."""
    yield telling.line(event.at, "", f"stop asked for by {event.by}")
