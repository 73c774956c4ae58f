"""The keys that work on a part of the screen, in one line that can be clicked, too."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.content import Content
from textual.dom import DOMNode
from textual.style import Style
from textual.widgets import Static

from tui.safe_text import one_line


class KeyLine(Static):
    """Shows the keys of a widget or a screen as they are bound now, remapped ones included.

    Args:
        owner: whose keys they are, and who acts when one is clicked.
        words: what an action is called now, given its name and its usual words; empty for one that has
            nothing to act on. None where the usual words always fit.
        gap: columns between two keys.
    """

    DEFAULT_CSS = """
    KeyLine { height: auto; color: $muted; }
    """

    def __init__(self, owner: DOMNode, words: Callable[[str, str], str] | None = None, gap: int = 3) -> None:
        super().__init__()
        self._owner = owner
        self._words = words or (lambda action, usual: usual)
        self._gap = gap
        self._shown: tuple[tuple[str, str, str], ...] | None = None

    def show(self) -> None:
        """Show the keys that act now; what the owner's ``check_action`` refuses is left out."""
        keys = self._keys()
        if keys == self._shown:
            return
        self._shown = keys
        parts = [
            # Bound by spaces that no line breaks at, a key stays with its words.
            Content(f"{key} {words}".replace(" ", "\u00a0"))
            .stylize("$accent bold", 0, len(key))
            .stylize(Style.from_meta({"key_action": action}))
            for key, words, action in keys
        ]
        self.update(Content(" " * self._gap).join(parts))

    def on_mount(self) -> None:
        """Show the keys once they are known, and again when the focus moves."""
        self.show()
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.show())

    async def on_click(self, event: events.Click) -> None:
        """Act as if the key had been pressed."""
        if action := event.style.meta.get("key_action"):
            event.stop()
            await self.app.run_action(action, self._owner)

    def _keys(self) -> tuple[tuple[str, str, str], ...]:
        bindings = self._owner._bindings.copy()
        bindings.apply_keymap(self.app._keymap)
        shown: dict[str, tuple[str, str, str]] = {}
        for _, binding in bindings:
            name = binding.action.partition("(")[0]
            if not binding.show or not self._owner.check_action(name, ()):
                continue
            words = self._words(name, binding.description)
            if words and words not in shown:
                shown[words] = (one_line(self.app.get_key_display(binding)), words, binding.action)
        return tuple(shown.values())
