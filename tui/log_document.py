"""What of a log is shown, in order: lines, filtered or with their progress bars folded."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections import OrderedDict
from operator import attrgetter
from typing import NamedTuple

from tui.log_file import BLOCK_BYTES, LogFile
from tui.log_index import LogIndex
from tui.log_lines import FEWEST_FOLDED, ShownLine, progress_shape, shown_line
from tui.log_search import SEARCHED_LINE_BYTES, LinePattern, LogMatches

KEPT_LINES = 512
KEPT_BLOCKS = 32

PATIENCE_SECONDS = 0.02
"""How long a filter may look for lines before the screen is painted without them."""


class Item(NamedTuple):
    """A line that is shown, and the folded ones before it that it stands for.

    Attributes:
        first: where the first of them starts, bytes.
        shown: where the line that is shown starts, bytes.
        hidden: how many lines before it are folded.
    """

    first: int
    shown: int
    hidden: int = 0


class LogDocument:
    """A log as a sequence of items, from any place in both directions.

    Attributes:
        file: the log.
        index: which line is where.
        filter: the lines that are shown; None for all.
        folds: whether runs of progress lines are folded. A run ends with its block, so that what is
            folded never depends on far away parts of the log.
    """

    def __init__(self, file: LogFile) -> None:
        self.file = file
        self.index = LogIndex(file)
        self.filter: LogMatches | None = None
        self.folds = True
        self._deadline = 0.0
        self._items: OrderedDict[int, tuple[int, list[Item]]] = OrderedDict()
        self._lines: OrderedDict[tuple[int, int], tuple[bool, int, ShownLine]] = OrderedDict()
        self._shapes: tuple[int, list[bytes | None]] = (-1, [])
        self._generation = file.generation

    def set_filter(self, pattern: LinePattern | None, origin: int) -> None:
        """Show only lines that match; None for all.

        Args:
            pattern: what makes a line match.
            origin: where the reader is, bytes.
        """
        self.filter = None if pattern is None else LogMatches(self.file, pattern, origin)
        self._items.clear()

    def set_folds(self, folds: bool) -> None:
        """Fold runs of progress lines, or show them all."""
        self.folds = folds
        self._items.clear()

    def rest(self) -> None:
        """Keep nothing but what was counted, while the log is not shown."""
        self.file.close()
        self._items.clear()
        self._lines.clear()
        self._shapes = (-1, [])

    def begin(self) -> None:
        """Begin to lay out a screen: a filter has its patience again."""
        self._deadline = time.monotonic() + PATIENCE_SECONDS
        if self._generation != self.file.generation:
            self._generation = self.file.generation
            self._items.clear()
            self._lines.clear()
            self._shapes = (-1, [])

    def line(self, item: Item) -> ShownLine:
        """An item as it is shown."""
        key = (item.shown, item.hidden)
        kept = self._lines.get(key)
        # Only a line whose newline was there cannot change any more.
        if kept is not None and (kept[0] or kept[1] == self.file.size):
            self._lines.move_to_end(key)
            return kept[2]
        end = self.index.line_end(item.shown)
        line = shown_line(self.file, item.shown, end, item.hidden)
        self._lines[key] = (end < self.file.size, self.file.size, line)
        if len(self._lines) > KEPT_LINES:
            self._lines.popitem(last=False)
        return line

    def at(self, offset: int) -> Item | None:
        """The item that an offset lies in, else the next one, else the one before; None without items."""
        block = min(max(0, offset), max(0, self.file.size - 1)) // BLOCK_BYTES
        items = self._in_block(block)
        if items and items[0].first <= offset:
            return items[bisect_right(items, offset, key=attrgetter("first")) - 1]
        if self.filter is None and (start := self.index.line_start(offset)) // BLOCK_BYTES < block:
            return self.at(start)
        return items[0] if items else self._beside(block, 1) or self._beside(block, -1)

    def after(self, item: Item) -> Item | None:
        """The next item; None at the end."""
        block = item.first // BLOCK_BYTES
        items = self._in_block(block)
        place = bisect_right(items, item.first, key=attrgetter("first"))
        return items[place] if place < len(items) else self._beside(block, 1)

    def before(self, item: Item) -> Item | None:
        """The item before; None at the beginning."""
        block = item.first // BLOCK_BYTES
        items = self._in_block(block)
        place = bisect_right(items, item.first - 1, key=attrgetter("first"))
        return items[place - 1] if place else self._beside(block, -1)

    def last(self) -> Item | None:
        """The last item; None where there is none."""
        return self._beside(self.file.blocks, -1)

    def first(self) -> Item | None:
        """The first item; None where there is none."""
        return self._beside(-1, 1)

    def _beside(self, block: int, step: int) -> Item | None:
        """The nearest item in the blocks after (``step`` 1) or before (-1) a block."""
        place: int | None = block + step
        while place is not None and 0 <= place < self.file.blocks:
            if self.filter is not None:
                place = self.filter.next_block(place, step)
                if place is None or (not self.filter.known(place) and time.monotonic() > self._deadline):
                    return None
            if items := self._in_block(place):
                return items[0 if step > 0 else -1]
            place = place + step if self.filter is not None else self._next_with_lines(place, step)
        return None

    def _next_with_lines(self, block: int, step: int) -> int | None:
        """The block that the line before or after a block without line starts begins in."""
        begin = block * BLOCK_BYTES
        if step < 0:
            return self.index.line_start(begin) // BLOCK_BYTES
        start = self.index.line_end(begin) + 1
        return start // BLOCK_BYTES if start < self.file.size else None

    def _in_block(self, block: int) -> list[Item]:
        """The items that start in a block."""
        if not 0 <= block < self.file.blocks:
            return []
        known_to = min(self.file.size, (block + 1) * BLOCK_BYTES + SEARCHED_LINE_BYTES)
        kept = self._items.get(block)
        if kept is not None and kept[0] == known_to:
            self._items.move_to_end(block)
            return kept[1]
        if self.filter is not None:
            items = [Item(start, start) for start in self.filter.in_block(block)]
        else:
            starts = self.file.line_starts(block)
            items = self._folded(block, starts) if self.folds else [Item(start, start) for start in starts]
        self._items[block] = (known_to, items)
        if len(self._items) > KEPT_BLOCKS:
            self._items.popitem(last=False)
        return items

    def _folded(self, block: int, starts: list[int]) -> list[Item]:
        if not starts:
            return []
        items: list[Item] = []
        run: list[int] = []
        shape: bytes | None = None
        for start, this in zip(starts, self._shapes_of(block, starts), strict=True):
            if run and (this is None or this != shape):
                items += _run(run)
                run = []
            run.append(start)
            shape = this
        return items + _run(run)

    def _shapes_of(self, block: int, starts: list[int]) -> list[bytes | None]:
        """The progress shapes of a block's lines; of a block that grows, only new lines are read."""
        known = self._shapes[1] if self._shapes[0] == block else []
        first = starts[len(known)]
        data = self.file.read(first, (block + 1) * BLOCK_BYTES)
        ends = [start - first for start in starts[len(known) + 1 :]] + [len(data)]
        shapes = known + [
            progress_shape(data[start - first : end].rstrip(b"\n"))
            for start, end in zip(starts[len(known) :], ends, strict=True)
        ]
        self._shapes = block, shapes[:-1]  # the last line may still grow
        return shapes


def _run(starts: list[int]) -> list[Item]:
    """Lines of the same shape: one item, or one each where they are few."""
    if len(starts) < FEWEST_FOLDED:
        return [Item(start, start) for start in starts]
    return [Item(starts[0], starts[-1], len(starts) - 1)]
