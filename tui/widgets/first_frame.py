"""What is on the screen while the console reads what it needs to show anything else."""

from __future__ import annotations

from textual.app import RenderResult
from textual.content import Content
from textual.widget import Widget


class FirstFrame(Widget):
    """The head of every screen, with nothing below it yet."""

    DEFAULT_CSS = """
    FirstFrame { height: 3; padding: 0 1; background: $background; border-bottom: solid $line; }
    """

    def render(self) -> RenderResult:
        """The name."""
        return Content.styled("fumehood", "$accent bold")
