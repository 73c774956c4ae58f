"""A page of lines that are drawn only while they are seen; the ground of every long part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.content import Content
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

KEPT_STRIPS = 1000
"""Drawn lines that are kept; more than any terminal has."""

MOST_CHARACTERS = 2000
"""Characters of one line that are drawn; a longer one ends in an ellipsis."""


class PageView(ScrollView, can_focus=True):
    """Lines of any number. Nothing is a widget, and nothing is kept but the lines themselves.

    Attributes:
        lines: what is shown, each one line high; hostile text must be made safe before.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "page_by(1)", "down", show=False, id="page.down"),
        Binding("up,k", "page_by(-1)", "up", show=False, id="page.up"),
        Binding("pagedown,ctrl+d", "page_by_half(1)", "half a page down", show=False, id="page.half_down"),
        Binding("pageup,ctrl+u", "page_by_half(-1)", "half a page up", show=False, id="page.half_up"),
        Binding("home,g", "page_to_top", "top", show=False, id="page.top"),
        Binding("end,G", "page_to_bottom", "bottom", show=False, id="page.bottom"),
        Binding("right,l", "page_sideways(8)", "right", show=False, id="page.right"),
        Binding("left,h", "page_sideways(-8)", "left", show=False, id="page.left"),
    ]

    DEFAULT_CSS = """
    PageView {
        background: $background;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 0;
        scrollbar-color: $line;
        scrollbar-background: $background;
        scrollbar-color-hover: $muted;
        scrollbar-background-hover: $background;
        scrollbar-color-active: $accent;
        scrollbar-background-active: $background;
        overflow-x: hidden;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.lines: Sequence[Content] = ()
        self._strips: LRUCache[tuple[int, int], Strip] = LRUCache(KEPT_STRIPS)

    @property
    def at_bottom(self) -> bool:
        """Whether the last line is seen."""
        return self.scroll_offset.y >= self.max_scroll_y

    def set_lines(self, lines: Sequence[Content], *, follow: bool = False) -> None:
        """Show other lines; only those that are seen and differ are drawn anew.

        Args:
            lines: each one line high.
            follow: go to the last line.
        """
        before, top, height = self.lines, self.scroll_offset.y, self.size.height
        self.lines = lines
        self._strips.clear()
        size = Size(self._widest(), len(lines))
        if size != self.virtual_size:
            self.virtual_size = size
        for y in range(height):
            old = before[top + y] if top + y < len(before) else None
            new = lines[top + y] if top + y < len(lines) else None
            if old is not new and (old is None or new is None or not old.is_same(new)):
                self.refresh(Region(0, y, self.size.width, 1))
        if follow and not self.at_bottom:
            self.scroll_end(animate=False, force=True, immediate=True)

    def _widest(self) -> int:
        """Columns of the page; wrapped pages are as wide as the view."""
        return self.size.width

    def line_at(self, y: int) -> Content:
        """The line to draw at a place; subclasses mark the one under the cursor here."""
        return self.lines[y]

    def notify_style_update(self) -> None:
        """Colours changed: draw everything anew."""
        super().notify_style_update()
        self._strips.clear()

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        x, top = self.scroll_offset
        width, row = self.size.width, top + y
        if row >= len(self.lines):
            return Strip.blank(width, self.rich_style)
        strip = self._strips.get((row, width))
        if strip is None:
            content = self.line_at(row)
            if len(content) > MOST_CHARACTERS:
                content = content[:MOST_CHARACTERS].append("…")
            drawn = Visual.to_strips(self, content, max(width, content.cell_length), 1, self.visual_style)
            strip = drawn[0] if drawn else Strip.blank(width, self.rich_style)
            self._strips[(row, width)] = strip
        return strip.crop_extend(x, x + width, self.rich_style)

    def action_page_by(self, lines: int) -> None:
        """Move by lines."""
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False)

    def action_page_by_half(self, direction: int) -> None:
        """Move by half a page."""
        self.scroll_to(y=self.scroll_offset.y + direction * max(1, self.size.height // 2), animate=False)

    def action_page_to_top(self) -> None:
        """Go to the first line."""
        self.scroll_home(animate=False)

    def action_page_to_bottom(self) -> None:
        """Go to the last line."""
        self.scroll_end(animate=False)

    def action_page_sideways(self, columns: int) -> None:
        """Move sideways, where lines are wider than the view."""
        self.scroll_to(x=self.scroll_offset.x + columns, animate=False)
