"""References: how a verified work is named in a text, listed behind it and written as BibTeX.

Everything is made from what the work's identifier resolved to, and from nothing that a model wrote.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.record.events import CitationVerified
from core.record.works import Work

LISTED_AUTHORS = 10
"""Authors that a reference names; the others are "et al."."""

_BIBTEX = {
    "\\": r"\textbackslash{}",
    "{": r"{\textbraceleft}",
    "}": r"{\textbraceright}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    **{sign: f"\\{sign}" for sign in "%&$#_"},
}
"""Braces stay balanced: BibTeX counts those behind a backslash, too."""


@dataclass(frozen=True)
class Reference:
    """A work that may be cited. All of it is plain text, and whoever prints it has to escape it.

    Attributes:
        key: what it is cited with.
        authors: as a text names them, such as ``Belkin et al.``
        year: such as ``2019``; ``n.d.`` where nobody knows.
        text: its entry in the reference list.
        bibtex: its entry in ``references.bib``, escaped for LaTeX.
        doi: in small letters; empty where it has none.
        url: where it is; made from its DOI or its arXiv id.
        passages: the words of its abstract or title that claims rest on.
        resolved_by: who resolved its identifier.
    """

    key: str
    authors: str
    year: str
    text: str
    bibtex: str
    doi: str
    url: str
    passages: tuple[str, ...]
    resolved_by: str


def reference(verified: Sequence[CitationVerified]) -> Reference:
    """The reference to a work.

    Args:
        verified: each verification of this one work, the first one first; at least one.
    """
    first = verified[0]
    work = first.work
    return Reference(
        key=first.key,
        authors=_named(work),
        year=_year(work),
        text=_entry(work),
        bibtex=bibtex(first.key, work),
        doi=work.doi,
        url=_url(work),
        passages=tuple(dict.fromkeys(one.passage for one in verified)),
        resolved_by=first.resolved_by,
    )


def bibliography(references: Sequence[Reference]) -> str:
    """``references.bib``; empty where nothing is cited."""
    return "\n".join(reference.bibtex for reference in references)


def bibtex(key: str, work: Work) -> str:
    """A work as an entry of BibTeX, whatever its texts hold."""
    fields = {
        "title": f"{{{_escaped(work.title)}}}",  # braces of its own keep its capital letters
        "author": " and ".join(_author(work, place) for place in range(len(work.authors)))
        + (" and others" if work.more_authors else ""),
        "year": "" if work.year is None else str(work.year),
        "journal": "" if _is_preprint(work) else _escaped(work.venue),
        "doi": work.doi,
        "eprint": work.arxiv,
        "archiveprefix": "arXiv" if work.arxiv else "",
    }
    kind = "article" if fields["journal"] else "misc"
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
    return f"@{kind}{{{key},\n" + ",\n".join(lines) + "\n}\n"


def _author(work: Work, place: int) -> str:
    """A name as BibTeX takes it apart: ``Family, Given``; what could be taken apart wrongly is in braces."""
    name = work.authors[place]
    family = work.families[place] if place < len(work.families) else ""
    given = name.removesuffix(family).strip()
    if not family or not given or given == name:
        return f"{{{_escaped(name)}}}"
    return f"{_part(family)}, {_part(given)}"


def _part(name: str) -> str:
    escaped = _escaped(name)
    apart = "," in name or re.search(r"\band\b|\bothers\b", name, re.IGNORECASE)
    return f"{{{escaped}}}" if apart else escaped


def _escaped(text: str) -> str:
    return "".join(_BIBTEX.get(character, character) for character in " ".join(text.split()))


def _named(work: Work) -> str:
    """Who wrote it, as a text says it."""
    families = work.families
    if not families:
        words = work.title.split()
        return " ".join(words[:4]) + ("…" if len(words) > 4 else "")
    if len(families) > 2 or work.more_authors:
        return f"{families[0]} et al."
    return " and ".join(families)


def _entry(work: Work) -> str:
    listed = list(work.authors[:LISTED_AUTHORS])
    if len(work.authors) > LISTED_AUTHORS or work.more_authors:
        listed.append("et al.")
    authors = ", ".join(listed) or "No author named"
    venue = f" {work.venue.rstrip('.')}." if work.venue else ""
    return f"{authors} ({_year(work)}). {work.title.rstrip('.')}.{venue} {_url(work)}".strip()


def _year(work: Work) -> str:
    return "n.d." if work.year is None else str(work.year)


def _url(work: Work) -> str:
    if work.doi:
        return f"https://doi.org/{work.doi}"
    return f"https://arxiv.org/abs/{work.arxiv}" if work.arxiv else ""


def _is_preprint(work: Work) -> bool:
    return bool(work.arxiv) and work.venue in ("", "arXiv")
