"""Compares two PDFs part by part, and names the parts in which they differ.

Text alone does not tell what a reader sees: a font may draw one digit and let another be copied.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

MOST_OBJECTS = 2_000_000
"""Pairs of objects that are compared before two PDFs count as different."""

_UPWARD = frozenset({"/Parent", "/P", "/StructParents", "/StructParent"})
"""Where an object only points back at what holds it."""
_PACKING = frozenset({"/Length", "/Filter", "/DecodeParms", "/DL"})
"""What says how a stream is packed, and nothing about its content."""
_PARTS = {
    "/Contents": "what is drawn on it",
    "/Annots": "one of its links",
    "/MediaBox": "its size",
    "/CropBox": "its size",
    "/Rotate": "its size",
}


def differing_parts(found: bytes, expected: bytes, *, whole: bool) -> Iterator[str]:
    """Name the parts of a PDF that differ from those of another.

    Args:
        found: the PDF.
        expected: what it should be.
        whole: compare everything, which makes sense where both print the same text; else attachments alone.

    Yields:
        One line for each part that differs; none where only the way of storing differs.
    """
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    pair = PdfReader(io.BytesIO(found)), PdfReader(io.BytesIO(expected))
    try:
        yield from _of_attachments(*pair)
        if not whole:
            return
        yield from _of_pages(_Comparison(*pair))
        comparison = _Comparison(*pair)
        if not comparison.same(pair[0].trailer.get("/Info"), pair[1].trailer.get("/Info")):
            yield "one of its title, authors and dates differs from what the evidence gives"
        roots = [{k: v for k, v in reader.root_object.items() if k != "/Pages"} for reader in pair]
        if sorted(roots[0]) != sorted(roots[1]):
            yield "it holds more or less than a paper: " + ", ".join(
                sorted(roots[0].keys() ^ roots[1].keys())
            )
        for name in sorted(roots[0].keys() & roots[1].keys() - {"/Names", "/AF"}):
            if not comparison.same(roots[0][name], roots[1][name]):
                yield f"its {name.strip('/')} differs from what the evidence gives"
    except (PyPdfError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        yield f"parts of it cannot be read: {' '.join(str(error).split())[:120]}"


def _of_pages(comparison: _Comparison) -> Iterator[str]:
    fonts: set[str] = set()
    for number, (page, other) in enumerate(comparison.pages(), 1):
        for name in sorted((page.keys() | other.keys()) - _UPWARD - {"/Resources", "/Type"}):
            if not comparison.same(page.get(name), other.get(name)):
                what = _PARTS.get(name, name.strip("/"))
                yield f"page {number}: {what} differs from what the evidence gives"
        resources, others = (_resolved(p.get("/Resources")) or {} for p in (page, other))
        for kind in sorted(resources.keys() | others.keys()):
            if not comparison.same(resources.get(kind), others.get(kind)):
                if kind == "/Font":
                    fonts |= set(_of_fonts(comparison, resources.get(kind), others.get(kind)))
                else:
                    what = "a picture" if kind == "/XObject" else f"its {kind.strip('/')}"
                    yield f"page {number}: {what} differs from what the evidence gives"
    yield from sorted(fonts)


def _of_fonts(comparison: _Comparison, found: Any, expected: Any) -> Iterator[str]:
    fonts, others = _resolved(found) or {}, _resolved(expected) or {}
    for name in sorted(fonts.keys() | others.keys()):
        font, other = _resolved(fonts.get(name)) or {}, _resolved(others.get(name)) or {}
        which = str(font.get("/BaseFont") or other.get("/BaseFont") or name).strip("/").rpartition("+")[2]
        if not comparison.same(font.get("/ToUnicode"), other.get("/ToUnicode")):
            yield f"the font {which} says that it draws other characters than it does"
        rest = [{k: v for k, v in one.items() if k != "/ToUnicode"} for one in (font, other)]
        if not comparison.same(*rest):
            yield f"the font {which} draws other glyphs than the evidence's paper"


def _of_attachments(found: Any, expected: Any) -> Iterator[str]:
    attached, others = dict(found.attachments), dict(expected.attachments)
    for name in sorted(attached.keys() | others.keys()):
        shown = name if len(name) < 40 else f"{name[:16]}…"
        if name not in others:
            yield f"the attachment {shown} does not belong to the paper"
        elif name not in attached:
            yield f"the attachment {shown} is missing"
        elif list(attached[name]) != list(others[name]):
            yield f"the attachment {shown} is not the paper's own"


class _Comparison:
    """Objects that were compared, so that what points in circles ends."""

    def __init__(self, found: Any, expected: Any) -> None:
        self._readers = found, expected
        self._same: set[tuple[Any, Any]] = set()
        self._left = MOST_OBJECTS
        self._page_of: tuple[dict[Any, int], ...] = tuple(
            {page.indirect_reference.idnum: number for number, page in enumerate(reader.pages)}
            for reader in self._readers
        )

    def pages(self) -> Iterator[tuple[Any, Any]]:
        yield from zip(*(reader.pages for reader in self._readers), strict=True)

    def same(self, found: Any, expected: Any) -> bool:
        """Whether two objects hold the same, however they are numbered and packed."""
        seen = set(self._same)
        waiting = [(found, expected)]
        while waiting:
            self._left -= 1
            one, other = waiting.pop()
            numbers = _number(one), _number(other)
            if None not in numbers:
                pages = [pages.get(n) for pages, n in zip(self._page_of, numbers, strict=True)]
                if pages != [None, None]:
                    if pages[0] != pages[1]:
                        return False
                    continue
                if numbers in seen:
                    continue
                seen.add(numbers)
            inner = self._inner(_resolved(one), _resolved(other))
            if inner is None or self._left < 0:
                return False
            waiting += inner
        self._same = seen
        return True

    def _inner(self, one: Any, other: Any) -> list[tuple[Any, Any]] | None:
        """What two objects hold, in pairs; None where they differ already."""
        if isinstance(one, dict) and isinstance(other, dict):
            content = _content(one)
            if content != _content(other):
                return None
            unread = _UPWARD if content is None else _UPWARD | _PACKING
            names = [{name for name in each if name not in unread} for each in (one, other)]
            if names[0] != names[1]:
                return None
            return [(_unresolved(one, name), _unresolved(other, name)) for name in names[0]]
        if isinstance(one, list) and isinstance(other, list):
            return list(zip(one, other, strict=True)) if len(one) == len(other) else None
        return [] if one == other else None


def _resolved(value: Any) -> Any:
    return value.get_object() if hasattr(value, "get_object") else value


def _number(value: Any) -> int | None:
    """The number of the object that a reference names; None for what is no reference."""
    return getattr(value, "idnum", None)


def _content(value: Any) -> bytes | None:
    """The unpacked content of a stream; None for what is none."""
    return bytes(value.get_data()) if hasattr(value, "get_data") else None


def _unresolved(value: Any, name: str) -> Any:
    """An entry as it is: the reference itself where it is one."""
    return value.raw_get(name) if hasattr(value, "raw_get") else value[name]
