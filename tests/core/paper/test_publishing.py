"""The forms of a paper that people read beside the Markdown."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.paper.publishing import NO_PDF, publish_forms
from tests.core.paper.test_markdown import paper


def test_the_same_paper_gives_the_same_pdf_with_its_evidence_inside(tmp_path: Path) -> None:
    forms = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        assert asyncio.run(publish_forms(paper(), folder, tmp_path / "files")) == ""
        assert not (folder / NO_PDF).exists()
        forms.append((folder / "paper.pdf").read_bytes())
    assert forms[0].startswith(b"%PDF-")
    assert b"evidence.json" in forms[0]
    assert forms[0] == forms[1]


def test_beside_the_pdf_are_latex_and_a_picture_of_each_page(tmp_path: Path) -> None:
    asyncio.run(publish_forms(paper(), tmp_path, tmp_path / "files"))
    assert "\\begin{document}" in (tmp_path / "paper.tex").read_text()
    pages = sorted((tmp_path / "pages").iterdir())
    assert pages
    assert all(page.read_bytes().startswith(b"\x89PNG") for page in pages)
