"""How retracted works are marked, whoever keeps their records."""

from __future__ import annotations

import re

_MARK = re.compile(
    r"^\W*(?:retract(?:ed|ion)|withdrawn|removed)\b(?:\W+(?:article|paper|note|notice)\b)?\s*[:\]\)–—-]",
    re.IGNORECASE,
)
_WITHDRAWN = re.compile(
    r"\b(?:paper|article|submission|manuscript|work)\s+(?:has been|was|is)\s+withdrawn\b", re.IGNORECASE
)


def marked_as_retracted(title: str) -> bool:
    """Whether a title says that its work was retracted, as in ``RETRACTED: …``."""
    return bool(_MARK.match(title))


def withdrawn_by_authors(text: str) -> bool:
    """Whether an abstract or a comment says that the work was withdrawn."""
    return bool(_WITHDRAWN.search(text[:1000]))
