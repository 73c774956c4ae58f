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

OPEN, CLOSE, FORMULA = "\ue000", "\ue001", "\ue002"
"""Private-use characters around the place of a bound number, and in the place of a formula."""

FindingKind: TypeAlias = Literal["typed number", "number word", "unsupported claim"]


@dataclass(frozen=True)
class Finding:
    """Something typed by hand, in a text as a reader sees it."""

    kind: FindingKind
    start: int
    end: int
    text: str


_MEASURES = (
    "accuracy accuracies acc error errors err loss losses mean median average score scores rate rates value "
    "values gain gains drop improvement reduction increase decrease percent percentage points mse rmse mae auc auroc "
    "bleu precision recall sd std variance about approximately only nearly almost over under of to by at is "
    "was are were from than and or the with in effect difference speedup times factor ratio result results "
    "n p x k"
).split()
"""What a number follows; a word of these with digits is no name."""

_MEASURED = frozenset(
    (
        "accuracy error errors loss losses score scores rate rates mse rmse mae auc bleu perplexity percent "
        "percentage points gain gains improvement reduction effect effects speedup seconds minutes hours"
    ).split()
)
"""Words that make a sentence one about something measured."""

_QUANTITY_AFTER = r"(?!\s*(?:%|‰|percent\b|per\s?cent\b|pp\b|points?\b|×|fold\b|times\b))(?![\w.,]*[%‰])"

_NAME = re.compile(
    r"(?<![\w.,%+−/=-])(?P<stem>[A-Za-z]*[A-Z][A-Za-z]*)(?:\d{1,4}|-\d{1,4}(?:\.\d{1,2})?)[A-Za-z]{0,5}"
    r"(?:-(?:\d{1,4}[A-Za-z]{1,3}|[A-Za-z]+))*(?![\w]|[.,]\d)" + _QUANTITY_AFTER
)

_KNOWN_FORMS = re.compile(
    r"(?<![\w.,-])(?:\d{1,2}-NN|[23]-?[Dd]|[lL][012]|word2vec|(?:bf|fp|float|int|uint)(?:4|8|16|32|64)|"
    r"p(?:50|90|95|99)|x86(?:_64)?|utf-?8|sha-?256|k-means\+\+)(?![\w%]|[.,]\d)" + _QUANTITY_AFTER
)

_REFERENCE = re.compile(
    r"(?:\b(?:sections?|sec\.|chapters?|ch\.|tables?|tab\.|figures?|fig\.|equations?|eqs?\.|appendix|algorithm|"
    r"theorem|lemma|proposition|definition|corollary)|§)[\s ]*\(?\d{1,3}(?:\.\d{1,3}){0,3}\)?(?![\w]|[.,]\d)"
    + _QUANTITY_AFTER,
    re.IGNORECASE,
)

_YEAR = re.compile(
    r"(?:\b[A-Z][\w’'-]+(?:,? (?:and|&) [A-Z][\w’'-]+|,? et al\.?)?,? \((?:1[89]|20)\d\d[a-z]?(?:, [^()]{0,30})?\)"
    r"|\([A-Z][\w’'-]+(?:,? (?:and|&) [A-Z][\w’'-]+|,? et al\.?)?,? (?:1[89]|20)\d\d[a-z]?\))"
)

_CITATION = re.compile(
    r"\[-?@[A-Za-z][\w:/-]*(?:\s*;\s*-?@[A-Za-z][\w:/-]*)*"
    r"(?:,\s*(?:pp?|sec|section|ch|chapter|fig|table|eq)\.?\s*[\d.–-]{1,9})?\s*\]"
    r"|(?<![\w.])@[A-Za-z][\w:-]*(?!\w|[.,]\d|%)"
)

_ADDRESS = re.compile(
    r"https?://[^\s<>()%]+|\bdoi:\s?10\.\d{4,9}/[^\s%]+|\barXiv:\s?\d{4}\.\d{4,5}(?:v\d)?(?![\w.])|\[\^[A-Za-z0-9]{1,20}\]"
    r"|\{#[A-Za-z][\w-]*\}"
)

_NUMBER = re.compile(
    r"[-+−±≈~<>≤≥]?\s?\d(?:[\d.,   ]*\d)?(?:\s?[eE][-+−]?\d+)?(?:\s?(?:%|‰|×|pp\b|percent\b|x\b))?"
)

_LETTER_DIGITS = re.compile(r"(?<![\w])[lIoO]+(?:[.,][lIoO]+)?\s?(?:%|percent\b)")

