"""The DOI handle: whether a DOI exists at all, whoever registered it."""

from __future__ import annotations

from urllib.parse import quote

from pydantic import BaseModel, Field

from core.literature.sources import Question, Source

FOUND = 1
"""The handle system's response code for a handle that exists. RFC 3652, section 2.2.2."""


class _Answer(BaseModel):
    response_code: int = Field(alias="responseCode")


def look_up(source: Source, doi: str) -> Question:
    """Ask whether a DOI exists."""
    return Question(source, f"/api/handles/{quote(doi, safe='/')}", (("type", "URL"),))


def read_exists(text: str) -> bool:
    """Whether the answer says that it exists.

    Raises:
        ValueError: it is no such answer.
    """
    return _Answer.model_validate_json(text).response_code == FOUND
