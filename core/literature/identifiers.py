"""DOIs and arXiv ids: the only ways by which a work is looked up again."""

from __future__ import annotations

import re
from urllib.parse import unquote

_DOI = re.compile(r"10\.\d{4,9}/[a-z0-9._;()/:<>\[\]+=,!*'@-]{1,200}")
_ARXIV = re.compile(r"(\d{4}\.\d{4,5}|[a-z-]{2,20}(?:\.[A-Z]{2})?/\d{7})(?:v\d{1,3})?")
_BEFORE_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", re.IGNORECASE)
_BEFORE_ARXIV = re.compile(r"(?:https?://(?:www\.|export\.)?arxiv\.org/(?:abs|pdf)/|arxiv:)", re.IGNORECASE)
_ARXIV_DOI = "10.48550/arxiv."


def doi_in(text: str | None) -> str:
    """The DOI that a text is, in small letters; empty where it is none that could be looked up."""
    bare = unquote(_BEFORE_DOI.sub("", (text or "").strip(), count=1)).lower()
    if not _DOI.fullmatch(bare) or any(part in ("", ".", "..") for part in bare.split("/")):
        return ""
    return bare


def arxiv_in(text: str | None) -> str:
    """The arXiv id that a text is, without its version; empty where it is none."""
    bare = _BEFORE_ARXIV.sub("", (text or "").strip(), count=1).removesuffix(".pdf")
    match = _ARXIV.fullmatch(bare)
    return match[1] if match else ""


def arxiv_of_doi(doi: str) -> str:
    """The arXiv id that a DOI of arXiv stands for; empty for any other DOI."""
    return arxiv_in(doi.removeprefix(_ARXIV_DOI)) if doi.startswith(_ARXIV_DOI) else ""
