"""The sections of a paper, to go to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from tui.paper_layout import Heading
from tui.widgets.lines import fitted, under_cursor
from tui.widgets.page_view import PageView

INDENT = 2


class Outline(PageView):
    """Sections as lines; the one that is read is marked."""

    BINDING_GROUP_TITLE = "Outline"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "step(1)", "down", show=False, id="outline.down"),
        Binding("up,k", "step(-1)", "up", show=False, id="outline.up"),
        Binding("home,g", "step(-100000)", "top", show=False, id="outline.top"),
        Binding("end,G", "step(100000)", "bottom", show=False, id="outline.bottom"),
        Binding("enter", "choose", "go there", id="outline.choose"),
    ]

    class Moved(Message):
        """A section is to be shown; the outline stays."""

        def __init__(self, section: int) -> None:
            super().__init__()
            self.section = section

    class Chosen(Moved):
        """A section is to be read."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._headings: Sequence[Heading] = ()
        self._cursor = 0

    def show(self, headings: Sequence[Heading], section: int) -> None:
        """Show sections.

        Args:
            headings: all of them.
            section: the place of the one that is read; -1 for none.
        """
        self._headings = headings
        if not self.has_focus or self._cursor >= len(headings):
            self._cursor = max(0, section)
        self._draw()

    def on_resize(self) -> None:
        """Fill another width."""
        self._draw()

    def watch_has_focus(self, _has_focus: bool) -> None:
        """The cursor is marked where keys go; where they go elsewhere, it steps back."""
        super().watch_has_focus(_has_focus)
        self._draw()

    def on_click(self, event: events.Click) -> None:
        """Read the section under the mouse."""
        y = event.y + self.scroll_offset.y
        if 0 <= y < len(self._headings):
            self._cursor = y
            self.post_message(self.Chosen(y))

    def action_step(self, sections: int) -> None:
        """Move the cursor, and the paper with it."""
        self._cursor = min(max(0, self._cursor + sections), max(0, len(self._headings) - 1))
        self._draw()
        self.post_message(self.Moved(self._cursor))

    def action_choose(self) -> None:
        """Read the section under the cursor."""
        self.post_message(self.Chosen(self._cursor))

    def _draw(self) -> None:
        lines = []
        for place, heading in enumerate(self._headings):
            here = place == self._cursor
            mark = ("▌", "$accent") if here and self.has_focus else (" ", "")
            style = "bold" if here else "$muted" if heading.level > 1 else ""
            indent = " " * (INDENT * min(heading.level - 1, 3))
            line = fitted(Content.assemble(mark, f"{indent} ", (heading.text, style)), self.size.width)
            lines.append(under_cursor(line, self) if here else line)
        self.set_lines(lines)
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if not top <= self._cursor < top + height:
            self.scroll_to(y=max(0, self._cursor - height // 2), animate=False, immediate=True)
