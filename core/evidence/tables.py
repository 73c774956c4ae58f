"""Tables and plots that are made from measurements: an author names them, code fills them."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from core.errors import BindingError
from core.evidence import statistics
from core.evidence.condition import canonical_level, same_level, slug
from core.evidence.evidence import Evidence
from core.evidence.expressions import nearest
from core.evidence.measurement import Key, LogPoint, Measurement

BlockKind: TypeAlias = Literal["table", "plot"]

MOST_ROWS = 20
"""Rows of a plot's data table in Markdown; further steps are left out evenly."""

MOST_CELLS = 400
"""Cells of a table; a larger one does not fit a page."""

BLOCK = re.compile(
    r"^:::[ \t]*(\w*)((?:(?!\n[ \t]*\n)[\s\S])*?)(?:[ \t]:::[ \t]*$|\n:::[ \t]*$)", re.MULTILINE
)
_ATTRIBUTE = re.compile(
    r"#(?P<label>[A-Za-z][\w-]*)|(?P<name>[a-z]+)=(?:\"(?P<quoted>[^\"]*)\"|(?P<plain>[^\s\"]+))"
)
_ALLOWED = {
    "table": {"metric", "rows", "cols", "fmt", "caption", "split"},
    "plot": {"metric", "x", "by", "log", "caption", "fmt", "split"},
}


@dataclass(frozen=True)
class BlockRequest:
    """A ``:::`` block as its author wrote it."""

    kind: BlockKind
    label: str
    attributes: Mapping[str, str]

    def names(self, attribute: str) -> list[str]:
        """A comma-separated attribute as a list."""
        return [name.strip() for name in self.attributes.get(attribute, "").split(",") if name.strip()]


