"""A whole paper as a tree: what its author wrote, and what code adds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from core.evidence.references import Reference
from core.paper.document import Document
from core.paper.markdown import authors_line, code_sections, draft_banner
from core.paper.pictures import Picture, pictures_of
from core.paper.reading import plain_text, read_line, read_markdown, read_parts
from core.paper.tree import (
    Anchor,
    Block,
    DisplayFormula,
    Drawing,
    Entries,
    EntryKind,
    Grid,
    Heading,
    Inline,
    Listing,
    Paragraph,
    Quote,
    Text,
)

ENTRIES: Final[dict[str, EntryKind]] = {
    "Hypotheses and verdicts": "hypothesis",
    "Every attempt": "attempt",
    "Every number": "number",
}
"""Tables of the appendix whose rows are set as entries: they hold more than a column is wide."""

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
"""As they are called whatever the machine's language is."""


@dataclass(frozen=True)
class Part:
    """A titled part of the appendix."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Outline:
    """A paper, ready to be written in any form.

    Attributes:
        title: its title.
        authors: who wrote, measured and approved, in one line.
        author_names: who wrote, one by one, as the PDF's own record has them.
        day: the day that it speaks of, such as ``23 November 2026``.
        stamped_at: the moment that its PDF carries, UTC; from the journal, never from a clock.
        banner: what a draft says on page one; empty for a paper that is none.
        abstract: its abstract.
        body: its sections.
        references: the works that are cited, in the order of the reference list.
        appendix: what code wrote.
        pictures: figures that experiments drew.
    """

    title: tuple[Inline, ...]
    authors: str
    author_names: tuple[str, ...]
    day: str
    stamped_at: datetime
    banner: str
    abstract: tuple[Block, ...]
    body: tuple[Block, ...]
    references: tuple[Reference, ...]
    appendix: tuple[Part, ...]
    pictures: tuple[Picture, ...]


def outline(document: Document) -> Outline:
    """A paper as a tree; the same document gives the same tree."""
    at = stamped_at(document)
    taken: set[str] = set()
    return Outline(
        title=read_line(document.title.text) or (Text("Untitled"),),
        authors=authors_line(document.source),
        author_names=("fumehood", *document.source.models),
        day=f"{at.day} {MONTHS[at.month - 1]} {at.year}",
        stamped_at=at,
        banner=draft_banner(document),
        abstract=tuple(_unique_labels(_without_headings(read_parts(document.abstract.parts)), taken)),
        body=tuple(_unique_labels(_raised(read_parts(document.body.parts)), taken)),
        references=document.citations,
        appendix=tuple(_appendix(document)),
        pictures=pictures_of(document.source.evidence),
    )


def stamped_at(document: Document) -> datetime:
    """The moment that a paper's PDF carries: when the last thing that it rests on happened, UTC."""
    evidence = document.source.evidence
    times = [m.at for m in evidence.ledger.measurements]
    times += [facts.started_at for facts in evidence.ledger.execs.values()]
    times += list(evidence.locked_at.values())
    return max(times, default=datetime(1970, 1, 1, tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)


def _appendix(document: Document) -> Iterator[Part]:
    for section in code_sections(document):
        kind = ENTRIES.get(section.title)
        blocks = read_markdown(section.markdown)
        yield Part(
            section.title,
            tuple(Entries(kind, b.rows) if isinstance(b, Grid) and kind else b for b in blocks),
        )


def _raised(blocks: tuple[Block, ...]) -> Iterator[Block]:
    """Blocks whose highest heading is of level 1."""
    highest = min((block.level for block in blocks if isinstance(block, Heading)), default=1)
    for block in blocks:
        if isinstance(block, Heading):
            yield replace(block, level=min(3, block.level - highest + 1))
        else:
            yield block


def _without_headings(blocks: Iterable[Block]) -> Iterator[Block]:
    for block in blocks:
        yield Paragraph(block.parts) if isinstance(block, Heading) else block


def _unique_labels(blocks: Iterable[Block], taken: set[str]) -> Iterator[Block]:
    """Blocks of which no two go by the same label: the first keeps it.

    A formula that was not understood is shown as its source, which nothing can refer to.
    """
    for block in blocks:
        label = label_of(block)
        lost = label in taken or (isinstance(block, DisplayFormula) and block.formula.node is None)
        if isinstance(block, Quote):
            yield replace(block, blocks=tuple(_unique_labels(block.blocks, taken)))
        elif isinstance(block, Listing):
            items = tuple(tuple(_unique_labels(item, taken)) for item in block.items)
            yield replace(block, items=items)
        elif lost and isinstance(block, Grid | DisplayFormula):
            yield replace(block, label="")
        elif lost and isinstance(block, Drawing):
            yield replace(block, plot=replace(block.plot, label=""))
        else:
            yield block
        if label and not lost:
            taken.add(label)


def label_of(block: Block) -> str:
    """What references call a block; empty where it has no label."""
    if isinstance(block, Grid | DisplayFormula):
        return block.label
    return block.plot.label if isinstance(block, Drawing) else ""


def anchors(paper: Outline) -> frozenset[str]:
    """Every bound number that has an entry in the appendix, by its id."""
    return frozenset(
        part.id
        for section in paper.appendix
        for block in section.blocks
        if isinstance(block, Entries)
        for row in block.rows
        for cell in row
        for part in cell
        if isinstance(part, Anchor)
    )


def labels(paper: Outline) -> frozenset[str]:
    """Every label that a reference can name."""
    return frozenset(filter(None, map(label_of, _all_blocks((*paper.abstract, *paper.body)))))


def _all_blocks(blocks: Iterable[Block]) -> Iterator[Block]:
    """Blocks, and those inside them."""
    for block in blocks:
        yield block
        if isinstance(block, Quote):
            yield from _all_blocks(block.blocks)
        elif isinstance(block, Listing):
            yield from _all_blocks(inner for item in block.items for inner in item)


def title_text(paper: Outline) -> str:
    """The title without any style."""
    return plain_text(paper.title)
