"""The literature: what exists on a question, and whether a work is what a search said it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from core.config import cache_path
from core.errors import LiteratureOffline, SourceFailed, WorkUnverified
from core.keys.lookup import find_key
from core.literature import arxiv, crossref, handle, openalex
from core.literature.cache import Cache
from core.literature.citation_keys import same_work
from core.literature.fetching import Fetcher, FindKey
from core.literature.identifiers import arxiv_of_doi
from core.literature.pacing import Pacing
from core.literature.sources import Question, Sources
from core.literature.titles import agree
from core.record.works import Work

MOST_WORKS = 8
"""Works of one search."""

SEARCH_SECONDS = 20.0
"""The longest that a search or a look-up takes, whatever its sources do."""

_LATER = "Go on without it, or try again later."

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Attributes:
        works: best first, OpenAlex before arXiv, each work once.
        answered: the sources that answered; at least one.
        troubles: what went wrong with the others, a sentence each without its full stop.
    """

    works: tuple[Work, ...]
    answered: tuple[str, ...]
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Resolved:
    """A work as its identifier resolves.

    Attributes:
        work: what the resolver says, and nothing of what the search said.
        by: who resolved it.
    """

    work: Work
    by: str


@dataclass
class _Search:
    """What the sources of a search have said so far, in the order in which they count."""

    works: dict[str, list[Work]] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)


