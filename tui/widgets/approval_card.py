"""The approval card: what waits for the human, one at a time, and the keys that decide it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from core.record.state import Request, RunState
from tui import glyphs
from tui.approval_queue import (
    ApprovalQueue,
    Decided,
    Seen,
    answer_seen,
    approve_seen,
    can_be_marked,
    reject_seen,
)
from tui.run_feed import RunFeed
from tui.screens.answer import Answer
from tui.screens.approval_questions import before_approving, before_approving_all, reason_for_rejecting
from tui.screens.dialogs import Confirm
from tui.screens.edit_experiment import EditExperiment
from tui.widgets.approval_text import decided_elsewhere, headline, price_fields, short_name
from tui.widgets.approval_view import FEWEST_COLUMNS, ApprovalView
from tui.widgets.field_layout import laid_out
from tui.widgets.key_guard import KeyGuard
from tui.widgets.key_line import KeyLine
from tui.wording import counted

if TYPE_CHECKING:
    from tui.app import Console

NOTICE_SECONDS = 2.0
"""How long the card says whose decision it was before it moves on."""


class ApprovalCard(Vertical):
    """What waits, one at a time.

    It opens only when it is asked to, and takes the focus only then. What it shows is exactly what a key
    decides: keys are ignored for ``HELD_SECONDS`` after another request is shown, and a request that is not
    the one on screen any more is not decided at all.
    """

    can_focus = True

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "approve", "approve", id="approval.approve"),
        Binding("enter", "open", "more", id="approval.open"),
        Binding("e", "edit", "edit", id="approval.edit"),
        Binding("r", "reject", "reject", id="approval.reject"),
        Binding("d", "defer", "later", id="approval.defer"),
        Binding("space", "mark", "mark", id="approval.mark"),
        Binding("asterisk", "mark_all", "mark all", id="approval.mark_all"),
        Binding("exclamation_mark", "next", "next", id="approval.next"),
        Binding("tab,escape", "leave", "back", id="approval.leave"),
        Binding("j,down", "go(1)", "down", id="approval.down", show=False),
        Binding("k,up", "go(-1)", "up", id="approval.up", show=False),
        Binding("pagedown,ctrl+d", "turn_page(1)", "page down", id="approval.page_down", show=False),
        Binding("pageup,ctrl+u", "turn_page(-1)", "page up", id="approval.page_up", show=False),
        Binding("g,home", "go_to_end(False)", "top", id="approval.top", show=False),
        Binding("G,end", "go_to_end(True)", "bottom", id="approval.bottom", show=False),
    ]

    DEFAULT_CSS = """
    ApprovalCard {
        display: none; background: $panel; padding: 0 1; height: 1fr;
        border-left: outer $line;
        &:focus { border-left: outer $waiting; }
        & > .head { height: auto; text-style: bold; }
        & > .rule { height: 1; color: $line; }
        & > .notice { height: auto; color: $waiting; text-style: bold; display: none; margin-bottom: 1; }
        & > .price { height: auto; margin-top: 1; }
        & > KeyLine { margin-top: 1; }
    }
    """

    class Changed(Message):
        """How many wait has changed.

        Attributes:
            count: how many wait now.
        """

        def __init__(self, count: int) -> None:
            super().__init__()
            self.count = count

    class Left(Message):
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

    @property
    def console(self) -> Console:
        """The app, which appends decisions."""
        return cast("Console", self.app)

    def compose(self) -> ComposeResult:
        """Head, fields, script, keys."""
        yield Static(classes="head")
        yield Static(classes="rule")
        yield Static(classes="notice")
        yield ApprovalView()
        yield Static(classes="price")
        yield KeyLine(self, self._key_words)

    # What the screen calls.

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
        self.focus()
        return True

    def close(self) -> None:
        """Put the card away; what waits goes on waiting."""
        if self.display:
            self.display = False
            self._unfolded = False
            self.post_message(self.Left())

    # Keys.

    def action_approve(self) -> None:
        """Approve what is marked, after one question; or what is shown."""
        request = self._decidable()
        if request is None:
            return
        if self.queue.marked:
            self._approve_marked()
        elif request.asked.kind == "question":
            self._answer(request)
        else:
            seen, done = Seen.of(request), f"approved {short_name(request)}"

            def act() -> None:
                self._decide(lambda state: approve_seen(state, seen), done)

            if question := before_approving(request):
                self._ask(question, act)
            else:
                act()

    def action_reject(self) -> None:
        """Reject what is shown, with a note that the agents read."""
        request = self._decidable()
        if request is None:
            return
        if request.asked.kind == "question":
            self.app.notify("A question is answered, not rejected: press enter.", markup=False)
            return
        seen = Seen.of(request)

        def noted(note: str | None) -> None:
            self._guard.restart()
            if note is not None:
                self._decide(lambda state: reject_seen(state, seen, note), f"rejected {short_name(request)}")

        self.app.push_screen(reason_for_rejecting(request), noted)

    def action_edit(self) -> None:
        """Edit what is shown, in a form."""
        request = self._decidable()
        if request is None or self._feed is None:
            return
        if request.asked.kind != "launch" or request.asked.experiment_id is None:
            self.app.notify("Only an experiment can be edited.", markup=False)
            return
        form = EditExperiment(self._feed, request.asked.experiment_id, saved=self._forget)
        self.app.push_screen(form, lambda _: self._come_back())

    def action_defer(self) -> None:
        """Put what is shown off to the end."""
        if self._decidable() is None:
            return
        if self.queue.defer():
            self._show_selected()
        else:
            self.app.notify("Nothing else waits.", markup=False)

    def action_mark(self) -> None:
        """Mark what is shown, or take its mark away."""
        if self._decidable() is not None:
            if not self.queue.toggle_mark():
                self.app.notify("This one needs a decision of its own.", markup=False)
            self._show_selected()

    def action_mark_all(self) -> None:
        """Mark every launch and script, or none."""
        if self._decidable() is not None:
            self.queue.toggle_all_marks()
            self._show_selected()

    def action_open(self) -> None:
        """Show long texts whole, or answer a question."""
        request = self._decidable()
        if request is None:
            return
        if request.asked.kind == "question":
            self._answer(request)
            return
        self._unfolded = not self._unfolded
        self._show_selected()

    def action_next(self) -> None:
        """Show the next that waits."""
        if self._notice is None:
            self.queue.move(1)
            self._show_selected()

    def action_leave(self) -> None:
        """Back to the run."""
        self._guard.restart()
        self.close()

    def action_go(self, lines: int) -> None:
        """Scroll by lines."""
        self.query_one(ApprovalView).scroll_lines(lines)

    def action_turn_page(self, pages: int) -> None:
        """Scroll by pages."""
        self.query_one(ApprovalView).scroll_pages(pages)

    def action_go_to_end(self, bottom: bool) -> None:
        """Scroll to an end."""
        self.query_one(ApprovalView).scroll_to_end(bottom=bottom)

    # What the screen and the terminal tell.

    def on_focus(self) -> None:
        """Keys were not for the card until now."""
        self._guard.restart()

    def on_resize(self, event: events.Resize) -> None:
        """Fit everything anew."""
        if self.display:
            self._show_selected()

    # Deciding.

    def _decidable(self) -> Request | None:
        """The request on screen, if a key may act on it now."""
        if self._guard.holds or self._notice is not None:
            return None
        request = self.queue.current
        return request if request is not None and Seen.of(request) == self._shown else None

    def _decide(self, decision: Callable[[RunState], Decided], done: str) -> None:
        """Append a decision about exactly what was seen, and show what waits next."""
        if self._feed is None:
            return

        def made(state: RunState) -> Decided:
            events = decision(state)
            self._made |= {event.decision_id for event in events}
            return events

        self.console.decide(self._feed, made, done)
        self._come_back()

    def _approve_marked(self) -> None:
        """One question for all that is marked."""
        if self._feed is None:
            return
        state, seen = self._feed.state, tuple(self.queue.marked.values())
        question = before_approving_all(state, [state.requests[one.request_id] for one in seen])
        done = f"approved {counted(len(seen), 'request')}"
        self._ask(question, lambda: self._decide(lambda state: approve_seen(state, *seen), done))

    def _ask(self, question: Confirm, act: Callable[[], None]) -> None:
        """Act if the answer is yes."""

        def answered(yes: bool | None) -> None:
            self._guard.restart()
            if yes:
                act()

        self.app.push_screen(question, answered)

    def _answer(self, request: Request) -> None:
        """Answer a question in words."""
        seen = Seen.of(request)

        def answered(text: str | None) -> None:
            self._guard.restart()
            if text is not None:
                self._decide(lambda state: answer_seen(state, seen, text), "answered")

        self.app.push_screen(Answer(request), answered)

    def _forget(self) -> None:
        """What was on screen is gone by the human's own hand; nothing has to be said about it."""
        self._shown = None

    def _come_back(self) -> None:
        """Look at the run again, and at the next request; keys wait a moment."""
        self._guard.restart()
        if self._feed is not None:
            self.show(self._feed, "")

    # Showing.

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
        self._notice = None
        self._shown = None
        self.query_one(".notice").display = False
        self._come_back()

    def _tell_count(self) -> None:
        if self._feed is None:
            return
        count = len(self._feed.state.waiting)
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
        self._show_head(request)
        self._show_price(self._feed.state, request)
        view.show(self._feed, request, unfolded=self._unfolded)
        self.query_one(KeyLine).show()

    def _show_head(self, request: Request) -> None:
        width = max(self.content_size.width, FEWEST_COLUMNS)
        marks = f"{len(self.queue.marked)} marked · " if self.queue.marked else ""
        place = f"{marks}{self.queue.position} of {len(self.queue.waiting)} waiting"
        mark = "▪ " if request.asked.request_id in self.queue.marked else ""
        room = max(width - len(place) - 2, FEWEST_COLUMNS)
        title = Content(f"{glyphs.WAITS.glyph} {mark}{headline(request)}").truncate(room, ellipsis=True)
        left = title.stylize("$waiting", 0, 1)
        gap = " " * max(width - left.cell_length - len(place), 1)
        self.query_one(".head", Static).update(left + gap + Content(place).stylize("$muted not bold"))
        self.query_one(".rule", Static).update(Content("─" * width))

    def _show_price(self, state: RunState, request: Request) -> None:
        """The price is always in sight, however long the rest is."""
        line = self.query_one(".price", Static)
        line.display = request.asked.kind == "launch"
        fields = list(price_fields(state, request.asked.estimate))
        line.update(laid_out(fields, max(self.content_size.width, FEWEST_COLUMNS)))

    def _key_words(self, action: str, usual: str) -> str:
        """What a key does to what is shown; empty where it does nothing."""
        request = self.queue.current
        if request is None:
            return ""
        kind, marks, several = request.asked.kind, len(self.queue.marked), len(self.queue.waiting) > 1
        fits = {
            "approve": kind != "question" or marks > 0,
            "reject": kind != "question",
            "edit": kind == "launch",
            "mark": can_be_marked(request),
            "mark_all": sum(map(can_be_marked, self.queue.waiting)) > 1,
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
        return "less" if action == "open" and self._unfolded else usual
