"""The plan: the orchestrator, rounds with their experiments, and the writer.

Not Textual's ``Tree``: that one lays all its nodes out anew whenever one is added, which takes half a
second with ten thousand, and its keys cannot be remapped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import ClassVar, Literal

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from core.pricing import dollars
from core.record.events import Call
from core.record.state import AgentState, ExperimentState, RunState
from tui import glyphs
from tui.run_feed import RunFeed
from tui.safe_text import one_line
from tui.widgets.lines import colour_of, cost_of, fitted, mark_of, moment, right_aligned, total_cost
from tui.widgets.page_view import PageView

ORCHESTRATOR, WRITER = "orchestrator", "writer"
COST_COLUMNS = 8
CURSOR = "▌"
DOING = {
    "wait_for_results": "waits for results",
    "ask_human": "asks you",
    "submit_paper": "submits the paper",
}
"""What an agent does while a tool call of it has no answer yet."""


@dataclass(frozen=True)
class Row:
    """A line of the plan.

    Attributes:
        kind: what it is.
        key: an agent's name, or a round's number as text.
    """

    kind: Literal["agent", "round", "experiment"]
    key: str


class PlanTree(PageView):
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

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._feed: RunFeed | None = None
        self._rows: list[Row] = []
        self._cursor = 0
        self._agent = ""
        self._folded: dict[str, bool] = {}
        self._word_columns = 0
        self._rounds: dict[str, list[ExperimentState]] = {}
        self._looks = (0, "")

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
        if (looks := (feed.state.seq, agent)) != self._looks:
            self._looks = looks
            self._rows = list(self._arranged(feed.state, agent))
            self._rounds = _by_round(feed.state)
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

    def on_focus(self) -> None:
        """The cursor is marked by more than a colour where keys go."""
        self._draw()

    def on_blur(self) -> None:
        """The cursor steps back."""
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
        if self._cursor < top:
            top = self._cursor
        elif self._cursor >= top + height:
            top = self._cursor - height + 1
        # Far more lines than are seen would cost time with every event: only these are made.
        seen = range(top, min(len(self._rows), top + height))
        self.set_lines(_Lines(len(self._rows), {y: self._line(y, state, at) for y in seen}))
        if top != self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, force=True, immediate=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Lines that come into sight have to be made."""
        super().watch_scroll_y(old_value, new_value)
        if self._feed is not None and round(old_value) != round(new_value):
            self._draw_around(round(new_value))

    def _draw_around(self, top: int) -> None:
        lines = self.lines
        if isinstance(lines, _Lines) and self._feed is not None:
            state, at = self._feed.state, moment()
            for y in range(max(0, top), min(len(self._rows), top + self.size.height)):
                if y not in lines.made:
                    lines.made[y] = self._line(y, state, at)
                    self._strips.clear()

    def _line(self, y: int, state: RunState, at: datetime) -> Content:
        row, width = self._rows[y], self.size.width
        if row.kind == "agent":
            body, cost = self._agent_line(state, row.key), ""
        elif row.kind == "round":
            body, cost = (
                self._round_line(state, row.key, self._rounds.get(row.key, [])),
                _known_cost(self._rounds.get(row.key, []), at),
            )
        else:
            experiment = state.experiments[row.key]
            body, cost = self._experiment_line(state, experiment), cost_of(state, experiment, at)
        waits = row.kind == "experiment" and cost.startswith("≤") and _waits(state, row.key)
        style = "$waiting" if waits else "$muted" if row.kind == "round" or cost.startswith("≤") else ""
        edge = CURSOR if y == self._cursor else " "
        line = Content.assemble(
            (edge, "$accent" if self.has_focus else "$muted"),
            fitted(body, width - COST_COLUMNS - 3),
            " ",
            (right_aligned(cost, COST_COLUMNS), style),
            " ",
        )
        if y == self._cursor:
            line = line.stylize_before("on $panel")
        return line

    def _agent_line(self, state: RunState, name: str) -> Content:
        agent = state.agents.get(name)
        if agent is None:
            mark, doing = glyphs.PROPOSED, "not begun"
        elif agent.ended is not None:
            mark = glyphs.DONE if agent.ended.outcome == "done" else glyphs.FAILED
            doing = one_line(agent.ended.outcome)
        elif agent.retry is not None:
            mark, doing = glyphs.RUNNING, "tries again"
        elif (call := _unanswered(agent)) is not None:
            mark, doing = glyphs.QUEUED, DOING.get(call.name, f"uses {one_line(call.name, 20)}")
        else:
            mark, doing = glyphs.RUNNING, "thinks"
        if state.ended is not None and (agent is None or agent.ended is None):
            mark, doing = glyphs.DONE, "done" if state.ended.outcome == "done" else "ended"
        return Content.assemble((f"{mark.glyph} ", colour_of(mark)), (name, "bold"), "  ", (doing, "$muted"))

    def _round_line(self, state: RunState, number: str, experiments: list[ExperimentState]) -> Content:
        folded = self._is_folded(number)
        line = Content.assemble(("▸ " if folded else "▾ ", "$muted"), (f"Round {number}", "bold"))
        if folded:
            for mark, count in Counter(mark_of(state, x) for x in experiments).items():
                line = Content.assemble(line, "  ", (f"{mark.glyph}{count}", colour_of(mark)))
        return line

    def _experiment_line(self, state: RunState, experiment: ExperimentState) -> Content:
        mark = mark_of(state, experiment)
        colour = colour_of(mark)
        word = "being killed" if experiment.kill and experiment.open else mark.word
        waits = experiment.stage == "waiting" and state.ended is None
        title = one_line(experiment.spec.title)
        gpu = one_line(experiment.spec.compute.gpu or "", 12)
        settled = (not experiment.open or state.ended is not None) and experiment.verdict is None
        return Content.assemble(
            "  ",
            (f"{mark.glyph} ", colour),
            (f"{experiment.id:<3} ", "bold" if waits else ""),
            (f"{word:<{self._word_columns}} ", f"{colour} bold" if waits else colour),
            " ",
            (title, "$muted" if settled else ""),
            (f" · {gpu}" if gpu else "", "$muted"),
        )


class _Lines(Sequence[Content]):
    """Lines of which only some are made; the others are empty until they come into sight."""

    def __init__(self, count: int, made: dict[int, Content]) -> None:
        self._count = count
        self.made = made

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, y: int) -> Content:  # type: ignore[override]  # slices are never asked for
        if y >= self._count:
            raise IndexError(y)
        return self.made.get(y) or Content()


def _unanswered(agent: AgentState) -> Call | None:
    """The tool call that the agent waits for."""
    calls = agent.turns[-1].calls if agent.turns else ()
    return next((call for call in calls if call.id not in agent.answers), None)


def _by_round(state: RunState) -> dict[str, list[ExperimentState]]:
    rounds: dict[str, list[ExperimentState]] = {}
    for experiment in state.experiments.values():
        rounds.setdefault(str(experiment.spec.round), []).append(experiment)
    return rounds


def _known_cost(experiments: list[ExperimentState], at: datetime) -> str:
    started = [x for x in experiments if x.started_at is not None]
    return dollars(total_cost(started, at)) if started else ""


def _waits(state: RunState, experiment_id: str) -> bool:
    return state.experiments[experiment_id].stage == "waiting" and state.ended is None
