"""A chart of lines in braille: two dots a column, four a row, few colours, no frame.

Series are told apart by a letter at the end of each line, too, so that colour is never needed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

BRAILLE = 0x2800
DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""Bits of a braille character by column and row."""

COLOURS = ("$accent", "$inconclusive", "$supported", "$refuted", "$foreground", "$muted")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
LEAST_POSITIVE = 1e-300
MOST_LETTERS = 3
LABEL_COLUMNS = 7


@dataclass(frozen=True)
class Series:
    """A line to draw.

    Attributes:
        label: what people call it; safe text.
        xs: places, in any order.
        ys: values.
    """

    label: str
    xs: Sequence[float]
    ys: Sequence[float]


@dataclass(frozen=True)
class Window:
    """Which part is looked at, and how.

    Attributes:
        low: the first place; None for the first there is.
        high: the last place; None for the last there is.
        cursor: a place between 0 and 1 whose values are told; None for the newest.
        log_y: whether values are shown by their logarithm.
        smooth: over how many columns values are averaged; 1 for none.
    """

    low: float | None = None
    high: float | None = None
    cursor: float | None = None
    log_y: bool = False
    smooth: int = 1


@dataclass(frozen=True)
class Picture:
    """A chart as it was drawn.

    Attributes:
        lines: its rows.
        values: each series' value at the cursor, or its newest; None where it has none there.
        low: the first place that is shown.
        high: the last place that is shown.
        x: the place of the cursor; None without one.
    """

    lines: tuple[Content, ...]
    values: tuple[float | None, ...]
    low: float
    high: float
    x: float | None


def draw(series: Sequence[Series], window: Window, width: int, height: int) -> Picture | None:
    """Draw a chart.

    Args:
        series: what to draw; more than there are colours share them.
        window: which part, and how.
        width: columns, with the labels of the value axis.
        height: rows, with the labels of the place axis.

    Returns:
        The chart; None where there is nothing to draw, or no room.
    """
    places = [end(line.xs) for line in series if len(line.xs) for end in (min, max)]
    if not places or width < 24 or height < 4:
        return None
    low = min(places) if window.low is None else window.low
    high = max(places) if window.high is None else window.high
    if not low < high:
        pad = max(0.5, abs(low) / 1e6)  # so that it is more than nothing beside a huge place
        low, high = low - pad, high + pad
    gutter = LABEL_COLUMNS + 2
    columns, rows = width - gutter - 3, height - 2
    courses = [_course(line, low, high, columns * 2, window) for line in series]
    values = [y for course in courses for y in course if y is not None]
    if not values:
        return None
    bottom, top = _range(min(values), max(values))
    canvas = _Canvas(columns, rows)
    for number, course in enumerate(courses):
        canvas.trace([None if y is None else _share(y, bottom, top) for y in course], number)
    cursor = None if window.cursor is None else min(columns - 1, max(0, round(window.cursor * (columns - 1))))
    ticks = {round((1 - _share(tick, bottom, top)) * (rows - 1)): tick for tick in _ticks(bottom, top, rows)}
    lines = [
        Content.assemble(
            (
                _axis_label(ticks[row], window.log_y).rjust(gutter - 2)
                if row in ticks
                else " " * (gutter - 2),
                "$muted",
            ),
            (" ┤" if row in ticks else " │", "$line"),
            canvas.row(row, cursor, grid=row in ticks),
        )
        for row in range(rows)
    ]
    lines.append(Content.styled(f"{' ' * (gutter - 1)}└{'─' * columns}", "$line"))
    lines.append(Content.styled(" " * gutter + _x_labels(low, high, columns), "$muted"))
    told = tuple(_told(course, cursor, window.log_y) for course in courses)
    x = None if cursor is None else low + (high - low) * cursor / max(1, columns - 1)
    return Picture(tuple(lines), told, low, high, x)


def colour_of_series(number: int) -> str:
    """The colour of a series, by its place."""
    return COLOURS[number % len(COLOURS)]


def letter_of_series(number: int) -> str:
    """The letter of a series, by its place."""
    return LETTERS[number % len(LETTERS)]


def shortly(value: float) -> str:
    """A number in few characters, with a true minus."""
    if value == 0:
        return "0"
    size = abs(value)
    text = f"{value:.4g}" if 1e-4 <= size < 1e6 else f"{value:.2e}"
    return text.replace("-", "−").replace("e+0", "e").replace("e−0", "e−")


