"""A choice between a few things, on one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import RenderResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.style import Style
from textual.widget import Widget

GAP = 3


class Choice(Widget, can_focus=True):
    """Shows everything that can be chosen, and what is.

    Args:
        options: their names.
        chosen: the one to begin with.
    """

    BINDING_GROUP_TITLE = "Choice"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l,space", "step(1)", "next", id="choice.next", show=False),
        Binding("left,h", "step(-1)", "previous", id="choice.previous", show=False),
    ]

    DEFAULT_CSS = """
    Choice { height: 1; width: 1fr; }
    """

    class Changed(Message):
        """Something else is chosen."""

        def __init__(self, choice: Choice) -> None:
            super().__init__()
            self.choice = choice

    def __init__(self, options: Sequence[str], chosen: str, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._options = list(options)
        self._chosen = chosen if chosen in self._options else self._options[0]

    @property
    def chosen(self) -> str:
        """What is chosen."""
        return self._chosen

    def choose(self, option: str) -> None:
        """Choose something."""
        if option in self._options and option != self._chosen:
            self._chosen = option
            self.refresh()
            self.post_message(self.Changed(self))

    def render(self) -> RenderResult:
        """All options; the chosen one is marked by more than its colour."""
        parts = []
        for option in self._options:
            here = option == self._chosen
            focused = "bold reverse" if self.app.no_color else "$accent bold"
            style = (focused if self.has_focus else "bold") if here else "$muted"
            part = Content.styled(f"({'•' if here else ' '}) {option}", style)
            parts.append(part.stylize(Style.from_meta({"option": option})))
        return Content(" " * GAP).join(parts)

    def on_click(self, event: events.Click) -> None:
        """Choose what is under the mouse."""
        if option := event.style.meta.get("option"):
            self.choose(option)

    def action_step(self, steps: int) -> None:
        """Choose the next one."""
        self.choose(self._options[(self._options.index(self._chosen) + steps) % len(self._options)])
