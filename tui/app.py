"""The console: looks at journals, appends human decisions to them, and does nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import App

from core.config import Settings
from core.errors import FumehoodError
from core.record.events import Event
from core.record.folder import RunFolder
from core.record.state import RunState
from tui import themes
from tui.run_feed import RunFeed


class Console(App[int]):
    """The console.

    Args:
        settings: what the user prefers.
        folder: the run to open; None for the list of runs.
        slow: whether to spare a slow line.
    """

    TITLE = "fumehood"
    ENABLE_COMMAND_PALETTE = True
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide"), (160, "-rail")]  # noqa: RUF012 - Textual's own form
    VERTICAL_BREAKPOINTS = [(0, "-short"), (16, "-tall")]  # noqa: RUF012 - Textual's own form

    def __init__(self, settings: Settings, folder: RunFolder | None = None, *, slow: bool = False) -> None:
        super().__init__()
        self.settings = settings
        self.folder = folder
        self.slow = slow
        for path in sorted(themes.SHIPPED.glob("*.toml")):
            self.register_theme(themes.read_theme(path))
        self.theme = themes.DEFAULT

    def decide(self, feed: RunFeed, decision: Callable[[RunState], Sequence[Event]], done: str = "") -> bool:
        """Append what the human decided; say in a toast what stands in the way, or that it is done.

        Args:
            feed: the run.
            decision: the events for a state, from ``core.decisions``.
            done: what to say when it is in the journal; empty for nothing.

        Returns:
            Whether it is in the journal.
        """
        try:
            feed.decide(decision)
        except FumehoodError as error:
            self.notify(error.next_step, title=error.message, severity="warning", markup=False)
            return False
        if done:
            self.notify(done, markup=False)
        return True
