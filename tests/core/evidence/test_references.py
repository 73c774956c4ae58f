"""References: names, entries and BibTeX, made from what an identifier resolved to."""

from __future__ import annotations

from typing import Any

import pytest

from core.evidence.references import bibliography, bibtex, reference
from core.record.events import CitationVerified
from core.record.works import Work


def work(**changes: Any) -> Work:
    given: dict[str, Any] = {
        "title": "Bagging predictors",
        "authors": ("Leo Breiman",),
        "families": ("Breiman",),
        "year": 1996,
        "venue": "Machine Learning",
        "doi": "10.1007/bf00058655",
        "source": "Crossref",
    }
    return Work(**(given | changes))


def verified(of: Work, passage: str = "Bagging predictors") -> CitationVerified:
    return CitationVerified(key="k1996", work=of, passage=passage, resolved_by="Crossref")


@pytest.mark.parametrize(
    ("families", "more", "named"),
    [
        (("Breiman",), False, "Breiman"),
        (("Nadeau", "Bengio"), False, "Nadeau and Bengio"),
        (("Belkin", "Hsu", "Ma"), False, "Belkin et al."),
        (("Belkin",), True, "Belkin et al."),
        ((), False, "Bagging predictors"),
    ],
)
def test_authors_are_named_as_texts_name_them(families: tuple[str, ...], more: bool, named: str) -> None:
    of = work(families=families, authors=families, more_authors=more)
    assert reference([verified(of)]).authors == named


def test_an_entry_says_who_when_what_where() -> None:
    made = reference([verified(work())])
    assert made.text == (
        "Leo Breiman (1996). Bagging predictors. Machine Learning. https://doi.org/10.1007/bf00058655"
    )
    preprint = work(venue="arXiv", doi="", arxiv="1812.11118", year=None)
    assert reference([verified(preprint)]).text == (
        "Leo Breiman (n.d.). Bagging predictors. arXiv. https://arxiv.org/abs/1812.11118"
    )


def test_each_passage_that_a_work_is_cited_for_is_kept() -> None:
    made = reference([verified(work(), "One."), verified(work(), "Two."), verified(work(), "One.")])
    assert made.passages == ("One.", "Two.")


def test_bibtex_is_made_from_the_work_alone() -> None:
    assert bibtex("k1996", work()) == (
        "@article{k1996,\n"
        "  title = {{Bagging predictors}},\n"
        "  author = {Breiman, Leo},\n"
        "  year = {1996},\n"
        "  journal = {Machine Learning},\n"
        "  doi = {10.1007/bf00058655}\n"
        "}\n"
    )
    preprint = bibtex("k", work(venue="arXiv", doi="", arxiv="1812.11118"))
    assert preprint.startswith("@misc{k,")
    assert "eprint = {1812.11118},\n  archiveprefix = {arXiv}" in preprint


@pytest.mark.parametrize(
    "hostile",
    [
        "}}\n@article{evil, title={x}",
        "\\input{/etc/passwd} \\write18{id}",
        "{{{ unbalanced",
        '50% of $x_1$ & "more" #1 ~a^b',
        "}",
    ],
)
def test_whatever_a_resolver_says_stays_inside_its_field(hostile: str) -> None:
    of = work(title=hostile, authors=(hostile, f"A. {hostile}"), families=("", hostile), venue=hostile)
    entry = bibtex("k", of)
    depth, least = 0, 1
    for character in entry.partition("{")[2].rstrip()[:-1]:
        depth += (character == "{") - (character == "}")
        least = min(least, depth)
    assert (depth, least) == (0, 0)
    assert "\n@" not in entry
    for command in ("\\input", "\\write"):
        assert command not in entry


def test_a_name_with_and_in_it_stays_one_name() -> None:
    of = work(authors=("Research and Development Team", "Ada Van, Jr."), families=("", "Van, Jr."))
    assert "author = {{Research and Development Team} and {Van, Jr.}, Ada}" in bibtex("k", of)


def test_left_out_authors_are_others() -> None:
    assert "Breiman, Leo and others" in bibtex("k", work(more_authors=True))


def test_the_bibliography_holds_what_it_is_given_and_is_empty_without() -> None:
    assert bibliography([]) == ""
    assert bibliography([reference([verified(work())])]) == bibtex("k1996", work())
