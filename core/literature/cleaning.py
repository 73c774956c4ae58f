"""Text of strangers made plain: no markup, no hidden characters, one line, bounded."""

from __future__ import annotations

import html
import re
import unicodedata

MOST_CHARACTERS = 500
"""Of a title, a name or a venue."""

_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>")
_HIDDEN = {"Cc", "Cf", "Co", "Cs", "Cn"}
_PARTICLES = frozenset(("van", "von", "der", "den", "de", "del", "della", "di", "da", "dos", "la", "le"))
_SUFFIXES = frozenset({"jr", "jr.", "sr", "sr.", "ii", "iii", "iv"})


def plain(text: str | None, most: int = MOST_CHARACTERS) -> str:
    """Text on one line, without markup and hidden characters.

    Args:
        text: whatever a source sent.
        most: characters that are kept.
    """
    if not text:
        return ""
    # Sources escape markup once, twice or not at all; what is still escaped after that stays as it is.
    shown = _TAG.sub("", html.unescape(html.unescape(text[: most * 8])))
    visible = "".join(c if unicodedata.category(c) not in _HIDDEN else " " for c in shown)
    return " ".join(unicodedata.normalize("NFC", visible).split())[:most].strip()


def family_of(name: str) -> str:
    """The family name in ``Given Family`` or ``Family, Given``, as far as a program can tell."""
    before, comma, _ = name.partition(",")
    if comma and before.strip():
        return before.strip()
    words = name.split()
    while len(words) > 1 and words[-1].lower() in _SUFFIXES:
        words.pop()
    first = max(len(words) - 1, 0)
    while first > 1 and words[first - 1].lower() in _PARTICLES:
        first -= 1
    return " ".join(words[first:])
