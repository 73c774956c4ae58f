"""Whether a fenced block is code, or a result that is written down as if it were code.

A paper's evidence holds hashes of the scripts and not their text, so a block cannot be looked up in them.
"""

from __future__ import annotations

import re

from core.evidence.prose import findings, readable
from core.evidence.wording import MEASURED

LANGUAGES = frozenset({"python", "py", "bash", "sh", "shell", "c", "cpp", "julia", "r", "rust", "sql"})
"""Languages whose fenced blocks are shown as they are; numbers in other blocks are checked."""

_SHELL = {"bash", "sh", "shell"}
_KEYWORDS = frozenset(
    """
    and as assert async await begin between break by case const continue def del do done elif else elseif end
    esac exit fi fn for from function global group having if impl import in insert into is join lambda let
    limit local long match mut not offset on or order pass raise return select set short sleep static struct
    then unsigned using values void when where while with yield
    """.split()  # noqa: SIM905
)
_COMMENT = {
    **dict.fromkeys(("c", "cpp", "rust"), re.compile(r"(?://|/\*|^\s*\*)(.*)")),
    "sql": re.compile(r"--(.*)"),
}
_HASH_COMMENT = re.compile(r"(?:^|\s)#(.*)")
_PERCENTAGE = re.compile(r"\d%(?![\w(%])|\d\s%\s*(?:$|[.,;])|\d\s*per\s?cent\b")
_WORD_AND_NUMBER = re.compile(r"(?<![\w.-])([A-Za-z]+)\s+\$?(\d+(?:\.\d+)?)")
_NUMBER_AND_WORD = re.compile(r"\d\s+([A-Za-z]+)\b")
_WORDS = re.compile(r"(?<!\S)[\"'(]?([A-Za-z]+),?\s+([A-Za-z]+),?\s+([A-Za-z]+)(?=[\s.,:;!?\"')]|$)")
_RESULT = re.compile(r"\d[.,]\d|\d\d")


def reads_as_code(language: str, text: str) -> bool:
    """Whether every line of a block that holds digits is code.

    Refused are comments with numbers, and lines that read as a sentence, give a percentage, put a number
    beside a word, state a number of something measured, or hold numbers and no names.

    Args:
        language: the fence's language, in small letters.
        text: what stands in the fence.
    """
    plain, _ = readable(text)
    lines = [line for line in plain.split("\n") if re.search(r"\d", line)]
    return not any(_reads_as_result(line, language) for line in lines)


def _reads_as_result(line: str, language: str) -> bool:
    comment = _COMMENT.get(language, _HASH_COMMENT).search(line)
    if comment and any(found.kind == "typed number" for found in findings(comment[1])):
        return True
    words = re.findall(r"[a-z]+", line.lower())
    if not words or _PERCENTAGE.search(line):
        return True
    if MEASURED & set(words) and _RESULT.search(line):
        return True
    for match in _WORD_AND_NUMBER.finditer(line):
        allowed = match[1].lower() in _KEYWORDS - {"is"} or (language in _SHELL and "." not in match[2])
        if not allowed:
            return True
    if language not in _SHELL and set(_NUMBER_AND_WORD.findall(line.lower())) - _KEYWORDS:
        return True
    return any(not _KEYWORDS & {word.lower() for word in match.groups()} for match in _WORDS.finditer(line))
