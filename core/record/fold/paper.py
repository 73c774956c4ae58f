"""How events about the paper change the state."""

from __future__ import annotations

from core.record import events as e
from core.record.state import RunState


def paper_refused(state: RunState, event: e.PaperRefused) -> None:
    """Keep the refusal."""
    state.refusals.append(event)


def paper_published(state: RunState, event: e.PaperPublished) -> None:
    """The latest paper is the paper."""
    state.paper = event
