"""Papers as LaTeX: they compile, nothing sticks out, and what is clicked leads somewhere."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from pypdf import PdfReader

from core.paper.latex import latex_source
from core.paper.outline import outline
from core.paper.publishing import publish
from tests.core.paper.hard_papers import PAPERS

LATEX = shutil.which("pdflatex")
needs_latex = pytest.mark.skipif(LATEX is None, reason="pdflatex is not installed: no LaTeX was compiled")


def compiled(name: str, folder: Path) -> tuple[str, PdfReader]:
    """A paper's LaTeX file compiled twice: the log of the second time, and the PDF."""
    asyncio.run(publish(PAPERS[name](), folder, folder / "files"))
    assert LATEX is not None
    command = [LATEX, "-interaction=nonstopmode", "-halt-on-error", "-jobname=latex", "paper.tex"]
    for _ in range(2):
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    return (folder / "latex.log").read_text(errors="replace"), PdfReader(folder / "latex.pdf")


@needs_latex
@pytest.mark.parametrize("name", PAPERS)
def test_every_paper_compiles_without_a_box_that_sticks_out_or_a_reference_that_leads_nowhere(
    name: str, tmp_path: Path
) -> None:
    log, pdf = compiled(name, tmp_path)
    assert "Overfull \\hbox" not in log
    assert "undefined" not in log.lower()
    assert "Missing character" not in log
    assert pdf.pages
    assert (tmp_path / "paper.pdf").read_bytes().startswith(b"%PDF-")


@needs_latex
def test_numbers_lead_to_the_appendix_and_citations_to_the_list_of_works(tmp_path: Path) -> None:
    for name, wanted in (("plain", r"ev-e\d+"), ("citations", r"cite\.breiman1996")):
        folder = tmp_path / name
        folder.mkdir()
        _, pdf = compiled(name, folder)
        named = {
            str(link.get_object()["/A"].get("/D", ""))
            for page in pdf.pages
            for link in page.get("/Annots", [])
            if "/A" in link.get_object()
        }
        found = {target for target in named if re.fullmatch(wanted, target)}
        assert found
        assert found <= set(pdf.named_destinations)


@needs_latex
def test_citations_read_in_latex_as_they_do_in_the_text(tmp_path: Path) -> None:
    _, pdf = compiled("citations", tmp_path)
    text = " ".join(" ".join(page.extract_text() for page in pdf.pages).split())
    for words in ("(Breiman, 1996)", "(Nadeau, 1996, p. 12;", "and Breiman (1996), who", "(1996)"):
        assert words in text


def test_citations_are_commands_and_the_works_are_a_bibliography() -> None:
    source = latex_source(outline(PAPERS["citations"]().document))
    assert r"\citealp{breiman1996}" in source
    assert r"\citealp[{p. 12}]{nadeau1996}" in source
    assert r"\citet{breiman1996}" in source
    assert r"\citeyear{nadeau1996}" in source
    assert source.count(r"\bibitem[{") == 3


def test_what_latex_fonts_lack_is_shown_by_its_code_points() -> None:
    source = latex_source(outline(PAPERS["scripts"]().document))
    assert "[U+4F60 U+597D U+4E16 U+754C]" in source
    assert r"$\alpha$$\beta$$\gamma$" in source
    assert source.isascii()
