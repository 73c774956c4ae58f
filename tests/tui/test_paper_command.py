"""``fumehood paper``: where its forms are, what scripts read, viewers, and making them again."""

from __future__ import annotations

import asyncio
import shlex
import shutil
from pathlib import Path

import pytest

from core.driving import drive
from core.errors import InputError
from core.paper.pdf_reading import read_pdf
from core.record import events as e
from core.record.folder import RunFolder
from core.record.journal import Journal
from tests.fakes.tiny_run import study, tiny_run
from tests.tui.conftest import Home, refusal
from tests.tui.plans import ENDED, WAITING
from tui.viewer import open_in_viewer


def finished(home: Home) -> RunFolder:
    """A run with a paper in every form."""
    folder = tiny_run(home.data, study())
    asyncio.run(drive(folder))
    return folder


def older(home: Home) -> RunFolder:
    """A run whose paper was published before there were PDFs."""
    folder = finished(home)
    for path in folder.paper.rglob("*"):
        if path.is_file() and path.name not in ("paper.md", "evidence.json", "references.bib"):
            path.unlink()
    journal = Journal(folder.path / "older.db", create=True)
    with journal, folder.journal() as newer:
        for event in newer.read():
            old = {"pdf": "", "pages": 0} if isinstance(event, e.PaperPublished) else {}
            journal.append(event.model_copy(update={"seq": 0, **old}), records=[])
        journal.append(records=list(newer.records()))
    for path in folder.path.glob("journal.db*"):
        path.unlink()
    (folder.path / "older.db").rename(folder.journal_path)
    return folder


def bytes_of(folder: RunFolder) -> dict[str, bytes]:
    return {str(p.relative_to(folder.paper)): p.read_bytes() for p in folder.paper.rglob("*") if p.is_file()}


def test_paper_says_where_every_form_is(home: Home) -> None:
    folder = finished(home)
    published = folder.state().paper
    assert published is not None
    said = home.type("paper").stdout
    for words in (
        f"Markdown   {folder.paper / 'paper.md'}   1 number bound to measurements",
        f"PDF        {folder.paper / 'paper.pdf'}   {published.pages} page",
        f"LaTeX      {folder.paper / 'paper.tex'}",
        f"Evidence   {folder.paper / 'evidence.json'}",
    ):
        assert words in said
    assert "BibTeX" not in said  # nothing is cited


@pytest.mark.parametrize("form", ["markdown", "pdf", "tex"])
def test_scripts_get_the_path_of_a_form_and_nothing_else(home: Home, form: str) -> None:
    folder = finished(home)
    name = {"markdown": "paper.md", "pdf": "paper.pdf", "tex": "paper.tex"}[form]
    assert home.type("paper", f"--{form}").stdout == f"{folder.paper / name}\n"


def test_a_paper_is_printed_safely_as_markdown_or_latex(home: Home) -> None:
    folder = home.run_with(*ENDED)
    (folder.paper / "paper.md").write_text("# Title\n\nevil\x1b[2J\n", encoding="utf-8")
    (folder.paper / "paper.tex").write_text("\\title{x\x1b]0;owned\x07}\n", encoding="utf-8")
    assert home.type("paper", "--print").stdout == "# Title\n\nevil\n"
    assert home.type("paper", "--print", "--tex").stdout == "\\title{x}\n"
    assert "a PDF is no text" in refusal(home.type("paper", "--print", "--pdf"))


def test_a_run_without_a_paper_says_so(home: Home) -> None:
    home.run_with(*WAITING)
    assert "has no paper yet" in refusal(home.type("paper"))


def test_without_a_pdf_the_reason_and_the_next_step_are_said(home: Home) -> None:
    published = e.PaperPublished(
        path="paper/paper.md", sha256="0" * 64, numbers=1, struck=0, no_pdf="Typst\x1b[2J could not set it"
    )
    folder = home.run_with(*ENDED, published)
    said = home.type("paper").stdout
    assert "PDF        there is no paper.pdf: Typst could not set it. Make it with" in said
    assert f"fumehood paper {folder.run_id} --render" in refusal(home.type("paper", "--pdf"))


