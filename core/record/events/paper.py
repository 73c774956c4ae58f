"""Events about the paper."""

from __future__ import annotations

from typing import ClassVar, Literal

from core.record.events.base import Event


class PaperRefused(Event):
    """A draft has something in it that no measurement supports; the writer is told."""

    type: Literal["paper.refused"] = "paper.refused"
    once: ClassVar[str | None] = "call_id"
    call_id: str
    problems: tuple[str, ...]


class PaperPublished(Event):
    """The paper is in the run's folder, in every form that could be made."""

    type: Literal["paper.published"] = "paper.published"
    path: str
    """Relative to the run's folder."""
    sha256: str
    numbers: int
    """Numbers bound to measurements."""
    struck: int
    """Numbers struck because nothing supports them; above 0 the paper is a draft."""
    pdf: str = ""
    """The PDF, relative to the run's folder; empty where there is none."""
    pages: int = 0
    """Pages of the PDF."""
    no_pdf: str = ""
    """Why there is no PDF, in one sentence; empty where there is one, and where none was made yet."""
    rules: str = ""
    """The rules by which its text was struck; empty in journals from before they had a version."""
