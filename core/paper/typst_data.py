"""A paper as data for the Typst template.

Nothing that anybody wrote ever becomes Typst source: the template gets a tree of plain values and
builds the page from it. So there is nothing to escape, and nothing that could be executed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final, TypeAlias

from core.config import PaperSize
from core.evidence.references import Reference as Work
from core.paper.axis import short
from core.paper.chart import lay_out
from core.paper.formula_width import can_be_broken
from core.paper.glyphs import printable
from core.paper.outline import Outline, anchors, labels, title_text
from core.paper.pictures import Picture
from core.paper.reading import plain_text
from core.paper.table_layout import LONGEST_WORD, MOST_WHOLE, breakable, broken, broken_address, table_layout
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
from core.paper.typst_formula import formula_data

MOST_ACROSS: Final = 2_400
"""Characters of an abstract that is set over both columns; a longer one stands in the first."""

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
    link = {"url": work.url, "shown": broken_address(work.url)} if at_end else {"url": "", "shown": ""}
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
                    "breaks": can_be_broken(block.formula.node),
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
