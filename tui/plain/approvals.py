"""Lines about requests and decisions."""

from __future__ import annotations

from collections.abc import Iterator

from core.pricing import at_most_dollars, price_range
from core.record import events as e
from core.record.state import RunState
from tui import glyphs
from tui.plain.telling import Telling
from tui.safe_text import one_line


def approval_requested(telling: Telling, state: RunState, event: e.ApprovalRequested) -> Iterator[str]:
    """The price of a launch that waits."""
    if event.kind == "launch" and event.estimate is not None:
        detail = f" {one_line(event.detail)}" if event.detail else ""
        mark = telling.screen.mark(glyphs.WAITS)
        price = price_range(event.estimate)
        yield telling.line(event.at, event.experiment_id or "", f"{mark} for approval, {price}{detail}")


def approval_decided(telling: Telling, state: RunState, event: e.ApprovalDecided) -> Iterator[str]:
    """Who decided what; that it came too late where it does not count."""
    request = state.requests.get(event.request_id)
    if request is None:
        return
    if request.decision is not event:
        yield telling.line(
            event.at, request.asked.experiment_id or "", f"a decision by {event.by} came too late"
        )
        return
    # A policy's note says which policy it was.
    who = f"by {one_line(event.note)}" if event.by == "policy" else f"by {event.by}"
    note = f": {one_line(event.note)}" if event.note and event.by != "policy" else ""
    what = f"{one_line(request.asked.title)} " if request.asked.kind != "launch" else ""
    match event.decision:
        case "approve":
            limit = f", {at_most_dollars(event.maximum_usd)}" if request.asked.kind == "launch" else ""
            said = f"{telling.screen.paint('approved', 'green')} {who}{limit}{note}"
        case "reject":
            said = f"{telling.screen.mark(glyphs.REJECTED)} {who}{note}"
        case _:
            said = f"answered {who}{note}"
    yield telling.line(event.at, request.asked.experiment_id or "", f"{what}{said}")
