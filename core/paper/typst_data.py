"""A paper as data for the Typst template.

Nothing that anybody wrote ever becomes Typst source: the template gets a tree of plain values and
builds the page from it. So there is nothing to escape, and nothing that could be executed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any, TypeAlias

from core.config import PaperSize
from core.paper import formula as math
from core.paper import symbols
from core.paper.chart import lay_out
from core.paper.outline import Outline, labels, title_text
from core.paper.tree import (
    Anchor,
    Block,
    Code,
    CodeBlock,
    DisplayFormula,
    Drawing,
    Footnote,
    Formula,
    Grid,
    Heading,
    Inline,
    LineBreak,
    Link,
    Listing,
    Number,
    Paragraph,
    Quote,
    Reference,
    Styled,
    Text,
)

NARROW_CHARACTERS = 54
"""Characters that a row of a table may have to fit into one column of the page."""

_BREAK = "\u200b"
_LONG_WORD = re.compile(r"\S{26,}")
_JOINT = re.compile(r"(?<=[._/:,=(\[{+-])(?=[^\s.])|(?<=\d)(?=\()")

Data: TypeAlias = Any
"""What JSON can hold."""


def paper_data(
    paper: Outline, evidence: str, size: PaperSize, pictures: Iterable[str], digest: str
) -> dict[str, Data]:
    """The tree that the template reads.

    Args:
        paper: the paper.
        evidence: the name of the evidence file beside the template.
        size: of the paper.
        pictures: hashes of the figures whose content is there.
        digest: SHA-256 of the evidence, which is printed.
    """
    write = _Writer(labels(paper), {n for part in paper.appendix for n in _anchors(part.blocks)})
    there = set(pictures)
    return {
        "size": size,
        "title": write.inlines(paper.title),
        "title_text": title_text(paper)[:300],
        "authors": paper.authors,
        "day": paper.day,
        "banner": paper.banner,
        "abstract": write.blocks(paper.abstract),
        "body": write.blocks(paper.body),
        "references": [breakable(entry) for entry in paper.references],
        "appendix": [{"title": part.title, "blocks": write.blocks(part.blocks)} for part in paper.appendix],
        "pictures": [
            {**asdict(p), "file": f"{p.sha256}.{p.format}" if p.sha256 in there else None}
            for p in paper.pictures
        ],
        "evidence": evidence,
        "digest": digest,
        "at": [
            getattr(paper.stamped_at, name) for name in ("year", "month", "day", "hour", "minute", "second")
        ],
    }


def plot_data(block: Drawing) -> dict[str, Data]:
    """What the template needs to draw one plot."""
    return asdict(lay_out(block.plot))


def breakable(text: str) -> str:
    """A text whose long words can be broken over lines."""
    return _LONG_WORD.sub(lambda match: _broken(match[0]), text)


def _broken(word: str) -> str:
    parts = _JOINT.sub(_BREAK, word).split(_BREAK)
    return _BREAK.join(_BREAK.join(part[i : i + 18] for i in range(0, len(part), 18)) for part in parts)


def _anchors(blocks: Iterable[Block]) -> Iterable[str]:
    for block in blocks:
        if isinstance(block, Grid):
            yield from (p.id for row in block.rows for cell in row for p in cell if isinstance(p, Anchor))


class _Writer:
    def __init__(self, known: frozenset[str], anchors: set[str]) -> None:
        self._labels = known
        self._anchors = anchors

    def blocks(self, blocks: Iterable[Block]) -> list[Data]:
        return [self._block(block) for block in blocks]

    def _block(self, block: Block) -> Data:
        match block:
            case Heading():
                return {"k": "heading", "level": block.level, "b": self.inlines(block.parts)}
            case Paragraph():
                return {"k": "par", "b": self.inlines(block.parts)}
            case Listing():
                items = [self.blocks(item) for item in block.items]
                return {"k": "enum" if block.numbered else "list", "items": items}
            case Quote():
                return {"k": "quote", "b": self.blocks(block.blocks)}
            case CodeBlock():
                return {"k": "code", "t": "\n".join(_code_line(line) for line in block.text.split("\n"))}
            case DisplayFormula():
                return {"k": "math", "b": formula_data(block.formula), "label": block.label}
            case Grid():
                return self._grid(block)
            case Drawing():
                shown = {"k": "plot", "plot": plot_data(block), "caption": self.inlines(block.caption)}
                number = block.plot.id if block.plot.id in self._anchors else ""
                return {**shown, "label": block.plot.label, "id": number}

    def _grid(self, grid: Grid) -> Data:
        columns = len(grid.header)
        widest = _widest(grid)
        floats = bool(grid.caption) and len(grid.rows) <= 40
        return {
            "k": "table",
            "header": [self.inlines(cell) for cell in grid.header],
            "rows": [[self.inlines(cell) for cell in row] for row in grid.rows],
            "align": [a if a in ("left", "center", "right") else "left" for a in grid.align],
            "weights": list(grid.weights) if len(grid.weights) == columns else [],
            "shares": [min(60, max(3, w)) for w in widest],
            "wide": not fits_column(grid) and not grid.weights and floats,
            "fits": fits_column(grid),
            "floats": floats,
            "caption": self.inlines(grid.caption) if grid.caption else None,
            "label": grid.label,
        }

    def inlines(self, parts: Iterable[Inline]) -> list[Data]:
        return [self._inline(part) for part in parts]

    def _inline(self, part: Inline) -> Data:
        match part:
            case Text():
                return breakable(part.text)
            case Styled():
                return {"k": part.style, "b": self.inlines(part.parts)}
            case Code():
                return {"k": "raw", "t": _broken(part.text) if len(part.text) > 12 else part.text}
            case Link():
                return {"k": "link", "to": part.address, "b": self.inlines(part.parts)}
            case Number():
                known = part.id in self._anchors
                return {"k": "number", "id": part.id, "t": part.text} if known else part.text
            case Anchor():
                return {"k": "anchor", "id": part.id}
            case Reference():
                known = part.label in self._labels
                return {"k": "ref", "to": part.label} if known else f"@{part.label}"
            case Formula():
                return {"k": "formula", "b": formula_data(part)}
            case LineBreak():
                return {"k": "br"}
            case Footnote():
                return {"k": "note", "b": self.inlines(part.parts)}


def fits_column(grid: Grid) -> bool:
    """Whether the rows of a table fit into one column of the page without being broken."""
    return sum(_widest(grid)) + 2 * len(grid.header) <= NARROW_CHARACTERS


def _widest(grid: Grid) -> list[int]:
    """Characters of the widest cell of each column."""
    return [
        max((_width(row[i]) for row in (grid.header, *grid.rows) if i < len(row)), default=1)
        for i in range(len(grid.header))
    ]


def _width(parts: Iterable[Inline]) -> int:
    width = 0
    for part in parts:
        if isinstance(part, Text | Code | Number):
            width += len(part.text)
        elif isinstance(part, Styled | Link | Footnote):
            width += _width(part.parts)
        elif isinstance(part, Formula):
            width += len(part.source) // 2
    return width


def _code_line(line: str) -> str:
    return re.sub(r"\S{40,}", lambda match: _broken(match[0]), line.expandtabs(4))


def formula_data(formula: Formula) -> Data:
    """A formula for the template; its source where it was not understood."""
    if formula.node is None:
        return {"k": "raw", "t": _broken(formula.source)}
    return _node(formula.node)


def _node(node: math.Node) -> Data:
    return _WRITERS[type(node)](node)


def _row(node: math.Row) -> Data:
    return {"k": "row", "b": [_node(part) for part in node.parts]}


def _symbol(node: math.Symbol) -> Data:
    plain = {"-": "−", "*": "∗", "'": "′", ":": ":"}.get(node.text, node.text)
    number = node.text[0].isdigit()
    kind = "large" if node.command in symbols.LARGE else _KINDS.get(node.command, "")
    return {"k": "digits" if number else "sym", "t": plain, "class": kind}


_KINDS = {"lvert": "opening", "lVert": "opening", "rvert": "closing", "rVert": "closing"}
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
    math.Words: lambda node: {"k": "words", "t": node.text},
    math.Operator: lambda node: {"k": "op", "t": node.name, "limits": node.limits},
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
