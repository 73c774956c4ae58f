"""Which line is where: newlines counted block by block, a little at a time."""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left, bisect_right

from tui.log_file import BLOCK_BYTES, LogFile


class LogIndex:
    """The number of lines before each block of a log; eight bytes a block.

    A log can be shown at its end, or anywhere, before any of this is known.

    Args:
        file: the log.
    """

    def __init__(self, file: LogFile) -> None:
        self.file = file
        self._forget()

    def _forget(self) -> None:
        self._generation = self.file.generation
        self._newlines = 0
        self._counted_to = 0
        self._ends_line = True
        self._before = array("Q", [0])

    @property
    def done(self) -> bool:
        """Whether all that was seen of the file is counted."""
        return self._counted_to >= self.file.size and self._generation == self.file.generation

    @property
    def lines(self) -> int:
        """Lines counted so far; a last line without newline is one, too."""
        return self._newlines + (not self._ends_line)

    @property
    def counted_share(self) -> float:
        """How much of what was seen of the file is counted, from 0 to 1."""
        return min(1.0, self._counted_to / self.file.size) if self.file.size else 1.0

    def extend(self, seconds: float) -> bool:
        """Count on for a while.

        Args:
            seconds: when to stop, at the latest a block later.

        Returns:
            Whether all that was seen of the file is counted.
        """
        if self._generation != self.file.generation:
            self._forget()
        deadline = time.monotonic() + seconds
        while self._counted_to < self.file.size:
            end = (self._counted_to // BLOCK_BYTES + 1) * BLOCK_BYTES
            data = self.file.read(self._counted_to, end)
            if not data:
                return False
            self._newlines += data.count(b"\n")
            self._ends_line = data.endswith(b"\n")
            self._counted_to += len(data)
            if self._counted_to == end:
                self._before.append(self._newlines)
            if time.monotonic() >= deadline:
                break
        return self.done

    def newlines_before(self, offset: int) -> int | None:
        """How many newlines lie before an offset; None where they are not counted yet."""
        block = offset // BLOCK_BYTES
        if block >= len(self._before) or offset > self._counted_to:
            return None
        return self._before[block] + self.file.read(block * BLOCK_BYTES, offset).count(b"\n")

    def number(self, start: int) -> int | None:
        """The number of the line that starts at an offset, from 1; None where it is not counted yet."""
        newlines = self.newlines_before(start)
        return None if newlines is None else newlines + 1

    def line_end(self, start: int) -> int:
        """Where a line ends: at its newline, or at the file's end.

        Args:
            start: where it starts, or any place in it.
        """
        while start < self.file.size:
            block = start // BLOCK_BYTES
            if (nearest := bisect_right(self._before, self._before_block(block))) < len(self._before):
                # Blocks that are known to have no newline need not be read again.
                start = max(start, (nearest - 1) * BLOCK_BYTES)
            data = self.file.read(start, start + BLOCK_BYTES)
            if not data:
                break
            if (found := data.find(b"\n")) >= 0:
                return start + found
            start += len(data)
        return self.file.size

    def line_start(self, offset: int) -> int:
        """Where the line starts that an offset lies in; behind the file's end: the last line."""
        end = min(offset, self.file.size - 1)
        while end > 0:
            block = (end - 1) // BLOCK_BYTES
            begin = block * BLOCK_BYTES
            if (found := self.file.read(begin, end).rfind(b"\n")) >= 0:
                return begin + found + 1
            if block < len(self._before):
                begin = bisect_left(self._before, self._before[block]) * BLOCK_BYTES
            end = begin
        return 0

    def _before_block(self, block: int) -> int:
        return self._before[block] if block < len(self._before) else self._newlines
