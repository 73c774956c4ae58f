"""Looking a work up again: by its identifier, with titles that agree, and not retracted."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from core.errors import SourceFailed, WorkUnverified
from core.literature.literature import Resolved
from core.record.works import Work
from tests.fakes.literature_replies import (
    arxiv_entry,
    arxiv_feed,
    crossref_work,
    handle,
    openalex_work,
)
from tests.fakes.literature_servers import ARXIV_SAYS_ERROR, EXISTS, UNKNOWN, Literary, literary, sends

BELKIN = "Reconciling modern machine learning practice and the bias-variance trade-off"


def breiman(**changes: Any) -> Work:
    given: dict[str, Any] = {"title": "Bagging predictors", "doi": "10.1007/bf00058655", "source": "OpenAlex"}
    return Work(**(given | changes))


def verified(work: Work, **servers: Any) -> tuple[Resolved, Literary]:
    async def main() -> tuple[Resolved, Literary]:
        async with literary(**servers) as there:
            return await there.literature.verify(work), there

    return asyncio.run(main())


def refused(work: Work, **servers: Any) -> str:
    with pytest.raises(WorkUnverified) as caught:
        verified(work, **servers)
    return caught.value.message


def test_what_a_doi_stands_for_is_what_crossref_says_and_nothing_that_the_search_said() -> None:
    found = breiman(title="Bagging Predictors.", authors=("Somebody Else",), year=2031, venue="Elsewhere")
    resolved, there = verified(found)
    work = resolved.work
    assert (work.authors, work.families, work.year, work.venue) == (
        ("Leo Breiman",),
        ("Breiman",),
        1996,
        "Machine Learning",
    )
    assert resolved.by == "Crossref"
    assert there.asked == ["crossref /works/10.1007%2Fbf00058655"]


def test_an_arxiv_id_is_looked_up_at_arxiv_also_where_it_comes_as_a_doi() -> None:
    for work in (
        breiman(title=BELKIN, doi="", arxiv="1812.11118"),
        breiman(title=BELKIN, doi="10.48550/arxiv.1812.11118"),
    ):
        resolved, there = verified(work)
        assert (resolved.by, resolved.work.year, there.asked) == ("arXiv", 2018, ["arxiv /api/query"])
        assert there.arxiv.exchanges[0].query["id_list"] == ["1812.11118"]


def test_a_doi_of_another_agency_is_there_if_its_handle_is_and_openalex_has_its_record() -> None:
    record = sends(json.dumps(openalex_work("A data set", "10.5281/zenodo.1", year=2020)))
    work = breiman(title="A data set", doi="10.5281/zenodo.1")
    resolved, there = verified(work, crossref=UNKNOWN, openalex=record)
    assert (resolved.by, resolved.work.year) == ("doi.org and OpenAlex", 2020)
    assert there.asked == [
        "openalex /works/doi:10.5281/zenodo.1",
        "crossref /works/10.5281%2Fzenodo.1",
        "doi /api/handles/10.5281/zenodo.1",
    ]


def test_a_doi_that_nobody_registered_is_refused() -> None:
    missing = sends(handle("10.1007/bf00058655", exists=False), 404)
    assert "does not exist" in refused(breiman(), crossref=UNKNOWN, doi=missing)
    assert "does not exist" in refused(breiman(), crossref=UNKNOWN, doi=UNKNOWN)
    assert "nobody can say" in refused(breiman(), crossref=UNKNOWN, doi=EXISTS, openalex=UNKNOWN)


def test_an_identifier_of_another_work_is_refused_with_the_title_that_it_has() -> None:
    message = refused(breiman(title="Attention is all you need"))
    assert message == "the DOI 10.1007/bf00058655 is another work: 'Bagging predictors'"
    assert "another work" in refused(breiman(title="Something else", doi="", arxiv="1812.11118"))


def test_an_arxiv_id_that_arxiv_answers_with_another_or_with_an_error_is_refused() -> None:
    work = breiman(title=BELKIN, doi="", arxiv="9999.99999")
    assert refused(work) == "arXiv has no 9999.99999"
    assert refused(work, arxiv=ARXIV_SAYS_ERROR) == "arXiv has no 9999.99999"


@pytest.mark.parametrize(
    "changes",
    [
        {"updated-by": [{"type": "retraction", "label": "Retraction", "DOI": "10.1126/science.1124926"}]},
        {"updated-by": [{"type": "correction"}, {"type": "Withdrawal"}]},
        {"update-to": [{"type": "retraction", "DOI": "10.1/x"}]},
        {"title": "RETRACTED: Bagging predictors"},
        {"title": "Retracted Article: Bagging predictors"},
        {"title": "[Withdrawn] Bagging predictors"},
    ],
)
def test_a_retracted_work_is_refused_however_crossref_marks_it(changes: dict[str, Any]) -> None:
    message = refused(breiman(), crossref=sends(crossref_work(**changes)))
    assert "was retracted or withdrawn" in message


def test_a_work_that_the_search_knew_as_retracted_is_not_even_looked_up() -> None:
    async def main() -> list[str]:
        async with literary() as there:
            with pytest.raises(WorkUnverified, match="retracted"):
                await there.literature.verify(breiman(retracted=True))
            return there.asked

    assert asyncio.run(main()) == []


@pytest.mark.parametrize(
    "entry",
    [
        arxiv_entry(comment="This paper has been withdrawn by the authors due to an error in Lemma 2"),
        arxiv_entry(abstract="This submission was withdrawn because it was wrong."),
    ],
)
def test_a_withdrawn_preprint_is_refused(entry: str) -> None:
    work = breiman(title=BELKIN, doi="", arxiv="1812.11118")
    assert "withdrawn" in refused(work, arxiv=sends(arxiv_feed(entry)))


def test_corrections_and_concerns_do_not_make_a_work_retracted() -> None:
    changed: dict[str, Any] = {"updated-by": [{"type": "correction"}, {"type": "expression_of_concern"}]}
    assert verified(breiman(), crossref=sends(crossref_work(**changed)))[0].by == "Crossref"


def test_a_work_without_identifier_cannot_be_cited() -> None:
    assert "neither a DOI nor an arXiv id" in refused(breiman(doi=""))


def test_a_resolver_that_does_not_answer_is_a_failure_and_no_verdict_on_the_work() -> None:
    with pytest.raises(SourceFailed, match="Crossref cannot be reached"):
        verified(breiman(), crossref=None)
    work = breiman(title=BELKIN, arxiv="1812.11118")
    assert verified(work, crossref=None)[0].by == "arXiv"


def test_a_subtitle_that_only_one_of_both_has_in_its_title_is_no_other_work() -> None:
    split = sends(crossref_work("Bagging predictors", subtitle=["A method for unstable learners"]))
    assert verified(breiman(title="Bagging predictors: a method for unstable learners"), crossref=split)


@pytest.mark.parametrize("text", ["{}", '{"message": null}', '{"message": []}', "<html>", ""])
def test_a_record_of_another_shape_is_a_failure(text: str) -> None:
    with pytest.raises(SourceFailed):
        verified(breiman(), crossref=sends(text))


def test_a_record_without_names_and_dates_can_be_read() -> None:
    bare = sends(crossref_work(year=None, authors=[{"name": "The Team"}, {}]))
    work = verified(breiman(), crossref=bare)[0].work
    assert (work.year, work.authors, work.families) == (None, ("The Team",), ("The Team",))
