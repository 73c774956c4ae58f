"""A paper as Markdown. Its tables, its appendix and its banner are written by code alone."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.evidence.bound import BoundNumber
from core.evidence.evidence import hypothesis_name
from core.evidence.markup import escape
from core.evidence.rendering import pipe_table
from core.experiment import criterion_in_words
from core.paper.document import Attempt, Document, PaperInput, prepare
from core.paper.evidence_file import evidence_json
from core.pricing import at_most_dollars


@dataclass(frozen=True)
class PaperFiles:
    """The files of a paper.

    Attributes:
        markdown: ``paper.md``.
        evidence: ``evidence.json``.
        document: what both were made from; other forms are made from it too.
    """

    markdown: str
    evidence: str
    document: Document


@dataclass(frozen=True)
class Section:
    """A section that code wrote.

    Attributes:
        title: its heading.
        markdown: its text.
    """

    title: str
    markdown: str


BY_CODE = "What follows was written by code, not by a model."
"""What stands before the sections that code writes."""


def compose(paper: PaperInput) -> PaperFiles:
    """Make a paper's Markdown and evidence; the same input gives the same bytes.

    What has no evidence is struck through and counted, and the paper is marked as a draft.
    """
    document = prepare(paper)
    return PaperFiles(paper_markdown(document), evidence_json(document), document)


def paper_markdown(document: Document) -> str:
    """``paper.md``."""
    return "\n\n".join(section.strip("\n") for section in _sections(document) if section.strip()) + "\n"


def draft_banner(document: Document) -> str:
    """What stands on top of a draft, in one plain sentence; empty for a paper that is none."""
    count = len(document.struck)
    if not count:
        return ""
    what = "statement in it has" if count == 1 else "statements in it have"
    return f"DRAFT: {count} {what} no evidence behind and {'is' if count == 1 else 'are'} struck out."


def authors_line(paper: PaperInput) -> str:
    """Who wrote, measured and approved, in one plain line."""
    models = "scripted: no language model is being used" if paper.scripted else ", ".join(paper.models)
    approved = ", ".join(paper.approved_by) or "nobody"
    return f"Written by fumehood ({models or 'no model named'}). Experiments approved by {approved}."


def _sections(document: Document) -> Iterator[str]:
    paper = document.source
    if banner := draft_banner(document):
        yield f"> **{banner}**"
    yield f"# {_one_line(document.title.text) or 'Untitled'}"
    yield f"*{escape(authors_line(paper))}*"
    if abstract := document.abstract.text.strip():
        yield f"## Abstract\n\n{abstract}"
    yield document.body.text
    if document.citations:
        yield "## References\n\n" + "\n".join(
            f'- <a id="ref-{work.key}"></a>{escape(work.text)}' for work in document.citations
        )
    yield f"---\n\n*{BY_CODE}*"
    for section in code_sections(document):
        yield f"## {section.title}\n\n{section.markdown}"


def code_sections(document: Document) -> Iterator[Section]:
    """The sections that code writes, in their order."""
    paper = document.source
    yield Section("Hypotheses and verdicts", _hypotheses(paper))
    yield Section("Every attempt", _attempts(paper.attempts))
    yield Section("Departures from the plan", _departures(paper))
    yield Section("What looks wrong", _flags(paper))
    if document.warnings:
        yield Section("Sentences to check", _warnings(document))
    if paper.literature:
        yield Section("Literature search", escape(paper.literature))
    yield Section("Compute and money", _money(paper))
    if paper.versions:
        rows = [(escape(name), escape(version)) for name, version in sorted(paper.versions.items())]
        yield Section("Versions", pipe_table(("what", "version"), rows))
    yield Section("Every number", _numbers(document.numbers))


def _one_line(text: str) -> str:
    """A title as one line of a heading: no block can begin in it."""
    return re.sub(r"^[\s#>*+\d.)-]+(?=\s)", "", " ".join(text.split())).strip()


def _hypotheses(paper: PaperInput) -> str:
    evidence = paper.evidence
    rows = []
    for experiment_id, hypothesis in evidence.hypotheses.items():
        verdict = evidence.verdicts.get(experiment_id)
        rows.append(
            (
                hypothesis_name(experiment_id),
                escape(hypothesis.statement),
                escape(criterion_in_words(hypothesis)),
                escape(verdict.outcome if verdict else "not judged"),
                escape(_effect(verdict.effect, verdict.interval) if verdict else "–"),
                escape(verdict.reason if verdict else ""),
                f"`{hypothesis.sha256[:12]}`",
            )
        )
    if not rows:
        return "No hypothesis was tested."
    return pipe_table(
        ("", "statement", "criterion", "verdict", "effect and interval", "reason", "hash"), rows
    )


def _effect(effect: float | None, interval: tuple[float, float] | None) -> str:
    if effect is None or interval is None:
        return "–"
    return f"{effect:.4g} [{interval[0]:.4g}, {interval[1]:.4g}]".replace("-", "−")


def _attempts(attempts: tuple[Attempt, ...]) -> str:
    if not attempts:
        return "No experiment was proposed."
    rows = [
        (
            escape(a.experiment_id),
            escape(a.title),
            escape(a.state),
            escape(a.verdict or "–"),
            escape(a.gpu or "CPU"),
            _usd(a.cost_usd),
            "–" if a.seconds is None else f"{a.seconds:.0f} s",
        )
        for a in attempts
    ]
    return pipe_table(("", "experiment", "state", "verdict", "GPU", "USD", "time"), rows)


def _departures(paper: PaperInput) -> str:
    lines = [
        f"- {hypothesis_name(experiment_id)}: {escape(deviation)}"
        for experiment_id, verdict in paper.evidence.verdicts.items()
        for deviation in verdict.deviations
    ]
    return "\n".join(lines) or "None."


def _flags(paper: PaperInput) -> str:
    lines = [
        f"- {escape(f.experiment_id)}, {escape(f.exec_id)}{f', line {f.line}' if f.line else ''}: {f.kind}"
        f"{f' ({f.count} times)' if f.count > 1 else ''}: {escape(f.text)}"
        for f in paper.evidence.ledger.flags
    ]
    return "\n".join(lines) or "Nothing that code can find."


def _warnings(document: Document) -> str:
    """What was not refused, but may be meant otherwise than it is bound: a reader should know."""
    return "\n".join(f"- “{escape(warned.excerpt)}”: {escape(warned.reason)}" for warned in document.warnings)


def _money(paper: PaperInput) -> str:
    unsettled = escape(at_most_dollars(paper.unsettled_usd)) if paper.unsettled_usd else ""
    rows = [
        ("whole run, USD", _usd(paper.cost_usd)),
        ("of which models, USD", _usd(paper.model_cost_usd)),
        *([("perhaps billed beyond that, for turns cut off, USD", unsettled)] if unsettled else []),
        ("sandboxes open", f"{paper.sandbox_seconds:.0f} s"),
    ]
    return pipe_table(("what", "spent"), rows)


def _usd(amount: Decimal | None) -> str:
    return "?" if amount is None else f"{amount:.2f}"


def _numbers(numbers: tuple[BoundNumber, ...]) -> str:
    if not numbers:
        return "The text states no number."
    rows = [
        (
            f'<a id="{n.id}"></a>{n.id}',
            escape(n.text),
            escape(n.expression + (f" : {n.format}" if n.format else "")),
            escape(full_precision(n.value)),
            str(n.n),
            escape(n.level + (f": {n.note}" if n.note else "")),
            escape(places_in_words(n)),
        )
        for n in numbers
    ]
    return pipe_table(("", "printed", "expression", "value", "n", "level", "exec and code line"), rows)


def full_precision(value: Any) -> str:
    """A bound value with every digit that it has."""
    if isinstance(value, tuple | list):
        return ", ".join(map(full_precision, value))
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    return str(value)


def places_in_words(number: BoundNumber) -> str:
    """Execs and code lines of a bound number, such as ``E1-x2 line 12``."""
    shown = [f"{exec_id} line {line}" for exec_id, line in number.places[:4]]
    more = f" and {len(number.places) - 4} more" if len(number.places) > 4 else ""
    return ", ".join(shown) + more or "–"
