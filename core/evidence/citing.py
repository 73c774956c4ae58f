"""Citations in an author's Markdown: ``[@key]`` and ``@key`` become the names of verified works.

A key that was not verified is refused, as an unknown number is. A verified work that is named by hand,
such as Breiman (1996), is cited, too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from core.errors import BindingError
from core.evidence.evidence import Evidence
from core.evidence.markup import escape
from core.evidence.named_works import named_works, verified_among
from core.evidence.references import Reference

_KEY = r"[A-Za-z][\w:-]*"
_PAGES = r"pp?\.\s*\d{1,4}(?:[–-]\d{1,4})?"
_PLACE = r"(?:sec|section|ch|chapter|fig|table|eq)\.?\s*\d{1,3}(?:\.\d{1,3}){0,3}"

CITATION: Final = re.compile(
    r"(?<!\\)\[(?P<group>-?@[^\[\]]{0,400})\]"
    r"|(?<![\w.@/\\-])@(?!(?:tab|fig|sec|eq)-)(?P<key>[A-Za-z][\w:-]*\w)"
)
"""Anything that reads as a citation; what it names may be unknown."""

_ONE = re.compile(rf"\s*(?P<bare>-?)@(?P<key>{_KEY})(?:,\s*(?P<place>{_PAGES}|{_PLACE}))?\s*")
_LIKE_A_KEY = re.compile(r"[a-z]+(?:\d{4}|nd)[a-z]*")

SEARCH_FIRST = "Search the literature and verify the work, or leave the citation out"


@dataclass(frozen=True)
class BoundCitation:
    """A citation in place.

    Attributes:
        text: as a reader sees it, plain text.
        markdown: the same with a link to each entry of the reference list, ``#ref-KEY``.
        keys: the works that it names.
    """

    text: str
    markdown: str
    keys: tuple[str, ...]


def cited(match: re.Match[str], evidence: Evidence) -> BoundCitation | None:
    """What a citation comes to.

    Args:
        match: of ``CITATION``.
        evidence: what may be cited.

    Returns:
        The citation; None for an ``@`` that is none.

    Raises:
        BindingError: it cannot be read, or a work in it was not verified.
    """
    if match["group"] is None:
        known = match["key"] in evidence.references or match["key"] in evidence.unverified
        if not known and not _LIKE_A_KEY.fullmatch(match["key"]):
            return None
        reference = _verified(match["key"], evidence)
        return _bound([(f"{reference.authors} ({reference.year})", reference)], "{}")
    parts = []
    for written in match["group"].split(";"):
        one = _ONE.fullmatch(written)
        if one is None:
            raise BindingError("the citation cannot be read", "Write [@key] or [@key; @other, p. 12]")
        reference = _verified(one["key"], evidence)
        said = reference.year if one["bare"] else f"{reference.authors}, {reference.year}"
        parts.append((said + (f", {one['place']}" if one["place"] else ""), reference))
    return _bound(parts, "({})")


def cited_by_hand(
    text: str, evidence: Evidence, names: Collection[str]
) -> Iterator[tuple[int, int, BoundCitation]]:
    """Verified works that a text names by author and year: where from and to, and what that comes to."""
    for work in named_works(text, names) if evidence.references else ():
        reference = verified_among(work, evidence.references.values())
        said = text[work.start : work.end]
        whole = bool(work.year) and re.search(rf"{work.year}[a-z]?\s?[)\]]?$", said)
        if reference is None or not whole or text[: work.start].endswith("["):
            continue  # what stands behind the year may be more than a place
        yield (
            work.start,
            work.end,
            BoundCitation(said, f"[{escape(said)}](#ref-{reference.key})", (reference.key,)),
        )


def _bound(parts: list[tuple[str, Reference]], frame: str) -> BoundCitation:
    links = [f"[{escape(said)}](#ref-{reference.key})" for said, reference in parts]
    return BoundCitation(
        text=frame.format("; ".join(said for said, _ in parts)),
        markdown=frame.format("; ".join(links)),
        keys=tuple(reference.key for _, reference in parts),
    )


def _verified(key: str, evidence: Evidence) -> Reference:
    if (reference := evidence.references.get(key)) is not None:
        return reference
    if key in evidence.unverified:
        raise BindingError(
            f"{key!r} was found but not verified", "Call verify_citation for it, or leave the citation out"
        )
    known = [*evidence.references, *evidence.unverified]
    near = get_close_matches(key, known, n=3, cutoff=0.5) or list(evidence.references)[:3]
    raise BindingError(
        f"no search returned a work {key!r}",
        f"Nearest: {', '.join(f'[@{name}]' for name in near)}" if near else SEARCH_FIRST,
    )
