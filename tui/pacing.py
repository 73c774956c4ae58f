"""Pacing: no more is painted than the terminal takes.

On a slow line, output waits in buffers that nobody here can see, and a key's echo waits behind it for
seconds. So after a frame the terminal is asked something that it answers, and what repaints by itself
waits until the answer is there. Keys paint at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

QUERY = "\x1b[?2026$p"
"""Asks whether synchronised output is known (DECRQM, mode 2026); Textual understands the answer."""

SILENT_SECONDS = 2.0
"""A terminal that has not answered once in this time never will; from then on only the rate counts."""

LOST_SECONDS = 20.0
"""An answer that is this late is lost, on however slow a line."""


@dataclass(frozen=True)
class Profile:
    """How often the console repaints by itself.

    Attributes:
        name: its name, for people.
        frame_seconds: between two repaints of what streams, in seconds.
        spinner_seconds: between two steps of what turns, in seconds; None for nothing that turns.
    """

    name: str
    frame_seconds: float
    spinner_seconds: float | None


FULL = Profile("full", 0.125, 0.25)
LIGHT = Profile("light", 0.3, 0.5)
SLOW = Profile("slow", 0.5, None)


def profile_for(environment: Mapping[str, str], *, slow: bool) -> Profile:
    """The profile for a terminal.

    Args:
        environment: of the console's process. Inside tmux, which may answer for the terminal
            behind it, the light profile is used.
        slow: whether the user asked to spare the line.
    """
    if slow:
        return SLOW
    return LIGHT if environment.get("TMUX") or environment.get("STY") else FULL


class Pacer:
    """Knows whether the terminal has taken in what was painted.

    Args:
        profile: how often to repaint by oneself.
        ask: writes the query to the terminal; None where there is nobody to ask.
        clock: the time in seconds, from any beginning.
    """

    def __init__(
        self,
        profile: Profile = FULL,
        ask: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.profile = profile
        self._ask = ask
        self._clock = clock
        self._asked_at: float | None = None
        self._answers = 0
        self._silent = False
        self._painted_since = False

    @property
    def waiting(self) -> bool:
        """Whether an answer is still to come."""
        return self._asked_at is not None

    def painted(self) -> None:
        """Ask the terminal for an answer behind the frame that was just painted."""
        if self._ask is None or self._silent:
            return
        if self.waiting:
            self._painted_since = True
            self.may_repaint()  # gives up on an answer that is too late
            return
        self._asked_at, self._painted_since = self._clock(), False
        self._ask(QUERY)

    def answered(self) -> None:
        """Take an answer; where more was painted behind its question, ask again."""
        self._answers += 1
        self._silent = False
        self._asked_at = None
        if self._painted_since:
            self.painted()

    def may_repaint(self) -> bool:
        """Whether what repaints by itself may do so now; what a key asked for always may."""
        if self._asked_at is None:
            return True
        waited = self._clock() - self._asked_at
        if waited < (LOST_SECONDS if self._answers else SILENT_SECONDS):
            return False
        self._silent = not self._answers
        self._asked_at = None
        return True


class CutReply:
    """Tells the key that is really the end of an answer whose escape came alone.

    On a bad line the bytes of one answer may come apart, and its rest would be typed: ``[?2026;2$y``,
    where ``y`` answers yes to whatever is asked just then. Nobody types it right behind a dollar sign,
    except into a text.
    """

    def __init__(self) -> None:
        self._before: str | None = None

    def swallows(self, character: str | None) -> bool:
        """Whether a key is no key.

        Args:
            character: what it types; None where it types nothing.
        """
        before, self._before = self._before, character
        return before == "$" and character == "y"