_UNITS = "one two three four five six seven eight nine"
_WORDS = (
    f"zero {_UNITS} ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty "
    "forty fifty sixty seventy eighty ninety hundred hundreds thousand thousands million millions billion "
    "billions trillion dozen dozens"
).split()
_PARTS = "half|halves|halv\\w+|thirds?|quarters?|fifths?|tenths?|hundredths?|twofold|threefold|fourfold|fivefold|tenfold"
_NUMBER_WORD = re.compile(
    rf"\b(?:{'|'.join(w for w in _WORDS if w != 'one')})(?:[- ](?:{'|'.join(_WORDS)}))*(?:-?fold)?\b"
    r"|\bone(?:[- ](?:percent|per\s?cent|point|percentage|tenth|third|quarter|half|hundredth|order|fold|hundred|"
    r"thousand|million|seed|run|in))\b|\bone\s*%"
    rf"|\b(?:a|an|by|one|two)[- ](?:{_PARTS})\b|\b(?:half|halves|halved|halves|halving|twice|thrice)\b"
    r"|\b(?:doubl|tripl|quadrupl)(?:e|es|ed|ing)\b|\b\w+-?fold\b|\borders? of magnitude\b",
    re.IGNORECASE,
)
_WORD_NAMES = re.compile(
    r"\b(?:double[- ](?:descent|blind|precision|Q\b|DQN)|(?:two|one)-(?:sided|tailed|stage|way|sample|layer|hot|vs)|"
    r"(?:zero|one|few)-shot|one-hot|half[- ](?:precision|life)|triplet|manifold|(?:cross|multi|k|per|out-of)[- ]?fold|"
    r"scaffold\w*|unfold|twofold cross)\b",
    re.IGNORECASE,
)

_CLAIM = re.compile(
    r"\b(?:significan(?:t|tly|ce)|outperform\w*|surpass\w*|better|worse|best|worst|faster|slower|fewer|"
    r"improv(?:e|es|ed|ement|ements|ing)|superior|inferior|state[- ]of[- ]the[- ]art|prov(?:es|ed|en)|always|never|"
    r"no (?:effect|difference|change|benefit|gain)|(?:does|do|did) not (?:help|matter|affect|change|improve|hurt)|"
    r"(?:higher|lower|larger|smaller|greater|less|more accurate|more stable) than|reduc(?:es|ed|tion)|"
    r"increas(?:es|ed)|decreas(?:es|ed)|lowers|raises|identical to|equivalent to|as good as|confirm(?:s|ed)|"
    r"support(?:s|ed) (?:the|our|this)|refut(?:es|ed)|negligible|dramatic(?:ally)?|substantial(?:ly)?)\b",
    re.IGNORECASE,
)

_HEDGE = re.compile(
    r"\b(?:whether|hypothesi\w+|we ask|we test|question|expect\w*|predict(?:s|ed)? that|may|might|could|would|if|is said|"
    r"are said|cannot|not know|unknown|criterion|criteria|supported when|refuted when)\b|\?",
    re.IGNORECASE,
)

_SENTENCE_END = re.compile(r"(?<=[.!?])[\"”')\]]*\s+(?=[A-Z\ue000\ue002\[*“\"(])|\n{2,}")


def findings(text: str, names: Collection[str] = ()) -> list[Finding]:
    """Everything in a text that its author may not type.

    Args:
        text: as a reader sees it; bound numbers are ``OPEN … CLOSE``, formulas ``FORMULA``.
        names: names of this run (factor levels, metrics, settings) that keep their digits.

    Returns:
        Findings in the order of the text.
    """
    plain, places = readable(text)
    found = [*_numbers(plain, names), *_number_words(plain), *_claims(plain)]
    return sorted(
        (Finding(f.kind, places[f.start], places[f.end - 1] + 1, f.text) for f in found),
        key=lambda f: (f.start, f.end),
    )


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence."""
    start = 0
    for match in _SENTENCE_END.finditer(text):
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
        if match[0] in _MEASURED:
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
    for pattern in (_ADDRESS, _CITATION, _YEAR, _REFERENCE, _KNOWN_FORMS):
        masked = pattern.sub(_blank, masked)
    known = name_pattern(names)
    if known is not None:
        masked = known.sub(_blank, masked)
    masked = _NAME.sub(_blank_name, masked)
    for pattern in (_NUMBER, _LETTER_DIGITS):
        for match in pattern.finditer(masked):
            lead = len(match[0]) - len(match[0].lstrip())
            yield Finding("typed number", match.start() + lead, match.end(), match[0].strip())


def _number_words(plain: str) -> Iterator[Finding]:
    masked = _WORD_NAMES.sub(_blank, plain)
    for match in _NUMBER_WORD.finditer(masked):
        yield Finding("number word", match.start(), match.end(), match[0])


def _claims(plain: str) -> Iterator[Finding]:
    for start, end in sentences(plain):
        sentence = plain[start:end]
        if OPEN in sentence or "[@" in sentence or _HEDGE.search(sentence):
            continue
        match = _CLAIM.search(sentence)
        if match:
            yield Finding("unsupported claim", start + match.start(), start + match.end(), match[0])


def name_pattern(names: Collection[str]) -> re.Pattern[str] | None:
    """Matches the run's own names that hold digits; None where there are none."""
    usable = sorted({name for name in names if _is_name(name)}, key=lambda name: (-len(name), name))[:500]
    if not usable:
        return None
    return re.compile(rf"(?<![\w.,])(?:{'|'.join(map(re.escape, usable))})(?![\w%]|[.,]\d){_QUANTITY_AFTER}")


def _is_name(name: str) -> bool:
    """Whether a recorded name may keep its digits: a word that begins with letters, no measure."""
    match = re.fullmatch(r"([A-Za-z][A-Za-z_]*)[-_]?\d[\w.-]{0,40}", name)
    if match is None or re.search(r"\d\.\d+.*\.|\.\d{3}", name):
        return False
    return not set(match[1].lower().split("_")) & set(_MEASURES)


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _blank_name(match: re.Match[str]) -> str:
    return match[0] if match["stem"].lower() in _MEASURES else " " * len(match[0])
