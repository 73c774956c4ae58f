"""A paper's files: all of them, the same for the same paper, and none without the others."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from core.errors import RenderingError, StorageError
from core.paper import publishing
from core.paper.publishing import NO_PDF, STAGE, publish
from core.record.events import PaperPublished
from tests.core.paper.test_markdown import paper


def published(folder: Path, **changes: str) -> PaperPublished:
    folder.mkdir(exist_ok=True)
    return asyncio.run(publish(paper(**changes), folder, folder / "files"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def no_pdf(*_: object, **__: object) -> object:
    raise RenderingError("Typst could not set the paper: it ended with code -9", "The paper is in paper.md.")


def test_the_same_paper_gives_the_same_files_with_the_evidence_inside_the_pdf(tmp_path: Path) -> None:
    first, second = (published(tmp_path / name) for name in ("first", "second"))
    files = contents(tmp_path / "first")
    assert files == contents(tmp_path / "second")
    assert files["paper.pdf"].startswith(b"%PDF-")
    assert b"evidence.json" in files["paper.pdf"]
    assert (first.sha256, first.pages, first.no_pdf) == (second.sha256, second.pages, "")


def test_what_is_published_says_where_it_is_and_how_long(tmp_path: Path) -> None:
    said = published(tmp_path / "paper")
    files = contents(tmp_path / "paper")
    assert {"paper.md", "paper.pdf", "paper.tex", "references.bib", "evidence.json"} <= files.keys()
    assert (said.path, said.pdf) == ("paper/paper.md", "paper/paper.pdf")
    assert said.sha256 == hashlib.sha256(files["paper.md"]).hexdigest()
    pages = [name for name in files if name.startswith("pages/")]
    assert len(pages) == said.pages > 0
    assert all(files[page].startswith(b"\x89PNG") for page in pages)
    assert b"\\begin{document}" in files["paper.tex"]


def test_a_pdf_that_cannot_be_made_leaves_the_markdown_and_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "paper"
    published(folder)
    monkeypatch.setattr(publishing, "render", no_pdf)
    said = published(folder)
    assert (said.pdf, said.pages) == ("", 0)
    assert said.no_pdf == "Typst could not set the paper: it ended with code -9"
    files = contents(folder)
    assert files.keys() == {"paper.md", "paper.tex", "references.bib", "evidence.json", NO_PDF}
    monkeypatch.undo()
    published(folder)
    assert NO_PDF not in contents(folder)


def test_a_disk_that_is_full_is_said_and_leaves_the_earlier_paper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "paper"
    published(folder)
    before = contents(folder)

    def full(path: Path, content: bytes) -> None:
        if path.name == "paper.tex":
            raise OSError(28, "No space left on device")
        path.write_bytes(content)

    monkeypatch.setattr(publishing, "_write", full)
    with pytest.raises(StorageError, match="No space left on device"):
        published(folder, title="Another title")
    assert contents(folder) == before


def test_what_an_engine_left_that_died_while_writing_is_swept_away(tmp_path: Path) -> None:
    folder = tmp_path / "paper"
    (folder / STAGE / "pages").mkdir(parents=True)
    (folder / STAGE / "paper.md").write_text("half of a pap")
    (folder / "pages").mkdir()
    (folder / "pages" / "page-99.png").write_bytes(b"old")
    published(folder)
    files = contents(folder)
    assert not (folder / STAGE).exists()
    assert "pages/page-99.png" not in files
    assert files["paper.md"].startswith(b"# ")
