"""The last line of a screen: the keys that work here and now, on exactly one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from textual import events
from textual.content import Content
from textual.dom import DOMNode
from textual.style import Style
from textual.widgets import Input, Static

from tui.widgets.key_line import keys_of

GAP = "  "
PART_SHARE = 0.6
"""How much of the line the focused part's keys may take before those of the screen are on it."""


class KeyBar(Static):
    """Shows the keys of the focused part, then those of its screen, and at the right those of the app.

    What has no room is left out whole; the help names all.

    Args:
        words: what an action of the screen is called now, given its name and its usual words; empty for
            one that has nothing to act on.
        silent: parts that show their keys themselves, by id.
    """

    DEFAULT_CSS = """
    KeyBar { height: 1; padding: 0 1; color: $muted; background: $surface; }
    """

    def __init__(
        self,
        words: Callable[[str, str], str],
        silent: frozenset[str] = frozenset(),
        *,
        id: str | None = None,  # noqa: A002 - Textual's own name
    ) -> None:
        super().__init__(id=id)
        self._words = words
        self._silent = silent
        self._owners: list[DOMNode] = []
        self._shown = Content()

    def on_mount(self) -> None:
        """Show the keys once they are known, and again when the focus moves."""
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.show())
        self.show()

    def on_resize(self) -> None:
        """Take more of them, or fewer."""
        self.show()

    def show(self) -> None:
        """Show the keys that act now."""
        if not self.is_mounted or not self.size.width:
            return
        shown = self._laid_out(self.size.width)
        if not shown.is_same(self._shown):
            same = shown.cell_length == self._shown.cell_length
            self._shown = shown
            self.update(shown, layout=not same)

    async def on_click(self, event: events.Click) -> None:
        """Act as if the key had been pressed."""
        if (place := event.style.meta.get("key_owner")) is not None and place < len(self._owners):
            event.stop()
            await self.app.run_action(event.style.meta["key_action"], self._owners[place])

    def _laid_out(self, width: int) -> Content:
        self._owners.clear()
        taken: set[str] = set()
        right = Content(GAP).join(self._parts(self.app, lambda action, usual: usual, set()))
        room = width - right.cell_length - len(GAP)
        near = [list(self._parts(node, _as_usual, taken)) for node in self._chain()]
        here = [part for parts in reversed(near) for part in parts]
        there = [] if isinstance(self.screen.focused, Input) else self._of_screen(taken)
        first, used = _fitting(here, int(room * PART_SHARE) if there else room)
        then, also = _fitting(there, room - used)
        last, _ = _fitting(here[len(first) :], room - used - also)
        left = Content(GAP).join([*first, *last, *then])
        return Content.assemble(left, " " * max(0, width - left.cell_length - right.cell_length), right)

    def _chain(self) -> Iterator[DOMNode]:
        """The focused part and what it lies in, up to the screen."""
        for node in self.screen.focused.ancestors_with_self if self.screen.focused else ():
            if node is self.screen:
                return
            yield node

    def _of_screen(self, taken: set[str]) -> list[Content]:
        return list(self._parts(self.screen, self._words, taken))

    def _parts(self, owner: DOMNode, words: Callable[[str, str], str], taken: set[str]) -> Iterator[Content]:
        """The keys of an owner as text, but for those that what is nearer to the focus has taken."""
        place = len(self._owners)
        self._owners.append(owner)
        before = set(taken)
        taken |= {key for key, _ in owner._bindings}
        if owner.id in self._silent:
            return
        for key in keys_of(owner, words):
            if not key.keys & before:
                meta = Style.from_meta({"key_action": key.action, "key_owner": place})
                yield key.shown().stylize(meta)


def _as_usual(action: str, usual: str) -> str:
    return usual


def _fitting(parts: list[Content], room: int) -> tuple[list[Content], int]:
    """As many of the first as have room, and the columns that they take with the gap behind each."""
    used = 0
    for count, part in enumerate(parts):
        if used + part.cell_length > room:
            return parts[:count], used
        used += part.cell_length + len(GAP)
    return parts, used
