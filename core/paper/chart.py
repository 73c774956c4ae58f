"""Lays out a plot: where its lines, marks, ticks and words stand, in points. Drawing it is another matter.

Curves differ by colour, by mark and by dash, so that they can be told apart in grey and by people
who do not see all colours. Colours: Okabe and Ito (2008), darkened where they are too light on white.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from core.evidence.plots import Curve, Plot, Point
from core.paper.axis import Axis, Tick, short

WIDTH, HEIGHT = 236.0, 148.0
"""Of the whole drawing, in points: about a column of the paper."""

RIGHT, TOP, BOTTOM = 7.0, 5.0, 27.0
"""Margins around the axes, in points; the one on the left follows the words of the ticks."""

COLOURS = ("#0072b2", "#d55e00", "#007a5a", "#a6497d", "#8a6500", "#2f2f2f", "#3b8fc4")
MARKS = ("circle", "square", "triangle", "diamond", "plus", "cross", "ring")
DASHES = ("solid", "dashed", "dotted", "dash-dotted")

MOST_CURVES = 12
"""Curves of one plot; more cannot be told apart."""

MOST_MARKS = 12
"""Marks on one curve; its line goes through every point."""

MOST_STEPS = 1_000
"""Points of one line; of more, evenly chosen ones are drawn."""

_SLANT: Final = 0.6
"""Height of a slanted name, as a part of its length."""

_Place: TypeAlias = Callable[[float | str], float]


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


@dataclass(frozen=True)
class Chart:
    """A laid-out plot; its legend stands above, as wide as its words make it.

    Attributes:
        width: in points.
        height: in points.
        x_label: what is on the horizontal axis.
        y_label: what is on the vertical axis.
        x_ticks: of the horizontal axis.
        y_ticks: of the vertical axis.
        slanted: whether the words under the horizontal axis are slanted.
        lines: one for each curve.
        frame: left, top, right and bottom of the axes, in points.
        notes: what a reader has to know besides, in sentences.
        words: the whole in one sentence, for those who cannot see it.
    """

    width: float
    height: float
    x_label: str
    y_label: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    slanted: bool
    lines: tuple[Line, ...]
    frame: tuple[float, float, float, float]
    notes: tuple[str, ...]
    words: str


def lay_out(plot: Plot) -> Chart:
    """Where everything of a plot stands."""
    curves = [Curve(c.label, _thinned(_finite(c.points))) for c in plot.curves[:MOST_CURVES]]
    points = [point for curve in curves for point in curve.points]
    values = [v for p in points for v in (p.low, p.mean, p.high)]
    y_axis = Axis(values, log="y" in plot.log, room=0.06, zero=True)
    left = 15.0 + max((tick.wide for tick in y_axis.between(1.0, 0.0).ticks()), default=0.0)
    x_axis = Axis([p.x for p in points], log="x" in plot.log, room=0.02)
    x_axis.between(left, WIDTH - RIGHT)
    slanted = bool(x_axis.names) and _apart(x_axis.ticks()) != x_axis.ticks()
    longest = max((tick.wide for tick in x_axis.ticks()), default=0.0)
    bottom = BOTTOM + (_SLANT * longest if slanted else 0.0)
    height = HEIGHT + bottom - BOTTOM
    y_axis.between(height - bottom, TOP)
    lines = tuple(_line(number, curve, len(curves), x_axis, y_axis) for number, curve in enumerate(curves))
    y_label = f"{plot.metric} ({plot.unit})" if plot.unit else plot.metric
    return Chart(
        width=WIDTH,
        height=height,
        x_label=short(plot.x, 48),
        y_label=short(y_label, 32),
        x_ticks=x_axis.ticks() if slanted else _apart(x_axis.ticks()),
        y_ticks=y_axis.ticks(),
        slanted=slanted,
        lines=lines,
        frame=(left, TOP, WIDTH - RIGHT, height - bottom),
        notes=tuple(_notes(plot, curves, x_axis, y_axis)),
        words=_words(plot, curves),
    )


def _notes(plot: Plot, curves: Sequence[Curve], x_axis: Axis, y_axis: Axis) -> list[str]:
    notes = []
    seeds = {p.n for curve in curves for p in curve.points}
    if max(seeds, default=1) > 1:
        kind = "bars" if x_axis.names or all(len(c.points) < 2 for c in curves) else "bands"
        count = f"{min(seeds)} seeds" if len(seeds) == 1 else f"{min(seeds)} to {max(seeds)} seeds"
        notes.append(f"Means, with {kind} for the range over {count}.")
    for axis, name in ((x_axis, "x"), (y_axis, "y")):
        if name in plot.log and not axis.log and not axis.names:
            notes.append(f"The {name} axis is linear, as not every value is positive.")
    if not seeds:
        notes.append("There is no value that can be drawn.")
    if len(plot.curves) > len(curves):
        notes.append(f"{len(plot.curves) - len(curves)} more curves are not drawn.")
    return notes


def _words(plot: Plot, curves: Sequence[Curve]) -> str:
    names = [curve.label for curve in curves if curve.label]
    of = f", for {'; '.join(names)}" if names else ""
    ends = [(c.label or plot.metric, c.points[0], c.points[-1]) for c in curves if c.points]
    told = "; ".join(f"{name} from {a.mean:.4g} at {_x(a)} to {b.mean:.4g} at {_x(b)}" for name, a, b in ends)
    return short(f"Plot of {plot.metric} over {plot.x}{of}: {told}.", 1_000)


def _x(point: Point) -> str:
    return point.x if isinstance(point.x, str) else f"{point.x:.4g}"


def _line(number: int, curve: Curve, of: int, x_axis: Axis, y_axis: Axis) -> Line:
    # Named levels have no line between them, so curves stand side by side there.
    beside = (number - (of - 1) / 2) * min(7.0, 0.7 * x_axis.step / of) if x_axis.names else 0.0
    joined = not x_axis.names and len(curve.points) > 1
    x: _Place = lambda value: x_axis.place(value) + beside  # noqa: E731
    shown = [(x(p.x), y_axis.place(p.mean)) for p in curve.points]
    ranges = any(p.n > 1 for p in curve.points)
    band = _band(curve.points, x, y_axis.place) if ranges and joined else ()
    bars = [(x(p.x), y_axis.place(p.low), y_axis.place(p.high)) for p in curve.points if p.n > 1]
    step = max(1, math.ceil(len(shown) / MOST_MARKS)) if joined else 1
    return Line(
        name=short(curve.label or "–", 36),
        colour=COLOURS[number % len(COLOURS)],
        mark=MARKS[number % len(MARKS)],
        dash=DASHES[number % len(DASHES)],
        points=tuple(shown),
        band=band,
        marks=tuple(shown[number % step :: step]),
        joined=joined,
        bars=() if band else tuple(bars),
    )


def _band(points: Sequence[Point], x: _Place, y: _Place) -> tuple[tuple[float, float], ...]:
    upper = [(x(p.x), y(p.high)) for p in points]
    lower = [(x(p.x), y(p.low)) for p in points]
    return (*upper, *reversed(lower))


def _finite(points: Sequence[Point]) -> tuple[Point, ...]:
    return tuple(
        p
        for p in points
        if all(math.isfinite(v) for v in (p.mean, p.low, p.high))
        and (isinstance(p.x, str) or math.isfinite(p.x))
    )


def _thinned(points: Sequence[Point]) -> tuple[Point, ...]:
    if len(points) <= MOST_STEPS:
        return tuple(points)
    last = len(points) - 1
    return tuple(points[round(i * last / (MOST_STEPS - 1))] for i in range(MOST_STEPS))


def _apart(ticks: tuple[Tick, ...]) -> tuple[Tick, ...]:
    """The ticks whose words do not run into each other; those without words stay."""
    kept: list[Tick] = []
    end = -math.inf
    for tick in sorted(ticks, key=lambda tick: tick.place):
        if not tick.words:
            kept.append(tick)
        elif tick.place - tick.wide / 2 > end + 3:
            kept.append(tick)
            end = tick.place + tick.wide / 2
    return tuple(kept)
