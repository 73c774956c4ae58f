"""Papers as PDF: the same bytes wherever they are made, tagged, linked, and with nothing lost."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from core.config import PaperSize
from core.paper.outline import outline, stamped_at
from core.paper.pdf import Rendered, render
from core.paper.typst_data import paper_data
from tests.core.paper.hard_papers import PAPERS
from tests.core.paper.test_markdown import paper

HASHED = """
import asyncio, hashlib
from tests.core.paper.hard_papers import PAPERS
from core.paper.latex import latex_source
from core.paper.outline import outline
from core.paper.pdf import render
for name in ("citations", "scripts", "plots"):
    files = PAPERS[name]()
    made = asyncio.run(render(outline(files.document), files.evidence, pages=True, for_latex=True))
    whole = b"".join([made.pdf, *made.pages, *made.plots, latex_source(outline(files.document)).encode()])
    print(name, hashlib.sha256(whole).hexdigest())
"""


@cache
def rendered(name: str, size: PaperSize = "us-letter") -> Rendered:
    files = PAPERS[name]()
    return asyncio.run(render(outline(files.document), files.evidence, size=size, pages=True, for_latex=True))


def read(name: str) -> PdfReader:
    return PdfReader(io.BytesIO(rendered(name).pdf))


def text(name: str) -> str:
    return " ".join(" ".join(page.extract_text() for page in read(name).pages).split())


@pytest.mark.parametrize("name", PAPERS)
@pytest.mark.parametrize("size", ["us-letter", "a4"])
def test_every_paper_can_be_set_on_either_paper(name: str, size: PaperSize) -> None:
    made = rendered(name, size)
    width, height = PdfReader(io.BytesIO(made.pdf)).pages[0].mediabox[2:]
    assert (round(float(width)), round(float(height))) == ((612, 792) if size == "us-letter" else (595, 842))
    assert len(made.pages) == len(PdfReader(io.BytesIO(made.pdf)).pages)


@pytest.mark.parametrize("name", PAPERS)
def test_no_text_sticks_out_of_its_page(name: str) -> None:
    edges: list[tuple[float, str]] = []

    def visit(words: str, page: list[float], line: list[float], *_: object) -> None:
        if words.strip():
            edges.append((line[4] * page[0] + line[5] * page[2] + page[4], words))

    for page in read(name).pages:
        page.extract_text(visitor_text=visit)
    assert edges
    assert [edge for edge in edges if not 40 <= edge[0] <= 570] == []


def test_the_same_bytes_come_out_in_any_folder_time_zone_language_and_process(tmp_path: Path) -> None:
    places: list[dict[str, str]] = [
        {"TZ": "UTC", "PYTHONHASHSEED": "1"},
        {"TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "2", "LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"},
        {"TZ": "America/St_Johns", "PYTHONHASHSEED": "3", "LC_ALL": "C", "HOME": str(tmp_path)},
    ]
    root = str(Path(__file__).parents[3])
    said = set()
    for place in places:
        done = subprocess.run(
            [sys.executable, "-c", HASHED],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": root, **place},
            capture_output=True,
            timeout=120,
            check=True,
        )
        said.add(done.stdout)
    assert len(said) == 1
    assert said.pop().count(b"\n") == 3


def test_the_pdf_names_title_authors_and_time_of_its_evidence_and_no_place_of_this_machine() -> None:
    info = read("plain").metadata
    assert info is not None
    assert info.title == "Bagging repairs unstable learners"
    assert info.author == "fumehood, claude-x"
    stamped = stamped_at(paper().document)
    assert info.creation_date is not None
    assert info.creation_date.astimezone(UTC) == stamped
    for secret in (str(Path.cwd()), str(Path.home()), "fumehood-paper-"):
        assert secret.encode() not in rendered("plain").pdf


def test_the_pdf_can_be_read_aloud() -> None:
    root: Any = read("plots").trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert "/StructTreeRoot" in root
    assert _spoken(root["/StructTreeRoot"]) == [
        "Plot of train_loss over step, for bagged; single: bagged from 1 at 0 to 0.03333 at 29; "
        "single from 1 at 0 to 0.03333 at 29."
    ]


def _spoken(node: Any) -> list[str]:
    """What is said of figures instead of showing them."""
    node = node.get_object()
    if isinstance(node, list):
        return [words for inner in node for words in _spoken(inner)]
    if not isinstance(node, dict):
        return []
    own = [str(node["/Alt"])] if node.get("/S") == "/Figure" and "/Alt" in node else []
    return own + (_spoken(node["/K"]) if "/K" in node else [])


def _targets(name: str) -> list[str]:
    """For each link inside a paper, the text of the page that it leads to."""
    pdf = read(name)
    pages = {page.indirect_reference.idnum: page for page in pdf.pages if page.indirect_reference}
    found = []
    for page in pdf.pages:
        for annotation in page.get("/Annots", []):
            link: Any = annotation.get_object()
            if "/Dest" in link:
                found.append(pages[link["/Dest"][0].get_object().indirect_reference.idnum].extract_text())
    return found


def test_every_number_leads_to_its_entry_and_every_citation_to_its_work() -> None:
    numbers = paper().document.numbers
    assert len(_targets("plain")) >= 2 * len(numbers)  # there, and back
    assert sum("Every number" in page for page in _targets("plain")) >= len(numbers)
    assert sum("What Breiman found" in page for page in _targets("citations")) >= 2


def test_an_entry_tells_value_expression_count_level_place_and_page() -> None:
    number = paper().document.numbers[0]
    assert f"{number.id} {number.text} = {number.value!r}" in text("plain")
    assert "effect(H1) : .1pp n = 20 · reported · E1-x1 line 12 · p. 1" in text("plain")


def test_a_draft_says_on_page_one_how_much_was_struck_and_on_the_others_that_it_is_one() -> None:
    pages = [page.extract_text() for page in read("draft").pages]
    assert "DRAFT: 2 statements in it have no evidence behind" in pages[0]
    assert all("DRAFT" in page for page in pages)


def test_characters_without_a_glyph_are_shown_by_their_code_points() -> None:
    assert "[U+4F60 U+597D U+4E16 U+754C]" in text("scripts")
    assert "Привет мир" in text("scripts")


def test_a_reference_leads_to_a_work_that_is_listed_and_any_other_is_plain_text() -> None:
    outlined = outline(PAPERS["citations"]().document)
    listed = paper_data(outlined, "evidence.json", "a4", (), "")["body"]
    unlisted = paper_data(replace(outlined, references=()), "evidence.json", "a4", (), "")["body"]
    assert "'k': 'cite'" in repr(listed)
    assert "'k': 'cite'" not in repr(unlisted)
    assert "Breiman, 1996" in repr(unlisted)


def test_plots_for_latex_are_vectors() -> None:
    [plot] = rendered("plots").plots
    page = PdfReader(io.BytesIO(plot)).pages[0]
    assert not page.images
    assert "train_loss" in page.extract_text()
