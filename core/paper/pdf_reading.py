"""Reads a paper's PDF: what it prints, and what is attached to it."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass

from core.config import PaperSize
from core.errors import InputError

MOST_BYTES = 200_000_000
MOST_PAGES = 500

_PICTURE = re.compile(r"([0-9a-f]{64})\.(?:png|jpg|svg|pdf)")
_LETTER_POINTS = 612
"""Width of a page of letter paper; a page of A4 is 595 wide."""


@dataclass(frozen=True)
class PrintedPaper:
    """A PDF as it is.

    Attributes:
        pages: the text of each page.
        evidence: the evidence file that is attached.
        attachments: attached figures, by the hash that they are named by.
        size: of its paper.
        made_by: the program that made it, with its version.
    """

    pages: tuple[str, ...]
    evidence: bytes
    attachments: Mapping[str, bytes]
    size: PaperSize
    made_by: str


def read_pdf(pdf: bytes) -> PrintedPaper:
    """Read a PDF.

    Raises:
        InputError: it is no PDF, or no evidence is attached to it.
    """
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    if len(pdf) > MOST_BYTES or not pdf.startswith(b"%PDF-"):
        raise InputError("the file is no PDF of a paper", "Name a run, or a paper.pdf that fumehood made.")
    try:
        reader = PdfReader(io.BytesIO(pdf))
        attachments = {name: contents[0] for name, contents in reader.attachments.items() if contents}
        pages = tuple(page.extract_text() for page in reader.pages[:MOST_PAGES])
        width = float(reader.pages[0].mediabox.width)
        made_by = (reader.metadata.creator if reader.metadata else None) or "an unknown program"
    except (PyPdfError, ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"the PDF cannot be read: {reason}", "It is damaged.") from None
    if "evidence.json" not in attachments:
        raise InputError("no evidence is attached to the PDF", "Name a paper.pdf that fumehood made.")
    return PrintedPaper(
        pages=pages,
        evidence=attachments["evidence.json"],
        attachments={m[1]: attachments[m[0]] for m in map(_PICTURE.fullmatch, attachments) if m},
        size="us-letter" if abs(width - _LETTER_POINTS) < 2 else "a4",
        made_by=made_by,
    )
