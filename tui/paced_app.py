"""The pace of painting: as fast as the terminal takes it in, and slower where the line is to be spared."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from textual.driver import Driver
from textual.messages import TerminalSupportsSynchronizedOutput

from tui.leaving_app import LeavingApp
from tui.pacing import Pacer, profile_for
from tui.terminal_driver import TerminalDriver

if TYPE_CHECKING:  # slow to import, and needed by no first frame
    from core.config import Settings


class PacedApp(LeavingApp, inherit_bindings=False):
    """An app whose repaints the terminal's own answers pace.

    Args:
        theme: the theme to begin with; None for the one that was set or kept.
        driver_class: drives the terminal; None for Textual's own.
        slow: whether to spare a slow line; None for as it was kept.

    Attributes:
        slow: whether to spare a slow line.
        pacer: says when what streams may be painted.
    """

    def __init__(self, theme: str | None, driver_class: type[Driver] | None, *, slow: bool | None) -> None:
        super().__init__(theme, driver_class)
        self.slow = bool(slow)
        self.pacer = Pacer(profile_for(os.environ, slow=self.slow))
        self._asked_slow = slow

    def take_settings(self, settings: Settings) -> None:
        """Take what the user prefers."""
        super().take_settings(settings)
        self.slow = self.preferences.slow if self._asked_slow is None else self._asked_slow
        self.pacer.profile = profile_for(os.environ, slow=self.slow)

    def pace_by(self, driver: TerminalDriver) -> None:
        """Ask a terminal from now on whether it has taken in what was painted."""
        if os.environ.get("TERM_PROGRAM") != "Apple_Terminal":  # it would print the query's last letter
            self.pacer = Pacer(self.pacer.profile, driver.ask)

    @property
    def frame_seconds(self) -> float:
        """Seconds between two repaints of what streams."""
        return self.pacer.profile.frame_seconds

    @property
    def spinner_seconds(self) -> float | None:
        """Seconds between two steps of what turns; None for nothing that turns."""
        return self.pacer.profile.spinner_seconds

    def may_repaint(self) -> bool:
        """Whether what repaints by itself may do so now; what a key asked for always may."""
        return self.pacer.may_repaint()

    def spare_the_line(self, slow: bool) -> None:
        """Repaint less often, or as often as is pleasant; this is kept."""
        self.slow = slow
        self.pacer.profile = profile_for(os.environ, slow=slow)
        self.keep(self.preferences.model_copy(update={"slow": slow}))

    def on_terminal_supports_synchronized_output(self, message: TerminalSupportsSynchronizedOutput) -> None:
        """The terminal has taken in what was painted before it was asked."""
        self.pacer.answered()
