"""Fields to type in, that paint only what is safe.

Textual paints what is in a field as it is, escape sequences included; yet it may come from a log or
from a model. These clean what they paint and what is pasted.
"""

from __future__ import annotations

from collections.abc import Callable

from rich.segment import Segment
from textual import events
from textual.strip import Strip
from textual.widgets import Input, TextArea

from tui.safe_text import one_line, safe, without_controls


class OneLine(Input):
    """A field of one line."""

    def render_line(self, y: int) -> Strip:
        """Paint without anything that a terminal would act on."""
        return _cleaned(super().render_line(y))

    def on_paste(self, event: events.Paste) -> None:
        """Take in the first line of what is pasted, made safe."""
        event.stop()
        event.prevent_default()
        first = next(iter(event.text.strip().splitlines()), "")
        self.replace(one_line(first), *self.selection)


class PromptLine(OneLine):
    """A field that Enter ends: what is typed behind Enter is not meant for it, however fast it comes.

    A key goes up through all parents before its binding is looked up. The keys behind Enter go after it, so
    that each finds the focus where it would be had it been typed later.

    Args:
        taken: what Enter does, at once; until it returns the focus should have left.
        placeholder: what an empty field says.
    """

    def __init__(self, taken: Callable[[], None], placeholder: str = "") -> None:
        super().__init__(placeholder=placeholder, compact=True)
        self._taken = taken
        self._entered = False

    def on_focus(self) -> None:
        """Begin."""
        self._entered = False

    @property
    def entered(self) -> bool:
        """Whether Enter has come by, and is on its way to what it does."""
        return self._entered

    def on_key(self, event: events.Key) -> None:
        """Let what comes behind Enter go on."""
        if self._entered:
            event.prevent_default()
        self._entered = self._entered or event.key == "enter"

    async def action_submit(self) -> None:
        """Take what was typed, at once: a message would be handled behind the keys that wait already."""
        self._entered = False
        self._taken()


class ManyLines(TextArea):
    """A field of several lines."""

    def render_line(self, y: int) -> Strip:
        """Paint without anything that a terminal would act on."""
        return _cleaned(super().render_line(y))

    async def _on_paste(self, event: events.Paste) -> None:
        """Take in what is pasted, made safe."""
        await super()._on_paste(events.Paste(safe(event.text)))
        event.prevent_default()


def _cleaned(strip: Strip) -> Strip:
    if all(without_controls(segment.text) == segment.text for segment in strip):
        return strip
    return Strip([Segment(without_controls(text), style) for text, style, _ in strip])
