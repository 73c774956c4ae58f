"""The sources of the literature: where they are, and what is asked of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode, urlsplit

from core.keys.names import OPENALEX as OPENALEX_KEY

LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Source:
    """A server that knows works.

    Attributes:
        name: as people know it.
        base_url: where it is, without a slash at the end.
        gap_seconds: how long it is left alone between two requests.
        key_name: the key that it takes, as ``core.keys.names`` knows it; empty where it takes none.
        key_parameter: the parameter of the query that takes it.
    """

    name: str
    base_url: str
    gap_seconds: float
    key_name: str = ""
    key_parameter: str = ""

    @property
    def host(self) -> str:
        """Host and port, which pacing goes by."""
        return urlsplit(self.base_url).netloc

    @property
    def takes_key(self) -> bool:
        """Whether it may be told a key: never in clear over a network."""
        parts = urlsplit(self.base_url)
        return bool(self.key_name) and (parts.scheme == "https" or parts.hostname in LOOPBACK)

    @property
    def local(self) -> bool:
        """Whether it is on this machine."""
        return urlsplit(self.base_url).hostname in LOOPBACK


@dataclass(frozen=True)
class Question:
    """One thing that a source is asked.

    Attributes:
        source: who is asked.
        path: with a slash before it, already quoted.
        parameters: of the query; never a key.
    """

    source: Source
    path: str
    parameters: tuple[tuple[str, str], ...] = ()

    @property
    def url(self) -> str:
        """The whole address. It goes by this into the cache, so no key is ever in it."""
        query = f"?{urlencode(self.parameters)}" if self.parameters else ""
        return f"{self.source.base_url}{self.path}{query}"


OPENALEX: Final = Source("OpenAlex", "https://api.openalex.org", 0.1, OPENALEX_KEY, "api_key")
"""A key is free and needed for real use since 2026-02-13; the API takes it in the query only."""

ARXIV: Final = Source("arXiv", "https://export.arxiv.org", 3.0)
"""Its terms of use ask for 3 seconds between requests, and one connection at a time."""

CROSSREF: Final = Source("Crossref", "https://api.crossref.org", 0.2)
DOI: Final = Source("doi.org", "https://doi.org", 0.2)


@dataclass(frozen=True)
class Sources:
    """Who is asked, each by what it is good for."""

    openalex: Source = field(default=OPENALEX)
    arxiv: Source = field(default=ARXIV)
    crossref: Source = field(default=CROSSREF)
    doi: Source = field(default=DOI)
