"""Lines about searches and citations."""

from __future__ import annotations

from collections.abc import Iterator

from core.record import events as e
from core.record.state import RunState
from tui.plain.telling import Telling
from tui.safe_text import one_line
from tui.wording import counted


def literature_searched(telling: Telling, state: RunState, event: e.LiteratureSearched) -> Iterator[str]:
    """What was asked and who answered."""
    subject, who = telling.agent(event.agent)
    asked = f"{who}searches the literature for “{one_line(event.query, 120)}”"
    found = f"{counted(len(event.works), 'work')} found" if event.works else "no match found"
    came = f"{found} ({one_line(', '.join(event.answered))})" if event.answered else "no source answered"
    yield telling.line(event.at, subject, f"{asked}: {came}")
    for trouble in event.troubles:
        yield telling.indented(telling.screen.paint(one_line(trouble, 200), dim=True))


def citation_verified(telling: Telling, state: RunState, event: e.CitationVerified) -> Iterator[str]:
    """The work and who resolved it."""
    work = one_line(event.work.title, 120)
    by = one_line(event.resolved_by)
    yield telling.line(event.at, "", f"citation verified by {by}: {one_line(event.key)}, {work}")
