"""A formula as data for the Typst template."""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest
from typing import Any, TypeAlias

from core.paper import formula as math
from core.paper import symbols
from core.paper.glyphs import printable
from core.paper.table_layout import broken
from core.paper.tree import Formula

Data: TypeAlias = Any
"""What JSON can hold."""


def formula_data(formula: Formula) -> Data:
    """A formula for the template; its source where it was not understood."""
    if formula.node is None:
        return {"k": "raw", "t": broken(printable(formula.source))}
    return _node(formula.node)


def _node(node: math.Node) -> Data:
    return _WRITERS[type(node)](node)


def _row(node: math.Row) -> Data:
    kept = [
        part
        for part, after in zip_longest(node.parts, node.parts[1:])
        # LaTeX sets a thin space between the two, which authors take back; Typst sets none.
        if not (isinstance(part, math.Space) and part.em < 0 and isinstance(after, math.Fenced))
    ]
    return {"k": "row", "b": [_node(part) for part in kept]}


def _symbol(node: math.Symbol) -> Data:
    plain = {"-": "−", "*": "∗", "'": "′", ":": ":"}.get(node.text, node.text)
    number = node.text[0].isdigit()
    kind = _KINDS.get(node.command, "large" if node.command in symbols.LARGE else "")
    return {"k": "digits" if number else "sym", "t": plain, "class": kind}


_KINDS = {
    "lvert": "opening",
    "lVert": "opening",
    "rvert": "closing",
    "rVert": "closing",
    **dict.fromkeys(("int", "iint", "iiint", "oint"), ""),  # its limits stand beside it
}
"""What a symbol is, where its character alone does not say it."""


def _optional(node: math.Node | None) -> Data:
    return None if node is None else _node(node)


def _scripts(node: math.Scripts) -> Data:
    return {
        "k": "scripts",
        "b": _node(node.base),
        "below": _optional(node.below),
        "above": _optional(node.above),
    }


def _decorated(node: math.Decorated) -> Data:
    inside = _node(node.inside)
    if node.command in symbols.ACCENTS:
        return {"k": "accent", "t": symbols.ACCENTS[node.command], "b": inside}
    if node.command in symbols.LINES:
        return {"k": "line", "t": node.command, "b": inside}
    if node.command == "mathbb" and isinstance(node.inside, math.Symbol) and node.inside.text.isdigit():
        return {"k": "style", "t": "bold", "b": inside}  # a blackboard digit is in few fonts
    return {"k": "style", "t": symbols.STYLES[node.command], "b": inside}


def _grid(node: math.Grid) -> Data:
    columns = max(len(row) for row in node.rows)
    rows = [[_node(cell) for cell in row] + [None] * (columns - len(row)) for row in node.rows]
    return {"k": "matrix", "t": symbols.MATRICES[node.kind], "rows": rows}


_WRITERS: dict[type, Callable[[Any], Data]] = {
    math.Symbol: _symbol,
    math.Words: lambda node: {"k": "words", "t": printable(node.text)},
    math.Operator: lambda node: {"k": "op", "t": printable(node.name), "limits": node.limits},
    math.Space: lambda node: {"k": "space", "em": node.em},
    math.Row: _row,
    math.Fraction: lambda node: {
        "k": "frac",
        "top": _node(node.top),
        "bottom": _node(node.bottom),
        "line": node.line,
    },
    math.Root: lambda node: {"k": "root", "b": _node(node.inside), "degree": _optional(node.degree)},
    math.Scripts: _scripts,
    math.Decorated: _decorated,
    math.Fenced: lambda node: {"k": "fenced", "l": node.left, "r": node.right, "b": _node(node.inside)},
    math.Grid: _grid,
}
