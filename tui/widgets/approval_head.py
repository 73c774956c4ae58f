"""What stands above and below a request on its card: what it is about, what it costs, what the keys do."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from core.record.state import RunState
from tui import glyphs
from tui.approval_queue import ApprovalQueue, can_be_marked
from tui.widgets.approval_text import headline, price_fields
from tui.widgets.field_layout import laid_out

FEWEST_COLUMNS = 20


class ApprovalHead(Static):
    """Two lines: the request and its place among what waits, and a hairline."""

    DEFAULT_CSS = "ApprovalHead { height: 2; text-style: bold; }"

    def show(self, queue: ApprovalQueue) -> None:
        """Show the selected request's head."""
        request = queue.current
        if request is None:
            return
        width = max(self.content_size.width, FEWEST_COLUMNS)
        marks = f"{len(queue.marked)} marked · " if queue.marked else ""
        place = f"{marks}{queue.position} of {len(queue.waiting)} waiting"
        mark = "▪ " if request.asked.request_id in queue.marked else ""
        room = max(width - len(place) - 2, FEWEST_COLUMNS)
        title = Content(f"{glyphs.WAITS.glyph} {mark}{headline(request)}").truncate(room, ellipsis=True)
        left = title.stylize("$waiting", 0, 1)
        gap = " " * max(width - left.cell_length - len(place), 1)
        right = Content.styled(place, "$muted not bold")
        self.update(left + gap + right + "\n" + Content.styled("─" * width, "$line not bold"))


class ApprovalPrice(Static):
    """The price of a launch; in sight however long the rest is."""

    DEFAULT_CSS = "ApprovalPrice { height: auto; margin-top: 1; }"

    def show(self, state: RunState, queue: ApprovalQueue) -> None:
        """Show the selected request's price, if it has one to have."""
        request = queue.current
        self.display = request is not None and request.asked.kind == "launch"
        if request is not None:
            fields = list(price_fields(state, request.asked.estimate))
            self.update(laid_out(fields, max(self.content_size.width, FEWEST_COLUMNS)))


def key_words(queue: ApprovalQueue, action: str, usual: str, *, unfolded: bool) -> str:
    """What a key does to the selected request; empty where it does nothing.

    Args:
        queue: what waits.
        action: the action of the key.
        usual: what it is usually called.
        unfolded: whether long texts are shown whole.
    """
    request = queue.current
    if request is None:
        return ""
    kind, marks, several = request.asked.kind, len(queue.marked), len(queue.waiting) > 1
    fits = {
        "approve": kind != "question" or marks > 0,
        "reject": kind != "question",
        "edit": kind == "launch",
        "mark": can_be_marked(request),
        "mark_all": sum(map(can_be_marked, queue.waiting)) > 1,
        "defer": several,
        "next": several,
        "open": kind in ("launch", "question"),
    }
    if not fits.get(action, True):
        return ""
    if action == "approve" and marks:
        return f"approve {marks} marked"
    if action == "open" and kind == "question":
        return "answer"
    return "less" if action == "open" and unfolded else usual
