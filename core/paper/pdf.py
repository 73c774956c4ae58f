"""The PDF of a paper, with its evidence attached, and pictures of its pages."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from core.config import PaperSize
from core.ending import end
from core.errors import RenderingError
from core.paper.outline import Outline
from core.paper.tree import Drawing
from core.paper.typst_data import paper_data, plot_data

COMPILER = (sys.executable, "-P", "-m", "core.paper.compile_typst")

MOST_SECONDS = 90.0
"""Longer than any paper takes."""

PIXELS_PER_INCH = 110
"""Of the pictures of pages: a page is about 940 pixels wide."""

_PAPER = """#import "paper.typ": paper
#pdf.attach("evidence.json", read("evidence.json", encoding: none),
  mime-type: "application/json", relationship: "data", description: "Everything that the numbers rest on")
#let d = json("paper.json")
#for p in d.pictures { if p.file != none {
  pdf.attach(p.file, read(p.file, encoding: none), relationship: "source",
    description: "Drawn by the agent's code") } }
#paper(d)
"""
_PAGES = """#import "paper.typ": paper
#paper(json("paper.json"))
"""
_PLOT = """#import "plots.typ": plot-alone
#show: plot-alone.with(json("plots.json").at(NUMBER))
"""
_PICTURE = """#set page(width: auto, height: auto, margin: 0pt)
#image("FILE", width: 5in)
"""


@dataclass(frozen=True)
class Rendered:
    """What rendering a paper gave.

    Attributes:
        pdf: ``paper.pdf``.
        pages: each page as PNG; empty where they were not asked for.
        plots: each plot of the body as PDF, in order.
        pictures: figures that experiments drew, as PDF, by hash; those only that LaTeX cannot show itself.
        refused: hashes of figures that could not be shown.
    """

    pdf: bytes
    pages: tuple[bytes, ...] = ()
    plots: tuple[bytes, ...] = ()
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    refused: tuple[str, ...] = ()


async def render(
    paper: Outline,
    evidence: str,
    *,
    size: PaperSize = "us-letter",
    pictures: Mapping[str, bytes] | None = None,
    pages: bool = False,
    for_latex: bool = False,
) -> Rendered:
    """Render a paper; the same paper gives the same bytes.

    Args:
        paper: the paper.
        evidence: the text of its evidence file, which is attached.
        size: of the paper.
        pictures: the content of figures that experiments drew, by hash.
        pages: whether pictures of the pages are wanted too.
        for_latex: whether plots are wanted as files of their own too.

    Raises:
        RenderingError: there is no PDF; the message says why.
    """
    given = dict(pictures or {})
    refused: list[str] = []
    named = {p.sha256: f"{p.sha256}.{p.format}" for p in paper.pictures if p.sha256 in given}
    vectors: dict[str, bytes] = {}
    for sha256, name in sorted(named.items()):
        # Each alone first: a picture that Typst cannot read must not cost the paper.
        try:
            job = _Job(paper, {name: given[sha256]}, [("picture.pdf", _PICTURE.replace("FILE", name), "pdf")])
            made = await job.done()
        except RenderingError:
            refused.append(sha256)
            del given[sha256]
        else:
            if name.endswith(".svg"):
                vectors[sha256] = made["picture.pdf"]
    digest = hashlib.sha256(evidence.encode()).hexdigest()
    data = paper_data(paper, "evidence.json", size, given, digest)
    drawings = [block for block in paper.body if isinstance(block, Drawing)] if for_latex else []
    files = {
        "paper.json": json.dumps(data, ensure_ascii=False).encode(),
        "evidence.json": evidence.encode(),
        "plots.json": json.dumps([plot_data(block) for block in drawings]).encode(),
        **{named[sha256]: content for sha256, content in given.items() if sha256 in named},
    }
    outputs = [("paper.pdf", _PAPER, "pdf")]
    outputs += [("page-{page}.png", _PAGES, "png")] if pages else []
    outputs += [(f"plot-{n}.pdf", _PLOT.replace("NUMBER", str(n)), "pdf") for n in range(len(drawings))]
    made = await _Job(paper, files, outputs).done()
    shown = sorted((name for name in made if name.startswith("page-")), key=lambda n: int(n[5:-4]))
    return Rendered(
        pdf=made["paper.pdf"],
        pages=tuple(made[name] for name in shown),
        plots=tuple(made[f"plot-{n}.pdf"] for n in range(len(drawings))),
        pictures=vectors,
        refused=tuple(refused),
    )


class _Job:
    """One start of the compiler, in a folder of its own that is gone afterwards."""

    def __init__(
        self, paper: Outline, files: Mapping[str, bytes], outputs: Sequence[tuple[str, str, str]]
    ) -> None:
        self._files = files
        self._job: dict[str, Any] = {
            "at": paper.stamped_at.isoformat(),
            "outputs": [
                {"file": file, "source": source, "format": made, "ppi": PIXELS_PER_INCH}
                for file, source, made in outputs
            ],
        }

    async def done(self) -> dict[str, bytes]:
        with tempfile.TemporaryDirectory(prefix="fumehood-paper-") as made:
            folder = Path(made)
            try:
                root = folder / "root"
                root.mkdir()
                for name, content in _templates().items():
                    (root / name).write_bytes(content)
                for name, content in self._files.items():
                    (root / name).write_bytes(content)
                (folder / "job.json").write_text(json.dumps(self._job), encoding="utf-8")
            except OSError as error:
                raise RenderingError(
                    f"the PDF has no room to be made: {error.strerror}", "Make room in the temporary folder."
                ) from None
            await self._run(folder)
            kept = [path for path in folder.iterdir() if path.suffix in (".pdf", ".png")]
            return {path.name: path.read_bytes() for path in kept}

    async def _run(self, folder: Path) -> None:
        process = await asyncio.create_subprocess_exec(
            *COMPILER,
            str(folder),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
        )
        try:
            code = await asyncio.wait_for(process.wait(), MOST_SECONDS)
        except TimeoutError:
            raise RenderingError(
                f"the PDF was not done after {MOST_SECONDS:.0f} seconds", "The paper is in paper.md."
            ) from None
        finally:
            await end(process, group=True)
        if code != 0:
            error = folder / "error.txt"
            reason = error.read_text(encoding="utf-8").split("\n")[0] if error.exists() else ""
            message = f"Typst could not set the paper: {reason or f'it ended with code {code}'}"
            raise RenderingError(message, "The paper is in paper.md.")


def _environment() -> dict[str, str]:
    """What the compiler gets: the way to Python's modules, and no way to the net."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ}
    nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"))
    return kept | dict.fromkeys(nowhere, "http://127.0.0.1:9") | {"HOME": "/nonexistent"}


@cache
def _templates() -> dict[str, bytes]:
    folder = resources.files("core.paper").joinpath("template")
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name.endswith(".typ")}
