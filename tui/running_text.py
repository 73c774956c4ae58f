"""Running text of models, as Markdown has it: paragraphs that flow to any width, and code that does not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

FENCE = re.compile(r"\s{0,3}(```+|~~~+)\s*([\w+-]{0,20})\s*$")
KEPT = re.compile(r"\s{2,}|[-*+•>|#]|\d{1,3}[.)]\s|$")
"""How lines begin that are not part of the paragraph before them: lists, quotes, tables, headings."""

SHORT_CHARACTERS = 48
"""A line that ends before this was broken on purpose."""

LANGUAGES = {"": "text", "py": "python", "sh": "bash", "shell": "bash", "yml": "yaml", "console": "bash"}
KNOWN = frozenset({"python", "bash", "json", "toml", "yaml", "text", "diff", "sql", "latex", "markdown"})


@dataclass(frozen=True)
class Block:
    """A paragraph, or lines of code.

    Attributes:
        lines: one for a paragraph, empty for the space between two; all of them for code.
        code: the language of code, as Pygments names it; None for a paragraph.
    """

    lines: tuple[str, ...]
    code: str | None = None


def blocks_of(text: str) -> Iterator[Block]:
    """The blocks of a text.

    A line that was broken because it was long goes on with the next, so that it fits other widths, too;
    a fence that is never closed holds the rest.

    Args:
        text: safe text of a model, without tabs.
    """
    paragraph, last = "", 0
    lines = iter(text.strip().split("\n") if text.strip() else ())
    for raw in lines:
        line = raw.rstrip()
        if fence := FENCE.match(line):
            if paragraph:
                yield Block((paragraph,))
            paragraph = ""
            yield _code(fence, lines)
            continue
        if paragraph and last >= SHORT_CHARACTERS and not KEPT.match(line):
            paragraph, last = f"{paragraph} {line}", len(line)
            continue
        if paragraph:
            yield Block((paragraph,))
        paragraph, last = line, len(line)
        if not line:
            yield Block(("",))
    if paragraph:
        yield Block((paragraph,))


def _code(fence: re.Match[str], lines: Iterator[str]) -> Block:
    """The lines up to the end of a fence."""
    inside: list[str] = []
    for line in lines:
        if line.strip().startswith(fence[1]) and not line.strip().strip(fence[1][0]):
            break
        inside.append(line)
    named = fence[2].lower()
    language = LANGUAGES.get(named, named)
    return Block(tuple(inside), language if language in KNOWN else "text")
