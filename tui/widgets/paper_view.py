"""A paper on one page, whose bound numbers and citations can be gone to and opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from markdown_it.token import Token
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from tui.paper_layout import Layout, Place, lay_out, read_markdown
from tui.widgets.page_reader import PageReader

WIDEST_COLUMNS = 88
"""A line that is longer is hard to read."""

MARGIN_COLUMNS = 2
CONTEXT_LINES = 3


class PaperView(PageReader):
    """The paper.

    Attributes:
        laid_out: the paper as lines.
        chosen: the place in ``laid_out.numbers`` of the number that was gone to; None for none.
    """

    BINDING_GROUP_TITLE = "Paper"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "page_by_half(2)", "a page down", show=False, id="paper.page_down"),
    ]

    class Opened(Message):
        """What a number rests on is to be shown."""

        def __init__(self, number_id: str) -> None:
            super().__init__()
            self.number_id = number_id

    class Moved(Message):
        """The paper was scrolled."""

    class Laid(Message):
        """The paper has another size."""

    class Gone(Message):
        """Another number was gone to."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.laid_out = Layout()
        self.chosen: int | None = None
        self._tokens: Sequence[Token] = ()
        self._columns = 0

    def show(self, text: str) -> None:
        """Show a paper.

        Args:
            text: its Markdown.
        """
        self._tokens = read_markdown(text)
        self._columns = 0
        self.chosen = None
        self._lay_out()

    def on_resize(self) -> None:
        """Lay the paper out for another width, and stay at the same place of it."""
        self._lay_out()

    @property
    def number(self) -> Place | None:
        """The number that was gone to."""
        return None if self.chosen is None else self.laid_out.numbers[self.chosen]

    @property
    def section(self) -> int:
        """The place in ``laid_out.headings`` of the section at the top; -1 before the first."""
        top = self.scroll_offset.y + 1
        return sum(heading.line <= top for heading in self.laid_out.headings) - 1

    def line_at(self, y: int) -> Content:
        """A line, with the number that was gone to marked in it, and a margin before it."""
        line = super().line_at(y)
        style = "bold reverse" if self.app.no_color else "$background on $accent bold"
        if (number := self.number) is not None:
            for piece in number.pieces:
                if piece.line == y:
                    line = line.stylize(style, piece.start, piece.end)
        return line.pad_left(self._margin)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Tell who shows the outline."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(self.Moved())

    def on_click(self, event: events.Click) -> None:
        """Open the number under the mouse."""
        y, x = event.y + self.scroll_offset.y, event.x + self.scroll_offset.x - self._margin
        for place, number in enumerate(self.laid_out.numbers):
            for piece in number.pieces:
                if piece.line == y and self._columns_of(y, piece.start) <= x < self._columns_of(y, piece.end):
                    self._choose(place)
                    self.open_number()
                    return

    def go_to_section(self, place: int) -> None:
        """Show a section from its heading on."""
        self.scroll_to(y=self.laid_out.headings[place].line, animate=False)

    def step_section(self, direction: int) -> None:
        """Go to the next or the previous section."""
        lines = [heading.line for heading in self.laid_out.headings]
        top = self.scroll_offset.y
        later = [line for line in lines if line > top]
        earlier = [line for line in lines if line < top]
        target = (later[0] if later else None) if direction > 0 else (earlier[-1] if earlier else 0)
        if target is not None:
            self.scroll_to(y=target, animate=False)

    def step_number(self, direction: int) -> None:
        """Go to the next or the previous number; the first time, to the first one in sight."""
        numbers = self.laid_out.numbers
        if not numbers:
            return
        if self.chosen is None or not self._in_sight(numbers[self.chosen]):
            self._choose(self._first_in_sight(direction))
        else:
            self._choose((self.chosen + direction) % len(numbers))

    def leave_number(self) -> None:
        """Mark no number any more."""
        self.chosen = None
        self._strips.clear()
        self.refresh()

    def open_number(self) -> None:
        """Show what the number rests on; where none was gone to, that of the first in sight."""
        if self.number is None:
            self.step_number(1)
        if number := self.number:
            self.post_message(self.Opened(number.number_id))

    def go_to_reference(self, name: str) -> None:
        """Show an entry of the reference list; where it is in sight already, go back to the citation.

        Args:
            name: ``ref-`` and the key of the work.
        """
        line = self.laid_out.references.get(name)
        if line is None:
            return
        top = self.scroll_offset.y
        if top <= line < top + max(1, self.size.height):
            self.bring_number_into_sight()
        else:
            self.show_line(line)

    def _choose(self, place: int) -> None:
        self.chosen = place
        self._strips.clear()
        self.refresh()
        self.bring_number_into_sight()
        self.post_message(self.Gone())

    def bring_number_into_sight(self) -> None:
        """Scroll to the number that was gone to, where it cannot be seen."""
        number = self.number
        if number is not None and not self._in_sight(number):
            y = number.pieces[0].line - CONTEXT_LINES
            below = number.pieces[-1].line - self.size.height + CONTEXT_LINES + 1
            self.scroll_to(y=max(0, y if y < self.scroll_offset.y else below), animate=False, immediate=True)

    def _in_sight(self, number: Place) -> bool:
        top = self.scroll_offset.y
        return all(top <= piece.line < top + max(1, self.size.height) for piece in number.pieces)

    def _first_in_sight(self, direction: int) -> int:
        numbers, top = self.laid_out.numbers, self.scroll_offset.y
        if direction > 0:
            return next((i for i, it in enumerate(numbers) if it.pieces[0].line >= top), 0)
        bottom = top + self.size.height
        before = [i for i, it in enumerate(numbers) if it.pieces[-1].line < bottom]
        return before[-1] if before else len(numbers) - 1

    def _columns_of(self, y: int, characters: int) -> int:
        return self.laid_out.lines[y][:characters].cell_length

    @property
    def _margin(self) -> int:
        return max(MARGIN_COLUMNS, (self.size.width - WIDEST_COLUMNS) // 2)

    def _lay_out(self) -> None:
        columns = min(WIDEST_COLUMNS, self.size.width - 2 * MARGIN_COLUMNS - 1)
        if columns > 0 and columns != self._columns and self._tokens:
            section, top = self.section, self.scroll_offset.y
            within = top - self.laid_out.headings[section].line if section >= 0 else 0
            self._columns = columns
            self.laid_out = lay_out(self._tokens, columns)
            self.set_lines(self.laid_out.lines)
            if section >= 0 and top:
                y = self.laid_out.headings[section].line + within
                self.scroll_to(y=y, animate=False, immediate=True)
        else:
            self.set_lines(self.laid_out.lines)
        self.post_message(self.Laid())
