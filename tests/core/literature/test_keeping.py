"""What is kept of answers, for how long, and that no key is ever in it or anywhere else."""

from __future__ import annotations

import asyncio
import logging
import traceback
from pathlib import Path

import pytest

from core.errors import KeysLocked, LiteratureOffline, SourceFailed, WorkUnverified
from core.keys.secret import Secret
from core.literature.cache import FOUND_SECONDS, MISSING_SECONDS, Cache
from core.literature.fetching import LEFT_ALONE_SECONDS
from core.literature.literature import answers_path
from core.literature.sources import OPENALEX, Question, Source
from core.record.works import Work
from tests.fakes.literature_servers import BELKIN, BREIMAN, UNKNOWN, literary, sends

KEY = "oa-key-4711-abcdefghijklmnop"


def test_what_was_asked_before_is_not_asked_again_while_it_is_fresh(tmp_path: Path) -> None:
    async def main() -> None:
        async with literary(cache=tmp_path / "answers.db") as there:
            first = await there.literature.search("bagging")
            assert await there.literature.search("bagging") == first
            assert len(there.asked) == 2
            there.wall[0] += FOUND_SECONDS + 1
            await there.literature.search("bagging")
            assert len(there.asked) == 4

    asyncio.run(main())


def test_that_there_is_no_such_thing_is_kept_too(tmp_path: Path) -> None:
    async def main() -> None:
        work = Work(title="Bagging predictors", doi="10.1007/bf00058655")
        async with literary(cache=tmp_path / "answers.db", crossref=UNKNOWN, doi=UNKNOWN) as there:
            for _ in range(2):
                with pytest.raises(WorkUnverified, match="does not exist"):
                    await there.literature.verify(work)
            assert len(there.asked) == 2
            there.wall[0] += MISSING_SECONDS + 1
            with pytest.raises(WorkUnverified, match="does not exist"):
                await there.literature.verify(work)
            assert len(there.asked) == 4

    asyncio.run(main())


def test_an_old_answer_is_taken_where_there_is_no_new_one_and_that_is_said(tmp_path: Path) -> None:
    async def main() -> None:
        async with literary(openalex=[BREIMAN], cache=tmp_path / "answers.db") as there:
            first = await there.literature.search("bagging")
            there.wall[0] += FOUND_SECONDS + 1
            second = await there.literature.search("bagging")
            assert second.works == first.works
            assert second.answered == ("OpenAlex", "arXiv")
            assert "its answer of 2026-11-23 was taken" in second.troubles[0]
            there.clock.now += LEFT_ALONE_SECONDS * 2

    asyncio.run(main())


