"""Lines about the paper."""

from __future__ import annotations

from collections.abc import Iterator

from core.record import events as e
from core.record.state import RunState
from tui.plain.telling import Telling
from tui.safe_text import one_line
from tui.wording import counted

SHOWN_PROBLEMS = 5


def paper_refused(telling: Telling, state: RunState, event: e.PaperRefused) -> Iterator[str]:
    """The first problems."""
    problems = counted(len(event.problems), "problem")
    yield telling.line(
        event.at, "", f"{telling.screen.paint('paper refused', 'yellow')}: {problems}; the writer repairs"
    )
    for problem in event.problems[:SHOWN_PROBLEMS]:
        yield telling.indented(f"- {one_line(problem, 300)}")
    if len(event.problems) > SHOWN_PROBLEMS:
        yield telling.indented(f"… {len(event.problems) - SHOWN_PROBLEMS} more")


def paper_published(telling: Telling, state: RunState, event: e.PaperPublished) -> Iterator[str]:
    """What is bound, and where the PDF is."""
    draft = f", {event.struck} struck: this is a draft" if event.struck else ""
    again = f" again for the {event.by}" if event.by != "engine" else ""
    numbers = counted(event.numbers, "number")
    yield telling.line(event.at, "", f"paper written{again}: {numbers} bound to measurements{draft}")
    if event.pdf:
        yield telling.indented(f"{telling.folder.path / event.pdf}, {counted(event.pages, 'page')}")
    elif event.no_pdf:
        yield telling.indented(telling.screen.paint(f"no PDF: {one_line(event.no_pdf, 300)}", "yellow"))
