"""The findings rail: what each experiment found last, with the course of its main metric."""

from __future__ import annotations

from textual.content import Content

from core.record.state import ExperimentState, RunState
from tui import glyphs
from tui.plain import verdict_in_words
from tui.run_feed import RunFeed
from tui.safe_text import one_line
from tui.widgets.lines import colour_of, fitted
from tui.widgets.page_view import PageView

BARS = "▁▂▃▄▅▆▇█"
SPARK_COLUMNS = 12
MOST_LINES = 3


class Findings(PageView, can_focus=False):
    """Findings, newest experiment first."""

    DEFAULT_CSS = """
    Findings { border-top: solid $line; padding: 0 1; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._shown: tuple[object, ...] = ()
        self._feed: RunFeed | None = None

    def show(self, feed: RunFeed, agent: str) -> None:
        """Show the findings there are."""
        self._feed = feed
        looks = (feed.state.seq, self.size.width)
        if not self.size.width or looks == self._shown:
            return
        self._shown = looks
        self.set_lines(_lines(feed.state, self.size.width))

    def on_resize(self) -> None:
        """Fill another width."""
        if self._feed is not None:
            self.show(self._feed, "")


def _lines(state: RunState, width: int) -> list[Content]:
    lines = [Content.styled("FINDINGS", "$muted bold")]
    telling = [x for x in state.experiments.values() if x.findings or x.verdict]
    if not telling:
        return [*lines, Content.styled("nothing yet", "$muted")]
    for experiment in reversed(telling):
        lines += _finding(state, experiment, width)
    return lines


def _finding(state: RunState, experiment: ExperimentState, width: int) -> list[Content]:
    mark = glyphs.experiment_mark(experiment)
    spark = sparkline(_values(state, experiment))
    head = Content.assemble((f"{mark.glyph} ", colour_of(mark)), (f"{experiment.id:<4}", "bold"))
    if experiment.verdict is not None and experiment.spec.hypothesis is not None:
        text = verdict_in_words(experiment.verdict, experiment.spec.hypothesis.metric.unit)
        head = head.append(
            Content.styled(text.removeprefix("effect ").partition("]")[0] + "]", colour_of(mark))
        )
    right = Content.styled(spark, "$accent")
    lines = [Content.assemble(fitted(head, width - right.cell_length - 1), " ", right)]
    if experiment.findings:
        wrapped = Content(one_line(experiment.findings[-1])).wrap(max(10, width - 6))
        lines += [Content.assemble(" " * 6, line) for line in wrapped[:MOST_LINES]]
    return lines


def _values(state: RunState, experiment: ExperimentState) -> list[float]:
    """The newest values of the metric that decides, else of whatever was measured."""
    name = experiment.spec.hypothesis.metric.name if experiment.spec.hypothesis else None
    for exec_id in reversed(experiment.execs):
        results = state.execs[exec_id].results
        values = [v for key, v in results if isinstance(v, int | float) and name in (None, key)]
        if values:
            return [float(value) for value in values][-SPARK_COLUMNS:]
    return []


def sparkline(values: list[float]) -> str:
    """Values as bars, from the lowest to the highest of them; empty for fewer than two."""
    finite = [value for value in values if abs(value) < float("inf")]
    if len(finite) < 2:
        return ""
    low, high = min(finite), max(finite)
    if high == low:
        return BARS[3] * len(finite)
    # Halves, because the difference of two large numbers may be infinite.
    span = high / 2 - low / 2
    return "".join(BARS[min(7, int((value / 2 - low / 2) / span * 8))] for value in finite)