def test_offline_what_is_kept_is_there_and_the_rest_is_a_typed_error(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "answers.db"
        async with literary(cache=path) as there:
            await there.literature.search("bagging")
            sources = there.literature.sources
        async with literary(openalex=None, arxiv=None, cache=path) as there:
            there.literature.sources = sources
            assert (await there.literature.search("bagging")).works
            with pytest.raises(LiteratureOffline):
                await there.literature.search("boosting")

    asyncio.run(main())


@pytest.mark.parametrize("content", [b"", b"this is no database" * 100])
def test_a_spoilt_cache_fails_nothing(tmp_path: Path, content: bytes) -> None:
    async def main() -> None:
        path = tmp_path / "answers.db"
        path.write_bytes(content)
        async with literary(cache=path) as there:
            assert (await there.literature.search("bagging")).works
            assert (await there.literature.search("bagging")).works

    asyncio.run(main())


def test_a_cache_that_cannot_be_made_fails_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        (tmp_path / "file").write_text("in the way")
        async with literary(cache=tmp_path / "file" / "answers.db") as there:
            assert (await there.literature.search("bagging")).works

    asyncio.run(main())


def test_an_answer_that_cannot_be_read_any_more_is_asked_for_again(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "answers.db"
        async with literary(cache=path) as there:
            url = Question(there.literature.sources.crossref, "/works/10.1007%2Fbf00058655").url
            await Cache(path, lambda: there.wall[0]).put(url, 200, "an older form")
            work = Work(title="Bagging predictors", doi="10.1007/bf00058655")
            assert (await there.literature.verify(work)).by == "Crossref"

    asyncio.run(main())


def test_only_so_many_answers_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.literature.cache.MOST_ANSWERS", 3)

    async def main() -> list[bool]:
        times = iter(range(100))
        cache = Cache(tmp_path / "answers.db", lambda: float(next(times)))
        for number in range(5):
            await cache.put(f"u{number}", 200, "")
        return [await cache.get(f"u{number}") is not None for number in range(5)]

    assert asyncio.run(main()) == [False, False, True, True, True]


# Keys


def test_a_key_goes_to_openalex_alone_and_is_neither_kept_nor_logged_nor_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def main() -> None:
        path = tmp_path / "answers.db"
        async with literary(cache=path, key=Secret(KEY)) as there:
            await there.literature.search("bagging")
            await there.literature.verify(Work(title="Bagging predictors", doi="10.1007/bf00058655"))
            assert there.openalex.exchanges[0].query["api_key"] == [KEY]
            for server in (there.openalex, there.arxiv, there.crossref):
                for exchange in server.exchanges:
                    assert KEY not in str(exchange.headers)
                    assert server is there.openalex or "api_key" not in exchange.query
        for file in tmp_path.iterdir():
            assert KEY.encode() not in file.read_bytes()
            assert b"api_key" not in file.read_bytes()

    asyncio.run(main())
    assert KEY not in caplog.text
    assert "api_key" not in caplog.text


@pytest.mark.parametrize(
    "answer", [None, sends("no", 403), sends("<html>"), sends("", 302, headers={"location": "//x.example"})]
)
def test_no_error_holds_a_key(answer: object) -> None:
    async def main() -> str:
        async with literary(openalex=answer, arxiv=None, key=Secret(KEY)) as there:  # type: ignore[arg-type]
            with pytest.raises(LiteratureOffline) as caught:
                await there.literature.search("bagging")
            error = caught.value
            return "".join(traceback.format_exception(error)) + repr(error)

    told = asyncio.run(main())
    assert KEY not in told
    assert "api_key" not in told


def test_a_refused_key_is_named_with_what_to_do() -> None:
    async def main() -> None:
        async with literary(openalex=sends("no", 401), arxiv=BELKIN, key=Secret(KEY)) as there:
            found = await there.literature.search("bagging")
            assert found.troubles == ("OpenAlex does not let us in (status 401)",)

    asyncio.run(main())


def test_a_key_is_told_to_nobody_in_clear_over_a_network() -> None:
    assert OPENALEX.takes_key
    assert not Source("x", "http://openalex.example", 0, OPENALEX.key_name, "api_key").takes_key
    assert not Source("x", "https://arxiv.example", 0).takes_key


def test_a_keyring_that_is_locked_is_done_without() -> None:
    async def locked(name: str) -> Secret | None:
        raise KeysLocked(f"{name} is in a locked keyring")

    async def main() -> None:
        async with literary() as there:
            there.literature._fetcher._find_key = locked
            assert (await there.literature.search("bagging")).answered == ("OpenAlex", "arXiv")

    asyncio.run(main())


def test_answers_are_kept_in_the_users_cache() -> None:
    assert answers_path().parts[-2:] == ("literature", "answers.db")


def test_a_failure_is_not_kept(tmp_path: Path) -> None:
    async def main() -> None:
        async with literary(crossref=[sends("", 500)] * 3, cache=tmp_path / "answers.db") as there:
            with pytest.raises(SourceFailed):
                await there.literature.verify(Work(title="Bagging predictors", doi="10.1007/bf00058655"))
            url = Question(there.literature.sources.crossref, "/works/10.1007%2Fbf00058655").url
            assert await Cache(tmp_path / "answers.db").get(url) is None

    asyncio.run(main())
