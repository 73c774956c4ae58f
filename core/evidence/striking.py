"""Strikes text through in Markdown, or removes lines that cannot be kept."""

from __future__ import annotations

from collections.abc import Iterable

REMOVED = "~~(a passage without evidence was removed)~~"
"""What stands in the place of removed lines."""


def strike_spans(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Strike out ranges of characters that do not overlap."""
    for start, end in sorted(set(spans), reverse=True):
        struck = text[start:end]
        bare = struck.strip()
        if bare:
            lead = struck[: len(struck) - len(struck.lstrip())]
            text = f"{text[:start]}{lead}~~{bare}~~{struck[len(lead) + len(bare) :]}{text[end:]}"
    return text


def drop_lines(text: str, first: int, last: int) -> str:
    """Replace lines ``first`` to before ``last`` by a struck note; the count of lines may grow by two."""
    lines = text.split("\n")
    lines[first:last] = ["", REMOVED, "", *[""] * max(0, last - first - 3)]
    return "\n".join(lines)
