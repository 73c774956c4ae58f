"""A screenful of a log, painted line by line."""

from __future__ import annotations

import textwrap
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from tui.log_document import Item
from tui.log_lines import ShownLine
from tui.log_page import LogPage, Row
from tui.log_search import LinePattern
from tui.log_times import LogTimes
from tui.wording import clock

TIMES_COLUMNS = 9
COPIED_BYTES = 1024 * 1024
"""The most of a log that is copied at once."""


class LogLines(ScrollView, can_focus=True):
    """Shows a page of a log; nothing is done for lines that are not on the screen.

    Attributes:
        page: where the reader is.
        highlight: what is searched for.
        marked: where the line starts that was jumped to, bytes; None without a jump.
        times: when lines came; None where times are not shown.
        remark: what to say where there is no line.
        left: columns that are scrolled out at the left.
    """

    class LaidOut(Message):
        """The screen was laid out anew."""

    DEFAULT_CSS = """
    LogLines {
        height: 1fr; background: $background; color: $foreground; padding: 0 0 0 1;
        overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1;
        scrollbar-color: $line; scrollbar-color-hover: $muted; scrollbar-color-active: $accent;
        scrollbar-background: $background; scrollbar-background-hover: $background;
        scrollbar-background-active: $background;
    }
    LogLines > .log--muted { color: $muted; }
    LogLines > .log--found { color: $background; background: $waiting; }
    LogLines > .log--marked { background: $panel; }
    LogLines:ansi > .log--marked { background: $background; text-style: bold underline; }
    LogLines:nocolor > .log--found { text-style: reverse; }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"log--muted", "log--found", "log--marked"}

    def __init__(self) -> None:
        super().__init__()
        self.page: LogPage | None = None
        self.highlight: LinePattern | None = None
        self.marked: int | None = None
        self.times: LogTimes | None = None
        self.remark = ""
        self.left = 0
        self.laid_out = False
        self._style: Style | None = None

    @property
    def allow_select(self) -> bool:
        """Text can be selected with the mouse."""
        return True

    def show_page(self, page: LogPage | None) -> None:
        """Show another log, or none."""
        self.page, self.marked, self.left = page, None, 0
        self.repaint()

    def repaint(self) -> None:
        """Paint what the log is now, at the next refresh."""
        self.laid_out = False
        self._style = None
        self.refresh()

    def lay_out(self) -> LogPage | None:
        """The page with the rows of the screen as it is now; None without a log."""
        page = self.page
        if page is None:
            return None
        size = (self.columns, max(1, self.size.height))
        if not self.laid_out or (page.width, page.height) != size:
            page.width, page.height = size
            page.lay_out()
            self.laid_out = True
            self.post_message(self.LaidOut())
        return page

    @property
    def columns(self) -> int:
        """Columns that lines have."""
        return max(1, self.size.width - (TIMES_COLUMNS if self.times is not None else 0))

    def on_resize(self) -> None:
        """Lay the page out for the new size."""
        self.repaint()

    # Painting

    def render_line(self, y: int) -> Strip:
        """One row of the screen."""
        page, width, style = self.lay_out(), self.size.width, self._line_style()
        if page is None or y >= len(page.rows):
            return self._remark_strip(y) if page is None or not page.rows else Strip.blank(width, style)
        row = page.rows[y]
        if row.item.first <= (-1 if self.marked is None else self.marked) <= row.item.shown:
            style += self.get_component_rich_style("log--marked", partial=True)
        columns = self.columns
        strip = self._text_strip(row, columns, style)
        if self.times is None:
            return strip
        seconds = None if row.number else self.times.at(row.item.shown)
        stamp = "" if seconds is None else f"+{clock(seconds)}"
        muted = style + self.get_component_rich_style("log--muted", partial=True)
        return Strip.join([Strip([Segment(f"{stamp:>{TIMES_COLUMNS - 1}} ", muted)], TIMES_COLUMNS), strip])

    def _line_style(self) -> Style:
        """The style of lines; found once a painting, because it takes as long as a line."""
        if self._style is None:
            self._style = self.rich_style
        return self._style

    def notify_style_update(self) -> None:
        """Colours have changed."""
        self._style = None
        super().notify_style_update()

    def _remark_strip(self, y: int) -> Strip:
        """A row of what is said where there is no line."""
        width, style = self.size.width, self._line_style()
        rows = ["", *textwrap.wrap(self.remark, max(1, width - 2))]
        text = f" {rows[y]}" if y < len(rows) else ""
        muted = style + self.get_component_rich_style("log--muted", partial=True)
        return Strip([Segment(text, muted)]).adjust_cell_length(width, style)

    def _text_strip(self, row: Row, width: int, style: Style) -> Strip:
        """A row's text, exactly so wide."""
        page, line = self.page, row.line
        left = 0 if page is None or page.wraps else self.left
        begin, end, blank = visible(line, row.begin, row.end, left, width)
        text = self._styled(row.item, line)
        if (begin, end) != (0, len(text)):
            text = text[begin:end]
        text.stylize_before(style)
        segments = [Segment(" " * blank, style)] if blank else []
        segments += [segment for segment in text.render(self.app.console) if segment.text]
        cells = blank + line.columns[end] - line.columns[begin]
        strip = Strip(segments, cells).apply_offsets(begin - blank, row.item.shown)
        return strip.extend_cell_length(width, style)

    def _styled(self, item: Item, line: ShownLine) -> Text:
        """A line with what was found in it and what is selected."""
        text, selection = line.text.copy(), self.text_selection
        text.stylize(self.get_component_rich_style("log--muted", partial=True), line.length)
        if self.highlight is not None:
            found = self.get_component_rich_style("log--found", partial=True)
            for match in self.highlight.shown.finditer(line.printed):
                text.stylize(found, *match.span())
        if selection is not None and (span := selection.get_span(item.shown)) is not None:
            end = len(text) if span[1] == -1 else span[1]
            text.stylize(self.screen.get_component_rich_style("screen--selection"), span[0], end)
        return text

    # Selecting

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """What is selected: text as it is shown, without colours; at most ``COPIED_BYTES`` of the log."""
        if self.page is None:
            return None
        document = self.page.document
        document.begin()
        begin = max(0, document.file.size - COPIED_BYTES) if selection.start is None else selection.start.y
        end = document.file.size if selection.end is None else selection.end.y
        end = min(end, begin + COPIED_BYTES)
        lines, item = [], document.at(begin)
        while item is not None and item.shown <= end:
            if (span := selection.get_span(item.shown)) is not None:
                lines.append(document.line(item).printed[span[0] : None if span[1] == -1 else span[1]])
            item = document.after(item)
        return "\n".join(lines), "\n"

    def shown_text(self) -> str:
        """What is on the screen, without colours; lines that are cut at its edge are whole."""
        page = self.lay_out()
        rows = page.rows if page is not None else ()
        return "\n".join({row.item: row.line.printed for row in rows}.values())


def visible(line: ShownLine, begin: int, end: int, left: int, width: int) -> tuple[int, int, int]:
    """Which characters of a line are on the screen.

    Args:
        line: the line.
        begin: the first character that may be shown.
        end: the character behind the last that may be shown.
        left: columns that are scrolled out at the left.
        width: columns of the screen.

    Returns:
        The first character, the one behind the last, and the columns to leave blank before them,
        where a wide character is cut in two.
    """
    columns = line.columns
    origin = columns[begin] + left
    first = begin
    while first < end and columns[first] < origin:
        first += 1
    last = first
    while last < end and columns[last + 1] <= origin + width:
        last += 1
    blank = columns[first] - origin if first < last else 0
    return first, last, blank
