"""Writes the files that people read beside ``paper.md``: PDF, LaTeX, and pictures of the pages."""

from __future__ import annotations

import contextlib
import logging
import shutil
from pathlib import Path

from core.errors import RenderingError, StorageError
from core.paper.latex import latex_source
from core.paper.markdown import PaperFiles
from core.paper.outline import Outline, outline
from core.paper.pdf import Rendered, render
from core.paper.pictures import read_pictures
from core.paper.typst_data import PaperSize

NO_PDF = "no-pdf.txt"
"""Says in one line why there is no PDF; not there where there is one."""

log = logging.getLogger("fumehood.paper")


async def publish_forms(
    files: PaperFiles, paper: Path, artifacts: Path, *, size: PaperSize = "us-letter"
) -> str:
    """Write ``paper.pdf``, ``paper.tex``, ``figures/`` and ``pages/`` beside ``paper.md``.

    Call it after ``paper.md`` and ``evidence.json`` are written. Typst runs in a process of its own,
    so that it stalls nobody. What cannot be made is left out: the Markdown is the paper.

    Args:
        files: the paper.
        paper: the folder of the paper.
        artifacts: the run's folder of artifacts by content.
        size: of the paper.

    Returns:
        Why there is no PDF, in one line; empty where there is one.

    Raises:
        StorageError: the disk is full, read-only or forbidden to us.
    """
    outlined = outline(files.document)
    pictures = read_pictures(outlined.pictures, artifacts)
    try:
        rendered = await render(
            outlined, files.evidence, size=size, pictures=pictures, pages=True, for_latex=True
        )
        trouble = ""
    except RenderingError as error:
        log.warning("there is no PDF: %s", error)
        rendered, trouble = None, " ".join(str(error).split())
    shown = {sha: content for sha, content in pictures.items() if rendered and sha not in rendered.refused}
    try:
        _write_all(paper, outlined, rendered, shown)
        _say(paper / NO_PDF, trouble)
    except OSError as error:
        raise StorageError(
            f"the paper cannot be written: {error.strerror}", "Make room; the run can be resumed."
        ) from None
    return trouble


def _write_all(paper: Path, outlined: Outline, rendered: Rendered | None, pictures: dict[str, bytes]) -> None:
    figures, pages = paper / "figures", paper / "pages"
    for folder in (figures, pages):
        shutil.rmtree(folder, ignore_errors=True)
    (paper / "paper.pdf").unlink(missing_ok=True)
    plots: list[str] = []
    named: list[str] = []
    if rendered is not None:
        figures.mkdir(mode=0o700)
        for number, plot in enumerate(rendered.plots, 1):
            plots.append(f"plot-{number}.pdf")
            (figures / plots[-1]).write_bytes(plot)
        for picture in outlined.pictures:
            if picture.sha256 in pictures:
                vector = rendered.pictures.get(picture.sha256)
                named.append(f"{picture.sha256}.{'pdf' if vector else picture.format}")
                (figures / named[-1]).write_bytes(vector or pictures[picture.sha256])
        with contextlib.suppress(OSError):
            figures.rmdir()  # where it is empty
        pages.mkdir(mode=0o700)
        for number, page in enumerate(rendered.pages, 1):
            (pages / f"page-{number}.png").write_bytes(page)
        _replace(paper / "paper.pdf", rendered.pdf)
    _replace(paper / "paper.tex", latex_source(outlined, plots, named).encode())


def _replace(path: Path, content: bytes) -> None:
    """Replace a file as a whole, so that nobody ever reads half of it."""
    unfinished = path.with_suffix(path.suffix + ".unfinished")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def _say(path: Path, trouble: str) -> None:
    if trouble:
        _replace(path, f"{trouble}\n".encode())
    else:
        path.unlink(missing_ok=True)
