"""The PDF of a paper: where it is, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.record.folder import RunFolder
from core.record.state import RunState
from tui.safe_text import one_line
from tui.wording import counted

LONGEST_REASON = 300


@dataclass(frozen=True)
class Pdf:
    """A paper's PDF, or its lack.

    Attributes:
        path: where it is; None where there is none.
        in_short: a few words for a line of heads; empty while nobody knows.
        trouble: why there is none and what to do, in plain sentences; empty where there is one.
    """

    path: Path | None = None
    in_short: str = ""
    trouble: str = "There is no paper yet."


def pdf_of(folder: RunFolder, state: RunState) -> Pdf:
    """The PDF of a run's paper as it lies on disk.

    Args:
        folder: the run.
        state: what its journal says.
    """
    published = state.paper
    again = f"Make it with 'fumehood paper {folder.run_id} --render'."
    if published is None:
        return Pdf()
    path = folder.path / (published.pdf or "paper/paper.pdf")
    if path.is_file():
        # One that the journal does not know was made by an engine that died right after.
        pages = f", {counted(published.pages, 'page')}" if published.pages else ""
        return Pdf(path, f"PDF{pages}", "")
    if published.pdf:
        return Pdf(None, "no PDF", f"paper.pdf is gone from the run's folder. {again}")
    reason = one_line(published.no_pdf, LONGEST_REASON).rstrip(".")
    return Pdf(
        None,
        "no PDF",
        f"There is no paper.pdf: {reason or 'it was published before there were PDFs'}. {again}",
    )
