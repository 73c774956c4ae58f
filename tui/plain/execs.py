"""Lines about scripts."""

from __future__ import annotations

from collections.abc import Iterator

from core.evidence.code_checks import check_code
from core.record import events as e
from core.record.state import RunState
from tui.plain.telling import Telling, number
from tui.safe_text import one_line
from tui.wording import counted


def exec_requested(telling: Telling, state: RunState, event: e.ExecRequested) -> Iterator[str]:
    """What it is for, and what looks wrong in it."""
    trial = " (a trial: nothing in it counts)" if event.trial else ""
    purpose = one_line(event.purpose) or "no purpose was given"
    yield telling.line(event.at, event.experiment_id, f"runs {event.exec_id}: {purpose}{trial}")
    for text in code_warnings(event.code):
        yield telling.indented(telling.screen.paint(text, "yellow"))


def exec_ended(telling: Telling, state: RunState, event: e.ExecEnded) -> Iterator[str]:
    """How it ended and what it recorded last."""
    script = state.execs.get(event.exec_id)
    how = f"exit code {event.exit_code}" if event.end == "finished" else f"was ended ({one_line(event.end)})"
    results = (
        ", ".join(f"{one_line(name, 40)} {number(value)}" for name, value in script.results[-2:])
        if script
        else ""
    )
    recorded = f"; {counted(script.records, 'record')}" if script and script.records else ""
    last = f", last: {results}" if results else ""
    bad = event.end != "finished" or event.exit_code != 0
    subject = script.asked.experiment_id if script else ""
    text = f"{event.exec_id} {how} after {event.seconds:.1f} s{recorded}{last}"
    yield telling.line(event.at, subject, telling.screen.paint(text, "red" if bad else ""))


def code_warnings(code: str) -> list[str]:
    """What looks wrong in a script, a line each."""
    return [f"code check: line {found.line}: {one_line(found.text)}" for found in check_code(code)]
