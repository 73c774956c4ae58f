"""Writes a paper's files: Markdown, evidence, BibTeX, PDF, LaTeX, figures and pictures of the pages."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from core.config import PaperSize
from core.errors import RenderingError, StorageError
from core.evidence.binding import RULES
from core.evidence.references import bibliography
from core.paper.latex import latex_source
from core.paper.markdown import PaperFiles
from core.paper.outline import Outline, outline
from core.paper.pdf import Rendered, render
from core.paper.pictures import read_pictures
from core.record.events import PaperPublished

MARKDOWN = "paper.md"
PDF = "paper.pdf"
LATEX = "paper.tex"
BIBLIOGRAPHY = "references.bib"
EVIDENCE = "evidence.json"

NO_PDF = "no-pdf.txt"
"""Says in one line why there is no PDF; not there where there is one."""

FILES = (EVIDENCE, BIBLIOGRAPHY, MARKDOWN, PDF, LATEX, NO_PDF)
"""The files of a paper; those that a paper does not have are not there."""

FOLDERS = ("figures", "pages")
"""Folders of a paper: plots and pictures for LaTeX, and a picture of each page."""

STAGE = ".unfinished"
"""Where all of it is written first: a disk that fills up leaves the earlier paper as it was."""

log = logging.getLogger("fumehood.paper")


async def publish(
    files: PaperFiles, paper: Path, artifacts: Path, *, size: PaperSize = "us-letter"
) -> PaperPublished:
    """Write a paper in every form; the same paper gives the same bytes.

    Typst runs in a process of its own, so that it stalls nobody. What cannot be made is left out: the
    Markdown is the paper. Nothing of an earlier paper is touched before all of this one is written.

    Args:
        files: the paper.
        paper: the folder of the paper, in the run's folder.
        artifacts: the run's folder of artifacts by content.
        size: of the paper.

    Returns:
        What was published, to be recorded by whoever asked for it.

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
        rendered, trouble = None, " ".join(error.message.split())
    shown = {sha: content for sha, content in pictures.items() if rendered and sha not in rendered.refused}
    contents = {
        EVIDENCE: files.evidence.encode(),
        BIBLIOGRAPHY: bibliography(files.document.citations).encode(),
        MARKDOWN: files.markdown.encode(),
        **forms(outlined, rendered, shown),
        **({NO_PDF: f"{trouble}\n".encode()} if trouble else {}),
    }
    try:
        _replace_all(paper, contents)
    except OSError as error:
        raise StorageError(
            f"the paper cannot be written: {error.strerror}", "Make room; the run can be resumed."
        ) from None
    return PaperPublished(
        path=f"{paper.name}/{MARKDOWN}",
        sha256=hashlib.sha256(contents[MARKDOWN]).hexdigest(),
        numbers=len(files.document.numbers),
        struck=len(files.document.struck),
        pdf=f"{paper.name}/{PDF}" if rendered else "",
        pages=len(rendered.pages) if rendered else 0,
        no_pdf=trouble,
        rules=RULES,
    )


def forms(outlined: Outline, rendered: Rendered | None, pictures: Mapping[str, bytes]) -> dict[str, bytes]:
    """PDF, LaTeX, figures and pages by name; LaTeX alone where there is no PDF.

    Args:
        outlined: the paper.
        rendered: what rendering it gave; None where it failed.
        pictures: the content of figures that experiments drew and that are shown, by hash.
    """
    if rendered is None:
        return {LATEX: latex_source(outlined).encode()}
    plots = {f"plot-{number}.pdf": plot for number, plot in enumerate(rendered.plots, 1)}
    drawn: dict[str, bytes] = {}
    for picture in outlined.pictures:
        if picture.sha256 in pictures:
            vector = rendered.pictures.get(picture.sha256)
            name = f"{picture.sha256}.{'pdf' if vector else picture.format}"
            drawn[name] = vector or pictures[picture.sha256]
    return {
        PDF: rendered.pdf,
        LATEX: latex_source(outlined, list(plots), list(drawn)).encode(),
        **{f"figures/{name}": content for name, content in {**plots, **drawn}.items()},
        **{f"pages/page-{number}.png": page for number, page in enumerate(rendered.pages, 1)},
    }


def _replace_all(paper: Path, contents: Mapping[str, bytes]) -> None:
    """Put new files in the place of the earlier ones, each as a whole: nobody ever reads half of one."""
    stage = paper / STAGE
    shutil.rmtree(stage, ignore_errors=True)  # left by an engine that died
    try:
        paper.mkdir(mode=0o700, exist_ok=True)  # it may have been deleted: the journal has what it takes
        stage.mkdir(mode=0o700)
        for name, content in contents.items():
            (stage / name).parent.mkdir(mode=0o700, exist_ok=True)
            _write(stage / name, content)
        for name in FILES:
            if name in contents:
                (stage / name).replace(paper / name)
            else:
                (paper / name).unlink(missing_ok=True)
        for name in FOLDERS:
            shutil.rmtree(paper / name, ignore_errors=True)
            with contextlib.suppress(FileNotFoundError):
                (stage / name).rename(paper / name)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _write(path: Path, content: bytes) -> None:
    """Write a file to the disk itself: the journal says next that it is there."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
