"""When lines of a log came, as far as that is known: while they were watched."""

from __future__ import annotations

from array import array
from bisect import bisect_left


class LogTimes:
    """When a log was seen to have grown.

    A script's output is bytes without times, so nothing is known of lines that came before the first
    look or while nobody looked.
    """

    def __init__(self) -> None:
        self._sizes = array("Q")
        self._seconds = array("d")
        self._watched = False

    def __len__(self) -> int:
        return sum(seconds == seconds for seconds in self._seconds)

    def saw(self, size: int, seconds: float) -> None:
        """Note how long the log is now.

        Args:
            size: its length, bytes.
            seconds: since its script was started.
        """
        if self._sizes and size < self._sizes[-1]:
            del self._sizes[:], self._seconds[:]
            self._watched = False
        if not self._sizes or size > self._sizes[-1]:
            self._sizes.append(size)
            self._seconds.append(seconds if self._watched else float("nan"))
        self._watched = True

    def looked_away(self) -> None:
        """Note that what comes from now on is not watched."""
        self._watched = False

    def at(self, offset: int) -> float | None:
        """When the byte at an offset had come, seconds since the script was started; None where unknown."""
        place = bisect_left(self._sizes, offset + 1)
        if place >= len(self._sizes) or self._seconds[place] != self._seconds[place]:
            return None
        return self._seconds[place]
