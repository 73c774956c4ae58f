"""Dialogs: a question that a key answers, and a question that words answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, TypeVar, cast

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.suggester import Suggester
from textual.widgets import Input, Static, TextArea

from core.errors import FumehoodError, InputError
from tui.external_editor import edited_outside
from tui.safe_text import one_line, safe
from tui.widgets.fields import ManyLines, OneLine
from tui.widgets.key_guard import KeyGuard
from tui.widgets.key_line import KeyLine

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer]):
    """Something that has to be answered before anything else; what lies behind it stays to be seen."""

    DEFAULT_CSS = """
    Dialog { align: center middle; }
    Dialog > .box {
        width: 76; max-width: 96%; height: auto; max-height: 96%;
        background: $panel; border-left: outer $accent; padding: 1 2;
    }
    Dialog > .box.-warns { border-left: outer $failed; }
    Dialog .title { text-style: bold; margin-bottom: 1; }
    Dialog .said { height: auto; max-height: 60vh; margin-bottom: 1; }
    Dialog .said > Static { height: auto; }
    Dialog .warning { color: $failed; height: auto; margin-bottom: 1; }
    Dialog .remark { color: $muted; height: auto; margin-bottom: 1; }
    Dialog .remark.-refused { color: $failed; }
    """


class Confirm(Dialog[bool]):
    """Asks before something that spends, destroys or cannot be undone.

    Only ``y`` says yes; Enter does nothing. Keys that arrive within ``HELD_SECONDS`` are ignored, because
    they were meant for what was there before.

    Args:
        title: the question, one line.
        text: what to know before answering; shown as it is, without markup.
        warns: a line about what is lost; empty for none.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes", id="confirm.yes"),
        Binding("n", "answer(False)", "no", id="confirm.no"),
        Binding("escape", "answer(False)", "no", id="confirm.cancel", show=False),
    ]

    def __init__(self, title: str, text: str | Content = "", warns: str = "") -> None:
        super().__init__()
        self._question = one_line(title)
        self._text = text if isinstance(text, Content) else Content(safe(text))
        self._warns = safe(warns)
        self._guard = KeyGuard()
        self._answered = False

    def compose(self) -> ComposeResult:
        """The box."""
        with Vertical(classes="box -warns" if self._warns else "box"):
            yield Static(Content(self._question), classes="title")
            if self._text:
                with VerticalScroll(classes="said", can_focus=bool(len(self._text.plain) > 1000)):
                    yield Static(self._text)
            if self._warns:
                yield Static(Content(self._warns), classes="warning")
            yield KeyLine(self)

    def on_mount(self) -> None:
        """Count from when it can be seen."""
        self._guard.restart()

    def action_answer(self, yes: bool) -> None:
        """Answer once."""
        if self._guard.holds or self._answered:
            return
        self._answered = True
        self.dismiss(yes)


