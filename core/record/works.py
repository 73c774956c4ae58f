"""Works of the literature, as the journal keeps them."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

MOST_AUTHORS = 50
MOST_ABSTRACT_CHARACTERS = 4000

ShortText: TypeAlias = Annotated[str, Field(max_length=500)]
"""One line from a source, already cleaned and cut."""


class Work(BaseModel):
    """A work as one source describes it. All of its text was written by strangers."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    title: ShortText
    authors: tuple[ShortText, ...] = Field(default=(), max_length=MOST_AUTHORS)
    """Names as ``Given Family``; those beyond the limit are left out."""
    families: tuple[ShortText, ...] = Field(default=(), max_length=MOST_AUTHORS)
    """The family name of each author."""
    more_authors: bool = False
    """Whether authors were left out."""
    year: int | None = None
    venue: ShortText = ""
    """The journal, the proceedings or the archive; empty where the source names none."""
    doi: ShortText = ""
    """In small letters, without an address before it; empty where there is none."""
    arxiv: ShortText = ""
    """Its id at arXiv without a version; empty where there is none."""
    abstract: Annotated[str, Field(max_length=MOST_ABSTRACT_CHARACTERS)] = ""
    retracted: bool = False
    """Whether the source says that it was retracted or withdrawn."""
    source: ShortText = ""
    """Who says so: ``OpenAlex``, ``arXiv`` or ``Crossref``."""
