"""The line in which it is typed what to search for on a page, and which then tells what was found."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from tui.safe_text import one_line
from tui.widgets.fields import PromptLine
from tui.widgets.page_reader import PageReader


class SearchLine(Horizontal):
    """Takes no room as long as nothing is searched for."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "search", id="search.take"),
        Binding("escape", "give_up", "cancel", id="search.cancel"),
    ]

    DEFAULT_CSS = """
    SearchLine { height: 1; display: none; padding: 0 1; }
    SearchLine.-shown { display: block; }
    SearchLine > .sign { width: 1; color: $accent; text-style: bold; }
    SearchLine > PromptLine { width: 1fr; background: $background; color: $foreground; display: none; }
    SearchLine.-asks > PromptLine { display: block; }
    SearchLine > PromptLine:focus { background: $panel; }
    SearchLine > .found { width: auto; color: $muted; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._page: PageReader | None = None

    def compose(self) -> ComposeResult:
        """A sign, what is typed, and what was found."""
        yield Static("/", classes="sign", markup=False)
        yield PromptLine(self.action_take)
        yield Static(classes="found")

    def ask(self, page: PageReader) -> None:
        """Ask what to search for on a page."""
        self._page = page
        page.begin_search()
        field = self.query_one(Input)
        with field.prevent(Input.Changed):
            field.value = page.search_text
        self.set_class(True, "-asks")
        self.tell(page)
        self.screen.set_focus(field)

    def tell(self, page: PageReader) -> None:
        """Say what is searched for on a page, and what was found; nothing where there is no search."""
        asks = self.has_class("-asks")
        if page is not self._page and asks:
            return
        self._page = page
        self.set_class(asks or bool(page.search_text), "-shown")
        found = page.found_words() if page.search_text else ""
        text = "" if asks else f"{one_line(page.search_text)}   "
        self.query_one(".found", Static).update(Content.assemble((text, "$foreground"), f"{found}"))

    def hide(self) -> None:
        """Say nothing while something is read that is searched in another way."""
        self.remove_class("-shown", "-asks")

    def action_take(self) -> None:
        """Go on reading; n and N go from match to match."""
        typed = self.query_one(Input).value.strip()
        if self._page is not None and typed != self._page.search_text:
            self._page.search(typed)
        self._close()

    def action_give_up(self) -> None:
        """Search for nothing."""
        if self._page is not None:
            self._page.search("")
        self._close()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search while it is typed."""
        event.stop()
        if self._page is not None and self.has_class("-asks"):
            self._page.search(event.value)

    def _close(self) -> None:
        self.set_class(False, "-asks")
        if self._page is not None:
            self.tell(self._page)
            self.screen.set_focus(self._page)
