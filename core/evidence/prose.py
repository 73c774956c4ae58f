"""Finds what an author typed by hand: digits, number words and comparatives without evidence.

Works on the text that a reader sees, after Markdown was parsed. Names keep their digits
(ResNet-50, H1, years of citations); everything else that counts is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from core.evidence import wording

OPEN, CLOSE, FORMULA = "\ue000", "\ue001", "\ue002"
"""Private-use characters around the place of a bound number, and in the place of a formula."""

FindingKind: TypeAlias = Literal[
    "typed number", "number word", "unsupported claim", "novelty", "unverified work"
]


@dataclass(frozen=True)
class Finding:
    """Something typed by hand, in a text as a reader sees it."""

    kind: FindingKind
    start: int
    end: int
    text: str


def findings(text: str, names: Collection[str] = ()) -> list[Finding]:
    """Everything in a text that its author may not type.

    Args:
        text: as a reader sees it; bound numbers are ``OPEN … CLOSE``, formulas ``FORMULA``.
        names: names of this run (factor levels, metrics, settings) that keep their digits.

    Returns:
        Findings in the order of the text.
    """
    plain, places = readable(text)
    found = [*_numbers(plain, names), *_number_words(plain), *_claims(plain), *_novelties(plain)]
    return sorted(
        (Finding(f.kind, places[f.start], places[f.end - 1] + 1, f.text) for f in found),
        key=lambda f: (f.start, f.end),
    )


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence."""
    start = 0
    for match in wording.SENTENCE_END.finditer(text):
        yield start, match.start()
        start = match.end()
    if start < len(text):
        yield start, len(text)


def sentence_around(text: str, position: int) -> str:
    """The sentence that a position lies in."""
    for start, end in sentences(text):
        if start <= position < end:
            return text[start:end]
    return text


def measure_in(sentence: str, metrics: Collection[str]) -> str:
    """The first word of a sentence that speaks of something measured; empty where none does."""
    for match in re.finditer(r"[a-z]+", sentence.lower()):
        if match[0] in wording.MEASURED:
            return match[0]
    words = " ".join(re.findall(r"[a-z0-9]+", sentence.lower()))
    for metric in sorted(metrics):
        plain = " ".join(re.findall(r"[a-z0-9]+", metric.lower()))
        if plain and plain in words:
            return metric
    return "%" if re.search(r"[%‰]", sentence) else ""


def readable(text: str) -> tuple[str, list[int]]:
    """A text with every character that reads as a digit turned into one.

    Returns:
        The text, and for each of its characters the place in the original.
    """
    characters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        shown = character if character.isascii() else _shown(character)
        characters.append(shown)
        places.extend([place] * len(shown))
    return "".join(characters), places


def _shown(character: str) -> str:
    if unicodedata.category(character) in ("Cf", "Mn", "Me"):
        return ""
    compatible = unicodedata.normalize("NFKC", character)
    if any(c.isascii() and c.isdigit() for c in compatible):
        return compatible
    name = unicodedata.name(character, "")
    if unicodedata.numeric(character, None) is not None or "KEYCAP" in name or "HUNDRED POINTS" in name:
        return "0"
    return compatible if compatible.isascii() and compatible else character


def _numbers(plain: str, names: Collection[str]) -> Iterator[Finding]:
    masked = plain
    for pattern in (
        wording.ADDRESS,
        wording.BLOCK_REFERENCE,
        wording.YEAR,
        wording.REFERENCE,
        wording.KNOWN_FORMS,
    ):
        masked = pattern.sub(_blank, masked)
    known = name_pattern(names)
    if known is not None:
        masked = known.sub(_blank, masked)
    masked = wording.NAME.sub(_blank_name, masked)
    for pattern in (wording.NUMBER, wording.LETTER_DIGITS):
        for match in pattern.finditer(masked):
            lead = len(match[0]) - len(match[0].lstrip())
            yield Finding("typed number", match.start() + lead, match.end(), match[0].strip())


def _number_words(plain: str) -> Iterator[Finding]:
    masked = wording.WORD_NAMES.sub(_blank, plain)
    for match in wording.NUMBER_WORD.finditer(masked):
        yield Finding("number word", match.start(), match.end(), match[0])


def _claims(plain: str) -> Iterator[Finding]:
    for start, end in sentences(plain):
        sentence = plain[start:end]
        if OPEN in sentence or wording.HEDGE.search(sentence):
            continue
        match = wording.CLAIM.search(sentence)
        if match:
            yield Finding("unsupported claim", start + match.start(), start + match.end(), match[0])


def _novelties(plain: str) -> Iterator[Finding]:
    for match in wording.NOVELTY.finditer(plain):
        yield Finding("novelty", match.start(), match.end(), match[0])


def name_pattern(names: Collection[str]) -> re.Pattern[str] | None:
    """Matches the run's own names that hold digits; None where there are none."""
    usable = sorted({name for name in names if _is_name(name)}, key=lambda name: (-len(name), name))[:500]
    if not usable:
        return None
    return re.compile(
        rf"(?<![\w.,])(?:{'|'.join(map(re.escape, usable))})(?![\w%]|[.,]\d){wording.QUANTITY_AFTER}"
    )


def _is_name(name: str) -> bool:
    """Whether a recorded name may keep its digits: a word that begins with letters, no measure."""
    match = re.fullmatch(r"([A-Za-z][A-Za-z_]*)[-_]?\d[\w.-]{0,40}", name)
    if match is None or re.search(r"\d\.\d+.*\.|\.\d{3}", name):
        return False
    return not set(match[1].lower().split("_")) & wording.MEASURES


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _blank_name(match: re.Match[str]) -> str:
    return match[0] if match["stem"].lower() in wording.MEASURES else " " * len(match[0])
