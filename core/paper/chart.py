"""Lays out a plot: where its lines, marks, ticks and words stand, in points. Drawing it is another matter.

Curves differ by colour, by mark and by dash, so that they can be told apart in grey and by people
who do not see all colours. Colours: Okabe and Ito (2008), darkened where they are too light on white.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.evidence.plots import Curve, Plot, Point

WIDTH, HEIGHT = 238.0, 150.0
"""Of the whole drawing, in points: a column of the paper."""

LEFT, RIGHT, TOP, BOTTOM = 38.0, 6.0, 6.0, 27.0
"""Margins around the axes, in points."""

COLOURS = ("#0072b2", "#d55e00", "#007a5a", "#a6497d", "#8a6500", "#2f2f2f", "#3b8fc4")
MARKS = ("circle", "square", "triangle", "diamond", "plus", "cross", "ring")
DASHES = ("solid", "dashed", "dotted", "dash-dotted")

MOST_CURVES = 12
"""Curves of one plot; more cannot be told apart."""

MOST_MARKS = 12
"""Marks on one curve; its line goes through every point."""

LEGEND_ROW = 10.0
_LETTER = 3.7


@dataclass(frozen=True)
class Tick:
    """A tick of an axis: its place in points, and its words; ``power`` is an exponent of ten or None."""

    place: float
    words: str
    power: int | None = None


@dataclass(frozen=True)
class Line:
    """A curve, ready to be drawn.

    Attributes:
        name: as the legend shows it.
        colour: ``#rrggbb``.
        mark: one of ``MARKS``.
        dash: one of ``DASHES``.
        points: places in points from the top left.
        band: outline of the range over seeds; empty where every point is one seed.
        marks: where marks stand.
        joined: whether a line goes through the points; False for levels that have no order.
        bars: ranges over seeds as bars, where there is no line.
        legend: place of its entry in the legend.
    """

    name: str
    colour: str
    mark: str
    dash: str
    points: tuple[tuple[float, float], ...]
    band: tuple[tuple[float, float], ...]
    marks: tuple[tuple[float, float], ...]
    joined: bool
    bars: tuple[tuple[float, float, float], ...]
    legend: tuple[float, float]


@dataclass(frozen=True)
class Chart:
    """A laid-out plot.

    Attributes:
        width: in points.
        height: in points.
        x_label: what is on the horizontal axis.
        y_label: what is on the vertical axis.
        x_ticks: of the horizontal axis.
        y_ticks: of the vertical axis.
        lines: one for each curve.
        frame: left, top, right and bottom of the axes, in points.
        left_out: curves that are not drawn.
    """

    width: float
    height: float
    x_label: str
    y_label: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[Line, ...]
    frame: tuple[float, float, float, float]
    left_out: int


class _Axis:
    """Values to places: linear, logarithmic, or one place for each name."""

    def __init__(
        self, values: Sequence[float | str], first: float, last: float, *, log: bool, pad: bool
    ) -> None:
        self.names = list(dict.fromkeys(map(str, values))) if any(isinstance(v, str) for v in values) else []
        numbers = [float(v) for v in values if not isinstance(v, str) and math.isfinite(v)]
        self.log = log and not self.names and bool(numbers) and min(numbers) > 0
        self._first, self._last = first, last
        if self.names:
            self._low, self._high = -0.5, len(self.names) - 0.5
            return
        scaled = [self._scaled(v) for v in numbers] or [0.0, 1.0]
        low, high = min(scaled), max(scaled)
        if high - low < 1e-12 * max(1.0, abs(high)):
            low, high = low - 0.5, high + 0.5
        room = 0.06 * (high - low) if pad else 0.0
        if pad and not self.log and low >= 0 and low - room < 0:
            self._low, self._high = 0.0, high + room
        else:
            self._low, self._high = low - room, high + room

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self.log else value

    def place(self, value: float | str) -> float:
        at = self.names.index(str(value)) if self.names else self._scaled(float(value))
        return self._first + (at - self._low) / (self._high - self._low) * (self._last - self._first)

    def ticks(self) -> tuple[Tick, ...]:
        if self.names:
            step = max(1, math.ceil(len(self.names) / 8))
            shown = self.names[::step]
            return tuple(Tick(self.place(name), _short(name, 14)) for name in shown)
        if self.log:
            return tuple(self._powers())
        return tuple(Tick(self.place(v), _words(v)) for v in _round_values(self._low, self._high))

    def _powers(self) -> list[Tick]:
        first, last = math.ceil(self._low - 1e-9), math.floor(self._high + 1e-9)
        if last - first < 1:
            values = [
                m * 10.0**e
                for e in range(math.floor(self._low), math.ceil(self._high) + 1)
                for m in (1, 2, 5)
                if self._low <= math.log10(m * 10.0**e) <= self._high
            ]
            return [Tick(self.place(value), _words(value)) for value in values]
        step = max(1, math.ceil((last - first + 1) / 6))
        powers = range(first, last + 1, step)
        plain = all(-2 <= power <= 3 for power in powers)
        return [
            Tick(self.place(10.0**power), _words(10.0**power), None if plain else power) for power in powers
        ]


def lay_out(plot: Plot) -> Chart:
    """Where everything of a plot stands."""
    curves = plot.curves[:MOST_CURVES]
    names = [_short(curve.label or plot.metric, 32) for curve in curves]
    places, rows = _legend(names) if len(curves) > 1 else ([(0.0, 0.0)] * len(curves), 0)
    top = TOP + rows * LEGEND_ROW + (3 if rows else 0)
    height = HEIGHT + rows * LEGEND_ROW
    points = [point for curve in curves for point in curve.points]
    values = [v for p in points for v in (p.low, p.mean, p.high)]
    x_axis = _Axis([p.x for p in points], LEFT, WIDTH - RIGHT, log="x" in plot.log, pad=False)
    y_axis = _Axis(values, height - BOTTOM, top, log="y" in plot.log, pad=True)
    lines = tuple(
        _line(index, name, curve, place, x_axis.place, y_axis.place, joined=not x_axis.names)
        for index, (name, curve, place) in enumerate(zip(names, curves, places, strict=True))
    )
    return Chart(
        width=WIDTH,
        height=height,
        x_label=_short(plot.x, 48),
        y_label=_short(plot.metric, 28),
        x_ticks=_apart(x_axis.ticks()),
        y_ticks=y_axis.ticks(),
        lines=lines,
        frame=(LEFT, top, WIDTH - RIGHT, height - BOTTOM),
        left_out=len(plot.curves) - len(curves),
    )


def _line(
    index: int,
    name: str,
    curve: Curve,
    legend: tuple[float, float],
    x: Callable[[float | str], float],
    y: Callable[[float | str], float],
    *,
    joined: bool,
) -> Line:
    shown = [(x(p.x), y(p.mean)) for p in curve.points]
    ranges = any(p.n > 1 for p in curve.points)
    band = _band(curve.points, x, y) if ranges and joined and len(curve.points) > 1 else ()
    bars = [(x(p.x), y(p.low), y(p.high)) for p in curve.points if p.n > 1] if not band else []
    step = max(1, math.ceil(len(shown) / MOST_MARKS))
    offset = index % step
    return Line(
        name=name,
        colour=COLOURS[index % len(COLOURS)],
        mark=MARKS[index % len(MARKS)],
        dash=DASHES[(index + index // len(DASHES)) % len(DASHES)],
        points=tuple(shown),
        band=band,
        marks=tuple(shown[offset::step]) if len(shown) > 1 else tuple(shown),
        joined=joined and len(shown) > 1,
        bars=tuple(bars),
        legend=legend,
    )


def _band(
    points: Sequence[Point], x: Callable[[float | str], float], y: Callable[[float | str], float]
) -> tuple[tuple[float, float], ...]:
    upper = [(x(p.x), y(p.high)) for p in points]
    lower = [(x(p.x), y(p.low)) for p in points]
    return (*upper, *reversed(lower))


def _legend(names: Sequence[str]) -> tuple[list[tuple[float, float]], int]:
    """Places of the legend's entries above the axes, and how many rows they take."""
    places: list[tuple[float, float]] = []
    left, row = LEFT, 0
    for name in names:
        wide = 32 + 4.1 * len(name)
        if left > LEFT and left + wide > WIDTH - RIGHT:
            left, row = LEFT, row + 1
        places.append((left, TOP + row * LEGEND_ROW))
        left += wide
    return places, row + 1


def _apart(ticks: tuple[Tick, ...]) -> tuple[Tick, ...]:
    """The ticks whose words do not run into each other."""
    kept: list[Tick] = []
    end = -math.inf
    for tick in ticks:
        half = 0.5 * _LETTER * (3 if tick.power is not None else len(tick.words))
        if tick.place - half > end + 2:
            kept.append(tick)
            end = tick.place + half
    return tuple(kept)


def _round_values(low: float, high: float) -> list[float]:
    raw = (high - low) / 5
    unit = 10.0 ** math.floor(math.log10(raw))
    step = min((m * unit for m in (1, 2, 2.5, 5, 10)), key=lambda s: abs(s - raw))
    return [step * k for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _words(value: float) -> str:
    text = f"{value:.6g}"
    if "e" in text:
        text = f"{value:.3g}"
    return ("0" if float(text) == 0 else text).replace("-", "−")


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
