"""Citations: what a key comes to, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from core.evidence.binding import bind, strike
from core.evidence.bound import Bound
from core.evidence.evidence import Evidence
from tests.core.evidence.synthetic import a_reference, bagging

KNOWN = {
    "breiman1996bagging": a_reference("breiman1996bagging", "Breiman", 1996),
    "nadeau2003inference": a_reference("nadeau2003inference", "Nadeau", 2003),
}


@cache
def evidence() -> Evidence:
    return replace(bagging(), references=KNOWN, unverified=frozenset({"belkin2019reconciling"}))


def bound(text: str) -> Bound:
    return bind(text, evidence())


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Known [@breiman1996bagging].", "Known ([Breiman, 1996](#ref-breiman1996bagging))."),
        ("@breiman1996bagging did.", "[Breiman \\(1996\\)](#ref-breiman1996bagging) did."),
        ("He [-@breiman1996bagging] did.", "He ([1996](#ref-breiman1996bagging)) did."),
        (
            "See [@breiman1996bagging; @nadeau2003inference, pp. 12–14].",
            "See ([Breiman, 1996](#ref-breiman1996bagging);"
            " [Nadeau, 2003, pp. 12–14](#ref-nadeau2003inference)).",
        ),
    ],
)
def test_a_verified_key_becomes_the_name_of_the_work_with_a_link(written: str, shown: str) -> None:
    result = bound(written)
    assert (result.problems, result.text) == ((), shown)


def test_the_works_that_a_text_cites_are_known_once_each_in_its_order() -> None:
    text = "@nadeau2003inference, [@breiman1996bagging] and again [@nadeau2003inference]."
    assert bound(text).citations == ("nadeau2003inference", "breiman1996bagging")
    assert bound("Nothing is cited.").citations == ()


def test_an_unknown_key_is_refused_with_the_nearest_ones() -> None:
    problem = bound("\nKnown [@breimann1996bagging].").problems[0]
    assert (problem.kind, problem.line) == ("unresolved", 2)
    assert problem.reason == "no search returned a work 'breimann1996bagging'"
    assert problem.alternative.startswith("Nearest: [@breiman1996bagging]")


def test_a_key_that_was_found_but_not_verified_is_refused_and_says_how_to_verify_it() -> None:
    for text in ("Known [@belkin2019reconciling].", "@belkin2019reconciling say so."):
        problem = bound(text).problems[0]
        assert "found but not verified" in problem.reason
        assert "verify_citation" in problem.alternative


@pytest.mark.parametrize(
    "text",
    [
        "Known [@].",
        "Known [@breiman1996bagging, 5.5%].",
        "Known [@breiman1996bagging, p. 95.5].",
        "Known [@breiman1996bagging; see also Smith 2031].",
        "Known [@nadeau2003inference; @smith2031great].",
        "@smith2031great said so.",
        "Known \\[@smith2031great].",
        "Known [&#64;smith2031great].",
        "Known [\\@smith2031great].",
    ],
)
def test_whatever_reads_as_a_citation_of_nothing_verified_is_refused(text: str) -> None:
    assert bound(text).problems


@pytest.mark.parametrize(
    "text",
    [
        "As @tab-2 and @fig-loss show.",
        "Write to ada@example.org about `@property`.",
        "```python\n@smith2031great\ndef f(): ...\n```",
    ],
)
def test_other_at_signs_are_left_alone(text: str) -> None:
    assert not bound(text).problems


def test_a_claim_rests_on_a_verified_citation_and_on_no_other() -> None:
    claim = "Bagging is better than single trees"
    assert not bound(f"{claim} [@breiman1996bagging].").problems
    kinds = {problem.kind for problem in bound(f"{claim} [@smith2031great].").problems}
    assert kinds == {"unresolved", "unsupported claim"}
    assert "~~better~~" in strike(f"{claim} [@smith2031great].", evidence()).text


def test_a_citation_that_is_struck_is_not_listed() -> None:
    result = strike("Unknown [@smith2031great]. Known [@breiman1996bagging].", evidence())
    assert "smith2031great" not in result.text
    assert result.citations == ("breiman1996bagging",)


def test_names_of_authors_cannot_bring_markup_into_the_text() -> None:
    hostile = a_reference("evil2020", "](javascript:alert(1)) <b> $x$ {{ n(H1) }} #cite \\", 2020)
    result = bind("Known [@evil2020].", replace(evidence(), references={"evil2020": hostile}))
    assert not result.problems
    links = [part for part in result.text.split("](") if part]
    assert len(links) == 2, result.text
    assert "<b>" not in result.text
    assert "{{" not in result.text.replace("\\{", "")


@pytest.mark.parametrize(
    "text",
    [
        "This is a novel finding, H1 being {{ verdict(H1) }}.",
        "We are the first to show it [@breiman1996bagging].",
        "An unprecedented effect was seen.",
    ],
)
def test_that_something_is_new_is_refused_whatever_stands_beside_it(text: str) -> None:
    problem = next(problem for problem in bound(text).problems if problem.kind == "novelty")
    assert "no match found" in problem.alternative
    assert not bound("No match was found in the sources that were searched.").problems
