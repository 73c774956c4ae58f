"""How searches and citations change the state."""

from __future__ import annotations

from core.record import events as e
from core.record.state import RunState


def literature_searched(state: RunState, event: e.LiteratureSearched) -> None:
    """The first work under a key is what the key means."""
    if event.search_id not in state.searches:
        state.searches[event.search_id] = event
        for key, work in event.works.items():
            state.works.setdefault(key, work)


def citation_verified(state: RunState, event: e.CitationVerified) -> None:
    """A work that a search returned may be cited."""
    if event.key in state.works:
        state.citations.setdefault(event.key, []).append(event)
