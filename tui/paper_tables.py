"""Tables of a paper as lines: numbers right-aligned, cells wrapped; stacked where words would be torn."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from textual.content import Content

GAP = 2
FEWEST_COLUMNS = 5
TORN_COLUMNS = 10
"""A table in which words of up to this length would be torn is shown as one list for each row instead."""
WIDEST_NAME = 19
NUMERIC = re.compile(r"[−+\-–~≤≥<>$\[(]?\s*[\d.]")


def table_lines(rows: Sequence[Sequence[Content]], width: int) -> list[Content]:
    """A table as lines of at most so many columns; where its columns would be too narrow to read, stacked.

    Args:
        rows: cells by row, the head first.
        width: columns.
    """
    count = max((len(row) for row in rows), default=0)
    if not count:
        return []
    whole = [[*row, *[Content()] * (count - len(row))] for row in rows]
    if len(whole) > 1 and _is_torn(whole, width):
        return list(_stacked(whole, width))
    widths = _widths(whole, width)
    numeric = [_is_numeric([row[column] for row in whole[1:]]) for column in range(count)]
    lines = list(_row([cell.stylize("$muted") for cell in whole[0]], widths, numeric))
    lines.append(Content.styled("─" * min(width, sum(widths) + GAP * (count - 1)), "$line"))
    for row in whole[1:]:
        lines += _row(row, widths, numeric)
    return lines


def _widths(rows: Sequence[Sequence[Content]], width: int) -> list[int]:
    """What each column gets: what it needs, and where that is too much, the widest give way.

    Only where there is no other way do they give way so far that words are broken.
    """
    columns = list(zip(*rows, strict=True))
    widths = [max(1, *(cell.cell_length for cell in column)) for column in columns]
    room = max(width - GAP * (len(columns) - 1), len(columns))
    words = [max(_longest_word(cell) for cell in column) for column in columns]
    for floors in (words, [min(FEWEST_COLUMNS, word) for word in words], [1] * len(columns)):
        while sum(widths) > room:
            able = [column for column, floor in enumerate(floors) if widths[column] > floor]
            if not able:
                break
            widest = max(able, key=lambda column: widths[column])
            widths[widest] -= 1
    return widths


def _is_torn(rows: Sequence[Sequence[Content]], width: int) -> bool:
    """Whether there is no room even for short words."""
    columns = list(zip(*rows, strict=True))
    needed = sum(min(TORN_COLUMNS, max(_longest_word(cell) for cell in column)) for column in columns)
    return needed + GAP * (len(columns) - 1) > width


def _stacked(rows: Sequence[Sequence[Content]], width: int) -> Iterator[Content]:
    """Each row as a list: the name of a column, and what the row says there."""
    head, *body = rows
    names = [cell.truncate(min(WIDEST_NAME, width // 3), ellipsis=True) for cell in head]
    room = max(name.cell_length for name in names) + GAP
    for place, row in enumerate(body):
        if place:
            yield Content.styled("─" * width, "$line")
        for name, cell in zip(names, row, strict=True):
            if not name.plain:
                yield from (line.rstrip().stylize("bold") for line in cell.wrap(width))
                continue
            label = name.stylize("$muted").pad_right(room - name.cell_length)
            for number, line in enumerate(cell.wrap(max(1, width - room)) or [Content()]):
                yield Content.assemble(" " * room if number else label, line.rstrip())


def _longest_word(cell: Content) -> int:
    return max((cell_len(word) for word in cell.plain.split()), default=1)


def _row(cells: Sequence[Content], widths: Sequence[int], numeric: Sequence[bool]) -> Iterator[Content]:
    """A row's lines."""
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
