"""Tables and plots that are made from measurements: an author names them, code fills them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from core.errors import BindingError
from core.evidence.condition import canonical_level, same_level, slug
from core.evidence.evidence import Evidence
from core.evidence.measurement import Key
from core.evidence.quantity import nearest

BlockKind: TypeAlias = Literal["table", "plot"]


MOST_CELLS = 400
"""Cells of a table; a larger one does not fit a page."""

BLOCK = re.compile(
    r"^:::[ \t]*(\w*)((?:(?!\n[ \t]*\n|\n:::)[\s\S])*?)(?:[ \t]:::[ \t]*$|\n:::[ \t]*$)", re.MULTILINE
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
    factors = list(dict.fromkeys(name for key in keys for name in facets(key)))
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


def facets(key: Key) -> dict[str, Any]:
    """Every factor of a key with its level, the split or experiment among them."""
    return {**key.condition, **key.levels}


def _combinations(keys: Iterable[Key], factors: Sequence[str]) -> list[tuple[Any, ...]]:
    found: dict[tuple[str, ...], tuple[Any, ...]] = {}
    for key in sorted(keys, key=lambda k: min(m.at for m in k.measurements)):
        levels = tuple(facets(key).get(factor) for factor in factors)
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
        given = facets(key)
        if key.metric == metric and all(same_level(given.get(f), level) for f, level in wanted.items()):
            return key
    return None
