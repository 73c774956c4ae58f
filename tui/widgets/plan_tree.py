"""The plan: the orchestrator, rounds with their experiments, and the writer.

Not Textual's ``Tree``: that one lays all its nodes out anew whenever one is added, which takes half a
second with ten thousand, and its keys cannot be remapped.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from core.record.state import ExperimentState, RunState
from tui.run_feed import RunFeed
from tui.safe_text import one_line
from tui.widgets.lines import fitted, mark_of, moment, under_cursor
from tui.widgets.page_reader import PageReader
from tui.widgets.plan_lines import agent_line, experiment_cost, experiment_line, round_cost, round_line
from tui.widgets.plan_rows import ORCHESTRATOR, WRITER, Row, by_round, how_it_stands
from tui.widgets.sparse_lines import SparseLines

COST_COLUMNS = 8
CURSOR = "▌"


class PlanTree(PageReader):
    """The plan of a run as a tree that folds by rounds."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "step(1)", "down", show=False, id="tree.down"),
        Binding("up,k", "step(-1)", "up", show=False, id="tree.up"),
        Binding("pagedown,ctrl+d", "step(10)", "further down", show=False, id="tree.half_down"),
        Binding("pageup,ctrl+u", "step(-10)", "further up", show=False, id="tree.half_up"),
        Binding("home,g", "step(-1000000)", "top", show=False, id="tree.top"),
        Binding("end,G", "step(1000000)", "bottom", show=False, id="tree.bottom"),
        Binding("right,l", "fold(False)", "unfold", show=False, id="tree.unfold"),
        Binding("left,h", "fold(True)", "fold", show=False, id="tree.fold"),
        Binding("enter", "choose", "open", id="tree.open"),
        Binding("e", "edit", "edit", id="tree.edit"),
    ]

    DEFAULT_CSS = """
    PlanTree { padding: 0; }
    """

    class Moved(Message):
        """The cursor went to another agent."""

        def __init__(self, agent: str) -> None:
            super().__init__()
            self.agent = agent

    class Chosen(Moved):
        """Enter, or a click, on an agent: the human wants to see it."""

    class EditAsked(Moved):
        """The specification of an experiment is to be changed."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._feed: RunFeed | None = None
        self._rows: list[Row] = []
        self._cursor = 0
        self._drawn_cursor = -1
        self._agent = ""
        self._folded: dict[str, bool] = {}
        self._word_columns = 0
        self._rounds: dict[str, list[ExperimentState]] = {}
        self._stands: tuple[object, ...] = ()

    @property
    def row(self) -> Row | None:
        """The line under the cursor."""
        return self._rows[self._cursor] if self._cursor < len(self._rows) else None

    def show(self, feed: RunFeed, agent: str) -> None:
        """Show the plan as it is now, with the cursor on an agent."""
        self._feed = feed
        if feed.state.created is None or not self.size.width:
            return
        before = self.row
        if (stands := how_it_stands(feed.state, agent)) != self._stands:
            self._stands = stands
            self._rows = list(self._arranged(feed.state, agent))
            self._rounds = by_round(feed.state)
            words = {mark_of(feed.state, experiment).word for experiment in feed.state.experiments.values()}
            self._word_columns = max(map(len, words), default=0)
        if agent != self._agent:
            self._agent = agent
            before = Row("experiment" if agent in feed.state.experiments else "agent", agent)
        self._cursor = self._place_of(before)
        self._draw()

    def on_resize(self) -> None:
        """Fill another width."""
        if self._feed is not None:
            self._draw()

    def watch_has_focus(self, _has_focus: bool) -> None:
        """The cursor is marked where keys go; where they go elsewhere, it steps back."""
        super().watch_has_focus(_has_focus)
        self._draw()

    def on_click(self, event: events.Click) -> None:
        """Go to the line under the mouse; on a round, fold or unfold it."""
        y = event.y + self.scroll_offset.y
        if 0 <= y < len(self._rows):
            self._go_to(y)
            row = self._rows[y]
            if row.kind == "round":
                self.action_fold(not self._is_folded(row.key))
            else:
                self.post_message(self.Chosen(row.key))

    def action_step(self, lines: int) -> None:
        """Move the cursor."""
        self._go_to(min(max(0, self._cursor + lines), len(self._rows) - 1))

    def action_fold(self, folded: bool) -> None:
        """Fold or unfold the round under the cursor; folding from an experiment folds its round."""
        row = self.row
        if row is None or self._feed is None or row.kind == "agent":
            return
        if row.kind == "experiment":
            if not folded:
                self.post_message(self.Chosen(row.key))
                return
            y = self._cursor
            while self._rows[y].kind != "round":
                y -= 1
            self._cursor = y
            row = self._rows[y]
        self._folded[row.key] = folded
        self._rows = list(self._arranged(self._feed.state, ""))
        self._draw()

    def action_choose(self) -> None:
        """Open what is under the cursor."""
        row = self.row
        if row is None:
            return
        if row.kind == "round":
            self.action_fold(not self._is_folded(row.key))
        else:
            self.post_message(self.Chosen(row.key))

    def action_edit(self) -> None:
        """Change the experiment under the cursor, which is not locked yet."""
        if (row := self.row) is not None and self.check_action("edit", ()):
            self.post_message(self.EditAsked(row.key))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only an experiment that no approval has locked can be edited."""
        if action != "edit":
            return super().check_action(action, parameters)
        state, row = self._feed.state if self._feed else None, self.row
        if state is None or row is None or row.kind != "experiment" or state.ended is not None:
            return False
        experiment = state.experiments[row.key]
        return experiment.open and experiment.locked is None

    def words_at(self, y: int) -> str:
        """A row as it is searched: also where its line was never made."""
        row = self._rows[y]
        if row.kind != "experiment" or self._feed is None:
            return f"Round {row.key}" if row.kind == "round" else row.key
        experiment = self._feed.state.experiments[row.key]
        return f"{row.key} {mark_of(self._feed.state, experiment).word} {one_line(experiment.spec.title)}"

    def show_line(self, y: int) -> None:
        """Go to a row."""
        self._go_to(y)

    def text_to_copy(self) -> str:
        """The row under the cursor."""
        return self.lines[self._cursor].plain[1:].strip() if self._rows else ""

    def _go_to(self, y: int) -> None:
        if y == self._cursor or not 0 <= y < len(self._rows):
            return
        self._cursor = y
        self._draw()
        row = self._rows[y]
        if row.kind != "round":
            self._agent = row.key
            self.post_message(self.Moved(row.key))

    def _place_of(self, row: Row | None) -> int:
        """Where a line is now; where the cursor was, if it is gone."""
        if self._cursor < len(self._rows) and self._rows[self._cursor] == row:
            return self._cursor
        last = max(0, len(self._rows) - 1)
        return next((y for y, other in enumerate(self._rows) if other == row), min(self._cursor, last))

    # Arranging: which lines there are.

    def _arranged(self, state: RunState, agent: str) -> Iterator[Row]:
        yield Row("agent", ORCHESTRATOR)
        rounds = [
            (str(number), list(group))
            for number, group in groupby(state.experiments.values(), key=lambda x: x.spec.round)
        ]
        for place, (number, experiments) in enumerate(rounds):
            chosen = any(experiment.id == agent for experiment in experiments)
            if number not in self._folded:
                finished = not any(x.open for x in experiments)
                if finished and not chosen and place < len(rounds) - 1 and state.ended is None:
                    self._folded[number] = True
            elif chosen and agent != self._agent:
                self._folded[number] = False  # it was chosen elsewhere, so it must be seen here
            yield Row("round", number)
            if not self._is_folded(number):
                yield from (Row("experiment", experiment.id) for experiment in experiments)
        if WRITER in state.agents:
            yield Row("agent", WRITER)

    def _is_folded(self, number: str) -> bool:
        return self._folded.get(number, False)

    # Drawing: what a line looks like.

    def _draw(self) -> None:
        if self._feed is None or self._feed.state.created is None:
            return
        state, at = self._feed.state, moment()
        top, height = self.scroll_offset.y, self.size.height
        if self._cursor != self._drawn_cursor:  # else the mouse may have gone where it is not seen
            self._drawn_cursor = self._cursor
            top = min(max(top, self._cursor - height + 1), self._cursor)
        # Far more lines than are seen would cost time with every event: only these are made.
        seen = range(top, min(len(self._rows), top + height))
        self.set_lines(SparseLines(len(self._rows), {y: self._line(y, state, at) for y in seen}))
        if top != self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, force=True, immediate=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Lines that come into sight have to be made."""
        super().watch_scroll_y(old_value, new_value)
        if self._feed is not None and round(old_value) != round(new_value):
            self._draw_around(round(new_value))

    def _draw_around(self, top: int) -> None:
        lines = self.lines
        if isinstance(lines, SparseLines) and self._feed is not None:
            state, at = self._feed.state, moment()
            for y in range(max(0, top), min(len(self._rows), top + self.size.height)):
                if y not in lines.made:
                    lines.made[y] = self._line(y, state, at)
                    self._strips.clear()

    def _line(self, y: int, state: RunState, at: datetime) -> Content:
        row = self._rows[y]
        edge = Content.styled(CURSOR if y == self._cursor else " ", "$accent" if self.has_focus else "$muted")
        if row.kind == "agent":
            body, cost = agent_line(state, row.key), Content()
        elif row.kind == "round":
            experiments = self._rounds.get(row.key, [])
            body = round_line(state, row.key, experiments, folded=self._is_folded(row.key))
            cost = round_cost(experiments, at)
        else:
            experiment = state.experiments[row.key]
            body = experiment_line(state, experiment, self._word_columns)
            cost = experiment_cost(state, experiment, at)
        room = self.size.width - COST_COLUMNS - 3
        gap = " " * max(0, COST_COLUMNS - cost.cell_length)
        line = Content.assemble(edge, fitted(body, room), " ", gap, cost, " ")
        return under_cursor(line, self) if y == self._cursor else line
