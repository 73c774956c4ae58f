"""Whether two titles are titles of the same work."""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher

AGREEMENT = 0.85
"""The least similarity of two titles of one work, from 0 to 1."""

_PART = re.compile(r"\d+|\b(?:i{1,3}|iv|vi{0,3}|ix|x)\b")


def agree(one: str, other: str) -> bool:
    """Whether two titles agree; numbers in them have to be the same, so that part I is not part II."""
    first, second = title_words(one), title_words(other)
    if not first or not second or sorted(_PART.findall(first)) != sorted(_PART.findall(second)):
        return False
    # Without autojunk=False, frequent letters of long titles would not count.
    return SequenceMatcher(None, first, second, autojunk=False).ratio() >= AGREEMENT


def title_words(title: str) -> str:
    """A title's words in small letters, without accents and punctuation."""
    letters = unicodedata.normalize("NFKD", title).casefold()
    return " ".join(re.findall(r"\w+", "".join(c for c in letters if not unicodedata.combining(c))))
