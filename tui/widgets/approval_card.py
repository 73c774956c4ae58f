"""The approval card: what waits for the human, one at a time, and the keys that decide it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType

from core.record.state import Request, RunState
from tui.approval_queue import Decided, Seen, answer_seen, approve_seen, reject_seen
from tui.screens.answer import Answer
from tui.screens.approval_questions import before_approving, before_approving_all, reason_for_rejecting
from tui.screens.dialogs import Confirm
from tui.screens.edit_experiment import EditExperiment
from tui.widgets.approval_front import ApprovalFront
from tui.widgets.approval_text import short_name
from tui.wording import counted

if TYPE_CHECKING:
    from tui.app import Console


class ApprovalCard(ApprovalFront):
    """What waits, and the keys that decide it.

    What is shown is exactly what a key decides: keys are ignored for ``HELD_SECONDS`` after another request
    is shown, and a request that is not the one on screen any more is not decided at all.
    """

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

    @property
    def console(self) -> Console:
        """The app, which appends decisions."""
        return cast("Console", self.app)

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
