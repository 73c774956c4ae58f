"""What an approval card shows of one request: its fields, and for a script all of its code."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from core.experiment import Experiment
from core.record.events import ApprovalRequested
from core.record.state import Request
from tui.differences import proposal_of, was_edited
from tui.run_feed import RunFeed
from tui.widgets.approval_code import numbered_code
from tui.widgets.approval_text import fields_of
from tui.widgets.field_layout import laid_out

EDGE_COLUMNS = 2
"""Columns of code that its surface adds on both sides together."""

GAP_COLUMNS = 1
"""Between words and the scrollbar."""

FEWEST_COLUMNS = 20


class ApprovalView(VerticalScroll):
    """One request, as long as it may be; repainted only where it reads otherwise."""

    can_focus = False

    DEFAULT_CSS = """
    ApprovalView {
        height: 1fr; scrollbar-size-vertical: 1; scrollbar-gutter: stable;
        & .fields { height: auto; }
        & .code { height: auto; background: $surface; padding: 0 1; margin-top: 1; display: none; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[object, ...] = ()
        self._proposal: tuple[str, Experiment | None] = ("", None)
        self._code: tuple[str, int] | None = None

    def compose(self) -> ComposeResult:
        """Fields, then code."""
        yield Static(classes="fields")
        yield Static(classes="code")

    def show(self, feed: RunFeed, request: Request, *, unfolded: bool) -> None:
        """Show a request.

        Args:
            feed: the run.
            request: what waits.
            unfolded: whether long texts are shown whole.
        """
        columns = max(self.scrollable_content_region.width - GAP_COLUMNS, FEWEST_COLUMNS)
        state = feed.state
        key = (request.asked, columns, unfolded, state.free_usd, state.cap_usd, state.engine)
        if key == self._shown:
            return
        self._shown = key
        fields = fields_of(
            state, request, proposal=self._edited_proposal(feed, request.asked), unfolded=unfolded
        )
        self.query_one(".fields", Static).update(laid_out(fields, columns))
        code = self.query_one(".code", Static)
        code.display = request.asked.kind == "script"
        if code.display and self._code != (request.asked.detail, columns):
            self._code = (request.asked.detail, columns)
            code.update(numbered_code(request.asked.detail, columns - EDGE_COLUMNS))

    def _edited_proposal(self, feed: RunFeed, asked: ApprovalRequested) -> Experiment | None:
        """What was proposed where a human has edited it; found in the journal once."""
        if asked.kind != "launch" or asked.experiment_id not in feed.state.experiments:
            return None
        if not was_edited(feed, asked.experiment_id):
            return None
        if self._proposal[0] != asked.request_id:
            self._proposal = asked.request_id, proposal_of(feed, asked.experiment_id)
        return self._proposal[1]

    def scroll_lines(self, lines: int) -> None:
        """Scroll down, or with a negative number up."""
        self.scroll_relative(y=lines, animate=False)

    def scroll_pages(self, pages: int) -> None:
        """Scroll by what fits, but a line."""
        self.scroll_relative(y=pages * max(1, self.size.height - 1), animate=False)

    def scroll_to_end(self, *, bottom: bool) -> None:
        """Scroll to the bottom, or the top."""
        if bottom:
            self.scroll_end(animate=False)
        else:
            self.scroll_home(animate=False)
