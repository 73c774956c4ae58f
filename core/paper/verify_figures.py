"""Compares the figures and the pictures of pages in a paper's folder with those that are made again."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

from core.config import PaperSize
from core.errors import RenderingError
from core.paper.markdown import PaperFiles
from core.paper.outline import Outline, outline
from core.paper.pdf import render
from core.paper.pictures import LARGEST_BYTES, read_pictures, sound_pictures
from core.paper.publishing import FOLDERS, PDF, forms
from core.paper.verify import Findings
from core.record.folder import RunFolder

LARGEST_FILE = 50_000_000
"""Bytes of a figure or page; none that is made here is as large."""

_LETTER_RATIO = 11 / 8.5


async def check_figures(
    folder: RunFolder, files: PaperFiles, findings: Findings, *, same_design: bool, pdf_holds: bool
) -> None:
    """Find figures and pictures of pages that are not what the evidence gives, and those that are gone.

    Args:
        folder: the run.
        files: its paper, made again from its evidence.
        findings: where to add what is found.
        same_design: whether this fumehood and these rules made the paper; else figures may differ.
        pdf_holds: whether nothing was found in its PDF: one that holds and is not the same byte by byte was
            made by another Typst, or on another machine.
    """
    paper, outlined = folder.paper, outline(files.document)
    pictures = _pictures(folder, outlined)
    hashed = {f"figures/{p.sha256}.{p.format}" for p in outlined.pictures if p.format != "svg"}
    findings.add(_of_content(paper, hashed))
    if not same_design:
        findings.notes.append("plots and pictures of pages were not compared: what made them differs")
        return
    try:
        again = await render(
            outlined, files.evidence, size=_size(paper), pictures=pictures, pages=True, for_latex=True
        )
    except RenderingError as error:
        findings.add([f"figures and pages cannot be made again: {error}"])
        return
    shown = {sha: content for sha, content in pictures.items() if sha not in again.refused}
    made = forms(outlined, again, shown)
    expected = {name: content for name, content in made.items() if name.startswith(FOLDERS)}
    if gone := sorted(name for name in expected if not (paper / name).is_file()):
        remedy = f"make it again with 'fumehood paper {folder.run_id} --render'"
        findings.add(f"{name} is gone; {remedy}" for name in gone)
    differing = [
        name
        for name, content in expected.items()
        if name not in gone and name not in hashed and _read(paper / name) != content
    ]
    if not differing:
        return
    if pdf_holds and _read(paper / PDF) != again.pdf:
        findings.notes.append(
            f"{', '.join(differing[:5])}: not compared, as another Typst or machine made the PDF"
        )
    else:
        findings.add(f"{name} is not what the evidence gives" for name in differing)


def _of_content(paper: Path, hashed: set[str]) -> list[str]:
    """Pictures that are not what the hash in their name says; an SVG's PDF is made anew instead."""
    return [
        f"{name} is not what its hash says"
        for name in sorted(hashed)
        if (path := paper / name).is_file() and hashlib.sha256(_read(path)).hexdigest() != path.stem
    ]


def _pictures(folder: RunFolder, outlined: Outline) -> dict[str, bytes]:
    """The pictures that the paper shows; those that were swept away, as the paper's folder has them."""
    kept = {
        p.sha256: _read(folder.paper / "figures" / f"{p.sha256}.{p.format}", LARGEST_BYTES)
        for p in outlined.pictures
    }
    return sound_pictures(kept, outlined.pictures) | read_pictures(outlined.pictures, folder.files)


def _size(paper: Path) -> PaperSize:
    """The size of the pages, by the first picture of one; a page that was forged differs in any size."""
    for page in sorted((paper / "pages").glob("page-*.png")):
        head = _read(page)[:24]
        if len(head) == 24 and head.startswith(b"\x89PNG"):
            width, height = struct.unpack(">II", head[16:24])
            return "a4" if height > width * (_LETTER_RATIO + 0.05) else "us-letter"
    return "us-letter"


def _read(path: Path, most: int = LARGEST_FILE) -> bytes:
    """A file's content; empty where it cannot be read or is too large."""
    try:
        return path.read_bytes() if path.is_file() and path.stat().st_size <= most else b""
    except OSError:
        return b""
