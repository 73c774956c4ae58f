"""What binding a text gives: numbers in place, problems, warnings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from core.evidence.plots import Plot
from core.evidence.rendering import part_as_markdown
from core.evidence.tables import Table

ProblemKind: TypeAlias = Literal[
    "unresolved",
    "typed number",
    "number word",
    "unsupported claim",
    "novelty",
    "unverified work",
    "markup",
    "hidden character",
]


@dataclass(frozen=True)
class BoundNumber:
    """One number (or word) in a paper that code put there.

    Attributes:
        id: its row of the evidence appendix, ``e1``, ``e2``, …
        expression: what the author wrote.
        format: how it is printed; empty for the default.
        text: as it is printed.
        value: at full precision: a number, a pair, or words.
        n: measurements that it rests on.
        level: the weakest level among them; ``judged``, ``setting`` or ``literal`` else.
        measurement_ids: what it rests on.
        places: exec ids and code lines.
        note: the reason of a literal; empty else.
    """

    id: str
    expression: str
    format: str
    text: str
    value: Any
    n: int
    level: str
    measurement_ids: tuple[str, ...]
    places: tuple[tuple[str, int], ...]
    note: str = ""

    @property
    def exec_ids(self) -> tuple[str, ...]:
        """The execs that it rests on."""
        return tuple(dict.fromkeys(exec_id for exec_id, _ in self.places))

    @property
    def lines(self) -> tuple[int, ...]:
        """The code lines that it rests on."""
        return tuple(sorted({line for _, line in self.places}))


@dataclass(frozen=True)
class Problem:
    """Something that a paper may not say as it stands.

    Attributes:
        kind: what sort.
        line: line of the author's text, from 1.
        excerpt: the words in question, bounded.
        reason: why it is refused.
        alternative: what the author can honestly write instead.
    """

    kind: ProblemKind
    line: int
    excerpt: str
    reason: str
    alternative: str


@dataclass(frozen=True)
class Warned:
    """Something that may be meant otherwise; it is not refused.

    Attributes:
        line: line of the author's text, from 1.
        excerpt: the sentence, bounded.
        reason: what may be wrong with it.
    """

    line: int
    excerpt: str
    reason: str


@dataclass(frozen=True)
class Bound:
    """A text with its numbers in place.

    Attributes:
        parts: Markdown, tables and plots in the order of the text.
        numbers: every number that was put in place here for the first time.
        problems: what the author must repair; after ``strike``, what was struck.
        warnings: what the author should look at.
        citations: keys of the works that it cites, in the order of the text.
    """

    parts: tuple[str | Table | Plot, ...]
    numbers: tuple[BoundNumber, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Warned, ...]
    citations: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The whole as Markdown; each number links to its row of the appendix."""
        return "\n\n".join(filter(None, (part_as_markdown(part).strip("\n") for part in self.parts)))