def test_an_older_run_gets_its_pdf_and_latex_from_its_journal_and_they_verify(home: Home) -> None:
    folder = older(home)
    before = bytes_of(folder)
    assert "before there were PDFs" in home.type("paper").stdout
    rendered = home.type("paper", "--render")
    assert (rendered.exit_code, " page" in rendered.stdout) == (0, True)
    after = bytes_of(folder)
    assert {name: after[name] for name in before} == before
    assert read_pdf(after["paper.pdf"]).size == "us-letter"
    published = folder.state().paper
    assert published is not None
    assert (published.by, published.pdf) == ("human", "paper/paper.pdf")
    assert "All numbers hold" in home.type("verify").stdout


def test_rendering_again_gives_the_same_bytes_and_another_size_another_pdf_that_verifies(home: Home) -> None:
    folder = finished(home)
    before = bytes_of(folder)
    assert home.type("paper", "--render").exit_code == 0
    assert bytes_of(folder) == before
    assert home.type("paper", "--render", "--paper-size", "a4").exit_code == 0
    after = bytes_of(folder)
    assert read_pdf(after["paper.pdf"]).size == "a4"
    assert {name for name in before if before[name] != after[name]} >= {"paper.pdf", "pages/page-1.png"}
    assert all(after[name] == before[name] for name in ("paper.md", "evidence.json"))
    assert "All numbers hold" in home.type("verify").stdout


def test_a_paper_that_was_deleted_is_made_again_from_the_journal(home: Home) -> None:
    run = finished(home)
    before = bytes_of(run)
    shutil.rmtree(run.paper)
    again = f"fumehood paper {run.run_id} --render"
    assert f"paper.md is gone from the run's folder. Make it with '{again}'" in home.type("paper").stdout
    assert again in refusal(home.type("paper", "--markdown"))
    assert again in refusal(home.type("verify"))
    assert home.type("paper", "--render").exit_code == 0
    assert bytes_of(run) == before


def test_a_paper_is_not_rendered_while_an_engine_drives_its_run(home: Home) -> None:
    folder = finished(home)
    before = bytes_of(folder)
    with folder.locked():
        assert "another engine" in refusal(home.type("paper", "--render"))
    assert bytes_of(folder) == before


def test_a_size_without_rendering_is_refused_with_the_next_step(home: Home) -> None:
    home.run_with(*ENDED)
    assert "--render" in refusal(home.type("paper", "--paper-size", "a4"))


def fake_viewer(folder: Path, name: str, code: int = 0) -> Path:
    """A program that writes down what it was asked to show, and what it could have read."""
    folder.mkdir(exist_ok=True)
    told = folder / "told"
    script = folder / name
    script.write_text(f'#!/bin/sh\necho "$1 $SECRET_KEY" > {shlex.quote(str(told))}\nexit {code}\n')
    script.chmod(0o755)
    return told


def test_a_viewer_of_the_desktop_gets_the_file_and_no_key(tmp_path: Path) -> None:
    told = fake_viewer(tmp_path / "bin", "xdg-open")
    there = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "DISPLAY": ":0", "SECRET_KEY": "sk-x"}
    open_in_viewer(tmp_path / "paper.pdf", there, "linux")
    assert told.read_text().strip() == str(tmp_path / "paper.pdf")


@pytest.mark.parametrize(
    ("environment", "platform", "words"),
    [
        ({"SSH_CONNECTION": "1 2 3 4"}, "linux", "no desktop on this side of the SSH connection"),
        ({"SSH_TTY": "/dev/pts/1"}, "linux", "scp HOST:"),
        ({}, "linux", "there is no desktop here"),
        ({"SSH_TTY": "/dev/ttys1"}, "darwin", "the screen of the other machine"),
        ({"DISPLAY": ":0"}, "linux", "xdg-open, which opens files on a desktop, is not installed"),
    ],
)
def test_where_no_viewer_can_be_seen_it_is_said_why(
    tmp_path: Path, environment: dict[str, str], platform: str, words: str
) -> None:
    with pytest.raises(InputError) as refused:
        open_in_viewer(tmp_path / "paper.pdf", {"PATH": str(tmp_path)} | environment, platform)
    assert words in str(refused.value)
    assert "paper.pdf" in str(refused.value)


def test_a_viewer_that_fails_is_said(tmp_path: Path) -> None:
    fake_viewer(tmp_path / "bin", "xdg-open", code=3)
    there = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "WAYLAND_DISPLAY": "wayland-0"}
    with pytest.raises(InputError, match="has no viewer for paper"):
        open_in_viewer(tmp_path / "paper.pdf", there, "linux")
