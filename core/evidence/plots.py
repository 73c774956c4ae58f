"""Curves of a plot, made from what experiment code logged or recorded."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import BindingError
from core.evidence import statistics
from core.evidence.condition import canonical_level
from core.evidence.evidence import Evidence
from core.evidence.measurement import Key, LogPoint, Measurement
from core.evidence.quantity import nearest
from core.evidence.tables import BlockRequest, facets

MOST_ROWS = 20
"""Rows of a plot's data table in Markdown; further steps are left out evenly."""


@dataclass(frozen=True)
class Point:
    """One point of a curve: the mean over seeds, and their range."""

    x: float | str
    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Curve:
    """One line of a plot."""

    label: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Plot:
    """A plot's data, ready to be drawn.

    Attributes:
        label: what ``@fig-…`` refers to.
        caption: Markdown with its numbers bound.
        metric: what is on the vertical axis.
        x: what is on the horizontal axis.
        log: axes that are logarithmic: ``""``, ``x``, ``y`` or ``xy``.
        curves: one for each level of the ``by`` factor.
        id: the row of the evidence appendix.
        unit: of what is on the vertical axis, as the code gave it; empty where it gave none.
    """

    label: str
    caption: str
    metric: str
    x: str
    log: str
    curves: tuple[Curve, ...]
    id: str
    unit: str = ""


def plot_curves(
    request: BlockRequest, evidence: Evidence
) -> tuple[tuple[Curve, ...], tuple[Measurement | LogPoint, ...]]:
    """The curves of a plot, and what they rest on.

    A metric that was logged is drawn over its steps; one that was recorded as results is drawn over
    the levels of the factor that ``x`` names.

    Raises:
        BindingError: the metric or a factor is unknown, or a factor varies that is not named.
    """
    metric, by = request.attributes["metric"], request.names("by")
    if not re.fullmatch(r"x?y?", request.attributes.get("log", "")):
        raise BindingError("log= takes x, y or xy", "Leave it out for plain axes")
    points = [p for p in evidence.ledger.logs if p.usable and metric in p.values]
    x = request.attributes.get("x", "step")
    measured = [k for k in evidence.ledger.keys.values() if k.metric == metric and x in facets(k)]
    if measured:
        return _over_factor(measured, x, by), tuple(m for k in measured for m in k.measurements)
    if not points:
        known = {name for p in evidence.ledger.logs for name in p.values} | {
            k.metric for k in evidence.ledger.keys.values()
        }
        near = nearest(metric, known)
        raise BindingError(
            f"no series or factor was recorded for {metric!r} over {x!r}",
            f"Nearest metrics: {', '.join(near)}" if near else "Plot a metric that was logged",
        )
    return _over_steps(points, metric, by), tuple(points)


def unit_of(metric: str, evidence: Evidence) -> str:
    """The unit that code gave a metric; empty where it gave none, or several."""
    units = {key.unit for key in evidence.ledger.keys.values() if key.metric == metric}
    return units.pop() if len(units) == 1 else ""


def shown_rows(curves: Sequence[Curve]) -> tuple[list[float | str], int]:
    """The places of a plot that its data table shows.

    Returns:
        At most ``MOST_ROWS`` places, first and last among them, and how many there are.
    """
    places = list(dict.fromkeys(p.x for curve in curves for p in curve.points))
    places.sort(key=lambda x: (isinstance(x, str), x if isinstance(x, int | float) else 0, str(x)))
    if len(places) <= MOST_ROWS:
        return places, len(places)
    chosen = sorted({round(i * (len(places) - 1) / (MOST_ROWS - 1)) for i in range(MOST_ROWS)})
    return [places[i] for i in chosen], len(places)


def _over_factor(keys: Sequence[Key], x: str, by: Sequence[str]) -> tuple[Curve, ...]:
    loose = [f for f in dict.fromkeys(n for k in keys for n in k.levels) if f not in (x, *by)]
    for factor in loose:
        raise BindingError(f"factor {factor!r} varies too", f"Add by={','.join([*by, factor])}")
    curves: dict[str, list[Point]] = defaultdict(list)
    for key in keys:
        given = facets(key)
        level = given[x]
        place = level if isinstance(level, int | float) and not isinstance(level, bool) else str(level)
        values = [v for v in key.values if math.isfinite(v)]
        if values:
            curves[_label(given, by)].append(_point(place, values))
    return _sorted(curves)


def _over_steps(points: Sequence[LogPoint], metric: str, by: Sequence[str]) -> tuple[Curve, ...]:
    conditions = {canonical_level(sorted(map(str, p.condition.items()))): p.condition for p in points}
    factors = dict.fromkeys(name for condition in conditions.values() for name in condition)
    for factor in factors:
        levels = {canonical_level(condition.get(factor)) for condition in conditions.values()}
        if len(levels) > 1 and factor not in by:
            raise BindingError(f"factor {factor!r} varies too", f"Add by={','.join([*by, factor])}")
    for factor in by:
        if factor not in factors:
            raise BindingError(
                f"no factor {factor!r} was recorded", f"Factors: {', '.join(factors) or 'none'}"
            )
    values: dict[str, dict[float, dict[Any, float]]] = defaultdict(lambda: defaultdict(dict))
    for p in points:
        if math.isfinite(p.step) and math.isfinite(p.values[metric]):
            values[_label(p.condition, by)][p.step].setdefault(p.seed, p.values[metric])
    curves = {
        label: [_point(step, list(of_seed.values())) for step, of_seed in steps.items()]
        for label, steps in values.items()
    }
    return _sorted(curves)


def _label(levels: Mapping[str, Any], by: Sequence[str]) -> str:
    return ", ".join(str(levels.get(factor, "–")) for factor in by)


def _point(x: float | str, values: Sequence[float]) -> Point:
    return Point(x, statistics.mean(values), min(values), max(values), len(values))


def _sorted(curves: Mapping[str, list[Point]]) -> tuple[Curve, ...]:
    return tuple(
        Curve(
            label,
            tuple(
                sorted(
                    points,
                    key=lambda p: (isinstance(p.x, str), p.x if not isinstance(p.x, str) else 0, str(p.x)),
                )
            ),
        )
        for label, points in sorted(curves.items())
    )
