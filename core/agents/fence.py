"""Marking text of programs and of other people as data."""

from __future__ import annotations

import hashlib

MARK_CHARACTERS = 8


def fenced(text: str) -> str:
    """Text that instructs nobody, between two tags that it cannot hold itself.

    The tags are named after the text's own hash, so that no text can be written that closes its fence,
    and the same text is always fenced in the same way.
    """
    mark = hashlib.sha256(text.encode(errors="replace")).hexdigest()
    length = MARK_CHARACTERS
    while mark[:length] in text and length < len(mark):
        length += 1
    return f"<data-{mark[:length]}>\n{text}\n</data-{mark[:length]}>"
