"""Searching: what sources send, however they fail, and what is asked of them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from core.errors import LiteratureOffline
from core.literature.fetching import ATTEMPTS, LEFT_ALONE_SECONDS, retry_after
from core.literature.literature import Found
from tests.fakes.literature_replies import (
    PORTAL,
    arxiv_entry,
    arxiv_feed,
    openalex_search,
    openalex_work,
)
from tests.fakes.literature_servers import (
    ARXIV_SAYS_ERROR,
    BELKIN,
    BREIMAN,
    NO_ENTRY,
    NOTHING,
    Literary,
    drips,
    hangs,
    literary,
    sends,
)
from tests.fakes.streaming_server import Answer, Exchange


def found(query: str = "bagging unstable learners", **servers: Any) -> tuple[Found, Literary]:
    async def main() -> tuple[Found, Literary]:
        async with literary(**servers) as there:
            return await there.literature.search(query), there

    return asyncio.run(main())


def test_works_of_both_sources_come_once_each_openalex_first() -> None:
    preprint = arxiv_entry("9601.00001", "Bagging  Predictors", authors=["L. Breiman"])
    both = sends(arxiv_feed(arxiv_entry(), preprint))
    result, _ = found(arxiv=both)
    assert [(work.title, work.source) for work in result.works] == [
        ("Bagging predictors", "OpenAlex"),
        ("Reconciling modern machine learning practice and the bias-variance trade-off", "arXiv"),
    ]
    assert (result.answered, result.troubles) == (("OpenAlex", "arXiv"), ())
    first, second = result.works
    assert (first.doi, first.arxiv, first.year, first.venue) == (
        "10.1007/bf00058655",
        "9601.00001",
        1996,
        "Machine Learning",
    )
    assert first.abstract.startswith("Bagging predictors is a method for generating")
    assert (second.arxiv, second.families) == ("1812.11118", ("Belkin", "Hsu", "Ma", "Mandal"))


@pytest.mark.parametrize("trouble", [None, hangs, drips])
def test_a_dead_source_fails_no_search(trouble: Answer | None) -> None:
    result, _ = found(arxiv=trouble, seconds=1.5)
    assert [work.title for work in result.works] == ["Bagging predictors"]
    assert result.answered == ("OpenAlex",)
    assert result.troubles[0].startswith("arXiv ")
    result, _ = found(openalex=trouble, seconds=1.5)
    assert result.answered == ("arXiv",)


@pytest.mark.parametrize("trouble", [None, hangs, sends(PORTAL, kind="text/html")])
def test_where_no_source_answers_the_error_says_why_for_each(trouble: Answer | None) -> None:
    with pytest.raises(LiteratureOffline) as caught:
        found(openalex=trouble, arxiv=trouble, seconds=0.3)
    assert "OpenAlex" in caught.value.message
    assert "arXiv" in caught.value.message
    assert "127.0.0.1" not in str(caught.value)
    assert caught.value.next_step


def test_a_source_that_failed_costs_its_time_once() -> None:
    async def main() -> Literary:
        async with literary(openalex=sends("", 500), arxiv=BELKIN) as there:
            for query in ("bagging", "boosting", "forests"):
                assert (await there.literature.search(query)).answered == ("arXiv",)
            return there

    assert len(asyncio.run(main()).openalex.exchanges) == ATTEMPTS


def test_html_instead_of_json_is_no_answer_and_is_not_kept(tmp_path: Any) -> None:
    async def main() -> None:
        portal = sends(PORTAL, kind="text/html")
        async with literary(openalex=[portal, BREIMAN], cache=tmp_path / "a.db") as there:
            first = await there.literature.search("bagging")
            assert first.answered == ("arXiv",)
            assert "text/html" in first.troubles[0]
            there.clock.now += LEFT_ALONE_SECONDS + 1
            assert (await there.literature.search("bagging")).answered == ("OpenAlex", "arXiv")

    asyncio.run(main())


@pytest.mark.parametrize(
    "text", ["Rate exceeded.", "<feed>", "<html/>", "<!DOCTYPE x [<!ENTITY a 'b'>]><feed/>", ""]
)
def test_whatever_is_no_feed_is_no_answer_of_arxiv(text: str) -> None:
    result, _ = found(arxiv=sends(text, kind="application/atom+xml"))
    assert result.answered == ("OpenAlex",)


@pytest.mark.parametrize("text", ["{}", "[]", "null", '{"results": 5}', "[" * 50_000, '{"results": [', ""])
def test_json_of_another_shape_is_no_answer_of_openalex(text: str) -> None:
    result, _ = found(openalex=sends(text))
    assert result.answered == ("arXiv",)


def test_a_work_that_cannot_be_read_is_left_out_of_those_that_can() -> None:
    odd = [
        None,
        7,
        {},
        {"title": 5},
        openalex_work(title=None),
        openalex_work(authorships=None),
        openalex_work(),
    ]
    result, _ = found(openalex=sends(openalex_search(*odd)), arxiv=NO_ENTRY)
    assert [work.title for work in result.works] == ["Bagging predictors"]


def test_an_error_that_arxiv_sends_as_an_entry_is_no_work() -> None:
    result, _ = found(openalex=NOTHING, arxiv=ARXIV_SAYS_ERROR)
    assert (result.works, result.answered) == ((), ("OpenAlex", "arXiv"))


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    async def floods(exchange: Exchange) -> None:
        await exchange.begin({"content-type": "application/json"})
        while not exchange.disconnected.is_set():
            await exchange.send(b"[" * 65_536)

    result, _ = found(openalex=floods)
    assert "more than 4 MiB" in result.troubles[0]


# Being busy


def test_a_delay_that_a_busy_source_asks_for_is_kept() -> None:
    busy = sends('{"error": "Rate limit exceeded"}', 429, headers={"retry-after": "3"})
    result, there = found(openalex=[busy, BREIMAN])
    assert result.answered == ("OpenAlex", "arXiv")
    assert there.clock.slept == [3.0]


def test_a_busy_source_that_names_no_delay_is_asked_again_more_and_more_slowly() -> None:
    busy = sends("", 429)
    result, there = found(openalex=[busy, busy, BREIMAN])
    assert result.answered == ("OpenAlex", "arXiv")
    assert there.clock.slept == [1.0, 2.0]
    result, there = found(openalex=busy)
    assert len(there.openalex.exchanges) == ATTEMPTS
    assert result.troubles == ("OpenAlex is busy (status 429)",)


def test_a_source_that_asks_for_more_than_a_search_may_wait_is_left_alone_instead() -> None:
    async def main() -> None:
        busy = sends("", 429, headers={"retry-after": "600"})
        async with literary(openalex=[busy, BREIMAN]) as there:
            assert (await there.literature.search("bagging")).answered == ("arXiv",)
            there.clock.now += 500
            second = await there.literature.search("boosting")
            assert len(there.openalex.exchanges) == 1
            assert second.troubles[0].startswith("OpenAlex is left alone for another")
            there.clock.now += 101
            assert (await there.literature.search("bagging")).answered == ("OpenAlex", "arXiv")
            assert max(there.clock.slept, default=0) <= 20

    asyncio.run(main())


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", None),
        ("12", 12.0),
        ("99999999999999999999", 999_999_999.0),
        ("-5", None),
        ("soon", None),
        ("nan", None),
        ("²", None),
        ("Mon, 23 Nov 2026 10:00:30 GMT", 30.0),
        ("Mon, 23 Nov 2026 09:00:00 GMT", 0.0),
    ],
)
def test_a_delay_is_read_as_seconds_or_as_a_date(header: str, seconds: float | None) -> None:
    assert retry_after(header, datetime(2026, 11, 23, 10, tzinfo=UTC)) == seconds


# What is asked


def test_what_is_asked_holds_the_words_of_the_query_and_no_operators() -> None:
    _, there = found('bagging" OR all:* , title.search:x|y (unstable) 1-NN')
    openalex, arxiv = there.openalex.exchanges[0], there.arxiv.exchanges[0]
    assert openalex.query["search"] == ["bagging or all title search x y unstable 1-nn"]
    assert arxiv.query["search_query"] == [
        'all:"bagging" AND all:"all" AND all:"title" AND all:"search" AND all:"unstable" AND all:"NN"'
    ]
    assert set(openalex.query) == {"search", "per_page", "select"}


def test_a_redirect_is_followed_at_the_same_server_only() -> None:
    result, there = found(openalex=[sends("", 301, headers={"location": "/works?id=W2"}), BREIMAN])
    assert result.answered == ("OpenAlex", "arXiv")
    assert [each.query.get("id") for each in there.openalex.exchanges] == [None, ["W2"]]
    away = sends("", 302, headers={"location": "https://example.org/works"})
    result, _ = found(openalex=away)
    assert result.troubles == ("OpenAlex led us to another server",)
    result, _ = found(openalex=sends("", 302, headers={"location": "/works"}))
    assert result.troubles == ("OpenAlex led us in a circle",)


def test_nothing_is_asked_before_somebody_asks() -> None:
    async def main() -> list[str]:
        async with literary() as there:
            await asyncio.sleep(0)
            return there.asked

    assert asyncio.run(main()) == []