class Ask(Dialog[str | None]):
    """Asks for words. The answer is the text without white space around it, or None.

    ``enter`` sends one line, ``ctrl+s`` either; ``ctrl+e`` goes on in ``$EDITOR``. Escape gives up, but
    asks for a second escape where something was typed: on a slow line it may be the beginning of an
    arrow key.

    Args:
        title: what is asked, one line.
        prompt: what to know before answering; shown as it is, without markup.
        initial: the text to begin with.
        multiline: whether the answer may have several lines.
        required: whether an empty answer is refused.
        reading: what the text typed so far means, in words; it raises an ``InputError`` where the text
            cannot be sent. None where there is nothing to say.
        extension: of the file that ``$EDITOR`` opens; None where the answer is too short for one.
        sends: what sending does, in a word.
        suggester: completes what is typed on one line; None for nothing.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send_line", "send", id="ask.send_line"),
        Binding("ctrl+s,f2", "send", "send", id="ask.send", priority=True),
        Binding("ctrl+e", "edit_outside", "in $EDITOR", id="ask.editor", priority=True),
        Binding("escape", "give_up", "cancel", id="ask.cancel", priority=True),
    ]

    DEFAULT_CSS = """
    Ask Input { margin-bottom: 1; background: $surface; border: none; height: 1; padding: 0 1; }
    Ask TextArea { margin-bottom: 1; background: $surface; border: none; height: 8; padding: 0 1; }
    """

    def __init__(
        self,
        title: str,
        prompt: str | Content = "",
        *,
        initial: str = "",
        multiline: bool = False,
        required: bool = True,
        reading: Callable[[str], str] | None = None,
        extension: str | None = ".txt",
        sends: str = "send",
        suggester: Suggester | None = None,
    ) -> None:
        super().__init__()
        self._question = one_line(title)
        self._prompt = prompt if isinstance(prompt, Content) else Content(safe(prompt))
        self._initial = safe(initial) if multiline else one_line(initial)
        self._multiline = multiline
        self._required = required
        self._reading = reading
        self._extension = extension
        self._sends = sends
        self._suggester = suggester
        self._warned = False
        self._answered = False

    def compose(self) -> ComposeResult:
        """The box."""
        with Vertical(classes="box"):
            yield Static(Content(self._question), classes="title")
            if self._prompt:
                with VerticalScroll(classes="said", can_focus=False):
                    yield Static(self._prompt)
            if self._multiline:
                yield ManyLines(self._initial, tab_behavior="focus", show_line_numbers=False, compact=True)
            else:
                yield OneLine(self._initial, compact=True, suggester=self._suggester)
            yield Static(classes="remark")
            yield KeyLine(self, lambda action, usual: self._sends if action.startswith("send") else usual)

    def on_mount(self) -> None:
        """Say what the text to begin with means."""
        self._say()

    @property
    def text(self) -> str:
        """What is typed so far."""
        field = self.query_one("Input, TextArea")
        return field.text if isinstance(field, TextArea) else cast(Input, field).value

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In several lines, Enter begins a new one; a number needs no editor."""
        if action == "edit_outside":
            return self._extension is not None
        return action != "send_line" or not self._multiline

    def action_send_line(self) -> None:
        """Enter sends one line."""
        self.action_send()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter sends one line."""
        event.stop()
        self.action_send()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say what the text means now."""
        self._say()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Say what the text means now."""
        self._say()

    def action_send(self) -> None:
        """Answer with what is typed, once, if it can be sent."""
        text = self.text.strip()
        if self._answered:
            return
        if not text and self._required:
            self._remark("There is nothing to send yet", refused=True)
        elif self._say():
            self._answered = True
            self.dismiss(safe(text))

    def action_give_up(self) -> None:
        """Answer with nothing; where something was typed, only the second time."""
        if self._answered:
            return
        if self.text != self._initial and not self._warned:
            self._warned = True
            self._remark("Escape once more drops what you typed", refused=True)
            return
        self._answered = True
        self.dismiss(None)

    def action_edit_outside(self) -> None:
        """Go on in ``$EDITOR``."""
        try:
            edited = edited_outside(cast("App[int]", self.app), self.text, self._extension or "")
        except InputError as error:
            self._remark(str(error), refused=True)
            return
        if edited is None:
            return
        field = self.query_one("Input, TextArea")
        if isinstance(field, TextArea):
            field.text = edited
        else:
            cast(Input, field).value = one_line(edited)

    def on_key(self, event: events.Key) -> None:
        """Whoever goes on typing does not want to give up."""
        if event.key != "escape":
            self._warned = False

    def _say(self) -> bool:
        """Say what the text means; whether it can be sent."""
        self._warned = False
        if self._reading is None or not self.text.strip():
            self._remark("")
            return True
        try:
            self._remark(self._reading(self.text.strip()))
        except FumehoodError as error:
            self._remark(str(error), refused=True)
            return False
        return True

    def _remark(self, text: str, *, refused: bool = False) -> None:
        remark = self.query_one(".remark", Static)
        remark.update(Content(safe(text)))
        remark.set_class(refused, "-refused")
        remark.display = bool(text)
