"""A log as one reader has it open: the place, the filter, what is searched for, and what is known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from tui.log_document import LogDocument
from tui.log_file import LogFile
from tui.log_page import LogPage
from tui.log_search import ERRORS, REST_SECONDS, SLICE_SECONDS, LinePattern, LogMatches
from tui.log_times import LogTimes
from tui.wording import counted


class OpenLog:
    """A log that is read.

    Attributes:
        document: what is shown of it.
        page: where the reader is.
        times: when its lines came.
        found: what is searched for; None for nothing.
        errors: its lines that say that something went wrong.
    """

    def __init__(self, path: Path) -> None:
        self.document = LogDocument(LogFile(path))
        self.page = LogPage(self.document)
        self.times = LogTimes()
        self.found: LogMatches | None = None
        self.errors = LogMatches(self.document.file, ERRORS)
        self._seen = 0

    @property
    def size(self) -> int:
        """The length of what was seen of it, bytes."""
        return self.document.file.size

    def look(self, seconds: float) -> bool:
        """See what has come; whether anything has.

        Args:
            seconds: since its script was started.
        """
        changed = self.document.file.look()
        self.times.saw(self.size, seconds)
        self.note_seen()
        return changed

    def note_seen(self) -> None:
        """Note that what is at the end now is no news, where the end is on the screen."""
        if self.page.follows:
            self._seen = self.size

    def look_away(self) -> None:
        """Keep nothing but counts until it is read again."""
        self.times.looked_away()
        self.document.rest()

    def work(self, seconds: float) -> bool:
        """Count lines and matches on for a while; whether all is counted."""
        if not self.document.index.extend(seconds):
            return False
        counts = (self.document.filter, self.found)
        return all(matches.extend(seconds) for matches in counts if matches is not None)

    async def count(self, wanted: Callable[[], bool]) -> None:
        """Count all lines and matches, in slices, so that keys are answered in between.

        Args:
            wanted: asked before each slice; counting ends where it is no longer.
        """
        while wanted():
            if self.work(SLICE_SECONDS):
                return
            await asyncio.sleep(REST_SECONDS)

    def search_for(self, pattern: LinePattern | None) -> None:
        """Search for something; None for nothing."""
        within = self.document.filter
        self.found = (
            None if pattern is None else LogMatches(self.document.file, pattern, self.page.top, within)
        )

    def filter_by(self, pattern: LinePattern | None) -> None:
        """Show only lines that match; None for all."""
        self.document.set_filter(pattern, self.page.top)
        within = self.document.filter
        self.errors = LogMatches(self.document.file, ERRORS, self.page.top, within)
        self.search_for(self.found.pattern if self.found else None)

    def place_words(self, *, grows: bool) -> str:
        """Where the reader is, in words: ``following ▾ 1,204 lines``.

        Args:
            grows: whether its script runs.
        """
        index, file = self.document.index, self.document.file
        length = counted(index.lines, "line") if index.done else f"counting… {index.counted_share:.0%}"
        if self.page.follows:
            return f"following ▾ {length}" if grows else length
        newlines = index.newlines_before(self._seen) if self._seen < file.size else 0
        news = index.lines - (newlines or 0) if self._seen < file.size else 0
        parts = [f"▼ {news:,} new" if newlines is not None and index.done else "▼ new"] if news else []
        if self.page.at_end and self.page.top == 0 and self.page.skipped == 0:
            return " · ".join([*parts, length])
        top = self.page.rows[0].item.shown if self.page.rows else 0
        number = index.number(top)
        if number is not None and index.done:
            parts.append(f"line {number:,} of {index.lines:,}")
        else:
            parts.append(f"{self.page.share:.0%} · {length}")
        return " · ".join(parts)

    def found_words(self, marked: int | None) -> str:
        """How much was found, in words: ``3/17``, ``17…`` while it is counted; empty without a search.

        Args:
            marked: where the line starts that was jumped to, bytes.
        """
        if self.found is None:
            return ""
        if not self.found.done:
            return f"{self.found.count:,}…"
        if not self.found.count:
            return "not found"
        place = self.found.place(marked) if marked is not None else None
        return f"{place:,}/{self.found.count:,}" if place is not None else f"{self.found.count:,} found"

    def filter_words(self) -> str:
        """How much the filter shows, in words; empty without a filter."""
        if (matches := self.document.filter) is None:
            return ""
        return f"{matches.count:,}…" if not matches.done else counted(matches.count, "line")
