"""OpenAlex: searched first. https://developers.openalex.org, read on 2026-11-23."""

from __future__ import annotations

import re
from itertools import islice
from urllib.parse import quote

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from core.literature.cleaning import family_of, plain
from core.literature.identifiers import arxiv_in, arxiv_of_doi, doi_in
from core.literature.retraction import marked_as_retracted
from core.literature.sources import Question, Source
from core.record.works import MOST_ABSTRACT_CHARACTERS, MOST_AUTHORS, Work

FIELDS = "doi,title,authorships,publication_year,primary_location,abstract_inverted_index,is_retracted"
MOST_WORDS = 1500
"""Of an abstract, before it is cut."""


class _Named(BaseModel):
    display_name: str | None = None


class _Authorship(BaseModel):
    author: _Named = Field(default_factory=_Named)


class _Location(BaseModel):
    source: _Named | None = None
    landing_page_url: str | None = None


class _Record(BaseModel):
    title: str | None = None
    doi: str | None = None
    authorships: list[_Authorship] = Field(default_factory=list)
    publication_year: int | None = None
    primary_location: _Location | None = None
    abstract_inverted_index: dict[str, list[int]] | None = None
    is_retracted: bool = False


class _Answer(BaseModel):
    results: list[object]


_RECORD = TypeAdapter(_Record)


def search(source: Source, query: str, most: int) -> Question:
    """Ask for works that fit some words; in small letters, because AND, OR and NOT would be operators."""
    words = " ".join(re.findall(r"[^\W_]+(?:[-'’][^\W_]+)*", query.lower()))
    return Question(source, "/works", (("search", words), ("per_page", str(most)), ("select", FIELDS)))


def look_up(source: Source, doi: str) -> Question:
    """Ask for the work with a DOI."""
    return Question(source, f"/works/doi:{quote(doi, safe='/')}", (("select", FIELDS),))


def read_works(text: str) -> list[Work]:
    """The works of an answer to ``search``; those that cannot be read are left out.

    Raises:
        ValueError: it is no such answer.
    """
    works = []
    for result in _Answer.model_validate_json(text).results:
        try:
            work = _work(_RECORD.validate_python(result))
        except ValidationError:
            continue
        if work.title:
            works.append(work)
    return works


def read_work(text: str) -> Work:
    """The work of an answer to ``look_up``.

    Raises:
        ValueError: it is no such answer.
    """
    return _work(_RECORD.validate_json(text))


def _work(record: _Record) -> Work:
    names = [plain(each.author.display_name) for each in record.authorships[: MOST_AUTHORS + 1]]
    authors = [name for name in names if name][:MOST_AUTHORS]
    location = record.primary_location or _Location()
    doi, title = doi_in(record.doi), plain(record.title)
    return Work(
        title=title,
        authors=tuple(authors),
        families=tuple(map(family_of, authors)),
        more_authors=len(record.authorships) > MOST_AUTHORS,
        year=record.publication_year,
        venue=plain(location.source.display_name if location.source else None),
        doi=doi,
        arxiv=arxiv_of_doi(doi) or arxiv_in(location.landing_page_url),
        abstract=_abstract(record.abstract_inverted_index or {}),
        retracted=record.is_retracted or marked_as_retracted(title),
        source="OpenAlex",
    )


def _abstract(index: dict[str, list[int]]) -> str:
    """The text behind an index of where each of its words stands."""
    placed = ((place, word) for word, places in index.items() for place in places)
    words = [word for _, word in sorted(islice(placed, MOST_WORDS))]
    return plain(" ".join(words), MOST_ABSTRACT_CHARACTERS)
