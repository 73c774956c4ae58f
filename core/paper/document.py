"""A paper before it has a form: the author's text bound to evidence, and what only code writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from core.evidence.binding import RULES, strike_together
from core.evidence.bound import Bound, BoundNumber, Problem, Warned
from core.evidence.evidence import Evidence
from core.evidence.references import Reference

RULES_NAME = "prose rules"
"""What the rules that struck a paper's text are called among its versions."""


@dataclass(frozen=True)
class Attempt:
    """One experiment of the run, whether it came to something or not.

    Attributes:
        experiment_id: ``E1``, ``E2``, …
        title: its title, as proposed.
        state: how it ended, in words.
        verdict: the outcome; empty where it was not judged.
        gpu: GPU name; None for CPU only.
        cost_usd: what it cost, in USD; None where that is unknown.
        seconds: how long its sandbox was open, in seconds; None where it never was.
    """

    experiment_id: str
    title: str
    state: str
    verdict: str = ""
    gpu: str | None = None
    cost_usd: Decimal | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class PaperInput:
    """Everything that a paper is made from.

    Attributes:
        title: the author's title, with tokens.
        abstract: the author's abstract, Markdown with tokens.
        body: the author's text, Markdown with tokens.
        evidence: what its numbers rest on.
        attempts: every experiment of the run.
        models: the language models that took part.
        approved_by: who approved the experiments.
        scripted: no language model is being used.
        cost_usd: what the run cost, in USD; None where that is unknown.
        unsettled_usd: what turns that did not come whole may have been billed beyond that, at most, in USD.
        model_cost_usd: the part of it that models cost, in USD; None where that is unknown.
        sandbox_seconds: how long sandboxes were open, in seconds.
        versions: of what took part, by name; ``prepare`` adds the rules that strike.
        literature: what code says about how the literature was searched, in plain sentences.
        references: the reference list, one plain entry each; ``prepare`` fills it with what is cited.
    """

    title: str
    abstract: str
    body: str
    evidence: Evidence
    attempts: tuple[Attempt, ...] = ()
    models: tuple[str, ...] = ()
    approved_by: tuple[str, ...] = ()
    scripted: bool = False
    cost_usd: Decimal | None = None
    unsettled_usd: Decimal = Decimal(0)
    model_cost_usd: Decimal | None = None
    sandbox_seconds: float = 0.0
    versions: Mapping[str, str] = field(default_factory=dict)
    literature: str = ""
    references: tuple[str, ...] = ()


@dataclass(frozen=True)
class Document:
    """A paper whose numbers are in place.

    Attributes:
        source: what it was made from.
        title: bound title.
        abstract: bound abstract.
        body: bound body.
    """

    source: PaperInput
    title: Bound
    abstract: Bound
    body: Bound

    @property
    def numbers(self) -> tuple[BoundNumber, ...]:
        """Every bound number, in the order of the appendix."""
        return (*self.title.numbers, *self.abstract.numbers, *self.body.numbers)

    @property
    def citations(self) -> tuple[Reference, ...]:
        """The verified works that the text cites, as often as it may, in the order of the reference list."""
        keys = {*self.title.citations, *self.abstract.citations, *self.body.citations}
        cited = [reference for key, reference in self.source.evidence.references.items() if key in keys]
        return tuple(sorted(cited, key=lambda work: (work.text.casefold(), work.key)))

    @property
    def struck(self) -> tuple[Problem, ...]:
        """What had no evidence; empty for a paper that is no draft."""
        return (*self.title.problems, *self.abstract.problems, *self.body.problems)

    @property
    def warnings(self) -> tuple[Warned, ...]:
        """What was not refused, but should be looked at: a sentence that does not name what it states."""
        return (*self.title.warnings, *self.abstract.warnings, *self.body.warnings)

    @property
    def draft(self) -> bool:
        """Whether anything was struck."""
        return bool(self.struck)


def prepare(paper: PaperInput) -> Document:
    """Bind a paper; where anything has no evidence, strike it and make the paper a draft."""
    title = " ".join(paper.title.split())
    document = Document(paper, *strike_together([title, paper.abstract, paper.body], paper.evidence))
    listed = tuple(reference.text for reference in document.citations)
    versions = {**paper.versions, RULES_NAME: RULES}
    return replace(document, source=replace(paper, references=listed, versions=versions))
