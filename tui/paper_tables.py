"""Tables of a paper as lines: numbers right-aligned, cells wrapped, no more lines than are needed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from textual.content import Content

GAP = 2
FEWEST_COLUMNS = 5
NUMERIC = re.compile(r"[−+\-–~≤≥<>$\[(]?\s*[\d.]")


def table_lines(rows: Sequence[Sequence[Content]], width: int) -> list[Content]:
    """A table as lines of at most so many columns.

    Args:
        rows: cells by row, the head first.
        width: columns.
    """
    count = max((len(row) for row in rows), default=0)
    if not count:
        return []
    whole = [[*row, *[Content()] * (count - len(row))] for row in rows]
    widths = _widths(whole, width)
    numeric = [_is_numeric([row[column] for row in whole[1:]]) for column in range(count)]
    lines = list(_row([cell.stylize("$muted") for cell in whole[0]], widths, numeric))
    lines.append(Content.styled("─" * min(width, sum(widths) + GAP * (count - 1)), "$line"))
    for row in whole[1:]:
        lines += _row(row, widths, numeric)
    return lines


def _widths(rows: Sequence[Sequence[Content]], width: int) -> list[int]:
    """What each column gets: what it needs, and where that is too much, the widest give way."""
    needs = [max(cell.cell_length for cell in column) for column in zip(*rows, strict=True)]
    room = max(width - GAP * (len(needs) - 1), len(needs))
    widths = [max(1, need) for need in needs]
    while sum(widths) > room:
        widest = max(range(len(widths)), key=lambda column: widths[column])
        rivals = sorted(widths, reverse=True)
        step = max(1, min(sum(widths) - room, rivals[0] - (rivals[1] if len(rivals) > 1 else 0)))
        widths[widest] = max(1, widths[widest] - step)
        if max(widths) <= FEWEST_COLUMNS:
            break
    return widths


def _row(cells: Sequence[Content], widths: Sequence[int], numeric: Sequence[bool]) -> Iterator[Content]:
    """A row's lines; those that are too wide in the end are cut by whoever draws them."""
    wrapped = [cell.wrap(width) or [Content()] for cell, width in zip(cells, widths, strict=True)]
    for y in range(max(map(len, wrapped))):
        parts = []
        for lines, width, right in zip(wrapped, widths, numeric, strict=True):
            line = lines[y].rstrip() if y < len(lines) else Content()
            room = max(0, width - line.cell_length)
            parts.append(line.pad_left(room) if right else line.pad_right(room))
        yield Content(" " * GAP).join(parts)


def _is_numeric(cells: Sequence[Content]) -> bool:
    return bool(cells) and all(NUMERIC.match(cell.plain) or cell.plain in ("", "–", "?") for cell in cells)
