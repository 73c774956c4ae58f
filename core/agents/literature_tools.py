"""Tools by which agents search the literature and verify what they want to cite.

What sources send was written by strangers: it reaches a model fenced and bounded, and is in the journal,
so that an engine that starts again asks no source twice.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from pydantic import Field

from core.agents.fence import fenced
from core.agents.tools import Arguments, Reply, Tool
from core.errors import LiteratureError, LiteratureOffline, ToolError
from core.literature.citation_keys import keyed
from core.literature.cleaning import plain
from core.literature.literature import Literature, Resolved
from core.literature.passages import stands_in
from core.record.events import CitationVerified, LiteratureSearched
from core.record.live import LiveRun
from core.record.state import RunState
from core.record.works import Work

ABSTRACT_CHARACTERS = 1_200
"""Of each abstract, as a model reads it; the whole is in the journal."""

SHOWN_AUTHORS = 3

PASSAGE_CHARACTERS = 600

NO_MATCH = (
    "no match found. That is all that can be said of it: write that no match was found in {sources},"
    " never that something is new."
)
OFFLINE = (
    "The literature could not be searched: {troubles}. Nothing is known about what exists. Go on without it,"
    " cite nothing, and say in the paper that the literature could not be searched."
)


class SearchLiterature(Arguments):
    """Search the literature (OpenAlex and arXiv) for works. What comes back was written by strangers."""

    query: str = Field(min_length=2, max_length=300, pattern=r"\w\w")
    """A few words of the field, as one types into a search box; no operators, no names of keys."""


class VerifyCitation(Arguments):
    """Look up again a work that a search returned, so that the paper may cite it by its key."""

    key: str = Field(min_length=1, max_length=100)
    """The work's key, as a search returned it."""
    passage: str = Field(min_length=1, max_length=PASSAGE_CHARACTERS)
    """The sentence of its abstract that your claim rests on, word for word; the title if it has none."""


def literature_tools(live: LiveRun, agent: str, literature: Literature | None) -> tuple[Tool[Any], ...]:
    """The tools of an agent for the literature.

    Args:
        live: the run.
        agent: whose tools they are.
        literature: who is asked; None where the run does without, and then there are no tools.
    """
    if literature is None:
        return ()
    tools = _Tools(live, agent, literature)
    return (
        Tool("search_literature", SearchLiterature, tools.search),
        Tool("verify_citation", VerifyCitation, tools.verify),
    )


class _Tools:
    """What an agent can ask of the literature. Each effect is found again by the id of its call."""

    def __init__(self, live: LiveRun, agent: str, literature: Literature) -> None:
        self.live = live
        self.agent = agent
        self.literature = literature

    async def search(self, arguments: SearchLiterature, call_id: str) -> Reply:
        """Ask the sources, unless an earlier engine did for this call; no run fails over them."""
        search_id = f"{self.agent}:{call_id}"
        if search_id not in self.live.state.searches:
            self.live.record(await self._searched(arguments.query, call_id))
        return Reply(_told(self.live.state.searches[search_id]))

    async def verify(self, arguments: VerifyCitation, call_id: str) -> Reply:
        """Look a work up again, and keep the passage with it."""
        state, key = self.live.state, arguments.key.strip().strip("[]@")
        work = state.works.get(key)
        if work is None:
            near = get_close_matches(key, state.works, n=3, cutoff=0.5)
            there_are = f"Nearest: {', '.join(near)}." if near else "Search for it first."
            raise ToolError(f"no search returned a work {key!r}", there_are)
        passage = plain(arguments.passage, PASSAGE_CHARACTERS)
        if not stands_in(passage, work):
            raise ToolError(
                f"the passage stands neither in the abstract of {key} nor is it its title",
                "Copy a sentence of the abstract as it is; where none says what you claim, do not cite it.",
            )
        resolved = await self._resolved(key, work)
        self.live.record(
            CitationVerified(key=key, work=resolved.work, passage=passage, resolved_by=resolved.by)
        )
        return Reply(f"{key} is there ({resolved.by}). Cite it as [@{key}], or as @{key} within a sentence.")

    async def _searched(self, query: str, call_id: str) -> LiteratureSearched:
        try:
            found = await self.literature.search(query)
        except LiteratureOffline as error:
            return LiteratureSearched(
                agent=self.agent, call_id=call_id, query=query, troubles=(error.message,)
            )
        return LiteratureSearched(
            agent=self.agent,
            call_id=call_id,
            query=query,
            works=keyed(found.works, self.live.state.works),
            answered=found.answered,
            troubles=found.troubles,
        )

    async def _resolved(self, key: str, work: Work) -> Resolved:
        if verified := self.live.state.citations.get(key):
            return Resolved(verified[0].work, verified[0].resolved_by)
        try:
            return await self.literature.verify(work)
        except LiteratureError as error:
            raise ToolError(f"{key} cannot be cited: {plain(error.message)}", error.next_step) from None


