"""About how wide a formula is, and whether it can be broken over lines."""

from __future__ import annotations

from typing import Final

from core.paper.formula import (
    Decorated,
    Fenced,
    Fraction,
    Grid,
    Node,
    Operator,
    Root,
    Row,
    Scripts,
    Space,
    Symbol,
    Words,
)

DISPLAYED: Final = 44
"""Symbols of a part of a formula between two operators that surely fits into a column."""

_OPERATORS: Final = frozenset("+-−=<>≤≥≠≈∼≡∈→⇒∣±×⋅")


def can_be_broken(node: Node | None) -> bool:
    """Whether a formula that is too wide can be broken between its operators."""
    if not isinstance(node, Row):
        return False
    widths = [0]
    for part in node.parts:
        if isinstance(part, Symbol) and part.text in _OPERATORS:
            widths.append(0)
        widths[-1] += _symbols(part)
    return len(widths) > 2 and max(widths) <= DISPLAYED


def _symbols(node: Node) -> int:
    """About how many symbols wide a part of a formula is."""
    match node:
        case Row():
            return sum(map(_symbols, node.parts))
        case Fraction():
            return max(_symbols(node.top), _symbols(node.bottom))
        case Scripts():
            return _symbols(node.base) + max(_symbols(s) for s in (node.below, node.above) if s is not None)
        case Root() | Decorated():
            return 1 + _symbols(node.inside)
        case Fenced():
            return 2 + _symbols(node.inside)
        case Grid():
            return DISPLAYED + 1
        case Words():
            return len(node.text)
        case Operator():
            return len(node.name)
        case Space():
            return round(node.em)
        case Symbol():
            return len(node.text)
