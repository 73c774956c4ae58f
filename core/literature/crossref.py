"""Crossref: what a DOI stands for. https://api.crossref.org, read on 2026-11-23."""

from __future__ import annotations

from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from core.literature.cleaning import plain
from core.literature.identifiers import doi_in
from core.literature.retraction import marked_as_retracted
from core.literature.sources import Question, Source
from core.record.works import MOST_ABSTRACT_CHARACTERS, MOST_AUTHORS, Work

RETRACTIONS = ("retraction", "withdrawal", "removal")
"""Kinds of updates after which a work is not cited; expressions of concern and corrections are none."""


class _Aliased(BaseModel):
    model_config = ConfigDict(alias_generator=lambda name: name.replace("_", "-"), populate_by_name=True)


class _Author(_Aliased):
    given: str | None = None
    family: str | None = None
    name: str | None = None


class _Date(_Aliased):
    date_parts: list[list[int | None]] = Field(default_factory=list)


class _Update(_Aliased):
    type: str = ""


class _Message(_Aliased):
    title: list[str] = Field(default_factory=list)
    subtitle: list[str] = Field(default_factory=list)
    author: list[_Author] = Field(default_factory=list)
    issued: _Date = Field(default_factory=_Date)
    container_title: list[str] = Field(default_factory=list)
    doi: str = Field(default="", alias="DOI")
    abstract: str | None = None
    update_to: list[_Update] = Field(default_factory=list)
    """What this record updates: on the retraction notice itself."""
    updated_by: list[_Update] = Field(default_factory=list)
    """What updates this record: on the work that was retracted."""


class _Answer(_Aliased):
    message: _Message


def look_up(source: Source, doi: str) -> Question:
    """Ask for the record of a DOI."""
    return Question(source, f"/works/{quote(doi, safe='')}")


def read_work(text: str) -> Work:
    """The work of an answer; its title holds the subtitle, too.

    Raises:
        ValueError: it is no such answer.
    """
    message = _Answer.model_validate_json(text).message
    title = plain(message.title[0] if message.title else "")
    subtitle = plain(message.subtitle[0] if message.subtitle else "")
    names = [(_full(author), plain(author.family)) for author in message.author[: MOST_AUTHORS + 1]]
    authors = [name for name in names if name[0]][:MOST_AUTHORS]
    dated = message.issued.date_parts
    updates = [update.type.lower() for update in (*message.update_to, *message.updated_by)]
    return Work(
        title=f"{title}: {subtitle}"[:500] if subtitle and subtitle.lower() not in title.lower() else title,
        authors=tuple(name for name, _ in authors),
        families=tuple(family or name for name, family in authors),
        more_authors=len(message.author) > MOST_AUTHORS,
        year=dated[0][0] if dated and dated[0] else None,
        venue=plain(message.container_title[0] if message.container_title else ""),
        doi=doi_in(message.doi),
        abstract=plain(message.abstract, MOST_ABSTRACT_CHARACTERS),
        retracted=any(kind in update for update in updates for kind in RETRACTIONS)
        or marked_as_retracted(title),
        source="Crossref",
    )


def _full(author: _Author) -> str:
    return plain(f"{author.given or ''} {author.family or author.name or ''}")
