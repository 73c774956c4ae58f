"""The findings rail: what each experiment found last, with the course of its main metric."""

from __future__ import annotations

import asyncio
import contextlib

from rich.cells import cell_len
from textual import work
from textual.content import Content

from core.errors import FumehoodError
from core.record.state import ExperimentState, RunState
from tui import glyphs
from tui.run_feed import RunFeed
from tui.run_records import RunRecords, arm_label
from tui.safe_text import one_line
from tui.widgets.chart import shortly
from tui.widgets.lines import colour_of, spread
from tui.widgets.page_view import PageView

BARS = "▁▂▃▄▅▆▇█"
SPARK_COLUMNS = 12
FEW_LINES, MANY_LINES = 3, 8
"""Of one finding; more of it is shown where the page is high."""
HIGH_ROWS = 24
MOST_EXPERIMENTS = 12
INDENT = 6


class Findings(PageView, can_focus=False):
    """Findings, newest experiment first."""

    DEFAULT_CSS = """
    Findings { border-top: solid $line; padding: 0 1; scrollbar-size-vertical: 0; }
    """

    def __init__(self, records: RunRecords, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._records = records
        self._told: dict[str, tuple[object, list[Content]]] = {}
        self._reads = False
        self._feed: RunFeed | None = None

    def show(self, feed: RunFeed, agent: str) -> None:
        """Show the findings there are."""
        self._feed = feed
        self._draw()
        if not self._reads and any(self._may_read(exec_id) for exec_id in _measured(feed.state)):
            self._reads = True
            self._read()

    def on_resize(self) -> None:
        """Fill another width."""
        self._draw()

    def _may_read(self, exec_id: str) -> bool:
        """Whether something was recorded that was not read, and it is time to."""
        if self._feed is None:
            return False
        recorded = self._feed.state.execs[exec_id].records
        return recorded > self._records.of(exec_id).read and self._records.may_read(exec_id)

    @work(group="findings")
    async def _read(self) -> None:
        """Read what was recorded since; other things go on meanwhile."""
        try:
            for exec_id in _measured(self._feed.state) if self._feed is not None else ():
                if self._may_read(exec_id):
                    with contextlib.suppress(FumehoodError):  # whoever follows the journal says what is wrong
                        await self._records.catch_up(exec_id)
                    await asyncio.sleep(0)
        finally:
            self._reads = False
        self._draw()

    def _draw(self) -> None:
        """Make the lines; only those of experiments that have something new are made anew."""
        if self._feed is None or not self.size.width:
            return
        width, before = self.size.width, self._told
        most = MANY_LINES if self.size.height >= HIGH_ROWS else FEW_LINES
        self._told = {}
        for experiment in _telling(self._feed.state):
            read = tuple(self._records.of(exec_id).read for exec_id in experiment.execs)
            looks = (glyphs.experiment_mark(experiment), len(experiment.findings), read, width, most)
            known = before.get(experiment.id)
            if known is None or known[0] != looks:
                known = (looks, _finding(experiment, self._records, width, most))
            self._told[experiment.id] = known
        if [*before.values()] != [*self._told.values()] or not self.lines:
            self.set_lines(_lines([told for _, told in self._told.values()]))


def _telling(state: RunState) -> list[ExperimentState]:
    """The newest experiments that have something to tell."""
    telling = [x for x in state.experiments.values() if x.findings or x.verdict]
    return telling[: -MOST_EXPERIMENTS - 1 : -1]


def _measured(state: RunState) -> list[str]:
    """The scripts whose results are drawn: for each experiment the newest that recorded any."""
    newest = []
    for experiment in _telling(state):
        scripts = [state.execs[exec_id] for exec_id in experiment.execs]
        recorded = [script.asked.exec_id for script in scripts if script.records and not script.asked.trial]
        newest += recorded[-1:]
    return newest


def _lines(told: list[list[Content]]) -> list[Content]:
    lines = [Content.styled("FINDINGS", "$muted bold")]
    if not told:
        return [*lines, Content.styled("nothing yet", "$muted")]
    for finding in told:
        lines += [*finding, Content()]
    return lines[:-1]


def _finding(experiment: ExperimentState, records: RunRecords, width: int, most: int) -> list[Content]:
    mark = glyphs.experiment_mark(experiment)
    spark = Content.styled(sparkline(_values(experiment, records)), "$accent")
    head = Content.assemble((f"{mark.glyph} ", colour_of(mark)), (f"{experiment.id:<4}", "bold"))
    text = one_line(experiment.findings[-1]) if experiment.findings else ""
    if experiment.verdict is not None:
        room = width - head.cell_length - spark.cell_length - 2
        head = head.append(Content.styled(_effect(experiment, room), colour_of(mark)))
    elif text and head.cell_length + cell_len(text) + spark.cell_length + 2 <= width:
        head, text = head.append(text), ""
    under = Content(text).wrap(max(10, width - INDENT)) if text else []
    if len(under) > most:
        last = under[most - 1].rstrip()
        under = [*under[: most - 1], last.truncate(max(10, width - INDENT) - 1).append("…")]
    return [spread(head, spark, width), *(Content.assemble(" " * INDENT, line) for line in under)]


def _effect(experiment: ExperimentState, room: int) -> str:
    """The effect that decided, and its interval where there is room."""
    verdict = experiment.verdict
    if verdict is None or verdict.effect is None:
        return ""
    interval = "  [" + ", ".join(shortly(end) for end in verdict.interval) + "]" if verdict.interval else ""
    effect = shortly(verdict.effect)
    return f"{effect}{interval}" if len(effect) + len(interval) <= room else effect


def _values(experiment: ExperimentState, records: RunRecords) -> list[float]:
    """The course of the metric that decides: over seeds, in the arm that the hypothesis is about."""
    hypothesis = experiment.spec.hypothesis
    for exec_id in reversed(experiment.execs):
        known = records.of(exec_id)
        for name, arms in known.results.items():
            if hypothesis is not None and name.partition(" (")[0] != hypothesis.metric.name:
                continue
            for key, arm in arms.items():
                label = arm_label(hypothesis, known.conditions.get(key, {}))
                if hypothesis is None or label == arm_label(hypothesis, hypothesis.treatment.where):
                    return [arm[seed] for seed in sorted(arm)][-SPARK_COLUMNS:]
    return []


def sparkline(values: list[float]) -> str:
    """Values as bars, from the lowest to the highest of them; empty for fewer than two."""
    finite = [value for value in values if abs(value) < float("inf")]
    if len(finite) < 2:
        return ""
    low, high = min(finite), max(finite)
    if high == low:
        return BARS[3] * len(finite)
    # Scaled, because the difference of two large numbers may be infinite, and that of tiny ones nothing.
    largest = max(-low, high)
    low, span = low / largest, high / largest - low / largest
    if span == 0:
        return BARS[3] * len(finite)
    return "".join(BARS[min(7, int((value / largest - low) / span * 8))] for value in finite)
