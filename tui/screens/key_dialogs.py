"""Asking for a key or a passphrase in the console, without showing it."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from tui.safe_text import one_line, safe
from tui.screens.dialogs import Dialog
from tui.widgets.fields import OneLine
from tui.widgets.key_line import KeyLine


class HiddenLine(OneLine):
    """A field of one line that shows dots. A key that was pasted over several lines is put together."""

    def __init__(self) -> None:
        super().__init__(password=True, compact=True)

    def on_paste(self, event: events.Paste) -> None:
        """Take in all that is pasted; what surrounds a key is taken off later."""
        event.stop()
        event.prevent_default()
        self.replace(one_line(event.text), *self.selection)


class AskHidden(Dialog[str | None]):
    """Asks for something that must not be seen. The answer is what was typed, or None.

    Args:
        title: what is asked, one line.
        prompt: what to know before answering.
        refused: why the last answer would not do; empty where there was none.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "keep", id="hidden.send"),
        Binding("escape", "give_up", "cancel", id="hidden.cancel", priority=True),
    ]

    DEFAULT_CSS = """
    AskHidden Input { margin-bottom: 1; background: $surface; border: none; height: 1; padding: 0 1; }
    """

    def __init__(self, title: str, prompt: str = "", refused: str = "") -> None:
        super().__init__()
        self._question = one_line(title)
        self._prompt = safe(prompt)
        self._refused = safe(refused)

    def compose(self) -> ComposeResult:
        """The box."""
        with Vertical(classes="box"):
            yield Static(Content(self._question), classes="title")
            if self._prompt:
                yield Static(Content(self._prompt), classes="remark")
            yield HiddenLine()
            if self._refused:
                yield Static(Content(self._refused), classes="remark -refused")
            yield KeyLine(self)

    def on_mount(self) -> None:
        """Let the human type."""
        self.query_one(HiddenLine).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter sends."""
        event.stop()
        self.action_send()

    def action_send(self) -> None:
        """Answer with what is typed, and keep none of it here."""
        field = self.query_one(HiddenLine)
        typed, field.value = field.value, ""
        self.dismiss(typed)

    def action_give_up(self) -> None:
        """Answer with nothing."""
        self.query_one(HiddenLine).value = ""
        self.dismiss(None)
