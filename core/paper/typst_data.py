"""A paper as data for the Typst template.

Nothing that anybody wrote ever becomes Typst source: the template gets a tree of plain values and
builds the page from it. So there is nothing to escape, and nothing that could be executed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any, Final, TypeAlias

from core.config import PaperSize
from core.evidence.references import Reference as Work
from core.paper import formula as math
from core.paper import symbols
from core.paper.axis import short
from core.paper.chart import lay_out
from core.paper.glyphs import printable
from core.paper.outline import Outline, anchors, labels, title_text
from core.paper.pictures import Picture
from core.paper.reading import plain_text
from core.paper.table_layout import LONGEST_WORD, MOST_WHOLE, breakable, broken, table_layout
from core.paper.tree import (
    Anchor,
    Block,
    Citation,
    Code,
    CodeBlock,
    DisplayFormula,
    Drawing,
    Entries,
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

MOST_ACROSS: Final = 2_400
"""Characters of an abstract that is set over both columns; a longer one stands in the first."""

DISPLAYED: Final = 44
"""Characters of a part of a formula between two operators that surely fits into a column."""

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
    write = _Writer(labels(paper), anchors(paper), frozenset(work.key for work in paper.references))
    there = set(pictures)
    return {
        "size": size,
        "title": write.inlines(paper.title),
        "title_text": title_text(paper)[:300],
        "head": printable(short(title_text(paper), 88)),
        "authors": breakable(printable(paper.authors)),
        "author_names": list(paper.author_names),
        "day": paper.day,
        "banner": paper.banner,
        "abstract": write.blocks(paper.abstract),
        "abstract_across": sum(map(_length, paper.abstract)) <= MOST_ACROSS,
        "body": write.blocks(paper.body),
        "references": [_work(work) for work in paper.references],
        "appendix": [{"title": part.title, "blocks": write.blocks(part.blocks)} for part in paper.appendix],
        "pictures": [_picture(p, p.sha256 in there) for p in paper.pictures],
        "evidence": evidence,
        "digest": digest,
        "linked": bool(anchors(paper)),
        "at": [
            getattr(paper.stamped_at, name) for name in ("year", "month", "day", "hour", "minute", "second")
        ],
    }


def plot_data(block: Drawing) -> Data:
    """What the template needs to draw one plot."""
    return printed(asdict(lay_out(block.plot)))


def printed(value: Data) -> Data:
    """Data whose texts hold only characters that the fonts have."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {name: printed(inner) for name, inner in value.items()}
    return [printed(inner) for inner in value] if isinstance(value, list | tuple) else value


def _work(work: Work) -> Data:
    """An entry of the reference list: its words, and its address apart."""
    text = printable(work.text)
    at_end = bool(work.url) and text.endswith(work.url)
    words = text.removesuffix(work.url) if at_end else text
    link = {"url": work.url, "shown": broken(work.url)} if at_end else {"url": "", "shown": ""}
    return {"key": work.key, "t": breakable(words), **link}


def _picture(picture: Picture, there: bool) -> Data:
    file = f"{picture.sha256}.{picture.format}" if there else None
    return {**asdict(picture), "name": breakable(printable(picture.name)), "file": file}


def _length(block: Block) -> int:
    if isinstance(block, Paragraph):
        return len(plain_text(block.parts)) + 60
    return MOST_ACROSS + 1


