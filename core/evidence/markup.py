"""An author's Markdown made safe to work on: no raw HTML, no hidden characters, nothing left open."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from core.evidence.code_fences import LANGUAGES, reads_as_code
from core.evidence.prose import CLOSE, FORMULA, OPEN

_HIDDEN = {"Cc", "Cf", "Co", "Cs", "Cn"}
_MARK_BASE = 0xF0000
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_AUTOLINK = re.compile(r"<(https?://[^\s<>]+)>")
_FORMULA = re.compile(
    r"(?<!\\)\$\$(?:(?!\n\s*\n).)+?\$\$|(?<![\\$])\$(?![\s$])(?:[^$\n\\]|\\.)+?(?<![\s\\])\$(?![\d$])",
    re.DOTALL,
)
_MARK = re.compile(f"{OPEN}([\U000f0000-\U000ffffd]){CLOSE}")
ANY_MARK = f"{OPEN}[\U000f0000-\U000ffffd]{CLOSE}"
"""A pattern of the mark of any bound number."""

_FORMULA_MARK = re.compile(f"{FORMULA}([\U000f0000-\U000ffffd])")
FORMULA_MARK_LENGTH = 2
"""Characters of a formula's mark."""

_MARKDOWN_SIGNS = re.compile(r"([\\`*_{}\[\]()<>#+!|~$&@:])")

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
"""Reads Markdown with pipe tables and strikethrough; a token's ``map`` holds its lines."""


@dataclass(frozen=True)
class Block:
    """A run of text as a reader sees it, with the lines of the source that it comes from.

    Attributes:
        first: its first line, from 0.
        last: the line after its last.
        text: without markup; bound numbers and formulas as marks.
        token: the parser's token that holds it.
        cell: whether it is a cell of a table.
        heading: whether it is a heading.
    """

    first: int
    last: int
    text: str
    token: Token
    cell: bool = False
    heading: bool = False


def without_hidden(markdown: str) -> tuple[str, list[tuple[int, str]]]:
    """Text without control, format and private characters.

    Returns:
        The text, and line (from 1) and name of each character that was taken out.
    """
    text = markdown.replace("\r\n", "\n").replace("\r", "\n")
    kept: list[str] = []
    removed: list[tuple[int, str]] = []
    line = 1
    for character in text:
        if character in "\n\t" or unicodedata.category(character) not in _HIDDEN:
            kept.append(character)
        else:
            removed.append((line, unicodedata.name(character, f"U+{ord(character):04X}").lower()))
        line += character == "\n"
    return "".join(kept), removed


def mark(index: int) -> str:
    """The mark that stands for the bound number at ``index``."""
    return f"{OPEN}{chr(_MARK_BASE + index)}{CLOSE}"


def replace_marks(text: str, replacement: Callable[[int], str]) -> str:
    """Put something in the place of each mark."""
    return _MARK.sub(lambda match: replacement(ord(match[1]) - _MARK_BASE), text)


def marks(text: str) -> list[tuple[int, int]]:
    """Index and position of each mark in a text."""
    return [(ord(match[1]) - _MARK_BASE, match.start()) for match in _MARK.finditer(text)]


def hide_formulas(text: str) -> tuple[str, list[str]]:
    """Put a mark in the place of each formula; a dollar sign in fenced code begins none.

    Returns:
        The text, and the formulas with their dollar signs.
    """
    formulas: list[str] = []
    fenced = fenced_ranges(text)

    def hide(match: re.Match[str]) -> str:
        if any(start <= match.start() < end for start, end in fenced):
            return match[0]
        formulas.append(match[0])
        return f"{FORMULA}{chr(_MARK_BASE + len(formulas) - 1)}" + "\n" * match[0].count("\n")

    return _FORMULA.sub(hide, text), formulas


def show_formulas(text: str, formulas: list[str]) -> str:
    """Undo ``hide_formulas``; a formula may have changed in between."""

    def show(match: re.Match[str]) -> str:
        index = ord(match[1]) - _MARK_BASE
        formula = formulas[index] if index < len(formulas) else ""
        return formula + match[2][formula.count("\n") :]

    return re.sub(f"{_FORMULA_MARK.pattern}(\n*)", show, text)


def formula_marks(text: str) -> list[tuple[int, int]]:
    """Index and position of each formula's mark in a text."""
    return [(ord(match[1]) - _MARK_BASE, match.start()) for match in _FORMULA_MARK.finditer(text)]


def as_formula(text: str) -> str:
    """A bound number's text inside a formula."""
    plain = re.sub(r"[^\w.,%±−+=<> \[\]-]", "", text)
    words = re.sub(r"[^\W\d_]{2,}(?: [^\W\d_]+)*", lambda match: rf"\text{{{match[0]}}}", plain)
    return words.replace("%", r"\%").replace("±", r"\pm ").replace("−", "-").replace("_", r"\_")


def inert(text: str) -> tuple[str, int | None]:
    """Markdown whose raw HTML is shown as text.

    Returns:
        The Markdown, and the place of the first HTML in ``text``; None where there is none.
    """
    plain = _AUTOLINK.sub(r"\1", text)
    safe = "".join(part if code else _TAG.sub("&lt;", part) for code, part in _by_code(plain))
    if any(token.type in ("html_block", "html_inline") for token in tokens(safe)):
        safe = _TAG.sub("&lt;", plain)
    if safe == plain:
        return plain, None
    match = _TAG.search(plain)
    return safe, match.start() if match else 0


