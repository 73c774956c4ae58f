"""A paper as a tree: what Markdown was read into, and what the PDF and the LaTeX file are written from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from core.evidence.plots import Plot
from core.paper.formula import Node


@dataclass(frozen=True)
class Text:
    """Plain text."""

    text: str


@dataclass(frozen=True)
class Styled:
    """Inline parts in a style: ``emphasis``, ``strong`` or ``struck``."""

    style: str
    parts: tuple[Inline, ...]


@dataclass(frozen=True)
class Code:
    """Code inside a line."""

    text: str


@dataclass(frozen=True)
class Link:
    """A link to an address on the net."""

    address: str
    parts: tuple[Inline, ...]


@dataclass(frozen=True)
class Number:
    """A bound number; ``id`` is its row of the evidence appendix."""

    id: str
    text: str


@dataclass(frozen=True)
class Anchor:
    """The place in the appendix that bound numbers of this id link to."""

    id: str


@dataclass(frozen=True)
class Reference:
    """A reference to a figure, table or equation of the paper, by its label."""

    label: str


@dataclass(frozen=True)
class Citation:
    """A work that is cited: its key, and what stands for it in the text."""

    key: str
    text: str


@dataclass(frozen=True)
class Formula:
    """A formula.

    Attributes:
        source: LaTeX without its dollar signs.
        node: the formula as it was understood; None where it was not and its source is shown.
    """

    source: str
    node: Node | None


@dataclass(frozen=True)
class LineBreak:
    """The end of a line that is meant."""


@dataclass(frozen=True)
class Footnote:
    """A footnote at its place in the text."""

    parts: tuple[Inline, ...]


Inline: TypeAlias = (
    Text | Styled | Code | Link | Number | Anchor | Reference | Citation | Formula | LineBreak | Footnote
)


@dataclass(frozen=True)
class Heading:
    """A heading; ``level`` counts from 1."""

    level: int
    parts: tuple[Inline, ...]


@dataclass(frozen=True)
class Paragraph:
    """A paragraph."""

    parts: tuple[Inline, ...]


@dataclass(frozen=True)
class Listing:
    """A list; ``numbered`` from 1, or with bullets."""

    numbered: bool
    items: tuple[tuple[Block, ...], ...]


@dataclass(frozen=True)
class Quote:
    """A quotation."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class CodeBlock:
    """Lines of code."""

    text: str


@dataclass(frozen=True)
class DisplayFormula:
    """A formula on lines of its own; ``label`` is empty where nothing refers to it."""

    formula: Formula
    label: str


@dataclass(frozen=True)
class Grid:
    """A table.

    Attributes:
        header: names of the columns.
        rows: the cells.
        align: ``left``, ``center`` or ``right`` for each column.
        caption: empty for a table in the running text.
        label: what references name; empty where there is none.
    """

    header: tuple[tuple[Inline, ...], ...]
    rows: tuple[tuple[tuple[Inline, ...], ...], ...]
    align: tuple[str, ...]
    caption: tuple[Inline, ...] = ()
    label: str = ""


EntryKind: TypeAlias = Literal["hypothesis", "attempt", "number"]


@dataclass(frozen=True)
class Entries:
    """Rows of a table of the appendix, each set as an entry of a few lines.

    Attributes:
        kind: what the rows are.
        rows: the cells, in the order of the table in ``paper.md``.
    """

    kind: EntryKind
    rows: tuple[tuple[tuple[Inline, ...], ...], ...]


@dataclass(frozen=True)
class Drawing:
    """A plot that is drawn from recorded values."""

    plot: Plot
    caption: tuple[Inline, ...]


Block: TypeAlias = (
    Heading | Paragraph | Listing | Quote | CodeBlock | DisplayFormula | Grid | Entries | Drawing
)
