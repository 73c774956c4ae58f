"""A screenful of a log: which rows are shown, and how it is moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from tui.log_document import Item, LogDocument
from tui.log_lines import ShownLine


class Row(NamedTuple):
    """A row of the screen.

    Attributes:
        item: what it belongs to.
        line: the item as it is shown.
        number: which row of the item it is, from 0.
        begin: its first character.
        end: the character behind its last.
    """

    item: Item
    line: ShownLine
    number: int
    begin: int
    end: int


@dataclass
class LogPage:
    """Where the reader is in a log. Only the place of the top row is kept, in bytes.

    Attributes:
        document: what is shown.
        width: columns of the screen.
        height: rows of the screen.
        wraps: whether lines are broken to the width.
        follows: whether the end is shown, wherever it is.
        top: the place in the log of the item at the top, bytes.
        skipped: rows of that item above the top.
        rows: what the screen shows, as of the last layout.
    """

    document: LogDocument
    width: int = 80
    height: int = 24
    wraps: bool = False
    follows: bool = True
    top: int = 0
    skipped: int = 0
    rows: tuple[Row, ...] = ()
    at_end: bool = True

    def lay_out(self) -> tuple[Row, ...]:
        """Find the rows of the screen anew."""
        self.document.begin()
        rows = [] if self.follows else self._down(self.document.at(self.top), self.skipped)
        if self.follows or (self.at_end and len(rows) < self.height):
            rows, self.at_end = self._up(self.document.last()), True
        if rows:
            self.top, self.skipped = rows[0].item.first, rows[0].number
        self.rows = tuple(rows)
        return self.rows

    def _down(self, item: Item | None, skipped: int) -> list[Row]:
        """Rows from an item on; notes whether they reach the end."""
        rows: list[Row] = []
        while item is not None and len(rows) < self.height + skipped:
            rows += self._rows_of(item)
            item = self.document.after(item)
        del rows[:skipped]
        self.at_end = item is None and len(rows) <= self.height
        return rows[: self.height]

    def _up(self, item: Item | None) -> list[Row]:
        """A screenful of rows that ends with an item."""
        rows: list[Row] = []
        while item is not None and len(rows) < self.height:
            rows[:0] = self._rows_of(item)
            item = self.document.before(item)
        return rows[max(0, len(rows) - self.height) :]

    def _rows_of(self, item: Item) -> list[Row]:
        line = self.document.line(item)
        if not self.wraps:
            return [Row(item, line, 0, 0, len(line.text.plain))]
        return [Row(item, line, number, *span) for number, span in enumerate(line.rows(self.width))]

    def scroll(self, rows: int) -> None:
        """Move down, or up by a negative number of rows. Up stops following; down to the end resumes it."""
        if rows < 0:
            self._scroll_up(-rows)
            return
        self.document.begin()
        item = self.document.at(self.top)
        rows += self.skipped
        while item is not None and rows >= (height := len(self._rows_of(item))):
            following = self.document.after(item)
            if following is None:
                rows = height - 1
                break
            item, rows = following, rows - height
        if item is not None:
            self.top, self.skipped = item.first, rows
        self.lay_out()
        self.follows = self.at_end

    def _scroll_up(self, rows: int) -> None:
        followed, self.follows = self.follows, False
        self.document.begin()
        rows -= self.skipped
        item = self.document.at(self.top)
        while item is not None and rows > 0 and (earlier := self.document.before(item)) is not None:
            item = earlier
            rows -= len(self._rows_of(item))
        if item is not None:
            self.top, self.skipped = item.first, max(0, -rows)
        self.lay_out()
        self.follows = followed and self.at_end

    def go_first(self) -> None:
        """Show the beginning."""
        self.follows, self.top, self.skipped = False, 0, 0
        self.lay_out()

    def follow(self) -> None:
        """Show the end, wherever it will be."""
        self.follows = True
        self.lay_out()

    def go_to(self, offset: int) -> None:
        """Show the line that starts at an offset, a third down the screen unless it is on it already."""
        self.follows = False
        if not any(row.item.first <= offset <= row.item.shown for row in self.rows):
            self.top, self.skipped = offset, 0
            self._scroll_up(self.height // 3)

    def go_to_share(self, share: float) -> None:
        """Show the place at a share of the log, 0 for its beginning and 1 for its end."""
        if share >= 1:
            self.follow()
            return
        self.follows, self.skipped = False, 0
        self.top = int(self.document.file.size * max(0.0, share))
        self.lay_out()

    @property
    def share(self) -> float:
        """How much of the log lies above the screen, of what does not fit on it."""
        if self.at_end or not self.rows:
            return 1.0
        shown = self.rows[-1].item.shown - self.top
        return min(1.0, self.top / max(1, self.document.file.size - shown))
