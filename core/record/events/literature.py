"""Events about the literature: searches and citations."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from core.record.events.base import Event
from core.record.works import Work


class LiteratureSearched(Event):
    """An agent asked the literature sources; an answer without works is a fact, too."""

    type: Literal["literature.searched"] = "literature.searched"
    once: ClassVar[str | None] = "search_id"
    agent: str
    call_id: str
    query: str
    works: dict[str, Work] = Field(default_factory=dict)
    """What was found, by the key that it is cited with in this run, best first."""
    answered: tuple[str, ...] = ()
    """Sources that answered; without any, nothing is known about what there is."""
    troubles: tuple[str, ...] = ()
    """What went wrong, one sentence for each source."""

    @property
    def search_id(self) -> str:
        """The tool call that it came from; call ids are unique only within a conversation."""
        return f"{self.agent}:{self.call_id}"


class CitationVerified(Event):
    """A work that a search returned was looked up again and is there: it may be cited."""

    type: Literal["citation.verified"] = "citation.verified"
    once: ClassVar[str | None] = "citation_id"
    key: str
    """What it is cited with."""
    work: Work
    """As its identifier resolves; the reference is made from this alone."""
    passage: str
    """The words of its abstract or title that what is claimed rests on."""
    resolved_by: str
    """Who resolved the identifier, such as ``Crossref``."""

    @property
    def citation_id(self) -> str:
        """The work and the passage: a work can be cited for more than one of its sentences."""
        return f"{self.key}:{self.passage}"
