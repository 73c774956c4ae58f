"""A console whose first screen is as small as can be, for tests of what lies around the screens."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input, Static

from core.config import Settings
from core.record.folder import RunFolder
from tui.app import Console
from tui.run_feed import RunFeed
from tui.widgets.plain_list import PlainList

SIZE = (100, 30)


class Shelf(PlainList, inherit_bindings=False):
    """A part of a screen with keys of its own."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "cursor_down", "next", id="shelf.next"),
        Binding("a", "approve", "approve", id="shelf.approve"),
    ]

    def action_approve(self) -> None:
        """Count approvals."""
        assert isinstance(self.screen, First)
        self.screen.approvals += 1


class First(Screen[None]):
    """Stands where the list of runs is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", "new run", id="first.new"),
        Binding("y", "yes", "yes", id="first.yes"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.approvals = 0
        self.pressed: list[str] = []

    def compose(self) -> ComposeResult:
        """A line, a list and a field."""
        yield Static("Does label smoothing help?", markup=False)
        yield Shelf("one", "two")
        yield Input()

    def action_new(self) -> None:
        """Remember it."""
        self.pressed.append("new")

    def action_yes(self) -> None:
        """Remember it."""
        self.pressed.append("yes")


class OfRun(Screen[None]):
    """Stands where a run is shown."""

    def __init__(self, folder: RunFolder) -> None:
        super().__init__()
        self.feed = RunFeed(folder)
        self.feed.refresh()

    def on_unmount(self) -> None:
        """Let go of the journal."""
        self.feed.close()


class Shell(Console):
    """The console with stand-ins for its screens."""

    def runs_screen(self) -> Screen[Any]:
        """The stand-in."""
        return First()

    def run_screen(self, folder: RunFolder) -> Screen[Any]:
        """The stand-in."""
        return OfRun(folder)

    @property
    def first(self) -> First:
        """The stand-in for the list of runs."""
        screen = self.screen_stack[1]
        assert isinstance(screen, First)
        return screen

    @property
    def toasts(self) -> list[str]:
        """What was said in toasts, title and text."""
        return [f"{it.title} {it.message}".strip() for it in self._notifications]


def shell(data: Path, folder: RunFolder | None = None, **settings: Any) -> Shell:
    """A console for the runs of a folder."""
    return Shell(Settings(data_folder=data, **settings), folder)
