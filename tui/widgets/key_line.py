"""The keys that work on a part of the screen, in one line that can be clicked, too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.dom import DOMNode
from textual.style import Style
from textual.widgets import Static

from tui.safe_text import one_line


@dataclass(frozen=True)
class Key:
    """A key that acts, or several that do the same.

    Attributes:
        name: as people know it.
        words: what it does.
        action: the action.
        keys: as Textual names them.
    """

    name: str
    words: str
    action: str
    keys: frozenset[str]

    def shown(self) -> Content:
        """The key and its words."""
        return Content(f"{self.name} {self.words}").stylize("$accent bold", 0, len(self.name))


def keys_of(owner: DOMNode, words: Callable[[str, str], str]) -> list[Key]:
    """The keys of a widget, a screen or the app as they are bound now, remapped ones included.

    What the owner's ``check_action`` refuses is left out.

    Args:
        owner: whose keys they are.
        words: what an action is called now, given its name and its usual words; empty for one that has
            nothing to act on.
    """
    bindings = owner._bindings.copy()
    bindings.apply_keymap(owner.app._keymap)
    shown: dict[str, Key] = {}
    keys: dict[str, set[str]] = {}
    # A remapped key would go to the end; it stays where people look for it.
    places = {binding.id: place for place, (_, binding) in enumerate(owner._bindings)}
    for key, binding in sorted(bindings, key=lambda one: places[one[1].id]):
        name = binding.action.partition("(")[0]
        if not binding.show or not owner.check_action(name, ()):
            continue
        called = words(name, binding.description)
        if not called:
            continue
        keys.setdefault(called, set()).add(key)
        display = one_line(owner.app.get_key_display(binding))
        shown.setdefault(called, Key(display, called, binding.action, frozenset()))
    return [Key(key.name, key.words, key.action, frozenset(keys[called])) for called, key in shown.items()]


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
        self._shown: list[Key] | None = None

    def show(self) -> None:
        """Show the keys that act now; what the owner's ``check_action`` refuses is left out."""
        keys = keys_of(self._owner, self._words)
        if keys == self._shown:
            return
        self._shown = keys
        self._paint()

    def _paint(self) -> None:
        parts = [
            key.shown().stylize(Style.from_meta({"key_action": key.action})) for key in self._shown or ()
        ]
        # A key stays with its words; left to itself, the line could break between them.
        lines: list[list[Content]] = [[]]
        filled = 0
        for part in parts:
            if self._columns and part.cell_length > self._columns:
                break  # half a word says nothing, and help names them all
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
