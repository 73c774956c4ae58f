"""What the approval card asks before, or instead of, acting at once."""

from __future__ import annotations

from collections.abc import Sequence

from core.pricing import at_most_dollars, dollars
from core.record.state import Request, RunState
from tui.safe_text import one_line
from tui.screens.dialogs import Ask, Confirm
from tui.widgets.approval_text import short_name, total_of
from tui.wording import counted

TITLE_COLUMNS = 44
SHOWN_REQUESTS = 12


def before_approving(request: Request) -> Confirm | None:
    """The question that comes before approving a request; None where the key is enough."""
    asked = request.asked
    if asked.kind == "isolation":
        warning = "Scripts that models write can then read your files and keys."
        return Confirm("Run without isolation?", asked.title, warning)
    if asked.kind == "launch" and (asked.estimate is None or asked.estimate.maximum is None):
        warning = "Nobody knows what it will cost, and the cap cannot hold it."
        return Confirm(f"Approve {short_name(request)} at an unknown price?", asked.title, warning)
    return None


def before_approving_all(state: RunState, requests: Sequence[Request]) -> Confirm:
    """One question for several, with their count and what they can cost together."""
    total = total_of(requests)
    rows = [(short_name(one), one.asked.title, _price(one)) for one in requests[:SHOWN_REQUESTS]]
    if len(requests) > SHOWN_REQUESTS:
        rows.append(("", f"and {len(requests) - SHOWN_REQUESTS} more", ""))
    rows.append(("", "together, never more than", at_most_dollars(total).removeprefix("≤ ")))
    lines = [
        f"{one_line(name, 8):<8} {one_line(title, TITLE_COLUMNS):<{TITLE_COLUMNS}} {price:>10}"
        for name, title, price in rows
    ]
    lines += ["", f"{dollars(state.free_usd)} of {dollars(state.cap_usd)} is free."]
    warning = ""
    if total is None:
        warning = "A price is unknown, so the total has no upper limit."
    elif total > state.free_usd:
        warning = "They do not all fit: what does not fit is asked again."
    return Confirm(f"Approve {counted(len(requests), 'request')} at once?", "\n".join(lines), warning)


def reason_for_rejecting(request: Request) -> Ask:
    """Asks for the note; it may be empty."""
    reader = {
        "launch": "The orchestrator reads your reason.",
        "isolation": "Nothing of this run starts then.",
    }.get(request.asked.kind, "Its agent reads your reason.")
    return Ask(f"Reject {short_name(request)}", f"{request.asked.title}\n{reader}", required=False)


def _price(request: Request) -> str:
    if request.asked.kind != "launch":
        return "script"
    return at_most_dollars(request.asked.estimate.maximum if request.asked.estimate else None)
