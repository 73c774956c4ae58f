"""Fields to type in, that paint only what is safe.

Textual paints what is in a field as it is, escape sequences included; yet it may come from a log or
from a model. These clean what they paint and what is pasted.
"""

from __future__ import annotations

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