def literature_in_words(state: RunState) -> str:
    """How the literature was searched, in plain sentences for the paper; made by code alone."""
    searches = list(state.searches.values())
    if not searches and not state.settings.literature:
        return "The literature was not searched: the run was to do without. No work was looked up."
    if not searches:
        return "The literature was not searched, so no work was looked up."
    count = "once" if len(searches) == 1 else f"{len(searches)} times"
    silent = sum(not search.answered for search in searches)
    if silent == len(searches):
        return (
            f"The literature could not be searched: it was tried {count}, and no source answered."
            " No related work could be looked up, and nothing follows from that about what exists."
        )
    sources = " and ".join(dict.fromkeys(name for search in searches for name in search.answered))
    said = (
        f"The literature was searched {count} ({sources}): {_counted(len(state.works), 'work')} found,"
        f" {len(state.citations)} looked up again and verified."
    )
    if silent:
        said += f" No source answered {_counted(silent, 'search', 'searches')}."
    return said


def verified_in_words(state: RunState) -> str:
    """The works that the paper may cite, for the writer; empty where there are none."""
    return "\n\n".join(
        f"{_work_in_words(key, verified[0].work, abstract=False)}\nPassage: {one.passage}"
        for key, verified in state.citations.items()
        for one in verified
    )


def _told(search: LiteratureSearched) -> str:
    """A search as a model reads it."""
    if not search.answered:
        return OFFLINE.format(troubles="; ".join(search.troubles))
    sources = " and ".join(search.answered)
    troubles = [f"Note: {trouble}." for trouble in search.troubles]
    if not search.works:
        return "\n".join([f"{sources}: {NO_MATCH.format(sources=sources)}", *troubles])
    works = "\n\n".join(_work_in_words(key, work) for key, work in search.works.items())
    return "\n".join(
        [
            f"{sources}: {_counted(len(search.works), 'work')}. To cite one, call verify_citation with its"
            " key and a sentence of its abstract.",
            *troubles,
            fenced(works),
        ]
    )


def _work_in_words(key: str, work: Work, *, abstract: bool = True) -> str:
    authors = ", ".join(work.authors[:SHOWN_AUTHORS]) or "no author named"
    if len(work.authors) > SHOWN_AUTHORS or work.more_authors:
        authors += " et al."
    year = "no year" if work.year is None else str(work.year)
    identifiers = [f"doi:{work.doi}"] if work.doi else []
    identifiers += [f"arXiv:{work.arxiv}"] if work.arxiv else []
    where = ", ".join(filter(None, (authors, year, work.venue, *identifiers)))
    # No line begins with what a stranger wrote.
    lines = [f"[{key}] {work.title}", f"by {where}"]
    if work.retracted:
        lines.append("RETRACTED OR WITHDRAWN: it cannot be cited.")
    elif not identifiers:
        lines.append("It has neither a DOI nor an arXiv id: it cannot be cited.")
    if abstract:
        lines.append(f"abstract: {_cut(work.abstract) or '(none)'}")
    return "\n".join(lines)


def _cut(abstract: str) -> str:
    if len(abstract) <= ABSTRACT_CHARACTERS:
        return abstract
    return abstract[:ABSTRACT_CHARACTERS].rpartition(" ")[0] + " …"


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"
