"""arXiv: searched second. https://info.arxiv.org/help/api/user-manual.html, read on 2026-11-23."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from core.literature.cleaning import family_of, plain
from core.literature.identifiers import arxiv_in, doi_in
from core.literature.retraction import marked_as_retracted, withdrawn_by_authors
from core.literature.sources import Question, Source
from core.record.works import MOST_ABSTRACT_CHARACTERS, MOST_AUTHORS, Work

MOST_TERMS = 6
"""Words of a query that all have to be in a work: of more of them hardly any work has all."""

_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_COMMON = frozenset(
    """
    the and for with from that this does do are was were is be how what when why which into over under using
    of in on to by an or as at can not between
    """.split()  # noqa: SIM905
)


def search(source: Source, query: str, most: int) -> Question:
    """Ask for works that hold all of the words that matter. A query cannot bring operators with it."""
    words = [w for w in re.findall(r"[^\W_]+", query) if len(w) > 1 and w.lower() not in _COMMON]
    terms = " AND ".join(f'all:"{word}"' for word in words[:MOST_TERMS])
    return Question(
        source,
        "/api/query",
        (("search_query", terms), ("max_results", str(most)), ("sortBy", "relevance")),
    )


def look_up(source: Source, arxiv: str) -> Question:
    """Ask for the work with an id."""
    return Question(source, "/api/query", (("id_list", arxiv), ("max_results", "1")))


def read_works(text: str) -> list[Work]:
    """The works of an answer.

    Raises:
        ValueError: it is no such answer.
    """
    return [work for work in _works(text) if work.title and work.arxiv]


def _works(text: str) -> Iterator[Work]:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("an answer of arXiv declares no types")
    try:
        feed = ElementTree.fromstring(text)  # noqa: S314 - no declarations in it, and bounded
    except ElementTree.ParseError:
        raise ValueError("it is no XML") from None
    if feed.tag != f"{_ATOM}feed":
        raise ValueError("it is no Atom feed")
    for entry in feed.findall(f"{_ATOM}entry"):
        if "/api/errors" not in (entry.findtext(f"{_ATOM}id") or ""):
            yield _work(entry)


def _work(entry: ElementTree.Element) -> Work:
    names = [plain(each.findtext(f"{_ATOM}name")) for each in entry.findall(f"{_ATOM}author")]
    authors = [name for name in names if name]
    abstract = plain(entry.findtext(f"{_ATOM}summary"), MOST_ABSTRACT_CHARACTERS)
    comment = plain(entry.findtext(f"{_ARXIV}comment"))
    title = plain(entry.findtext(f"{_ATOM}title"))
    year = re.match(r"\d{4}", entry.findtext(f"{_ATOM}published") or "")
    return Work(
        title=title,
        authors=tuple(authors[:MOST_AUTHORS]),
        families=tuple(map(family_of, authors[:MOST_AUTHORS])),
        more_authors=len(authors) > MOST_AUTHORS,
        year=int(year[0]) if year else None,
        venue="arXiv",
        doi=doi_in(entry.findtext(f"{_ARXIV}doi")),
        arxiv=arxiv_in(entry.findtext(f"{_ATOM}id")),
        abstract=abstract,
        retracted=any(map(withdrawn_by_authors, (abstract, comment))) or marked_as_retracted(title),
        source="arXiv",
    )
