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

EVIDENCE = "evidence.json"
"""The name of the attachment that everything is recomputed from."""

_PICTURE = re.compile(r"([0-9a-f]{64})\.(?:png|jpg|svg|pdf)")
_LETTER_POINTS = 612
"""Width of a page of letter paper; a page of A4 is 595 wide."""
_ANOTHER = "Name a run, or a paper.pdf that fumehood made."


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
        InputError: it is no PDF, an encrypted one, too large, or no evidence is attached to it.
    """
    from pypdf import PdfReader
    from pypdf.errors import LimitReachedError, PyPdfError

    if len(pdf) > MOST_BYTES:
        raise InputError("the PDF is too large to be read", _ANOTHER)
    if not pdf.startswith(b"%PDF-"):
        raise InputError("the file is no PDF", _ANOTHER)
    try:
        reader = PdfReader(io.BytesIO(pdf))
        if reader.is_encrypted:
            raise InputError("the PDF is encrypted", "Name the file that fumehood made.")
        count = len(reader.pages)
        if count > MOST_PAGES:
            raise InputError(f"the PDF has {count} pages, more than a paper has", _ANOTHER)
        attached = dict(reader.attachments)
        contents = {name: several[0] for name, several in attached.items() if len(several) == 1}
        pages = tuple(page.extract_text() for page in reader.pages)
        width = float(reader.pages[0].mediabox.width)
        made_by = str((reader.metadata.creator if reader.metadata else None) or "an unknown program")
    except LimitReachedError:
        raise InputError(
            "the PDF cannot be read: something in it is too large once unpacked", _ANOTHER
        ) from None
    except (PyPdfError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"the PDF cannot be read: {reason}", "It is damaged, or cut short.") from None
    if EVIDENCE not in contents:
        several = "several evidence files are" if EVIDENCE in attached else "no evidence is"
        raise InputError(f"{several} attached to the PDF", "Name a paper.pdf that fumehood made.")
    return PrintedPaper(
        pages=pages,
        evidence=contents[EVIDENCE],
        attachments={m[1]: contents[m[0]] for m in map(_PICTURE.fullmatch, contents) if m},
        size="us-letter" if abs(width - _LETTER_POINTS) < 2 else "a4",
        made_by=made_by[:60],
    )
