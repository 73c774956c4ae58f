"""Changes PDFs and evidence, as somebody would who wants another number in a paper.

Typst embeds of each font only the glyphs that a paper uses, so a digit can only become one that the same font
has drawn somewhere else; that is why ``with_other_digit`` says which one it became.
"""

from __future__ import annotations

import io
import json
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from pypdf import PdfReader, PdfWriter
from pypdf.generic import ByteStringObject, ContentStream, DecodedStreamObject, NameObject

from core.paper.evidence_file import SEAL, seal_of


def with_other_digit(pdf: bytes, page: int, which: int) -> tuple[bytes, str, str]:
    """A PDF in which one printed digit is another one.

    Args:
        pdf: the PDF.
        page: the page, from 0.
        which: the digit, in the order in which they are drawn.

    Returns:
        The PDF, the digit that stood there and the one that stands there now.
    """
    writer = opened(pdf)
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
    return _written(writer), forger.was, forger.now


def digits_on(pdf: bytes, page: int) -> int:
    """How many digits a page prints."""
    text = PdfReader(io.BytesIO(pdf)).pages[page].extract_text()
    return len(re.findall(r"[0-9]", text))


def opened(pdf: bytes) -> PdfWriter:
    """A PDF that can be changed."""
    return PdfWriter(clone_from=PdfReader(io.BytesIO(pdf)))


def _written(writer: PdfWriter) -> bytes:
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


def saved_anew(pdf: bytes, change: Callable[[PdfWriter], object] = lambda writer: None) -> bytes:
    """A PDF that another program wrote again, with a change."""
    writer = opened(pdf)
    change(writer)
    return _written(writer)


def with_other_glyphs(pdf: bytes) -> bytes:
    """A PDF whose pages draw other digits than their text says.

    Two digits of a font change places on every page, and in the font's table for copying text as well: what
    is copied, searched and extracted stays as it was, and what people see does not.
    """
    writer = opened(pdf)
    fonts: dict[int, Any] = {}
    pages: list[Any] = list(writer.pages)
    for page in pages:
        for font in page["/Resources"]["/Font"].values():
            fonts[font.idnum] = font.get_object()
    name, swapped = next(
        (number, codes) for number, font in sorted(fonts.items()) if (codes := _two_digits(_characters(font)))
    )
    table = fonts[name]["/ToUnicode"]
    text = table.get_data().decode("latin-1")
    first, second = (code.hex().upper() for code in swapped)
    lines = {code: re.search(rf"<{code}>(\s*<[0-9A-Fa-f]+>)", text) for code in (first, second)}
    targets = {code: match[1] for code, match in lines.items() if match}
    for code, other in ((first, second), (second, first)):
        text = text.replace(f"<{code}>{targets[code]}", f"<{code}>~{other}~")
    for code in (first, second):
        text = text.replace(f"~{code}~", targets[code])
    changed = DecodedStreamObject()
    changed.set_data(text.encode("latin-1"))
    fonts[name][NameObject("/ToUnicode")] = changed
    for page in pages:
        _swap_on(page, writer, name, swapped)
    return _written(writer)


def _two_digits(table: dict[bytes, str]) -> tuple[bytes, ...]:
    codes = [code for code, character in sorted(table.items()) if character in set("123456789")]
    return tuple(codes[:2]) if len(codes) > 1 else ()


def _swap_on(page: Any, writer: PdfWriter, font: int, codes: tuple[bytes, ...]) -> None:
    names = {name for name, held in page["/Resources"]["/Font"].items() if held.idnum == font}
    other = dict(zip(codes, reversed(codes), strict=True))
    content = ContentStream(page.get_contents(), writer)
    used = False
    operations = []

    def swap(raw: bytes) -> bytes:
        return b"".join(other.get(raw[i : i + 2], raw[i : i + 2]) for i in range(0, len(raw), 2))

    for operands, operator in content.operations:
        if operator == b"Tf":
            used = operands[0] in names
        shown = operator in (b"Tj", b"TJ") and used
        operations.append((_changed(operands, swap) if shown else operands, operator))
    content.operations = operations
    page[NameObject("/Contents")] = content


def with_attachment(pdf: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """A PDF with another content of one of its attachments."""
    writer = opened(pdf)
    for attached, stream in _attachments(writer):
        if attached == name:
            content = change(stream.get_data())
            stream.set_data(content)
            if "/Params" in stream:
                del stream["/Params"]
    return _written(writer)


def replace_raw_attachment(writer: PdfWriter, name: str, packed: bytes) -> None:
    """Put packed bytes in the place of an attachment, whatever they unpack to."""
    for attached, stream in _attachments(writer):
        if attached == name:
            stream._data = packed
            stream[NameObject("/Filter")] = NameObject("/FlateDecode")


def _attachments(writer: PdfWriter) -> Iterator[tuple[str, Any]]:
    root: Any = writer.root_object
    waiting = [root["/Names"]["/EmbeddedFiles"]]
    while waiting:
        node = waiting.pop().get_object()
        waiting += list(node.get("/Kids", []))
        names = list(node.get("/Names", []))
        for name, held in zip(names[::2], names[1::2], strict=True):
            yield str(name), held.get_object()["/EF"]["/F"].get_object()


def with_evidence(pdf: bytes, change: Callable[[dict[str, Any]], object], *, sealed: bool = False) -> bytes:
    """A PDF whose attached evidence was changed; ``sealed``: by somebody who mends its hashes."""
    return with_attachment(
        pdf, "evidence.json", lambda content: evidence_with(content, change, sealed=sealed)
    )


def evidence_with(
    content: bytes, change: Callable[[dict[str, Any]], object], *, sealed: bool = False
) -> bytes:
    """Evidence with a change; ``sealed``: by somebody who mends its hashes."""
    values = json.loads(content)
    change(values)
    if sealed:
        for measurement in values["measurements"]:
            measurement[SEAL] = seal_of(measurement)
        values[SEAL] = seal_of(values)
    return (json.dumps(values, ensure_ascii=False, indent=1) + "\n").encode()


def small_png(colour: tuple[int, int, int]) -> bytes:
    """A picture of eight by eight pixels in one colour."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    rows = b"".join(b"\0" + bytes(colour) * 8 for _ in range(8))
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


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
