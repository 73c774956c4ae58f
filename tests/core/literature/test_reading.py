"""Small things that are read: hostile texts, identifiers, titles, keys and passages."""

from __future__ import annotations

from typing import Any

import pytest

from core.literature.citation_keys import keyed
from core.literature.cleaning import family_of, plain
from core.literature.identifiers import arxiv_in, arxiv_of_doi, doi_in
from core.literature.passages import stands_in
from core.literature.titles import agree
from core.record.works import Work
from tests.fakes.literature_replies import ABSTRACT, SENTENCE


def work(title: str = "Bagging predictors", **changes: Any) -> Work:
    given: dict[str, Any] = {
        "title": title,
        "authors": ("Leo Breiman",),
        "families": ("Breiman",),
        "year": 1996,
    }
    return Work(**(given | changes))


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("<i>K</i>-means &amp;amp; <sub>2</sub>", "K-means & 2"),
        ("<jats:p>An abstract.</jats:p>", "An abstract."),
        ("a < b and c > d", "a < b and c > d"),
        ("line\nbreak\ttab\x1b[31mred\x07", "line break tab [31mred"),
        ("hid\u200bden \u202eright-to-left", "hid den right-to-left"),
        ("\ud800 lone", "lone"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;", "alert(1)"),
        ("x" * 10_000, "x" * 500),
        (None, ""),
    ],
)
def test_texts_of_strangers_become_one_plain_bounded_line(sent: str | None, shown: str) -> None:
    assert plain(sent) == shown


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("Leo Breiman", "Breiman"),
        ("Breiman, Leo", "Breiman"),
        ("Laurens van der Maaten", "van der Maaten"),
        ("Martin Luther King Jr.", "King"),
        ("Plato", "Plato"),
        ("von Neumann", "Neumann"),
        ("", ""),
    ],
)
def test_family_names_are_found_as_far_as_a_program_can(name: str, family: str) -> None:
    assert family_of(name) == family


@pytest.mark.parametrize(
    ("text", "doi"),
    [
        ("https://doi.org/10.1007/BF00058655", "10.1007/bf00058655"),
        ("http://dx.doi.org/10.1073/pnas.1903070116", "10.1073/pnas.1903070116"),
        ("doi: 10.1023/A:1024068626366", "10.1023/a:1024068626366"),
        (
            "10.1002/(SICI)1097-0258(19980815)17:15<1623::AID>3.0.CO;2-S",
            "10.1002/(sici)1097-0258(19980815)17:15<1623::aid>3.0.co;2-s",
        ),
        ("10.1000/../../admin", ""),
        ("10.1000/a%2F..%2F..%2Fadmin", ""),
        ("10.1000/x?api_key=1", ""),
        ("10.1000/x#y", ""),
        ("10.1000/a b", ""),
        ("10.1000/}{\\input", ""),
        ("not a doi", ""),
        (None, ""),
    ],
)
def test_only_what_can_be_looked_up_safely_is_a_doi(text: str | None, doi: str) -> None:
    assert doi_in(text) == doi


def test_ids_of_arxiv_lose_address_and_version() -> None:
    assert arxiv_in("http://arxiv.org/abs/1812.11118v2") == "1812.11118"
    assert arxiv_in("https://arxiv.org/pdf/1812.11118v2.pdf") == "1812.11118"
    assert arxiv_in("http://arxiv.org/abs/cs/0112017v1") == "cs/0112017"
    assert arxiv_in("http://arxiv.org/abs/../x") == ""
    assert arxiv_of_doi("10.48550/arxiv.1812.11118") == "1812.11118"
    assert arxiv_of_doi("10.1007/bf00058655") == ""


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Bagging predictors", "Bagging Predictors.", True),
        ("Schrödinger’s cat", "Schrodinger's Cat", True),
        ("The elements of statistical learning", "Elements of Statistical Learning", True),
        ("Bagging predictors", "Boosting predictors", False),
        ("On ensembles, part I", "On ensembles, part II", False),
        ("YOLO 3: an incremental improvement", "YOLO 4: an incremental improvement", False),
        ("Deep learning", "Deep learning in neural networks: an overview", False),
        ("", "", False),
        ("…", "…", False),
        ("a " * 150 + "x", "a " * 150 + "x", True),
    ],
)
def test_titles_agree_only_where_they_are_of_one_work(one: str, other: str, same: bool) -> None:
    assert agree(one, other) is same


def test_keys_name_family_year_and_the_first_word_that_says_something() -> None:
    found = keyed(
        [work("Using bagging with trees"), work("X", families=("Müller-Lüdenscheidt",), year=None)], {}
    )
    assert list(found) == ["breiman1996bagging", "mullerludenscheidtnd"]
    assert list(keyed([work("深層学習", families=("山田",))], {})) == ["anon1996"]


def test_two_works_never_share_a_key_and_one_work_keeps_its_own() -> None:
    first = keyed([work(doi="10.1/a")], {})
    second = keyed([work("Bagging trees", doi="10.1/b"), work("BAGGING PREDICTORS", doi="10.1/a")], first)
    assert list(second) == ["breiman1996baggingb", "breiman1996bagging"]
    many = keyed([work(f"Bagging number {n}", doi=f"10.1/{n}") for n in range(60)], {})
    assert len(many) == 60


def test_a_passage_stands_in_a_work_word_for_word_or_not_at_all() -> None:
    of = work(abstract=ABSTRACT)
    assert stands_in(SENTENCE, of)
    assert stands_in("“If perturbing the learning set can cause  significant changes”", of)
    assert stands_in("Bagging predictors", of)
    assert not stands_in("Bagging always improves accuracy for every learner", of)
    assert not stands_in("bagging can", of)
    assert not stands_in("agging can improve accurac", of)
    assert not stands_in("", of)
    assert not stands_in("…", work(""))
