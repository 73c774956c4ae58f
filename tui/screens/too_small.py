"""What is shown where nothing useful fits."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.screen import Screen
from textual.widgets import Static

LEAST_COLUMNS, LEAST_ROWS = 60, 12


def is_too_small(size: Size) -> bool:
    """Whether a terminal is too small for the console."""
    return size.width < LEAST_COLUMNS or size.height < LEAST_ROWS


class TooSmall(Screen[None]):
    """Says that the terminal is too small; it goes by itself once it is larger."""

    DEFAULT_CSS = """
    TooSmall { align: center middle; background: $background; color: $foreground; }
    TooSmall > Static { width: auto; max-width: 100%; text-align: center; }
    """

    BINDING_GROUP_TITLE = "Too small"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "app.detach", "detach", id="too_small.detach"),
        Binding("question_mark,comma,colon,ctrl+p,escape", "nothing", show=False, id="too_small.nothing"),
    ]

    def compose(self) -> ComposeResult:
        """The words."""
        yield Static(markup=False)

    def on_mount(self) -> None:
        """Say it."""
        self._say(self.app.size)

    def on_resize(self, event: events.Resize) -> None:
        """Say it anew."""
        self._say(event.size)

    def action_nothing(self) -> None:
        """Open nothing here."""

    def _say(self, size: Size) -> None:
        self.query_one(Static).update(
            f"fumehood needs {LEAST_COLUMNS}×{LEAST_ROWS}\nthis is {size.width}×{size.height}\n\nq detaches"
        )
