"""How a line is laid out: the time of day, the subject, the text."""

from __future__ import annotations

from datetime import datetime

from core.record.folder import RunFolder
from tui.safe_text import one_line
from tui.screen import Screen
from tui.wording import time_of_day

SPEECH_CHARACTERS = 400
GUTTER = 16
"""Columns before the text: the time of day and the subject."""


class Telling:
    """One telling of a run, from its first event on.

    Args:
        folder: the run.
        screen: for colours and width; nothing is printed here.
    """

    def __init__(self, folder: RunFolder, screen: Screen) -> None:
        self.folder = folder
        self.screen = screen
        self.round = 0
        """The round of the experiment that was told last."""

    def line(self, at: datetime, subject: str, text: str) -> str:
        """A line about a subject: an experiment's id or nothing."""
        return f"{self.screen.paint(time_of_day(at), dim=True)}  {subject:<5} {text}"

    def indented(self, text: str) -> str:
        """What goes on below a line."""
        return f"{'':{GUTTER}}  {text}"

    def agent(self, agent: str) -> tuple[str, str]:
        """The subject column and the name before a verb: experiments are in the column already."""
        return ("", f"{one_line(agent)} ") if agent in ("orchestrator", "writer") else (one_line(agent), "")


def number(value: float | str) -> str:
    """A measured value: four significant digits and a true minus."""
    return one_line(value, 40) if isinstance(value, str) else f"{value:.4g}".replace("-", "−")
