"""A log of any size as lines: nothing of it is kept but what was looked at last.

The file is seen in blocks of a fixed size. A line belongs to the block that it starts in, so that
any place of the file can be shown without knowing what lies before it.
"""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from pathlib import Path

BLOCK_BYTES = 64 * 1024

KEPT_BLOCKS = 64
"""Blocks whose line starts are remembered; a screen needs one or two."""

NEWLINE = re.compile(rb"\n")


class LogFile:
    """A log that may grow while it is read.

    Attributes:
        path: the file; it need not be there yet.
        size: its length as of the last look, bytes. What came after it is not seen before the next.
        generation: how often the file was found shorter than before, which makes all known void.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.generation = 0
        self._descriptor: int | None = None
        self._starts: OrderedDict[int, tuple[int, list[int]]] = OrderedDict()

    def look(self) -> bool:
        """See what has come since the last look; whether anything has."""
        try:
            size = self.path.stat().st_size
        except OSError:
            size = 0
        if size == self.size:
            return False
        if size < self.size:
            self.generation += 1
            self._starts.clear()
            self.close()
        self.size = size
        return True

    def close(self) -> None:
        """Let go of the file; it is opened again when it is needed."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return -(-self.size // BLOCK_BYTES)

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from ``start`` to before ``stop``; fewer where the file ends or cannot be read."""
        start, stop = max(0, start), min(stop, self.size)
        if start >= stop:
            return b""
        try:
            if self._descriptor is None:
                self._descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            return os.pread(self._descriptor, stop - start, start)
        except OSError:
            return b""

    def line_starts(self, block: int) -> list[int]:
        """Where the lines of a block start, bytes from the file's first."""
        begin, end = block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES
        kept = self._starts.get(block)
        # What is known of the last block holds only until it grows.
        if kept is not None and kept[0] == min(self.size, end):
            self._starts.move_to_end(block)
            return kept[1]
        before = max(0, begin - 1)
        data = self.read(before, end - 1)
        starts = [] if begin or not self.size else [0]
        starts += [before + match.end() for match in NEWLINE.finditer(data)]
        if starts and starts[-1] >= self.size:
            starts.pop()
        self._starts[block] = (min(self.size, end), starts)
        if len(self._starts) > KEPT_BLOCKS:
            self._starts.popitem(last=False)
        return starts
