"""Lines about the run's engine."""

from __future__ import annotations

from collections.abc import Iterator

from core.record import events as e
from core.record.state import RunState
from tui import glyphs
from tui.plain.telling import Telling
from tui.safe_text import one_line
from tui.status import paused_in_words


def engine_started(telling: Telling, state: RunState, event: e.EngineStarted) -> Iterator[str]:
    """Its process and how far scripts are kept from the user."""
    again = "again " if state.engines > 1 else ""
    isolation = one_line(event.isolation)
    yield telling.line(event.at, "", f"engine started {again}(process {event.pid}); isolation: {isolation}")
    if event.isolation_advice:
        yield telling.indented(f"{one_line(event.isolation_advice)}.")


def engine_stopped(telling: Telling, state: RunState, event: e.EngineStopped) -> Iterator[str]:
    """Why it ended, unless the run is finished."""
    if event.reason != "finished":
        failed = f"because of an error: {one_line(event.message).rstrip('.')}"
        left = "; sandboxes were left open" if event.sandboxes == "left" else ""
        if event.reason == "paused":
            mark = telling.screen.mark(glyphs.PAUSED)
            yield telling.line(event.at, "", f"{mark}: {one_line(paused_in_words(event))}")
            return
        why = "as asked" if event.reason == "asked" else failed
        yield telling.line(event.at, "", f"the engine ended {why}{left}")
