"""A screenful of a log, painted line by line and moved by keys and mouse."""

from __future__ import annotations

import textwrap
from math import ceil
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollDown, ScrollTo, ScrollUp
from textual.selection import Selection
from textual.strip import Strip

from tui.log_document import Item
from tui.log_lines import ShownLine
from tui.log_page import LogPage, Row
from tui.log_search import LinePattern
from tui.log_times import LogTimes
from tui.wording import clock

WHEEL_ROWS = 3
SIDE_COLUMNS = 8
BAR_PAGES = 20
"""Screens that the scroll bar pretends a long log to have."""

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
    """

    class Moved(Message):
        """The reader has moved."""

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
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"log--muted", "log--found", "log--marked"}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", id="log.down", show=False),
        Binding("k,up", "move(-1)", "Up", id="log.up", show=False),
        Binding("ctrl+d", "move_share(0.5)", "Half a page down", id="log.half_down", show=False),
        Binding("ctrl+u", "move_share(-0.5)", "Half a page up", id="log.half_up", show=False),
        Binding("pagedown,space", "move_share(1.0)", "Page down", id="log.page_down", show=False),
        Binding("pageup", "move_share(-1.0)", "Page up", id="log.page_up", show=False),
        Binding("g,home", "first", "Beginning", id="log.first", show=False),
        Binding("G,end", "last", "End", id="log.last", show=False),
        Binding("h,left", "sideways(-1)", "Left", id="log.left", show=False),
        Binding("l,right", "sideways(1)", "Right", id="log.right", show=False),
        Binding("F", "follow", "follow", id="log.follow"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.page: LogPage | None = None
        self.highlight: LinePattern | None = None
        self.marked: int | None = None
        self.times: LogTimes | None = None
        self.remark = ""
        self._left = 0
        self._laid_out = False

    @property
    def allow_select(self) -> bool:
        """Text can be selected with the mouse."""
        return True

    def show_page(self, page: LogPage | None) -> None:
        """Show another log, or none."""
        self.page, self.marked, self._left = page, None, 0
        self.repaint()

    def repaint(self) -> None:
        """Paint what the log is now, at the next refresh."""
        self._laid_out = False
        self.refresh()

    def lay_out(self) -> LogPage | None:
        """The page with the rows of the screen as it is now; None without a log."""
        page = self.page
        if page is None:
            return None
        size = (self._columns, max(1, self.size.height))
        if not self._laid_out or (page.width, page.height) != size:
            page.width, page.height = size
            page.lay_out()
            self._laid_out = True
            self.call_later(self._sync_scroll_bar)
        return page

    @property
    def _columns(self) -> int:
        return max(1, self.size.width - (TIMES_COLUMNS if self.times is not None else 0))

    def on_resize(self) -> None:
        """Lay the page out for the new size."""
        self.repaint()

    # Painting

    def render_line(self, y: int) -> Strip:
        """One row of the screen."""
        page, width, style = self.lay_out(), self.size.width, self.rich_style
        if page is None or y >= len(page.rows):
            return self._remark_strip(y) if page is None or not page.rows else Strip.blank(width, style)
        row = page.rows[y]
        if row.item.first <= (-1 if self.marked is None else self.marked) <= row.item.shown:
            style += self.get_component_rich_style("log--marked", partial=True)
        columns = self._columns
        strip = self._text_strip(row, columns, style)
        if self.times is None:
            return strip
        seconds = None if row.number else self.times.at(row.item.shown)
        stamp = "" if seconds is None else f"+{clock(seconds)}"
        muted = style + self.get_component_rich_style("log--muted", partial=True)
        return Strip.join([Strip([Segment(f"{stamp:>{TIMES_COLUMNS - 1}} ", muted)], TIMES_COLUMNS), strip])

    def _remark_strip(self, y: int) -> Strip:
        """A row of what is said where there is no line."""
        width, style = self.size.width, self.rich_style
        rows = ["", *textwrap.wrap(self.remark, max(1, width - 2))]
        text = f" {rows[y]}" if y < len(rows) else ""
        muted = style + self.get_component_rich_style("log--muted", partial=True)
        return Strip([Segment(text, muted)]).adjust_cell_length(width, style)

    def _text_strip(self, row: Row, width: int, style: Style) -> Strip:
        """A row's text, exactly so wide."""
        page, line = self.page, row.line
        left = 0 if page is None or page.wraps else self._left
        begin, end, blank = visible(line, row.begin, row.end, left, width)
        text = self._styled(row.item, line)[begin:end]
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

    def _sync_scroll_bar(self) -> None:
        """Let the scroll bar tell where the page is in the log."""
        page, height = self.page, max(1, self.size.height)
        lines = page.document.index.lines if page is not None else 0
        fits = page is None or (page.at_end and page.top == 0 and page.skipped == 0)
        pages = 1 if fits else min(BAR_PAGES, max(2, ceil(lines / height)))
        if self.virtual_size.height != pages * height:
            self.virtual_size = Size(self.size.width, pages * height)
        place = 0.0 if page is None else page.share * (pages - 1) * height
        if abs(place - self.scroll_y) >= 1 / 8:
            self.set_reactive(LogLines.scroll_y, place)
            self.set_reactive(LogLines.scroll_target_y, place)
            self.vertical_scrollbar.position = place

    # Moving

    def _moved(self) -> None:
        self._laid_out = True
        self.refresh()
        self._sync_scroll_bar()
        self.post_message(self.Moved())

    def action_move(self, rows: int) -> None:
        """Move down, or up."""
        if (page := self.lay_out()) is not None:
            page.scroll(rows)
            self._moved()

    def action_move_share(self, share: float) -> None:
        """Move by a share of the screen."""
        self.action_move(int(share * max(1, self.size.height - 1)) or (1 if share > 0 else -1))

    def action_first(self) -> None:
        """Go to the beginning."""
        if (page := self.lay_out()) is not None:
            page.go_first()
            self._moved()

    def action_last(self) -> None:
        """Go to the end, and follow it."""
        if (page := self.lay_out()) is not None:
            page.follow()
            self._moved()

    def action_follow(self) -> None:
        """Follow the end, or stay here."""
        if (page := self.lay_out()) is not None:
            if page.follows:
                page.follows = False
            else:
                page.follow()
            self._moved()

    def action_sideways(self, steps: int) -> None:
        """Show what lies to the left or the right of lines that are cut."""
        if (page := self.lay_out()) is None or page.wraps:
            return
        widest = max((row.line.columns[-1] for row in page.rows), default=0)
        self._left = min(max(0, self._left + steps * SIDE_COLUMNS), max(0, widest - self._columns // 2))
        self._moved()

    def go_to(self, offset: int) -> None:
        """Show the line that starts at an offset, and mark it."""
        if (page := self.lay_out()) is not None:
            self.marked = offset
            page.go_to(offset)
            self._moved()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move down; with shift or ctrl, to the right."""
        self._wheel(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move up; with shift or ctrl, to the left."""
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseScrollDown | events.MouseScrollUp, direction: int) -> None:
        event.stop()
        event.prevent_default()
        if event.ctrl or event.shift:
            self.action_sideways(direction)
        else:
            self.action_move(direction * WHEEL_ROWS)

    def on_scroll_to(self, message: ScrollTo) -> None:
        """Go where the scroll bar was dragged to."""
        message.stop()
        message.prevent_default()
        if (page := self.lay_out()) is not None and message.y is not None and self.max_scroll_y:
            page.go_to_share(message.y / self.max_scroll_y)
            self._moved()

    def on_scroll_up(self, message: ScrollUp) -> None:
        """A click above the scroll bar's handle."""
        message.stop()
        message.prevent_default()
        self.action_move_share(-1.0)

    def on_scroll_down(self, message: ScrollDown) -> None:
        """A click below the scroll bar's handle."""
        message.stop()
        message.prevent_default()
        self.action_move_share(1.0)

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
