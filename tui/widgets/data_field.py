"""A field for files that are given to a run: completed as they are typed, and said what they are."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static

from core.errors import FumehoodError
from tui.file_words import FileSuggester, files_in_words
from tui.widgets.fields import OneLine

EXAMPLE = "files, with spaces between them; right completes"
KEPT, TO_MODAL = "A copy is kept with the run", "another goes to Modal, into a volume of the run's own"


class DataField(Vertical):
    """A line for paths, and below it what was named."""

    DEFAULT_CSS: ClassVar[str] = """
    DataField { height: auto; }
    DataField #data { width: 1fr; }
    DataField .about { width: 1fr; height: auto; color: $muted; }
    """

    def compose(self) -> ComposeResult:
        """The rows."""
        field = OneLine(id="data", placeholder=EXAMPLE, compact=True, suggester=FileSuggester())
        yield Horizontal(Static(Content("Data"), classes="label"), field, classes="row")
        yield Horizontal(Static(classes="label"), Static(classes="about"), classes="row")

    def look(self, *, at_modal: bool) -> None:
        """Say what was typed; what is wrong with it is said with everything else.

        Args:
            at_modal: whether the files go to Modal, too.
        """
        text = self.query_one("#data", Input).value
        about = self.query_one(".about", Static)
        said = ""
        if text.strip():
            try:
                said = f"{files_in_words(text)}. {KEPT}{f'; {TO_MODAL}' if at_modal else ''}."
            except FumehoodError:
                said = ""
        about.update(Content(said))
        row = about.parent
        assert isinstance(row, Horizontal)
        row.display = bool(said)