class Literature:
    """Asks the sources of the literature. One for an engine, so that all of its agents share its pacing.

    Nothing is contacted before something is asked.

    Args:
        sources: who is asked.
        keys: where keys come from; none is needed. None for the user's.
        cache: where answers are kept; None for the user's cache.
        pacing: whose turn it is; None for a real clock.
        seconds: the longest that anything asked here takes, seconds.
    """

    def __init__(
        self,
        sources: Sources | None = None,
        keys: FindKey | None = None,
        cache: Cache | None = None,
        pacing: Pacing | None = None,
        seconds: float = SEARCH_SECONDS,
    ) -> None:
        self.sources = sources or Sources()
        self._pacing = pacing or Pacing()
        self._fetcher = Fetcher(cache or Cache(answers_path()), self._pacing, keys or find_key)
        self._seconds = seconds

    async def search(self, query: str) -> Found:
        """Works that fit a few words.

        A source that fails does not fail the search: what the other says is the answer, and what went
        wrong is told with it.

        Raises:
            LiteratureOffline: no source answered.
        """
        by, search = self._by(), _Search()
        async with asyncio.TaskGroup() as group:
            for question, read in (
                (openalex.search(self.sources.openalex, query, MOST_WORKS), openalex.read_works),
                (arxiv.search(self.sources.arxiv, query, MOST_WORKS), arxiv.read_works),
            ):
                group.create_task(self._take(search, question, read, by))
        names = (self.sources.openalex.name, self.sources.arxiv.name)
        order = [name for name in names if name in search.works]
        if not order:
            raise LiteratureOffline("; ".join(search.troubles), "Go on without the literature.")
        works = merged([work for name in order for work in search.works[name]])
        return Found(works[:MOST_WORKS], tuple(order), tuple(sorted(search.troubles)))

    async def verify(self, work: Work) -> Resolved:
        """Look a found work up again by its DOI or its arXiv id.

        Raises:
            WorkUnverified: it has neither, does not resolve, resolves to another work, or was retracted.
            SourceFailed: whoever can resolve it does not answer now.
        """
        if work.retracted:
            raise _retracted(work)
        resolved = await self._bounded(self._resolved(work, self._by()))
        if resolved.work.retracted:
            raise _retracted(resolved.work)
        if not agree(work.title, resolved.work.title):
            raise WorkUnverified(
                f"{_identifier(work)} is another work: {resolved.work.title!r}", "Leave it out."
            )
        return resolved

    async def _take(
        self, search: _Search, question: Question, read: Callable[[str], list[Work]], by: float
    ) -> None:
        """Take what one source says into a search."""
        try:
            answer = await self._bounded(self._fetcher.get(question, read, by))
        except SourceFailed as failure:
            search.troubles.append(failure.message)
            return
        search.works[question.source.name] = answer.value or []
        if answer.stale_from is not None:
            search.troubles.append(f"{answer.trouble}; its answer of {answer.stale_from:%Y-%m-%d} was taken")

    async def _resolved(self, work: Work, by: float) -> Resolved:
        preprint = work.arxiv or arxiv_of_doi(work.doi)
        if work.doi and not arxiv_of_doi(work.doi):
            try:
                return await self._by_doi(work.doi, by)
            except SourceFailed:
                if not preprint:
                    raise
        if preprint:
            return await self._by_arxiv(preprint, by)
        raise WorkUnverified(
            f"{work.title!r} has neither a DOI nor an arXiv id", "Leave it out, or search for another record."
        )

    async def _by_doi(self, doi: str, by: float) -> Resolved:
        """Through Crossref; a DOI that others registered through the handle, and OpenAlex's record of it."""
        sources = self.sources
        found = await self._fetcher.get(crossref.look_up(sources.crossref, doi), crossref.read_work, by)
        if found.value is not None:
            return Resolved(_with_identifier(found.value, doi=doi), sources.crossref.name)
        exists = await self._fetcher.get(handle.look_up(sources.doi, doi), handle.read_exists, by)
        if not exists.value:
            raise WorkUnverified(f"the DOI {doi} does not exist", "Leave it out.")
        known = await self._fetcher.get(openalex.look_up(sources.openalex, doi), openalex.read_work, by)
        if known.value is None:
            raise WorkUnverified(f"nobody can say what the DOI {doi} stands for", "Leave it out.")
        by_both = f"{sources.doi.name} and {sources.openalex.name}"
        return Resolved(_with_identifier(known.value, doi=doi), by_both)

    async def _by_arxiv(self, preprint: str, by: float) -> Resolved:
        source = self.sources.arxiv
        found = await self._fetcher.get(arxiv.look_up(source, preprint), arxiv.read_works, by)
        work = next((work for work in found.value or () if work.arxiv == preprint), None)
        if work is None:
            raise WorkUnverified(f"arXiv has no {preprint}", "Leave it out.")
        return Resolved(work, source.name)

    def _by(self) -> float:
        """The time by which an answer has to be there."""
        return self._pacing.clock() + self._seconds

    async def _bounded(self, asked: Awaitable[ResultT]) -> ResultT:
        """The last line: whatever hangs, on whatever clock, ends here.

        Raises:
            SourceFailed: it took too long.
        """
        try:
            async with asyncio.timeout(self._seconds + 1):
                return await asked
        except TimeoutError:
            raise SourceFailed(f"there was no answer within {self._seconds:g} s", _LATER) from None


def answers_path() -> Path:
    """The file that keeps what sources answered, for all runs of this user."""
    return cache_path() / "literature" / "answers.db"


def merged(works: list[Work]) -> tuple[Work, ...]:
    """Works of several sources, each once; what the first record lacks is taken from the others."""
    kept: list[Work] = []
    for work in works:
        place = next((i for i, other in enumerate(kept) if same_work(work, other)), None)
        if place is None:
            kept.append(work)
            continue
        first = kept[place]
        kept[place] = first.model_copy(
            update={
                "doi": first.doi or work.doi,
                "arxiv": first.arxiv or work.arxiv,
                "abstract": first.abstract or work.abstract,
                "retracted": first.retracted or work.retracted,
            }
        )
    return tuple(kept)


def _with_identifier(work: Work, doi: str) -> Work:
    return work.model_copy(update={"doi": work.doi or doi})


def _identifier(work: Work) -> str:
    return f"the DOI {work.doi}" if work.doi else f"arXiv:{work.arxiv}"


def _retracted(work: Work) -> WorkUnverified:
    return WorkUnverified(f"{work.title!r} was retracted or withdrawn", "Leave it out.")
