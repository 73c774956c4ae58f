"""What waits for the human, in the order in which the approval card shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from core import decisions
from core.errors import DecisionError
from core.pricing import Estimate
from core.record.events import ApprovalDecided, ExperimentEdited
from core.record.state import Request, RunState

Decided: TypeAlias = tuple[ApprovalDecided, ...]


@dataclass(frozen=True)
class Seen:
    """Exactly what the human saw; nothing else is decided.

    Attributes:
        request_id: the request.
        subject: the hash of what is decided about.
        estimate: the price that was shown; None where none was.
    """

    request_id: str
    subject: str
    estimate: Estimate | None

    @classmethod
    def of(cls, request: Request) -> Seen:
        """What a card shows of a request."""
        return cls(request.asked.request_id, request.asked.subject, request.asked.estimate)

    def waits_in(self, state: RunState) -> bool:
        """Whether exactly this still waits."""
        request = state.requests.get(self.request_id)
        return request is not None and request.waits and Seen.of(request) == self


@dataclass
class ApprovalQueue:
    """The order, the selection and the marks; they live as long as the card, and no longer.

    Attributes:
        waiting: what waits, oldest first, and then what was put off.
        selected: the id of the request that is shown; None where nothing waits.
        marked: what was marked, by request id, as it was seen.
    """

    waiting: list[Request] = field(default_factory=list)
    selected: str | None = None
    marked: dict[str, Seen] = field(default_factory=dict)
    _deferred: list[str] = field(default_factory=list)

    def update(self, state: RunState) -> None:
        """Take in what waits now; where the selected one is gone, its successor is selected."""
        order = [request.asked.request_id for request in self.waiting]
        open_requests = state.waiting if state.ended is None else ()  # a run that is over waits for nothing
        requests = {request.asked.request_id: request for request in open_requests}
        self._deferred = [name for name in self._deferred if name in requests]
        late = set(self._deferred)
        self.waiting = [request for name, request in requests.items() if name not in late]
        self.waiting += [requests[name] for name in self._deferred]
        self.marked = {name: seen for name, seen in self.marked.items() if seen.waits_in(state)}
        if self.selected not in requests:
            self.selected = self._successor(order)

    @property
    def current(self) -> Request | None:
        """The request that is shown."""
        return next((one for one in self.waiting if one.asked.request_id == self.selected), None)

    @property
    def position(self) -> int:
        """The place of the selected one, from 1; 0 where nothing waits."""
        names = [one.asked.request_id for one in self.waiting]
        return names.index(self.selected) + 1 if self.selected in names else 0

    def select(self, name: str) -> bool:
        """Select a request by its id or its experiment's.

        Returns:
            Whether there is one; otherwise nothing changes.
        """
        for request in self.waiting:
            if name in (request.asked.request_id, request.asked.experiment_id):
                self.selected = request.asked.request_id
                return True
        return False

    def move(self, steps: int) -> None:
        """Select another, around the end."""
        if self.waiting:
            place = (max(self.position, 1) - 1 + steps) % len(self.waiting)
            self.selected = self.waiting[place].asked.request_id

    def defer(self) -> bool:
        """Put the selected one off to the end, and select the next.

        Returns:
            Whether anything else waits.
        """
        if self.selected is None or len(self.waiting) < 2:
            return False
        name = self.selected
        self.move(1)
        self._deferred = [*(one for one in self._deferred if one != name), name]
        self.waiting.sort(key=lambda request: request.asked.request_id == name)
        return True

    def toggle_mark(self) -> bool:
        """Mark the selected one, or take its mark away.

        Returns:
            Whether it is something that can be approved with others.
        """
        request = self.current
        if request is None or not can_be_marked(request):
            return False
        name = request.asked.request_id
        if self.marked.pop(name, None) is None:
            self.marked[name] = Seen.of(request)
        return True

    def toggle_all_marks(self) -> None:
        """Mark everything that can be approved with others; where all of it is marked, nothing."""
        every = {one.asked.request_id: Seen.of(one) for one in self.waiting if can_be_marked(one)}
        self.marked = {} if every.keys() == self.marked.keys() else every

    def _successor(self, order: Sequence[str]) -> str | None:
        """What stood behind the selected one, or else the first."""
        names = [request.asked.request_id for request in self.waiting]
        behind = order[order.index(self.selected) :] if self.selected in order else []
        return next((name for name in behind if name in names), names[0] if names else None)


def can_be_marked(request: Request) -> bool:
    """Whether others can be approved with it: questions need words, missing isolation a yes of its own."""
    return request.asked.kind in ("launch", "script")


def approve_seen(state: RunState, *seen: Seen) -> Decided:
    """Approve what was seen: all of it or nothing.

    Raises:
        DecisionError: something of it does not wait any more, or is not what was seen.
    """
    decided: list[ApprovalDecided] = []
    for one in seen:
        decided += decisions.approve(state, one.request_id)
        _refuse_changed(state, one)
    return tuple(decided)


def reject_seen(state: RunState, seen: Seen, note: str) -> Decided:
    """Reject what was seen.

    Raises:
        DecisionError: it does not wait any more, or is not what was seen.
    """
    decided = decisions.reject(state, seen.request_id, note)
    _refuse_changed(state, seen)
    return decided


def answer_seen(state: RunState, seen: Seen, text: str) -> Decided:
    """Answer the question that was seen.

    Raises:
        DecisionError: it does not wait any more, is not what was seen, or the answer is empty.
    """
    decided = decisions.answer(state, seen.request_id, text)
    _refuse_changed(state, seen)
    return decided


def edit_seen(
    state: RunState, experiment_id: str, seen_sha256: str, changes: dict[str, object]
) -> tuple[ExperimentEdited, ...]:
    """Edit the specification that was seen.

    Args:
        state: the run.
        experiment_id: the experiment.
        seen_sha256: the hash of the specification that the form was filled with.
        changes: as ``decisions.edit`` takes them.

    Raises:
        DecisionError: it was changed meanwhile, is locked or has ended, or the changes do not fit.
    """
    edited = decisions.edit(state, experiment_id, changes)
    if state.experiments[edited[0].experiment.id].spec.sha256 != seen_sha256:
        raise DecisionError(
            f"{experiment_id} was changed by someone else while you edited", "Close the form and look again."
        )
    return edited


def _refuse_changed(state: RunState, seen: Seen) -> None:
    if not seen.waits_in(state):
        raise DecisionError("it changed while you looked", "Look again.")
