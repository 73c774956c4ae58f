"""A whole paper as a tree: what its author wrote, and what code adds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from core.paper.document import Document
from core.paper.markdown import authors_line, code_sections, draft_banner
from core.paper.pictures import Picture, pictures_of
from core.paper.reading import plain_text, read_line, read_markdown, read_parts
from core.paper.tree import Block, DisplayFormula, Drawing, Grid, Heading, Inline, Paragraph, Text

WEIGHTS: dict[str, tuple[float, ...]] = {
    "Hypotheses and verdicts": (5, 21, 20, 13, 15, 21, 12),
    "Every attempt": (5, 40, 12, 14, 9, 9, 9),
    "Every number": (5, 14, 30, 19, 5, 13, 18),
}
"""Relative widths of the columns of what code writes."""


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
        day: the day that it speaks of, such as ``23 November 2026``.
        stamped_at: the moment that its PDF carries, UTC; from the journal, never from a clock.
        banner: what a draft says on page one; empty for a paper that is none.
        abstract: its abstract.
        body: its sections.
        references: the reference list.
        appendix: what code wrote.
        pictures: figures that experiments drew.
    """

    title: tuple[Inline, ...]
    authors: str
    day: str
    stamped_at: datetime
    banner: str
    abstract: tuple[Block, ...]
    body: tuple[Block, ...]
    references: tuple[str, ...]
    appendix: tuple[Part, ...]
    pictures: tuple[Picture, ...]


def outline(document: Document) -> Outline:
    """A paper as a tree; the same document gives the same tree."""
    at = stamped_at(document)
    return Outline(
        title=read_line(document.title.text) or (Text("Untitled"),),
        authors=authors_line(document.source),
        day=f"{at.day} {at:%B %Y}",
        stamped_at=at,
        banner=draft_banner(document),
        abstract=tuple(_without_headings(read_parts(document.abstract.parts))),
        body=tuple(_unique_labels(_raised(read_parts(document.body.parts)))),
        references=document.source.references,
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
        blocks = read_markdown(section.markdown)
        weights = WEIGHTS.get(section.title, ())
        yield Part(
            section.title,
            tuple(replace(b, weights=weights) if isinstance(b, Grid) and weights else b for b in blocks),
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


def _unique_labels(blocks: Iterable[Block]) -> Iterator[Block]:
    """Blocks of which no two go by the same label: the first keeps it."""
    taken: set[str] = set()
    for block in blocks:
        label = label_of(block)
        if label in taken and isinstance(block, Grid | DisplayFormula):
            yield replace(block, label="")
        elif label in taken and isinstance(block, Drawing):
            yield replace(block, plot=replace(block.plot, label=""))
        else:
            yield block
        if label:
            taken.add(label)


def label_of(block: Block) -> str:
    """What references call a block; empty where it has no label."""
    if isinstance(block, Grid | DisplayFormula):
        return block.label
    return block.plot.label if isinstance(block, Drawing) else ""


def labels(paper: Outline) -> frozenset[str]:
    """Every label that a reference can name."""
    return frozenset(filter(None, map(label_of, paper.body)))


def title_text(paper: Outline) -> str:
    """The title without any style."""
    return plain_text(paper.title)
