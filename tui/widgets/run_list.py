"""The list of runs: one line each, with its state, verdicts, cost and age."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from tui.run_history import RunSummary
from tui.widgets.lines import moment, under_cursor
from tui.widgets.page_view import PageView
from tui.widgets.run_columns import ORDERS, Order, run_line
from tui.widgets.sparse_lines import SparseLines

CURSOR = "▌"


class RunList(PageView):
    """Runs as lines.

    Attributes:
        order: how they are sorted.
        pattern: what the title, the state or the id of a shown run has in it.
        pulses: whether what runs moves.
    """

    BINDING_GROUP_TITLE = "List of runs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "step(1)", "down", show=False, id="runs.down"),
        Binding("up,k", "step(-1)", "up", show=False, id="runs.up"),
        Binding("pagedown,ctrl+d", "step_page(1)", "further down", show=False, id="runs.half_down"),
        Binding("pageup,ctrl+u", "step_page(-1)", "further up", show=False, id="runs.half_up"),
        Binding("home,g", "step(-1000000)", "top", show=False, id="runs.top"),
        Binding("end,G", "step(1000000)", "bottom", show=False, id="runs.bottom"),
    ]

    class Moved(Message):
        """The cursor went to another run, or the one under it has changed."""

    class Chosen(Message):
        """A run is to be opened."""

        def __init__(self, run: RunSummary) -> None:
            super().__init__()
            self.run = run

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.order = ORDERS[0]
        self.pattern = ""
        self.pulses = False
        self._all: list[RunSummary] = []
        self._runs: list[RunSummary] = []
        self._cursor = 0

    @property
    def run(self) -> RunSummary | None:
        """The run under the cursor."""
        return self._runs[self._cursor] if self._cursor < len(self._runs) else None

    @property
    def shown(self) -> Sequence[RunSummary]:
        """The runs that the filter lets through, in order."""
        return self._runs

    def show(self, runs: Sequence[RunSummary]) -> None:
        """Show runs; the cursor stays on the one it is on."""
        self._all = list(runs)
        self._arrange()

    def set_order(self, order: Order) -> None:
        """Sort in another way."""
        self.order = order
        self._arrange()

    def set_pattern(self, pattern: str) -> None:
        """Show only runs that have this in them."""
        self.pattern = pattern.casefold().strip()
        self._arrange()

    def draw(self) -> None:
        """Draw what can be seen as it is now: costs and ages grow by themselves."""
        top, height = self.scroll_offset.y, max(1, self.size.height)
        made = {
            y: self._line(self._runs[y], y == self._cursor)
            for y in range(max(0, top - height), min(len(self._runs), top + 2 * height))
        }
        self.set_lines(SparseLines(len(self._runs), made))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Make the lines that come into sight."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.draw()

    def on_resize(self) -> None:
        """Fill another width."""
        self.draw()
        self._keep_in_sight()

    def watch_has_focus(self, _has_focus: bool) -> None:
        """The cursor is marked where keys go; where they go elsewhere, it steps back."""
        super().watch_has_focus(_has_focus)
        self.draw()

    def on_click(self, event: events.Click) -> None:
        """Go to the run under the mouse; the one under the cursor is opened."""
        y = event.y + self.scroll_offset.y
        if not 0 <= y < len(self._runs):
            return
        if y == self._cursor and event.chain > 1:
            self.post_message(self.Chosen(self._runs[y]))
        else:
            self._go_to(y)

    def action_step(self, lines: int) -> None:
        """Move the cursor."""
        self._go_to(min(max(0, self._cursor + lines), len(self._runs) - 1))

    def action_step_page(self, direction: int) -> None:
        """Move the cursor by half a page."""
        self.action_step(direction * max(1, self.size.height // 2))

    def _go_to(self, y: int) -> None:
        if y == self._cursor or not 0 <= y < len(self._runs):
            return
        self._cursor = y
        self.draw()
        self._keep_in_sight()
        self.post_message(self.Moved())

    def _keep_in_sight(self) -> None:
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if not top <= self._cursor < top + height:
            y = self._cursor if self._cursor < top else self._cursor - height + 1
            self.scroll_to(y=y, animate=False, immediate=True)

    def _arrange(self) -> None:
        before, at = self.run, moment()
        runs = [run for run in self._all if self._fits(run)]
        self._runs = sorted(runs, key=lambda run: self.order.key(run, at))
        ids = [run.folder.run_id for run in self._runs]
        if before is not None and before.folder.run_id in ids and self._moved_by_hand:
            self._cursor = ids.index(before.folder.run_id)
        self._cursor = min(self._cursor, max(0, len(ids) - 1))
        self.draw()
        self.post_message(self.Moved())

    @property
    def _moved_by_hand(self) -> bool:
        """Whether the cursor is on a run that was chosen, and not just on whatever came first."""
        return self._cursor > 0 or self.scroll_offset.y > 0

    def _fits(self, run: RunSummary) -> bool:
        if not self.pattern:
            return True
        words = f"{run.title} {run.mark.word} {run.folder.run_id} {'scripted' if run.scripted else ''}"
        return all(word in words.casefold() for word in self.pattern.split())

    def _line(self, run: RunSummary, chosen: bool) -> Content:
        cursor = f"{CURSOR} " if chosen and self.has_focus else "  "
        line = run_line(run, moment(), self.size.width, bold=chosen, pulses=self.pulses)
        line = Content.assemble((cursor, "$accent"), line)
        return under_cursor(line, self) if chosen else line
