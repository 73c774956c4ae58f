"""Compares a paper with what is made again from it where other rules decided what is struck in it.

Every number must hold as it does otherwise; what would be struck now and was not, or the other way round,
is no fault of the paper.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from core.errors import BindingError
from core.evidence.binding import RULES
from core.evidence.bound import BoundNumber
from core.evidence.numbers import Numbers
from core.paper.evidence_file import plain
from core.paper.evidence_reading import StoredEvidence
from core.paper.markdown import PaperFiles

STRUCK_OTHERWISE = frozenset({"numbers", "struck", "draft", "references", "versions"})
"""Sections of an evidence file in which other rules leave more or less; each is compared by itself."""


def said_of_rules(stored: StoredEvidence, files: PaperFiles) -> str:
    """One line: by which rules the paper was struck, which are ours, and what they would strike."""
    then, now = _struck(stored.content["struck"]), _struck(plain(list(map(vars, files.document.struck))))
    more, fewer = (now - then).total(), (then - now).total()
    would = " and ".join([f"{more} more"] * bool(more) + [f"{fewer} fewer"] * bool(fewer))
    return (
        f"what is struck was decided by prose rules {stored.rules or '?'}, and here are {RULES}: "
        f"now {f'{would} statements' if would else 'the same statements'} would be struck"
    )


def found_numbers(
    stored: StoredEvidence, files: PaperFiles
) -> Iterator[tuple[Mapping[str, Any], BoundNumber | None]]:
    """What each stated number comes to; None where nothing gives it.

    Rows are numbered in the order of what was left of the text, so each number is found by its expression.
    """
    numbers = Numbers(stored.paper().evidence)
    plots = {number.expression: number for number in files.document.numbers}
    for stated in stored.content["numbers"]:
        expression, wanted = str(stated.get("expression")), str(stated.get("format"))
        if expression.startswith("plot "):
            found = plots.get(expression)
        else:
            found = _resolved(numbers, expression, wanted, str(stated.get("text")))
        yield stated, replace(found, id=str(stated.get("id"))) if found else None


def _resolved(numbers: Numbers, expression: str, wanted: str, stated: str) -> BoundNumber | None:
    try:
        found = [numbers.resolve(expression, wanted, after_p=after_p).number for after_p in (False, True)]
    except BindingError:
        return None
    return found[found[1].text == stated]


def other_sections(stored: StoredEvidence, again: Mapping[str, Any]) -> dict[str, Any]:
    """The sections that an evidence file should hold, but for what other rules leave of the text.

    Args:
        stored: the file.
        again: the sections as our rules give them.

    Returns:
        The sections; a plot keeps its stated row and caption.
    """
    plots = [dict(plot) for plot in again["plots"]]
    for plot, stated in zip(plots, stored.content.get("plots") or (), strict=False):
        plot |= {name: stated[name] for name in ("id", "caption") if name in stated}
    kept = {name: stored.content.get(name) for name in STRUCK_OTHERWISE}
    return {**again, "plots": plots, **kept}


def printed_counts(stored: StoredEvidence, files: PaperFiles) -> dict[str, int]:
    """How often each stated number's text must be printed at least.

    Once in the appendix; and in the text as often as ours links it, where nothing that was struck then
    would be left now.
    """
    then, now = _struck(stored.content["struck"]), _struck(plain(list(map(vars, files.document.struck))))
    document = files.document
    text = "\n\n".join(bound.text for bound in (document.title, document.abstract, document.body))
    linked = Counter(re.findall(r"\]\(#(e\d+)\)", text)) if not then - now else Counter[str]()
    in_text = {_identity(vars(number)): linked[number.id] for number in document.numbers}
    counts: Counter[str] = Counter()
    for number in stored.content["numbers"]:
        if not str(number.get("expression")).startswith("plot "):
            counts[" ".join(str(number.get("text")).split())] += 1 + in_text.get(_identity(number), 0)
    return dict(counts)


def _identity(number: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(number.get(name)) for name in ("expression", "format", "text"))


def _struck(problems: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """What is struck, without the reason, whose wording may change."""
    return Counter(json.dumps([p.get(name) for name in ("kind", "line", "excerpt")]) for p in problems)
