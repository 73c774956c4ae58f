"""``fumehood paper``: where the forms of a paper are, and making them again without any model."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import click

from core.agents.writer import publish_again
from core.config import PaperSize
from core.errors import InputError
from core.paper.publishing import BIBLIOGRAPHY, EVIDENCE, LATEX, PDF
from core.record.events import PaperPublished
from core.record.folder import RunFolder
from core.record.live import LiveRun
from tui.exit_codes import ExitCode
from tui.open_run import named_run
from tui.safe_text import one_line, safe
from tui.screen import Screen
from tui.viewer import open_in_viewer
from tui.wording import counted

Form: TypeAlias = Literal["markdown", "pdf", "tex"]

NAME_COLUMNS = 10

OLDER = "it was published before there were PDFs"


@click.command()
@click.argument("run", required=False)
@click.option("--markdown", "form", flag_value="markdown", help="Print nothing but the path of paper.md.")
@click.option("--pdf", "form", flag_value="pdf", help="Print nothing but the path of paper.pdf.")
@click.option("--tex", "form", flag_value="tex", help="Print nothing but the path of paper.tex.")
@click.option("--print", "print_it", is_flag=True, help="Print the Markdown itself; with --tex, the LaTeX.")
@click.option("--open", "open_it", is_flag=True, help="Open the PDF in the desktop's viewer.")
@click.option("--render", is_flag=True, help="Make every form again from the journal; no model is asked.")
@click.option(
    "--paper-size", type=click.Choice(get_args(PaperSize)), help="With --render: the size of the pages."
)
def paper(
    run: str | None,
    form: Form | None,
    print_it: bool,
    open_it: bool,
    render: bool,
    paper_size: PaperSize | None,
) -> ExitCode:
    """Show where a run's paper is, print it, open it, or make its PDF and LaTeX again."""
    if paper_size and not render:
        raise InputError("--paper-size changes nothing by itself", "Add --render.")
    if print_it and form == "pdf":
        raise InputError("a PDF is no text", "Leave --print or --pdf out.")
    folder = named_run(run)
    published = _published(folder)
    if render:
        published = asyncio.run(_rendered(folder, paper_size))
    screen = Screen.of()
    if print_it:
        screen.line(safe(_text_of(folder, form or "markdown", published)).rstrip("\n"))
    elif form is not None:
        screen.line(str(_path(folder, form, published)))
    elif not open_it:
        for line in _lines(folder, published):
            screen.line(line)
    if open_it:
        open_in_viewer(_path(folder, form or "pdf", published))
    return ExitCode.DONE


def _published(folder: RunFolder) -> PaperPublished:
    """The paper, as the journal says it was published.

    Raises:
        InputError: there is none.
    """
    published = folder.state().paper
    if published is None:
        raise InputError(f"{folder.run_id} has no paper yet", f"See 'fumehood show {folder.run_id}'.")
    return published


async def _rendered(folder: RunFolder, size: PaperSize | None) -> PaperPublished:
    """Publish a run's paper again, from its journal alone.

    Raises:
        RunLocked: an engine drives it, and may publish itself.
        StorageError: the disk is full, read-only or forbidden.
    """
    with folder.locked(), folder.journal() as journal:
        live = LiveRun(folder, journal)
        await publish_again(live, size, by="human")
        assert live.state.paper is not None
        return live.state.paper


def _lines(folder: RunFolder, published: PaperPublished) -> Iterator[str]:
    draft = f", {published.struck} struck: this is a draft" if published.struck else ""
    numbers = f"{counted(published.numbers, 'number')} bound to measurements{draft}"
    shown: tuple[tuple[Form, str, str], ...] = (
        ("markdown", "Markdown", numbers),
        ("pdf", "PDF", counted(published.pages, "page")),
    )
    for form, name, told in shown:
        try:
            yield _line(name, f"{_path(folder, form, published)}   {told}")
        except InputError as error:
            yield _line(name, f"{error.message}. {error.next_step}")
    for name, file in (("LaTeX", LATEX), ("BibTeX", BIBLIOGRAPHY), ("Evidence", EVIDENCE)):
        path = folder.paper / file
        if path.is_file() and path.stat().st_size:
            yield _line(name, str(path))


def _line(name: str, words: str) -> str:
    return f"{name:<{NAME_COLUMNS}} {words}"


def _path(folder: RunFolder, form: Form, published: PaperPublished) -> Path:
    """Where a form of the paper is.

    Raises:
        InputError: there is none; the message says why.
    """
    path = folder.path / {"markdown": published.path, "pdf": f"paper/{PDF}", "tex": f"paper/{LATEX}"}[form]
    if path.is_file():
        return path
    again = f"Make it with 'fumehood paper {folder.run_id} --render'."
    if form == "markdown" or (form == "pdf" and published.pdf):
        raise InputError(f"{path.name} is gone from the run's folder", again)
    reason = one_line(published.no_pdf, 300).rstrip(".") if form == "pdf" else ""
    raise InputError(f"there is no {path.name}: {reason or OLDER}", again)


def _text_of(folder: RunFolder, form: Form, published: PaperPublished) -> str:
    path = _path(folder, form, published)
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(
            f"{path.name} cannot be read: {error.strerror}",
            f"Make it again with 'fumehood paper {folder.run_id} --render'.",
        ) from None
