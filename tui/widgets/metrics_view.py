"""What an experiment measures: curves that grow as its script logs, and a table of results."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content

from core.errors import FumehoodError
from core.record.state import Exec, ExperimentState
from tui.run_feed import RunFeed
from tui.run_records import ExecRecords, RunRecords, arm_label
from tui.safe_text import one_line
from tui.widgets.chart import Series, Window, colour_of_series, draw, letter_of_series, shortly
from tui.widgets.page_view import PageView
from tui.widgets.result_table import result_table

SMOOTHING = (1, 5, 15, 45)
"""Half columns that values are averaged over."""

ZOOM = 1.5
NAME_CHARACTERS = 40
LEAST_ROWS = 8


class MetricsView(PageView):
    """A chart of one metric, and all results in a table below.

    Args:
        records: what scripts recorded; shared with other parts of the screen.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "other(1)", "next metric", id="metrics.next"),
        Binding("C", "other(-1)", "metric before", show=False, id="metrics.previous"),
        Binding("left,h", "cursor(-1)", "cursor", key_display="h l", id="metrics.cursor_left"),
        Binding("right,l", "cursor(1)", "cursor", show=False, id="metrics.cursor_right"),
        Binding("plus,equals_sign", "zoom(True)", "zoom", key_display="+ −", id="metrics.zoom_in"),
        Binding("minus", "zoom(False)", "zoom out", show=False, id="metrics.zoom_out"),
        Binding("0", "whole", "whole", id="metrics.whole"),
        Binding("L", "logarithm", "log y", id="metrics.logarithm"),
        Binding("s", "smooth", "smooth", id="metrics.smooth"),
    ]

    def __init__(self, records: RunRecords, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._records = records
        self._feed: RunFeed | None = None
        self._agent = ""
        self._metric: dict[str, int] = {}
        self._window = Window()
        self._shown: tuple[object, ...] = ()
        self._limits = (0.0, 1.0)

    def show(self, feed: RunFeed, agent: str) -> None:
        """Show what an experiment's scripts recorded, and read on where there is more."""
        self._feed = feed
        if agent != self._agent:
            self._agent, self._window = agent, Window()
            self.scroll_home(animate=False)
        for script in self._scripts():
            exec_id = script.asked.exec_id
            if script.records > self._records.of(exec_id).read and self._records.may_read(exec_id):
                self._read(exec_id)
        self._draw()

    def on_resize(self) -> None:
        """Fill another size."""
        self._draw()

    @work(exclusive=False, group="records")
    async def _read(self, exec_id: str) -> None:
        """Read what was recorded since; other things go on meanwhile."""
        try:
            await self._records.catch_up(exec_id)
        except FumehoodError as error:
            self.notify(error.message, severity="warning", markup=False)
        self._draw()

    # Keys.

    def action_other(self, step: int) -> None:
        """Show another metric."""
        self._metric[self._agent] = self._metric.get(self._agent, 0) + step
        self._window = replace(self._window, low=None, high=None, cursor=None)
        self._draw()

    def action_cursor(self, columns: int) -> None:
        """Move the cursor; the first press puts it at the end."""
        cursor = self._window.cursor
        step = columns / max(1, self.size.width - 13)
        self._window = replace(
            self._window, cursor=1.0 if cursor is None else min(1.0, max(0.0, cursor + step))
        )
        self._draw()

    def action_zoom(self, closer: bool) -> None:
        """Look at less of it, or more, around the cursor."""
        low, high = self._limits
        share = 1.0 if self._window.cursor is None else self._window.cursor
        span = (high - low) / ZOOM if closer else (high - low) * ZOOM
        middle = low + (high - low) * share
        self._window = replace(self._window, low=middle - span * share, high=middle + span * (1 - share))
        self._draw()

    def action_whole(self) -> None:
        """Look at all of it again."""
        self._window = Window()
        self._draw()

    def action_logarithm(self) -> None:
        """Show values by their logarithm, or as they are."""
        self._window = replace(self._window, log_y=not self._window.log_y)
        self._draw()

    def action_smooth(self) -> None:
        """Smooth more, or not at all."""
        place = SMOOTHING.index(self._window.smooth)
        self._window = replace(self._window, smooth=SMOOTHING[(place + 1) % len(SMOOTHING)])
        self._draw()

    # Drawing.

    @property
    def _experiment(self) -> ExperimentState | None:
        return self._feed.state.experiments.get(self._agent) if self._feed else None

    def _scripts(self) -> list[Exec]:
        """The experiment's scripts that recorded anything; trials only where there is no other."""
        experiment = self._experiment
        if experiment is None or self._feed is None:
            return []
        scripts = [self._feed.state.execs[exec_id] for exec_id in experiment.execs]
        recorded = [script for script in scripts if script.records]
        return [script for script in recorded if not script.asked.trial] or recorded

    def _draw(self) -> None:
        scripts, width, height = self._scripts(), self.size.width, self.size.height
        if not width or self._feed is None:
            return
        known = [self._records.of(script.asked.exec_id) for script in scripts]
        looks = (
            self._agent,
            tuple(x.read for x in known),
            width,
            height,
            self._window,
            self._metric.get(self._agent),
        )
        if looks == self._shown:
            return
        self._shown = looks
        if not any(records.curves or records.results for records in known):
            said = "Nothing is measured yet." if self._experiment else "Only experiments measure."
            self.set_lines([Content(), Content.styled(f"  {said}", "$muted")])
            return
        experiment = self._experiment
        hypothesis = experiment.spec.hypothesis if experiment else None
        table = list(result_table(_results(known), hypothesis, width))
        room = max(LEAST_ROWS, height - len(table) - 3)
        self.set_lines([*self._chart(known, width, room), Content(), *table])

    def _chart(self, known: list[ExecRecords], width: int, height: int) -> Iterator[Content]:
        metrics = list(self._metrics(known))
        place = self._metric.get(self._agent, 0) % len(metrics)
        name, series = metrics[place]
        picture = draw(series, self._window, width - 1, height)
        hints = [f"{place + 1} of {len(metrics)}"] if len(metrics) > 1 else []
        hints += ["log y"] if self._window.log_y else []
        hints += [f"smoothed over {self._window.smooth}"] if self._window.smooth > 1 else []
        if picture is not None and picture.x is not None:
            hints.append(f"at {shortly(picture.x)}")
        yield Content.assemble(
            "  ",
            (one_line(name, NAME_CHARACTERS), "bold"),
            (f"   {' · '.join(hints)}" if hints else "", "$muted"),
        )
        if picture is None:
            yield Content.styled("  nothing to draw here: 0 shows the whole", "$muted")
            return
        self._limits = (picture.low, picture.high)
        legend = [
            Content.assemble(
                (f"{letter_of_series(number)} ", f"{colour_of_series(number)} bold"),
                (line.label, "$muted"),
                f" {shortly(value)}" if value is not None else " –",
            )
            for number, (line, value) in enumerate(zip(series, picture.values, strict=True))
        ]
        yield Content.assemble("  ", Content("   ").join(legend))
        yield from picture.lines

    def _metrics(self, known: list[ExecRecords]) -> Iterator[tuple[str, list[Series]]]:
        """Each metric with its series: logged ones first, then results over seeds."""
        experiment = self._experiment
        hypothesis = experiment.spec.hypothesis if experiment else None
        newest: dict[str, ExecRecords] = {}
        for records in known:
            newest |= dict.fromkeys(records.curves, records)
        for name, records in newest.items():
            yield (
                name,
                [
                    Series(arm_label(hypothesis, records.conditions.get(key, {})), curve.xs, curve.ys)
                    for key, curve in records.curves[name].items()
                ],
            )
        for name, records in _results(known).items():
            yield (
                f"{name} by seed",
                [
                    Series(
                        arm_label(hypothesis, records.conditions.get(key, {})), sorted(arm), _in_order(arm)
                    )
                    for key, arm in records.results[name].items()
                ],
            )


def _results(known: list[ExecRecords]) -> dict[str, ExecRecords]:
    """The records of the newest script that has a result of a name, by that name."""
    newest: dict[str, ExecRecords] = {}
    for records in known:
        newest |= dict.fromkeys(records.results, records)
    return newest


def _in_order(arm: dict[float, float]) -> list[float]:
    """Values in the order of their seeds."""
    return [arm[seed] for seed in sorted(arm)]
