"""The line below a log in which something is typed: what to search, what to filter, where to save."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal, TypeAlias

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from tui.widgets.fields import PromptLine

Purpose: TypeAlias = Literal["search", "filter", "save"]

LABELS: dict[Purpose, str] = {"search": "/", "filter": "&", "save": "save to"}


class LogPrompt(Horizontal):
    """Asks for one line of text; shown only while it asks.

    Args:
        done: takes the complete text, and closes the prompt.

    Attributes:
        purpose: what it asks for.
    """

    class Typed(Message):
        """The text has changed."""

        def __init__(self, purpose: Purpose, text: str) -> None:
            super().__init__()
            self.purpose = purpose
            self.text = text

    class Given(Message):
        """Nothing is wanted after all."""

        def __init__(self, purpose: Purpose) -> None:
            super().__init__()
            self.purpose = purpose

    DEFAULT_CSS = """
    LogPrompt { width: 1fr; height: 1; display: none; }
    LogPrompt.-asks { display: block; }
    LogPrompt > Static { width: auto; color: $accent; text-style: bold; padding: 0 1 0 1; }
    LogPrompt > PromptLine { width: 1fr; background: $background; color: $foreground; }
    LogPrompt > PromptLine:focus { background: $panel; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", "Cancel", id="log.prompt_cancel")]

    def __init__(self, done: Callable[[Purpose, str], None]) -> None:
        super().__init__()
        self.purpose: Purpose = "search"
        self._done = done

    def compose(self) -> ComposeResult:
        """A label and what is typed."""
        yield Static("", markup=False)
        yield PromptLine(self._take)

    @property
    def asks(self) -> bool:
        """Whether it asks for something now."""
        return self.has_class("-asks")

    def ask(self, purpose: Purpose, text: str) -> None:
        """Ask for a text.

        Args:
            purpose: what for.
            text: what to begin with; typing replaces it.
        """
        self.purpose = purpose
        self.query_one(Static).update(LABELS[purpose])
        field = self.query_one(Input)
        with field.prevent(Input.Changed):
            field.value = text
        self.add_class("-asks")
        self.screen.set_focus(field)  # at once: what is typed next is meant for it

    def close(self) -> None:
        """Ask no longer."""
        self.remove_class("-asks")

    def action_give_up(self) -> None:
        """Want nothing after all."""
        self.post_message(self.Given(self.purpose))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say what is typed so far."""
        event.stop()
        if self.asks:
            self.post_message(self.Typed(self.purpose, event.value))

    def _take(self) -> None:
        self._done(self.purpose, self.query_one(Input).value)
