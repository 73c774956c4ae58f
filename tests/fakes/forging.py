"""Changes what a PDF prints, as somebody would who wants another number in it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from pypdf import PdfReader, PdfWriter
from pypdf.generic import ByteStringObject, ContentStream, NameObject


def with_other_digit(pdf: bytes, page: int, which: int) -> tuple[bytes, str, str]:
    """A PDF in which one printed digit is another one.

    Args:
        pdf: the PDF.
        page: the page, from 0.
        which: the digit, in the order in which they are drawn.

    Returns:
        The PDF, the digit that stood there and the one that stands there now.
    """
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf)))
    target: Any = writer.pages[page]
    content = ContentStream(target.get_contents(), writer)
    fonts: dict[str, dict[bytes, str]] = {
        name: _characters(font.get_object()) for name, font in target["/Resources"]["/Font"].items()
    }
    forger = _Forger(which)
    operations = []
    known: dict[bytes, str] = {}
    for operands, operator in content.operations:
        if operator == b"Tf":
            known = fonts[operands[0]]
        if operator in (b"Tj", b"TJ") and not forger.done:
            operands = _changed(operands, partial(forger.forged, known))
        operations.append((operands, operator))
    assert forger.done, "the page has fewer digits"
    content.operations = operations
    target[NameObject("/Contents")] = content
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue(), forger.was, forger.now


def digits_on(pdf: bytes, page: int) -> int:
    """How many digits a page prints."""
    text = PdfReader(io.BytesIO(pdf)).pages[page].extract_text()
    return len(re.findall(r"[0-9]", text))


class _Forger:
    def __init__(self, which: int) -> None:
        self._left = which
        self.done = False
        self.was = self.now = ""

    def forged(self, table: dict[bytes, str], raw: bytes) -> bytes:
        codes = [raw[i : i + 2] for i in range(0, len(raw), 2)]
        for place, code in enumerate(codes):
            if self.done or table.get(code, "") not in "0123456789" or not table.get(code):
                continue
            if self._left:
                self._left -= 1
                continue
            others = [c for c, text in sorted(table.items()) if text in set("0123456789") - {table[code]}]
            if others:
                self.done, self.was, self.now = True, table[code], table[others[0]]
                codes[place] = others[0]
        return b"".join(codes)


def _changed(operands: Any, change: Callable[[bytes], bytes]) -> Any:
    if isinstance(operands, list):
        return type(operands)(_changed(inner, change) for inner in operands)
    raw = operands.original_bytes if hasattr(operands, "original_bytes") else None
    return operands if raw is None else ByteStringObject(change(raw))


def _characters(font: Any) -> dict[bytes, str]:
    """Characters of a font by their code, as its table for copying text says."""
    table: dict[bytes, str] = {}
    text = font["/ToUnicode"].get_data().decode("latin-1")
    for section in re.findall(r"beginbfchar(.*?)endbfchar", text, re.DOTALL):
        for code, character in re.findall(r"<([0-9A-Fa-f]{4})>\s*<([0-9A-Fa-f]+)>", section):
            table[bytes.fromhex(code)] = bytes.fromhex(character).decode("utf-16-be")
    return table
