"""Keys that works are cited with, such as ``breiman1996bagging``: one for each work of a run."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from string import ascii_lowercase

from core.literature.titles import title_words
from core.record.works import Work

_SKIPPED = frozenset({"with", "from", "this", "that", "using", "towards", "toward", "into", "what", "when"})


def keyed(works: Iterable[Work], known: Mapping[str, Work]) -> dict[str, Work]:
    """Works by their keys; a work that is known already keeps the key that it has.

    Args:
        works: found just now, in the order of the answer.
        known: every work of the run so far, by key.
    """
    by_key: dict[str, Work] = {}
    for work in works:
        taken = {**known, **by_key}
        same = next((key for key, other in taken.items() if same_work(work, other)), None)
        by_key.setdefault(same or _free(_key(work), taken), work)
    return by_key


def same_work(one: Work, other: Work) -> bool:
    """Whether two records are of one work: an identifier in common, or the same title by somebody alike."""
    if (one.doi and one.doi == other.doi) or (one.arxiv and one.arxiv == other.arxiv):
        return True
    if title_words(one.title) != title_words(other.title) or not title_words(one.title):
        return False
    families = [{title_words(family) for family in work.families} for work in (one, other)]
    return not all(families) or bool(families[0] & families[1])


def _key(work: Work) -> str:
    family = _letters(work.families[0]) if work.families else ""
    words = re.findall(r"[a-z]{4,}", _ascii(work.title))
    word = next((word for word in words if word not in _SKIPPED), "")
    return f"{family[:20] or 'anon'}{_year(work)}{word[:20]}"


def _year(work: Work) -> str:
    return f"{work.year:04d}" if work.year is not None and 0 < work.year < 10_000 else "nd"


def _free(key: str, taken: Mapping[str, Work]) -> str:
    """The key itself, or the first of its variants that is not taken."""
    candidate, number = key, 0
    while candidate in taken:
        number += 1
        candidate = key + "x" * ((number - 1) // 25) + ascii_lowercase[1 + (number - 1) % 25]
    return candidate


def _letters(name: str) -> str:
    return re.sub(r"[^a-z]", "", _ascii(name))


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
