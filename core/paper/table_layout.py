"""How wide a table and its columns are, so that no cell runs into the next one.

Widths are counted in characters of ordinary text; both forms of the paper are set from them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, TypeAlias

from core.paper.glyphs import printable
from core.paper.tree import Citation, Code, Formula, Grid, Inline, Link, Number, Reference, Styled, Text

Size: TypeAlias = Literal["plain", "small", "tiny"]
"""Of the letters in a table."""

ROOM: Final[dict[Size, tuple[float, float]]] = {"plain": (54, 118), "small": (63, 138), "tiny": (74, 162)}
"""Characters that fit into one column of the page, and into its whole width, by the size of the letters."""

MOST_FLOATING: Final = 40
"""Lines of a table that floats; a longer one may be broken over pages."""

MOST_WHOLE: Final = 18
"""Lines of a table in the running text that is not broken over columns."""

LONGEST_WORD: Final = 26
"""Characters of a word that is never broken."""

_BETWEEN: Final = 2.2
"""Characters that the space between two columns takes."""

_WIDEST_CELL: Final = 60.0
_CODE: Final = 1.2
_STRONG: Final = 1.12
_PIECES: Final = (LONGEST_WORD, 18, 12, 8, 5, 3)

_BREAK: Final = "\u200b"
_JOINT: Final = re.compile(r"(?<=[._,=(\[{+-])(?=[^\s.])|(?<=\d)(?=\()|(?<=[:/])(?=[^\s.:/])")
_LONG: Final = {most: re.compile(rf"\S{{{most},}}") for most in _PIECES}


_STEP: Final = re.compile(r"(?<=[^/:]/)(?=[^/])")
"""Behind the strokes of an address."""


@dataclass(frozen=True)
class TableLayout:
    """How a table is set.

    Attributes:
        across: whether it goes over both columns of the page.
        floats: whether it may stand at the top or the bottom of a page.
        size: of its letters.
        shares: widths of its columns, as parts of one; empty where they follow the content.
        longest: characters of a word that is not broken.
        lines: about how many lines it takes.
    """

    across: bool
    floats: bool
    size: Size
    shares: tuple[float, ...]
    longest: int
    lines: int


def breakable(text: str, longest: int = LONGEST_WORD) -> str:
    """A text whose long words can be broken over lines, at places marked with U+200B."""
    piece = min(18, longest)
    return _LONG[longest].sub(lambda match: broken(match[0], piece), text)


def broken(word: str, piece: int = 18) -> str:
    """A word that can be broken at its joints, and anywhere where it has none for long."""
    parts = _JOINT.sub(_BREAK, word).split(_BREAK)
    return _BREAK.join(_BREAK.join(part[i : i + piece] for i in range(0, len(part), piece)) for part in parts)


def broken_address(url: str) -> str:
    """An address that can be broken behind its strokes, and inside a part only where that is long."""
    return _BREAK.join(part if len(part) < LONGEST_WORD else broken(part) for part in _STEP.split(url))


def table_layout(grid: Grid) -> TableLayout:
    """How a table is set: as narrow, and with letters as large, as its words allow."""
    whole = _columns(grid, _width)
    between = _BETWEEN * len(whole)
    if sum(whole) + between <= ROOM["plain"][0]:
        lines = 1 + len(grid.rows)
        return TableLayout(
            False, lines <= MOST_FLOATING and bool(grid.caption), "plain", (), LONGEST_WORD, lines
        )
    crowded = len(whole) > 4 and sum(whole) + between > 1.6 * ROOM["plain"][0]
    for longest in _PIECES:
        words = _columns(grid, partial(_longest_word, longest))
        for size, (column, page) in ROOM.items():
            across = _laid_out(grid, words, whole, page, True, size, longest)
            floating = across.floats and size != "tiny"
            if sum(words) + between <= column and not (crowded and floating):
                return _laid_out(grid, words, whole, column, False, size, longest)
            if floating and sum(words) + between <= page:
                return across
    words = [float(_PIECES[-1])] * len(whole)
    across = _laid_out(grid, words, whole, ROOM["tiny"][1], True, "tiny", _PIECES[-1])
    if across.floats:
        return across
    return _laid_out(grid, words, whole, ROOM["tiny"][0], False, "tiny", _PIECES[-1])


def _laid_out(
    grid: Grid, words: list[float], whole: list[float], room: float, across: bool, size: Size, longest: int
) -> TableLayout:
    shares = _shares(words, whole, room)
    columns = [max(1.0, share * room - _BETWEEN) for share in shares]
    lines = sum(
        max((math.ceil(_width(cell) / width) for cell, width in zip(row, columns, strict=False)), default=1)
        for row in (grid.header, *grid.rows)
    )
    floats = lines <= MOST_FLOATING and (across or bool(grid.caption))
    return TableLayout(across, floats, size, shares, longest, lines)


def even_shares(grid: Grid) -> tuple[float, ...]:
    """Widths of columns that hold what is in them, as parts of one."""
    widths = [1.1 * width + 1 + _BETWEEN for width in _columns(grid, _width)]
    return tuple(width / max(ROOM["plain"][0], sum(widths)) for width in widths)


def _shares(words: list[float], whole: list[float], room: float) -> tuple[float, ...]:
    """Columns that hold their longest word, and share what is left by what else they hold."""
    wanted = [max(0.0, min(_WIDEST_CELL, all_) - word) for all_, word in zip(whole, words, strict=True)]
    left = max(0.0, room - sum(words) - _BETWEEN * len(words))
    part = min(1.0, left / (sum(wanted) or 1.0))
    widths = [word + part * more + _BETWEEN for word, more in zip(words, wanted, strict=True)]
    return tuple(width / sum(widths) for width in widths)


def _columns(grid: Grid, measure: Callable[[Iterable[Inline]], float]) -> list[float]:
    """The most that a measure gives for a cell of each column."""
    head = [_STRONG * measure(cell) for cell in grid.header]
    return [max((head[i], *(measure(row[i]) for row in grid.rows if i < len(row)))) for i in range(len(head))]


def _width(parts: Iterable[Inline]) -> float:
    width = 0.0
    for part in parts:
        if isinstance(part, Styled | Link):
            width += _width(part.parts) * (_STRONG if getattr(part, "style", "") == "strong" else 1)
        elif isinstance(part, Code):
            width += _CODE * len(printable(part.text))
        else:
            width += len(_unbroken(part))
    return width


def _longest_word(longest: int, parts: Iterable[Inline]) -> float:
    return max((len(word) for word in re.split(rf"[\s{_BREAK}]+", _words(parts, longest))), default=0) + 1.0


def _words(parts: Iterable[Inline], longest: int) -> str:
    """A cell's words as they can be broken."""
    words = ""
    for part in parts:
        if isinstance(part, Styled | Link):
            words += _words(part.parts, longest)
        elif isinstance(part, Code):
            for word in re.split(r"(\s)", breakable(printable(part.text), longest)):
                words += word + "x" * round(len(word) * (_CODE - 1))
        elif isinstance(part, Text):
            words += breakable(printable(part.text), longest)
        else:
            words += re.sub(r"\s", "x", _unbroken(part))
    return words


def _unbroken(part: Inline) -> str:
    if isinstance(part, Text | Number | Citation):
        return printable(part.text)
    if isinstance(part, Formula):
        return part.source[: len(part.source) // 2]
    return f"Figure {part.label[-2:]}" if isinstance(part, Reference) else ""
