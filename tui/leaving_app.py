"""Leaving the console: with an exit code and last words, and without a traceback."""

from __future__ import annotations

from typing import Any

from textual.driver import Driver
from textual.worker import WorkerFailed

from tui.exit_codes import ExitCode
from tui.themed_app import ThemedApp


class LeavingApp(ThemedApp, inherit_bindings=False):
    """An app that is left with what the run on its screen has to say.

    Args:
        theme: the theme to begin with; None for the one that was set or kept.
        driver_class: drives the terminal; None for Textual's own.

    Attributes:
        farewell: a line to print once the terminal is given back; empty for none.
    """

    def __init__(self, theme: str | None, driver_class: type[Driver] | None) -> None:
        super().__init__(theme, driver_class)
        self.farewell = ""

    def leave(self) -> None:
        """Leave, with the exit code and the last words that the run on screen asks for."""
        code, self.farewell = self._last_words()
        self.exit(int(code), return_code=int(code))

    def _last_words(self) -> tuple[ExitCode, str]:
        from tui.following import OUTCOMES
        from tui.left_open import left_in_words, left_open
        from tui.run_feed import RunFeed

        feeds = (getattr(screen, "feed", None) for screen in reversed(self.screen_stack))
        feed = next((feed for feed in feeds if isinstance(feed, RunFeed)), None)
        if feed is None:
            return ExitCode.DONE, self._left_open()
        run_id = feed.folder.run_id
        left = left_in_words(left_open(feed.folder, feed.state))
        if feed.state.ended is not None:
            return OUTCOMES[feed.state.ended.outcome], f"{left}." if left else ""
        if feed.folder.has_engine():
            return ExitCode.DETACHED, f"The engine goes on. Come back with 'fumehood attach {run_id}'."
        resume = f"No engine drives this run. Go on with 'fumehood resume {run_id}'."
        return ExitCode.ENGINE_GONE, f"{resume}\n{left}." if left else resume

    def _left_open(self) -> str:
        """What runs without an engine may have left open at Modal, as far as their list knows."""
        from tui.left_open import SEE, dollars_per_hour
        from tui.screens.runs import RunsScreen

        lists = (screen for screen in self.screen_stack if isinstance(screen, RunsScreen))
        left = [one for runs in lists for run in runs.history.summaries for one in run.left]
        if not left:
            return ""
        count = "1 sandbox" if len(left) == 1 else f"{len(left):,} sandboxes"
        price = dollars_per_hour(one.usd_per_hour for one in left)
        return f"{count} without an engine may still be open at Modal, at {price}: {SEE}."

    @property
    def crash(self) -> BaseException | None:
        """The error of our own that ended the console; None where it left in an orderly way."""
        error: BaseException | None = self._exception
        while isinstance(error, WorkerFailed):
            error = error.error
        return error

    def panic(self, *renderables: Any) -> None:
        """Leave at once; what happened is told by whoever opened the console, in one line."""
        self._close_messages_no_wait()

    def _fatal_error(self) -> None:
        """Leave at once: Textual would print a traceback, with the values of variables."""
        self._close_messages_no_wait()
