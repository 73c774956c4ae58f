"""Which keys are needed: in this version, none."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.widgets.key_line import KeyLine

WORDS = (
    "No key is needed: the models of this version are scripted, and experiments run on this machine.",
    "This version reads no key, asks for none and stores none.",
)


class KeysScreen(ModalScreen[None]):
    """Says which keys are needed."""

    BINDING_GROUP_TITLE = "Keys"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,k,enter", "dismiss", "close", id="keys.close"),
    ]

    DEFAULT_CSS = """
    KeysScreen { align: center middle; }
    KeysScreen > Vertical {
        width: 64; max-width: 96%; height: auto; background: $panel; border-left: outer $accent; padding: 1 2;
    }
    KeysScreen .title { text-style: bold; margin-bottom: 1; }
    KeysScreen .words { height: auto; margin-bottom: 1; }
    """

    def compose(self) -> ComposeResult:
        """The words."""
        with Vertical():
            yield Static("Keys", classes="title", markup=False)
            for line in WORDS:
                yield Static(Content(line), classes="words")
            yield KeyLine(self)
