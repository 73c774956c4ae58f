"""Keeping a run's screen up to date: what comes in is shown as fast as the terminal takes it."""

from __future__ import annotations

from textual import work
from textual.timer import Timer

from core.errors import FumehoodError
from tui.run_feed import RunChanged, RunFeed
from tui.screens.steering import Steering


class FollowedRun(Steering):
    """A screen that follows its run.

    Args:
        feed: the run.
        agent: the agent that is looked at first.
    """

    def __init__(self, feed: RunFeed, agent: str) -> None:
        super().__init__(feed, agent)
        self._repaint: Timer | None = None
        self._changed = False
        self._shown = False

    def show_all(self) -> None:
        """Show the run as it is now in every part that is seen."""
        raise NotImplementedError

    @work(exclusive=True, group="follow")
    async def follow(self) -> None:
        """Keep up with the journal until the screen is left."""
        try:
            await self.feed.follow(self._tell)
        except FumehoodError as error:
            self.console.warn(error.message, error.next_step)

    def _tell(self) -> None:
        self.post_message(RunChanged(self.feed))

    def on_run_changed(self, message: RunChanged) -> None:
        """Show the run as it is now, once the terminal has taken in what came before."""
        self._changed = True
        if self._repaint is None:
            self._show_changes()

    def _show_changes(self) -> None:
        self._repaint = None
        if not self._changed:
            return
        if self.console.may_repaint() or not self._shown:
            self._changed = False
            if not self._shown and self.feed.state.created is not None:
                self._shown = True
                self.call_after_refresh(self.make_prices_ready)
            self.show_all()
        self._repaint = self.set_timer(self.console.frame_seconds, self._show_changes)
