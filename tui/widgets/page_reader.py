"""A page that can be searched and copied, as a log can."""

from __future__ import annotations

import re
from typing import ClassVar, Protocol, runtime_checkable

from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from tui.clipboard import copy
from tui.widgets.page_view import PageView
from tui.wording import counted

CONTEXT_LINES = 2
"""Lines above a match that stay in sight."""


@runtime_checkable
class Searching(Protocol):
    """A screen on which it can be typed what to search for."""

    def ask_search(self, page: PageReader) -> None:
        """Type what to search for on a page."""


class PageReader(PageView):
    """A page with ``/``, ``n`` and ``N``, and with ``y``.

    Attributes:
        search_text: what is searched for; empty for nothing.
        found_at: the line of the match that was gone to; None for none.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "ask_search", "search", show=False, key_display="/", id="page.search"),
        Binding("n", "next_match(1)", "next match", show=False, id="page.next_match"),
        Binding("N", "next_match(-1)", "previous match", show=False, id="page.previous_match"),
        Binding("y", "copy", "copy", show=False, id="page.copy"),
        Binding("escape", "clear_search", "end the search", show=False, id="page.clear"),
    ]

    class Searched(Message):
        """A search has begun, gone on or ended."""

        def __init__(self, page: PageReader) -> None:
            super().__init__()
            self.page = page

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.search_text = ""
        self.found_at: int | None = None
        self._before = 0

    def search(self, text: str) -> None:
        """Search for a text from where the search began; empty for nothing.

        Args:
            text: as it is typed; without capitals it stands for those, too.
        """
        self.search_text = text.strip()
        matches = self.matches()
        self.found_at = next((y for y in matches if y >= self._before), matches[0] if matches else None)
        self._show_match()

    def begin_search(self) -> None:
        """Search from here on."""
        self._before = self.scroll_offset.y

    def matches(self) -> list[int]:
        """The lines that have in them what is searched for."""
        if (pattern := self._pattern()) is None:
            return []
        return [y for y in range(len(self.lines)) if pattern.search(self.words_at(y))]

    def words_at(self, y: int) -> str:
        """A line as it is searched."""
        return self.lines[y].plain

    def found_words(self) -> str:
        """How many matches there are, and which is shown: ``3/17``."""
        matches = self.matches()
        if not matches:
            return "nothing found"
        place = matches.index(self.found_at) + 1 if self.found_at in matches else 0
        return f"{place}/{len(matches)}" if place else counted(len(matches), "line")

    def show_line(self, y: int) -> None:
        """Bring a line into sight."""
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if not top <= y < top + height:
            self.scroll_to(y=max(0, y - CONTEXT_LINES), animate=False, immediate=True)

    def text_to_copy(self) -> str:
        """What ``y`` copies: what is in sight."""
        top = self.scroll_offset.y
        shown = (
            self.lines[y].plain.rstrip() for y in range(top, min(len(self.lines), top + self.size.height))
        )
        return "\n".join(shown).strip("\n")

    def line_at(self, y: int) -> Content:
        """A line with what was found in it."""
        line = super().line_at(y)
        if (pattern := self._pattern()) is None:
            return line
        style = "bold reverse" if self.app.no_color else "$background on $waiting"
        for match in pattern.finditer(line.plain):
            line = line.stylize(style, *match.span())
        return line

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a search its keys are free for others."""
        return action != "next_match" or bool(self.search_text)

    def action_ask_search(self) -> None:
        """Type what to search for."""
        if isinstance(screen := self.screen, Searching):
            screen.ask_search(self)  # at once: what is typed next is meant for the field

    def action_next_match(self, step: int) -> None:
        """Go to the next match, or the one before; at an end, on from the other."""
        matches = self.matches()
        if not matches:
            return
        here = self.scroll_offset.y if self.found_at is None else self.found_at
        if step > 0:
            self.found_at = next((y for y in matches if y > here), matches[0])
        else:
            self.found_at = next((y for y in reversed(matches) if y < here), matches[-1])
        self._show_match()

    def action_clear_search(self) -> None:
        """End the search."""
        if not self.search_text:
            raise SkipAction
        self.search("")

    async def action_copy(self) -> None:
        """Copy what the page has to copy."""
        if not (text := self.text_to_copy()):
            return
        where = await copy(self.app, text)
        self.notify(f"{counted(text.count(chr(10)) + 1, 'line')} copied to {where}.", timeout=2, markup=False)

    def _pattern(self) -> re.Pattern[str] | None:
        """What is searched for; capitals count only where some were typed."""
        text = self.search_text
        if not text:
            return None
        return re.compile(re.escape(text), re.IGNORECASE if text == text.lower() else 0)

    def _show_match(self) -> None:
        self._strips.clear()
        self.refresh()
        if self.found_at is not None:
            self.show_line(self.found_at)
        self.post_message(self.Searched(self))