class _Canvas:
    """Dots in cells, each cell in the colour of the series that touched it last."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self._dots = [[0] * columns for _ in range(rows)]
        self._owner = [[0] * columns for _ in range(rows)]
        self._ends: dict[int, list[int]] = {}

    def trace(self, course: Sequence[float | None], number: int) -> None:
        """Draw a series, given as shares of the height by half columns."""
        highest = self.rows * 4 - 1
        before: tuple[int, int] | None = None
        for x, share in enumerate(course):
            if share is None:
                continue
            y = round((1 - min(1.0, max(0.0, share))) * highest)
            if before is None:
                self._dot(x, y, number)
            else:
                self._stroke(before, (x, y), number)
            before = (x, y)
        if before is not None:
            self._ends.setdefault(before[1] // 4, []).append(number)

    def row(self, row: int, cursor: int | None, *, grid: bool) -> Content:
        """One row of cells, with the letters of the series that end in it."""
        parts: list[tuple[str, str]] = []
        for column in range(self.columns):
            dots = self._dots[row][column]
            if dots:
                cell = (chr(BRAILLE | dots), colour_of_series(self._owner[row][column]))
            elif column == cursor:
                cell = ("│", "$muted")
            else:
                cell = ("┈" if grid else " ", "$line")
            if parts and parts[-1][1] == cell[1]:
                parts[-1] = (parts[-1][0] + cell[0], cell[1])
            else:
                parts.append(cell)
        letters = [
            (letter_of_series(number), f"{colour_of_series(number)} bold")
            for number in self._ends.get(row, [])
        ]
        return Content.assemble(*parts, *letters[:3])

    def _stroke(self, begin: tuple[int, int], end: tuple[int, int], number: int) -> None:
        (x0, y0), (x1, y1) = begin, end
        steps = max(x1 - x0, abs(y1 - y0), 1)
        for step in range(1, steps + 1):
            self._dot(x0 + round((x1 - x0) * step / steps), y0 + round((y1 - y0) * step / steps), number)

    def _dot(self, x: int, y: int, number: int) -> None:
        row, column = y // 4, x // 2
        if 0 <= row < self.rows and 0 <= column < self.columns:
            self._dots[row][column] |= DOTS[x % 2][y % 4]
            self._owner[row][column] = number


def _course(line: Series, low: float, high: float, halves: int, window: Window) -> list[float | None]:
    """A series by half columns: the mean of what falls into each, smoothed."""
    sums, counts = [0.0] * halves, [0] * halves
    scale = (halves - 1) / (high - low)
    for x, y in zip(line.xs, line.ys, strict=True):
        if not low <= x <= high or (window.log_y and y < LEAST_POSITIVE):
            continue
        place = min(halves - 1, int((x - low) * scale + 0.5))
        counts[place] += 1
        # A running mean: a sum of huge values would be infinite.
        value = math.log10(y) if window.log_y else y
        sums[place] += (value - sums[place]) / counts[place]
    course = [mean if count else None for mean, count in zip(sums, counts, strict=True)]
    return course if window.smooth <= 1 else _smoothed(course, window.smooth)


def _smoothed(course: Sequence[float | None], over: int) -> list[float | None]:
    """Means over the newest values, as many as are asked for."""
    smooth: list[float | None] = []
    recent: list[float] = []
    for y in course:
        if y is not None:
            recent = [*recent[-(over - 1) :], y]
        smooth.append(None if y is None else sum(recent) / len(recent))
    return smooth


def _range(low: float, high: float) -> tuple[float, float]:
    if low == high:
        pad = abs(low) * 0.1 or 1.0
        return low - pad, high + pad
    pad = (high - low) * 0.04
    return low - pad, high + pad


def _share(value: float, bottom: float, top: float) -> float:
    return (value - bottom) / (top - bottom)


def _ticks(bottom: float, top: float, rows: int) -> list[float]:
    """Round values for the axis, about one for every four rows."""
    span = top - bottom
    rough = span / max(2, rows // 4)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((power * factor for factor in (1, 2, 5, 10) if power * factor >= rough), power * 10)
    first = math.ceil(bottom / step)
    ticks = [(first + number) * step for number in range(50) if (first + number) * step <= top]
    return [0.0 if abs(tick) < step / 1e6 else tick for tick in ticks]


def _axis_label(value: float, log_y: bool) -> str:
    real = 10**value if log_y and value < 300 else value
    text = shortly(real)
    return text if len(text) <= LABEL_COLUMNS else f"{real:.0e}".replace("-", "−").replace("e+", "e")


def _x_labels(low: float, high: float, columns: int) -> str:
    half = (low + high) / 2
    whole = float(low).is_integer() and float(high).is_integer() and high - low >= 8
    first, middle, last = shortly(low), shortly(int(half) if whole else half), shortly(high)
    if len(first) + len(last) + 1 > columns:
        return first[:columns]
    if len(first) + len(middle) + len(last) + 4 > columns:
        return f"{first}{last.rjust(columns - len(first))}"
    left = (columns - len(middle)) // 2 - len(first)
    right = columns - len(first) - left - len(middle) - len(last)
    return f"{first}{' ' * left}{middle}{' ' * right}{last}"


def _told(course: Sequence[float | None], cursor: int | None, log_y: bool) -> float | None:
    """The newest value, or the one nearest before the cursor."""
    until = len(course) if cursor is None else cursor * 2 + 2
    value = next((y for y in reversed(course[:until]) if y is not None), None)
    return 10**value if log_y and value is not None and value < 300 else value