def _by_code(text: str) -> Iterator[tuple[bool, str]]:
    """Parts of a text: whether it is code, and the part."""
    lines = text.splitlines(keepends=True)
    start = 0
    for token in PARSER.parse(text):
        if token.type == "fence" and token.map and is_code(token):
            yield from _by_code_span("".join(lines[start : token.map[0]]))
            yield True, "".join(lines[token.map[0] : token.map[1]])
            start = token.map[1]
    yield from _by_code_span("".join(lines[start:]))


def _by_code_span(text: str) -> Iterator[tuple[bool, str]]:
    start = 0
    for match in _CODE_SPAN.finditer(text):
        if "\n\n" in match[0]:
            continue
        yield False, text[start : match.start()]
        yield True, match[0]
        start = match.end()
    yield False, text[start:]


def code_ranges(text: str) -> list[tuple[int, int]]:
    """Character ranges of fenced code that is shown as it is."""
    return _ranges(text, lambda token: token.type == "fence" and is_code(token))


def fenced_ranges(text: str) -> list[tuple[int, int]]:
    """Character ranges of fenced blocks, whatever is in them."""
    return _ranges(text, lambda token: token.type == "fence")


def _ranges(text: str, wanted: Callable[[Token], bool]) -> list[tuple[int, int]]:
    ends = [0]
    for line in text.splitlines(keepends=True):
        ends.append(ends[-1] + len(line))
    return [
        (ends[token.map[0]], ends[min(token.map[1], len(ends) - 1)])
        for token in PARSER.parse(text)
        if token.map and wanted(token)
    ]


def list_starts(text: str) -> list[tuple[int, int, int]]:
    """First line, line after the last, and first number of each list that does not begin with 1."""
    found: list[tuple[int, int, int]] = []
    for token in PARSER.parse(text):
        start = token.attrGet("start") if token.type == "ordered_list_open" else None
        if start is not None and token.map:
            found.append((token.map[0], token.map[1], int(start)))
    return found


def definitions(text: str) -> list[int]:
    """The line that each link definition begins on, from 0.

    Markdown shows such a line nowhere, so nobody would check it; where a paper has footnotes, it shows
    ``[^a]: 95%`` all the same.
    """
    found: dict[str, Any] = {}
    PARSER.parse(text, found)
    defined = [*found.get("references", {}).values(), *found.get("duplicate_refs", ())]
    return sorted({int(one["map"][0]) for one in defined})


def marks_to_link(block: Block) -> list[int]:
    """The marks of a block that can become links: not in code, not in another link."""
    found: list[int] = []
    depth = 0
    for token in block.token.children or ():
        depth += (token.type == "link_open") - (token.type == "link_close")
        if token.type == "text" and not depth:
            found += [index for index, _ in marks(token.content)]
    return found


def is_code(token: Token) -> bool:
    """Whether a fence is code in a language that we show as it is, and no result written down as code."""
    language, _, rest = token.info.strip().lower().partition(" ")
    return language in LANGUAGES and not re.search(r"\d", rest) and reads_as_code(language, token.content)


def claims_to_be_code(token: Token) -> bool:
    """Whether a fence names such a language, whatever is in it."""
    return token.type == "fence" and token.info.strip().lower().split(" ")[0] in LANGUAGES


def left_open(text: str) -> bool:
    """Whether a fence in the text is never closed, so that it would swallow what follows."""
    sentinel = "x" * 24
    parsed = PARSER.parse(f"{text}\n\n{sentinel}\n")
    return not (
        len(parsed) >= 3
        and parsed[-3].type == "paragraph_open"
        and parsed[-3].level == 0
        and parsed[-2].content == sentinel
    )


def tokens(text: str) -> Iterator[Token]:
    """Every token of a text, those inside lines too."""
    for token in PARSER.parse(text):
        yield token
        yield from token.children or ()


def blocks(text: str) -> Iterator[Block]:
    """What a reader sees of a text, block by block."""
    place, inside = (0, 1), ""
    for token in PARSER.parse(text):
        if token.map:
            place = (token.map[0], token.map[1])
        if token.type in ("td_open", "th_open", "heading_open"):
            inside = token.type
        elif token.type in ("td_close", "th_close", "heading_close"):
            inside = ""
        elif token.type == "inline":
            seen = "".join(_seen(token.children or []))
            yield Block(*place, seen, token, inside[:2] in ("td", "th"), inside == "heading_open")
        elif token.type in ("fence", "code_block", "html_block") and not (
            token.type == "fence" and is_code(token)
        ):
            yield Block(*place, f"{token.info}\n{token.content}", token)


def _seen(children: list[Token]) -> Iterator[str]:
    """The text of inline tokens, what is struck through left out."""
    struck = 0
    for token in children:
        if token.type == "s_open":
            struck += 1
        elif token.type == "s_close":
            struck -= 1
        elif struck:
            continue
        elif token.type in ("softbreak", "hardbreak"):
            yield "\n"
        elif token.type == "image":
            yield from _seen(token.children or [])
            yield f" {token.attrGet('title') or ''}"
        elif token.type == "link_open":
            yield str(token.attrGet("title") or "")
        else:
            yield token.content


def escape(text: str) -> str:
    """A text as Markdown that shows exactly that text on one line."""
    plain, _ = without_hidden(" ".join(text.split()))
    return _MARKDOWN_SIGNS.sub(r"\\\1", plain).replace("\\<", "&lt;").replace("\\&", "&amp;")
