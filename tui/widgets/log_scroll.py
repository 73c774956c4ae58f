"""Moving over a log with keys, wheel and scroll bar."""

from __future__ import annotations

from math import ceil
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scrollbar import ScrollDown, ScrollTo, ScrollUp

from tui.widgets.log_lines import LogLines

WHEEL_ROWS = 3
SIDE_COLUMNS = 8
BAR_PAGES = 20
"""Screens that the scroll bar pretends a long log to have."""


class LogScroll(LogLines):
    """The lines of a log, moved. Where the reader is, the page knows; the scroll bar only tells it."""

    class Moved(Message):
        """The reader has moved."""

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

    def on_log_lines_laid_out(self) -> None:
        """Let the scroll bar follow what came or a new size."""
        self._sync_scroll_bar()

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
            self.set_reactive(LogScroll.scroll_y, place)
            self.set_reactive(LogScroll.scroll_target_y, place)
            self.vertical_scrollbar.position = place

    def _moved(self) -> None:
        self.laid_out = True
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
        self.left = min(max(0, self.left + steps * SIDE_COLUMNS), max(0, widest - self.columns // 2))
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
