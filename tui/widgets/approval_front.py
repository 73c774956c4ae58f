"""How an approval card shows what waits: when it opens and closes, and what it says meanwhile."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from tui import glyphs
from tui.approval_queue import ApprovalQueue, Seen
from tui.run_feed import RunFeed
from tui.status import waiting_count
from tui.widgets.approval_head import ApprovalHead, ApprovalPrice, key_words
from tui.widgets.approval_text import decided_elsewhere
from tui.widgets.approval_view import ApprovalView
from tui.widgets.key_guard import KeyGuard
from tui.widgets.key_line import KeyLine

NOTICE_SECONDS = 2.0
"""How long the card says whose decision it was before it moves on."""


class ApprovalFront(Vertical):
    """Shows what waits, one at a time.

    It opens only when it is asked to, and takes the focus only then.

    Attributes:
        queue: what waits, and which of it is shown.
    """

    can_focus = True

    DEFAULT_CSS = """
    ApprovalFront {
        display: none; background: $panel; padding: 0 1; height: 1fr;
        border-left: outer $line;
        &:focus { border-left: outer $waiting; }
        &:nocolor { border-left: solid $line; }
        &:nocolor:focus { border-left: outer $waiting; }
        & > .notice { height: auto; color: $waiting; text-style: bold; display: none; margin-bottom: 1; }
        & > KeyLine { margin-top: 1; }
    }
    """

    class Changed(Message, namespace="approval_card"):
        """How many wait has changed.

        Attributes:
            count: how many wait now.
        """

        def __init__(self, count: int) -> None:
            super().__init__()
            self.count = count

    class Left(Message, namespace="approval_card"):
        """The human is done with the card for now; it has closed."""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.queue = ApprovalQueue()
        self._feed: RunFeed | None = None
        self._guard = KeyGuard()
        self._shown: Seen | None = None
        self._unfolded = False
        self._count = 0
        self._made: set[str] = set()
        self._notice: Timer | None = None

    def compose(self) -> ComposeResult:
        """Head, fields, script, keys."""
        yield ApprovalHead()
        yield Static(classes="notice")
        yield ApprovalView()
        yield ApprovalPrice()
        yield KeyLine(self, self._key_words)

    def show(self, feed: RunFeed, agent: str) -> None:
        """Take in the run as it is now. Nothing opens and no focus moves.

        Args:
            feed: the run.
            agent: the selected agent; a card shows what waits, whoever is selected.
        """
        self._feed = feed
        if self._notice is None and not self._decided_elsewhere():
            self.queue.update(feed.state)
        self._tell_count()
        if self.display:
            self._show_selected()

    def open(self, name: str | None = None) -> bool:
        """Open the card and give it the focus.

        Args:
            name: a request or an experiment; None for the next that waits.

        Returns:
            Whether it is open; not where nothing waits, or nothing of that name.
        """
        if self._feed is None or self._notice is not None:
            return self.display
        self.queue.update(self._feed.state)
        if self.queue.current is None or (name is not None and not self.queue.select(name)):
            return False
        if name is None and self.display:
            self.queue.move(1)
        if not self.display:
            self.display = True
            self._guard.restart()
        self._show_selected()
        self.screen.set_focus(self)
        return True

    def close(self) -> None:
        """Put the card away; what waits goes on waiting."""
        if self.display:
            self.display = False
            self._unfolded = False
            self._end_notice()
            self.post_message(self.Left())

    def action_go(self, lines: int) -> None:
        """Scroll by lines."""
        self.query_one(ApprovalView).scroll_lines(lines)

    def action_turn_page(self, pages: int) -> None:
        """Scroll by pages."""
        self.query_one(ApprovalView).scroll_pages(pages)

    def action_go_to_end(self, bottom: bool) -> None:
        """Scroll to an end."""
        self.query_one(ApprovalView).scroll_to_end(bottom=bottom)

    def on_focus(self) -> None:
        """Keys were not for the card until now."""
        self._guard.restart()

    def on_resize(self, event: events.Resize) -> None:
        """Fit everything anew."""
        if self.display:
            self._show_selected()

    def _forget(self) -> None:
        """What was on screen is gone by the human's own hand; nothing has to be said about it."""
        self._shown = None

    def _come_back(self) -> None:
        """Look at the run again, and at the next request; keys wait a moment."""
        self._guard.restart()
        if self._feed is not None:
            self.show(self._feed, "")

    def _decided_elsewhere(self) -> bool:
        """Whether what is on screen was decided by someone else; then the card says so for a moment."""
        if not self.display or self._shown is None or self._feed is None:
            return False
        request = self._feed.state.requests.get(self._shown.request_id)
        if request is None or request.waits:
            return False
        if request.decision is not None and request.decision.decision_id in self._made:
            return False
        notice = self.query_one(".notice", Static)
        notice.update(Content(f"{glyphs.WAITS.glyph} {decided_elsewhere(request)}"))
        notice.display = True
        self._notice = self.set_timer(NOTICE_SECONDS, self._move_on)
        self._guard.restart()
        return True

    def _move_on(self) -> None:
        """Show what waits next, after a moment for whose decision it was."""
        self._end_notice()
        self._come_back()

    def _end_notice(self) -> None:
        if self._notice is not None:
            self._notice.stop()
            self._notice = None
            self._shown = None
            self.query_one(".notice").display = False

    def _tell_count(self) -> None:
        if self._feed is None:
            return
        count = waiting_count(self._feed.state)
        if count != self._count:
            self._count = count
            self.post_message(self.Changed(count))

    def _show_selected(self) -> None:
        """Show what is selected; what is shown already stays untouched."""
        if self._feed is None or self._notice is not None:
            return
        request = self.queue.current
        if request is None:
            self._shown = None
            self.close()
            return
        view = self.query_one(ApprovalView)
        if (seen := Seen.of(request)) != self._shown:
            self._shown = seen
            self._unfolded = False
            self._guard.restart()
            view.scroll_to_end(bottom=False)
        self.query_one(ApprovalHead).show(self.queue)
        self.query_one(ApprovalPrice).show(self._feed.state, self.queue)
        view.show(self._feed, request, unfolded=self._unfolded)
        self.query_one(KeyLine).show()

    def _key_words(self, action: str, usual: str) -> str:
        return key_words(self.queue, action, usual, unfolded=self._unfolded)