class _Writer:
    def __init__(self, known: frozenset[str], numbers: frozenset[str], works: frozenset[str]) -> None:
        self._labels = known
        self._numbers = numbers
        self._works = works
        self._longest = LONGEST_WORD
        self._wide_tables = 0

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
                return {"k": "code", "lines": [_code_line(line) for line in block.text.split("\n")]}
            case DisplayFormula():
                return {
                    "k": "math",
                    "b": formula_data(block.formula),
                    "breaks": _breaks(block.formula.node),
                    "alt": printable(block.formula.source),
                    "label": label_name(block.label),
                }
            case Grid():
                return self._grid(block)
            case Entries():
                rows = [[self.inlines(cell) for cell in row] for row in block.rows]
                return {"k": "entries", "kind": block.kind, "rows": rows}
            case Drawing():
                shown = {"k": "plot", "plot": plot_data(block), "caption": self.inlines(block.caption)}
                number = block.plot.id if block.plot.id in self._numbers else ""
                return {**shown, "label": label_name(block.plot.label), "id": number}

    def _grid(self, grid: Grid) -> Data:
        layout = table_layout(grid)
        label = label_name(grid.label)
        if layout.across and not label:
            self._wide_tables += 1
            label = f"wide:{self._wide_tables}"
        self._longest = layout.longest
        data = {
            "k": "table",
            "header": [self.inlines(cell) for cell in grid.header],
            "rows": [[self.inlines(cell) for cell in row] for row in grid.rows],
            "align": [a if a in ("left", "center", "right") else "left" for a in grid.align],
            "shares": list(layout.shares),
            "across": layout.across,
            "floats": layout.floats,
            "whole": layout.lines <= MOST_WHOLE,
            "letters": layout.size,
            "caption": self.inlines(grid.caption) if grid.caption else None,
            "label": label,
        }
        self._longest = LONGEST_WORD
        return data

    def inlines(self, parts: Iterable[Inline]) -> list[Data]:
        return [self._inline(part) for part in parts]

    def _inline(self, part: Inline) -> Data:
        match part:
            case Text():
                return breakable(printable(part.text), self._longest)
            case Styled():
                return {"k": part.style, "b": self.inlines(part.parts)}
            case Code():
                text = printable(part.text)
                return {"k": "raw", "t": broken(text, min(18, self._longest)) if len(text) > 12 else text}
            case Link():
                return {"k": "link", "to": part.address, "b": self.inlines(part.parts)}
            case Number():
                text = printable(part.text)
                return {"k": "number", "id": part.id, "t": text} if part.id in self._numbers else text
            case Anchor():
                return {"k": "anchor", "id": part.id}
            case Reference():
                known = part.label in self._labels
                return {"k": "ref", "to": label_name(part.label)} if known else f"@{part.label}"
            case Citation():
                text = printable(part.text)
                return {"k": "cite", "key": part.key, "t": text} if part.key in self._works else text
            case Formula():
                return {"k": "formula", "b": formula_data(part)}
            case LineBreak():
                return {"k": "br"}
            case Footnote():
                return {"k": "note", "b": self.inlines(part.parts)}


def label_name(label: str) -> str:
    """An author's label as the template has it: apart from every label that code gives."""
    return f"at:{label}" if label else ""


def _code_line(line: str) -> str:
    return _LONG_CODE.sub(lambda match: broken(match[0]), printable(line.expandtabs(4)))


_LONG_CODE = re.compile(r"\S{40,}")


def formula_data(formula: Formula) -> Data:
    """A formula for the template; its source where it was not understood."""
    if formula.node is None:
        return {"k": "raw", "t": broken(printable(formula.source))}
    return _node(formula.node)


def _breaks(node: math.Node | None) -> bool:
    """Whether a formula that is too wide can be broken between its operators."""
    if not isinstance(node, math.Row):
        return False
    widths = [0]
    for part in node.parts:
        if isinstance(part, math.Symbol) and part.text in _OPERATORS:
            widths.append(0)
        widths[-1] += _symbols(part)
    return len(widths) > 2 and max(widths) <= DISPLAYED


def _symbols(node: math.Node) -> int:
    """About how many symbols wide a part of a formula is."""
    match node:
        case math.Row():
            return sum(map(_symbols, node.parts))
        case math.Fraction():
            return max(_symbols(node.top), _symbols(node.bottom))
        case math.Scripts():
            return _symbols(node.base) + max(_symbols(s) for s in (node.below, node.above) if s is not None)
        case math.Root() | math.Decorated():
            return 1 + _symbols(node.inside)
        case math.Fenced():
            return 2 + _symbols(node.inside)
        case math.Grid():
            return DISPLAYED + 1
        case math.Words():
            return len(node.text)
        case math.Operator():
            return len(node.name)
        case math.Space():
            return round(node.em)
        case math.Symbol():
            return len(node.text)


_OPERATORS: Final = frozenset("+-−=<>≤≥≠≈∼≡∈→⇒∣±×⋅")


def _node(node: math.Node) -> Data:
    return _WRITERS[type(node)](node)


def _row(node: math.Row) -> Data:
    return {"k": "row", "b": [_node(part) for part in node.parts]}


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
