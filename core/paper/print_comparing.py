"""Compares what two papers print, word by word, and names what one prints otherwise."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from core.evidence.reproduction import same_number

MOST_WORDS = 20_000
"""Words of a page that are compared one by one; no page of a paper has as many."""

_SOFT_HYPHEN = "\u00ad"
MAY_BREAK = "\u200b"
"""Drawn as nothing; which glyph it is copied with depends on what else the font draws."""

Alike = Callable[[str, str], bool]
"""Whether two words count as the same."""


def differing_words(
    found: Sequence[str], expected: Sequence[str], ids: Mapping[str, str], alike: Alike
) -> Iterator[str]:
    """Name what pages print otherwise than expected.

    Args:
        found: the text of each page.
        expected: the text that each should have.
        ids: what stands behind a number's text in a message, such as `` (e3)``.
        alike: whether two words count as the same.

    Yields:
        One line for each run of words.
    """
    if len(found) != len(expected):
        yield f"it has {len(found)} pages, the evidence gives {len(expected)}"
    found, expected = ([page.replace(MAY_BREAK, "") for page in pages] for pages in (found, expected))
    matcher = difflib.SequenceMatcher(None, found, expected, autojunk=False)
    for kind, first, last, start, end in matcher.get_opcodes():
        if kind == "equal":
            continue
        both = min(last - first, end - start)
        for offset in range(both):
            number = first + offset + 1
            words, given = found[first + offset].split(), expected[start + offset].split()
            yield from _of_page(number, words, given, ids, alike)
        for number in range(first + both + 1, last + 1):
            yield f"page {number} is not in the paper that the evidence gives"
        for number in range(start + both + 1, end + 1):
            yield f"page {number} of the paper that the evidence gives is missing"


def _of_page(
    number: int, found: list[str], expected: list[str], ids: Mapping[str, str], alike: Alike
) -> Iterator[str]:
    if max(len(found), len(expected)) > MOST_WORDS:
        yield f"page {number}: it prints {len(found)} words, the evidence gives {len(expected)}"
        return
    matcher = difflib.SequenceMatcher(None, found, expected, autojunk=False)
    for kind, first, last, start, end in matcher.get_opcodes():
        told, given = found[first:last], expected[start:end]
        if kind == "equal" or (len(told) == len(given) and all(map(alike, told, given))):
            continue
        before = " ".join(found[max(0, first - 4) : first])
        says, gives = " ".join(told) or "nothing", " ".join(given) or "nothing"
        rows = ids.get(gives.strip(".,;:()"), "")
        yield f"page {number}, after “{before}”: it prints “{says}”, the evidence gives “{gives}”{rows}"


def differing_counts(found: Sequence[str], expected: Sequence[str], alike: Alike) -> Iterator[str]:
    """Name the words that are printed more or less often than expected, and numbers that stand elsewhere.

    For papers that two versions of a program set: lines and pages may break elsewhere.
    """
    told, given = (_words(pages) for pages in (found, expected))
    more, fewer = Counter(told) - Counter(given), Counter(given) - Counter(told)
    for word in list(more):
        other = next((w for w in fewer if w != word and alike(word, w)), None)
        if other is not None:
            common = min(more[word], fewer[other])
            more[word] -= common
            fewer[other] -= common
    for word, count in sorted((+more).items()):
        yield f"it prints “{word}” {_times(count)} more often than the evidence gives"
    for word, count in sorted((+fewer).items()):
        yield f"it prints “{word}” {_times(count)} less often than the evidence gives"
    yield from _exchanged(told, given)


def _exchanged(told: Sequence[str], given: Sequence[str]) -> Iterator[str]:
    """Name numbers that stand neither behind nor before the words that they should.

    A break parts a number from its words on one side; only an exchange does on both.
    """
    known = {words for place in range(len(given)) for words in _beside(given, place)}
    common = set(given)
    for place, word in enumerate(told):
        if word in common and re.search(r"\d", word) and known.isdisjoint(_beside(told, place)):
            before, after = " ".join(told[max(0, place - 3) : place]), " ".join(told[place + 1 : place + 4])
            yield f"it prints “{word}” between “{before}” and “{after}”, where the evidence does not give it"


def _beside(words: Sequence[str], place: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A word with the three before it, and with the three behind it."""
    return ("before", *words[max(0, place - 3) : place + 1]), ("behind", *words[place : place + 4])


def _words(pages: Sequence[str]) -> list[str]:
    """The words of all pages, without hyphens, which may be those of a break; page numbers left out."""
    found: list[str] = []
    for number, page in enumerate(pages, 1):
        words = _joined(page).replace("-\n", "").replace("-", "").split()
        if words and words[-1] == str(number):
            words.pop()
        found += words
    return found


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def same_word(one: str, other: str) -> bool:
    """Whether two words are the same."""
    return one == other


def nearly_same_word(one: str, other: str) -> bool:
    """Whether two words are the same, or numbers that only a machine's order of summation tells apart."""
    if one == other:
        return True
    numbers = [word.strip("[](),;").replace("−", "-") for word in (one, other)]
    try:
        return same_number(float(numbers[0]), float(numbers[1])) and min(map(len, numbers)) > 12
    except ValueError:
        return False


def missing_numbers(pages: Sequence[str], markdown: str, texts: Mapping[str, str]) -> Iterator[str]:
    """Name the bound numbers that are printed less often than the text and its appendix state them.

    For papers whose pages another fumehood designed: only their numbers can be compared.

    Args:
        pages: the text of each page.
        markdown: the author's text, in which each number is a link to its row.
        texts: each bound number's text, by the id of its row.
    """
    linked = Counter(re.findall(r"\]\(#(e\d+)\)", markdown))
    wanted: Counter[str] = Counter()
    for name, text in texts.items():
        if linked[name]:
            wanted[" ".join(text.split())] += linked[name] + 1
    yield from printed_too_rarely(pages, wanted, texts)


def printed_too_rarely(
    pages: Sequence[str], wanted: Mapping[str, int], texts: Mapping[str, str]
) -> Iterator[str]:
    """Name the texts of numbers that are printed less often than they should be.

    Args:
        pages: the text of each page.
        wanted: how often each must be printed at least.
        texts: each bound number's text, by the id of its row.
    """
    printed = " ".join(" ".join(map(_joined, pages)).split())
    for text, count in wanted.items():
        found = len(re.findall(rf"(?<![\w.]){re.escape(text)}(?![\w%]|\.\w)", printed))
        if found < count:
            rows = ", ".join(name for name, other in texts.items() if " ".join(other.split()) == text)
            yield f"“{text}” ({rows}) is printed {_times(found)}, the evidence gives it {_times(count)}"


def _joined(page: str) -> str:
    return page.replace(f"{_SOFT_HYPHEN}\n", "").replace(_SOFT_HYPHEN, "").replace(MAY_BREAK, "")