@dataclass(frozen=True)
class TableCells:
    """A table before its numbers are printed: keys by row and column."""

    metrics: tuple[str, ...]
    row_factors: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    columns: tuple[tuple[Any, ...], ...]
    cells: tuple[tuple[Key | None, ...], ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        """What stands above each column of numbers: levels, and the metric where there are several."""
        several = len(self.metrics) > 1
        return tuple(
            ", ".join([*([metric] if several or not levels else []), *map(str, levels)])
            for metric, *levels in self.columns
        )


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
    """

    label: str
    caption: str
    metric: str
    x: str
    log: str
    curves: tuple[Curve, ...]
    id: str


@dataclass(frozen=True)
class Table:
    """A table whose cells are bound numbers.

    Attributes:
        label: what ``@tab-…`` refers to.
        caption: Markdown with its numbers bound.
        header: names of the columns, Markdown.
        rows: cells, Markdown; the first ones of a row name it.
        named_columns: how many cells name a row.
    """

    label: str
    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    named_columns: int


def read_block(kind: str, text: str) -> BlockRequest:
    """Read what stands behind ``::: table`` or ``::: plot``.

    Raises:
        BindingError: it is no such block, or an attribute is unknown or missing.
    """
    known: dict[str, BlockKind] = {"table": "table", "plot": "plot"}
    if kind not in known:
        raise BindingError(f"there is no block {kind[:40]!r}", "Use ::: table or ::: plot")
    allowed = _ALLOWED[kind]
    attributes: dict[str, str] = {}
    label = ""
    for match in _ATTRIBUTE.finditer(text):
        if match["label"]:
            label = match["label"]
        else:
            attributes[match["name"]] = (
                match["plain"] if match["quoted"] is None else match["quoted"]
            ).strip()
    rest = _ATTRIBUTE.sub("", text).strip()
    if rest:
        raise BindingError(f"{rest[:60]!r} is not an attribute", 'Write name=value or name="a value"')
    unknown = sorted(set(attributes) - allowed)
    if unknown:
        raise BindingError(f"a {kind} has no {unknown[0]!r}", f"It has {', '.join(sorted(allowed))}")
    prefix = "tab-" if kind == "table" else "fig-"
    if not label.startswith(prefix):
        raise BindingError(f"a {kind} needs a label", f"Write #{prefix}… behind ::: {kind}")
    for needed in ("metric", "caption"):
        if not attributes.get(needed):
            raise BindingError(f"a {kind} needs {needed}=", f'Write {needed}="…"')
    return BlockRequest(known[kind], label, attributes)


def table_cells(request: BlockRequest, evidence: Evidence) -> TableCells:
    """The keys that a table shows.

    Raises:
        BindingError: a metric or factor is unknown, or one varies that is neither row nor column.
    """
    metrics = request.names("metric")
    keys = [
        key for metric in metrics for key in _keys_of(metric, request.attributes.get("split", ""), evidence)
    ]
    rows, columns = request.names("rows"), request.names("cols")
    factors = list(dict.fromkeys(name for key in keys for name in _facets(key)))
    for factor in rows + columns:
        if factor not in factors:
            near = nearest(factor, factors)
            raise BindingError(
                f"no factor {factor!r} was recorded for {', '.join(metrics)}",
                f"Factors: {', '.join(near or factors) or 'none'}",
            )
    loose = [f for f in dict.fromkeys(n for k in keys for n in k.levels) if f not in rows + columns]
    for factor in loose:
        raise BindingError(f"factor {factor!r} varies too", f"Add {factor} to rows or cols")
    row_levels = _combinations(keys, rows)
    column_levels = [
        (m, *c) for m in metrics for c in _combinations([k for k in keys if k.metric == m], columns)
    ]
    if len(row_levels) * len(column_levels) > MOST_CELLS:
        raise BindingError("the table would be too large", "Plot it, or choose fewer factors")
    cells = tuple(
        tuple(_cell(keys, rows, row, columns, column) for column in column_levels) for row in row_levels
    )
    return TableCells(tuple(metrics), tuple(rows), tuple(row_levels), tuple(column_levels), cells)


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
    measured = [k for k in evidence.ledger.keys.values() if k.metric == metric and x in _facets(k)]
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


def _keys_of(metric: str, split: str, evidence: Evidence) -> list[Key]:
    keys = [
        k
        for k in evidence.ledger.keys.values()
        if metric in (k.metric, slug(k.metric)) and (not split or k.split == split)
    ]
    if not keys:
        near = nearest(metric, {k.metric for k in evidence.ledger.keys.values()})
        raise BindingError(
            f"there is no metric {metric!r}", f"Nearest metrics: {', '.join(near)}" if near else ""
        )
    return keys


def _facets(key: Key) -> dict[str, Any]:
    return {**key.condition, **key.levels}


def _combinations(keys: Iterable[Key], factors: Sequence[str]) -> list[tuple[Any, ...]]:
    found: dict[tuple[str, ...], tuple[Any, ...]] = {}
    for key in sorted(keys, key=lambda k: min(m.at for m in k.measurements)):
        levels = tuple(_facets(key).get(factor) for factor in factors)
        found.setdefault(tuple(map(canonical_level, levels)), levels)
    return [found[identity] for identity in sorted(found)]


def _cell(
    keys: Iterable[Key],
    rows: Sequence[str],
    row: Sequence[Any],
    columns: Sequence[str],
    column: Sequence[Any],
) -> Key | None:
    metric, *levels = column
    wanted = dict(zip([*rows, *columns], [*row, *levels], strict=True))
    for key in keys:
        facets = _facets(key)
        if key.metric == metric and all(same_level(facets.get(f), level) for f, level in wanted.items()):
            return key
    return None


def _over_factor(keys: Sequence[Key], x: str, by: Sequence[str]) -> tuple[Curve, ...]:
    loose = [f for f in dict.fromkeys(n for k in keys for n in k.levels) if f not in (x, *by)]
    for factor in loose:
        raise BindingError(f"factor {factor!r} varies too", f"Add by={','.join([*by, factor])}")
    curves: dict[str, list[Point]] = defaultdict(list)
    for key in keys:
        facets = _facets(key)
        level = facets[x]
        place = level if isinstance(level, int | float) and not isinstance(level, bool) else str(level)
        values = [v for v in key.values if math.isfinite(v)]
        if values:
            curves[_label(facets, by)].append(_point(place, values))
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


def _label(facets: Mapping[str, Any], by: Sequence[str]) -> str:
    return ", ".join(str(facets.get(factor, "–")) for factor in by)


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
