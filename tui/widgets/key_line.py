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
        self._columns = 0
        self._shown: tuple[tuple[str, str, str], ...] | None = None

    def show(self) -> None:
        """Show the keys that act now; what the owner's ``check_action`` refuses is left out."""
        keys = self._keys()
        if keys == self._shown:
            return
        self._shown = keys
        self._paint()

    def _paint(self) -> None:
        parts = [
            Content(f"{key} {words}")
            .stylize("$accent bold", 0, len(key))
            .stylize(Style.from_meta({"key_action": action}))
            for key, words, action in self._shown or ()
        ]
        # A key stays with its words; left to itself, the line could break between them.
        lines: list[list[Content]] = [[]]
        filled = 0
        for part in parts:
            if lines[-1] and self._columns and filled + part.cell_length > self._columns:
                lines.append([])
                filled = 0
            lines[-1].append(part)
            filled += part.cell_length + self._gap
        self.update(Content("\n").join(Content(" " * self._gap).join(line) for line in lines))

    def on_resize(self, event: events.Resize) -> None:
        """Break the line anew; one that is as wide as its keys has nothing to break."""
        width = self.styles.width
        columns = 0 if width is not None and width.is_auto else event.size.width
        if columns != self._columns:
            self._columns = columns
            self._paint()

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
        # A remapped key would go to the end; it stays where people look for it.
        places = {binding.id: place for place, (_, binding) in enumerate(self._owner._bindings)}
        for _, binding in sorted(bindings, key=lambda one: places[one[1].id]):
            name = binding.action.partition("(")[0]
            if not binding.show or not self._owner.check_action(name, ()):
                continue
            words = self._words(name, binding.description)
            if words and words not in shown:
                shown[words] = (one_line(self.app.get_key_display(binding)), words, binding.action)
        return tuple(shown.values())
