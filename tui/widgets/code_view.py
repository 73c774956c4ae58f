"""The scripts of an experiment, one at a time."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from core.record.state import Exec, ExperimentState
from tui import glyphs
from tui.run_feed import RunFeed
from tui.safe_text import one_line
from tui.screen import Mark
from tui.widgets.code_lines import script_lines
from tui.widgets.lines import colour_of
from tui.widgets.page_view import PageView
from tui.wording import clock, counted


class CodeView(PageView):
    """A script with line numbers, and how it went."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("less_than_sign", "other(-1)", "earlier script", key_display="<", id="code.earlier"),
        Binding("greater_than_sign", "other(1)", "later script", key_display=">", id="code.later"),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._feed: RunFeed | None = None
        self._agent = ""
        self._chosen: dict[str, str] = {}
        self._shown: tuple[object, ...] = ()

    @property
    def exec_id(self) -> str | None:
        """The script that is shown."""
        execs = self._execs()
        chosen = self._chosen.get(self._agent)
        return chosen if chosen in execs else (execs[-1] if execs else None)

    def show(self, feed: RunFeed, agent: str) -> None:
        """Show the newest script of an experiment, or the one that was chosen."""
        self._feed = feed
        other = agent != self._agent
        self._agent = agent
        exec_id = self.exec_id
        script = feed.state.execs[exec_id] if exec_id else None
        looks = (agent, exec_id, script and script.ended, script and script.records, len(self._execs()))
        if looks == self._shown:
            return
        self._shown = looks
        self.set_lines(self._lines(script))
        if other:
            self.scroll_home(animate=False)

    def action_other(self, step: int) -> None:
        """Show an earlier or a later script."""
        execs, shown = self._execs(), self.exec_id
        if shown is None or self._feed is None:
            return
        place = min(max(0, execs.index(shown) + step), len(execs) - 1)
        self._chosen[self._agent] = execs[place]
        self.show(self._feed, self._agent)
        self.scroll_home(animate=False)

    def _execs(self) -> list[str]:
        experiment = self._feed.state.experiments.get(self._agent) if self._feed else None
        return experiment.execs if experiment else []

    def _lines(self, script: Exec | None) -> list[Content]:
        if script is None or self._feed is None:
            what = (
                "It has run no script yet."
                if self._agent.startswith("E")
                else "Only experiments run scripts."
            )
            return [Content(), Content.styled(f"  {what}", "$muted")]
        experiment = self._feed.state.experiments[self._agent]
        code = script_lines(script.asked.code)
        gutter = len(str(len(code))) + 1
        return [
            self._head(script, experiment),
            *self._remarks(script, experiment),
            Content(),
            *(
                Content.assemble((f" {number:>{gutter}} ", "$muted"), " ", line)
                for number, line in enumerate(code, start=1)
            ),
        ]

    def _head(self, script: Exec, experiment: ExperimentState) -> Content:
        place = experiment.execs.index(script.asked.exec_id) + 1
        trial = Content.styled("  a trial: nothing in it counts", "$waiting") if script.asked.trial else ""
        mark, how = _went(script, running=experiment.open)
        return Content.assemble(
            " ",
            (one_line(script.asked.exec_id), "bold"),
            (f"  {place} of {len(experiment.execs)}  ", "$muted"),
            (f"{mark.glyph} {how}", colour_of(mark)),
            trial,
            (f"  {one_line(script.asked.purpose)}", "$muted"),
        )

    def _remarks(self, script: Exec, experiment: ExperimentState) -> list[Content]:
        lines = []
        if script.records:
            lines.append(Content.styled(f" {counted(script.records, 'record')}", "$muted"))
        if experiment.verdict:
            lines += [
                Content.styled(f" deviation: {one_line(text)}", "$waiting")
                for text in experiment.verdict.deviations
            ]
        return lines


def _went(script: Exec, *, running: bool) -> tuple[Mark, str]:
    ended = script.ended
    if ended is None:
        return (glyphs.RUNNING, "running") if running else (glyphs.FAILED, "was cut short")
    if ended.end != "finished":
        return glyphs.FAILED, f"was ended ({one_line(ended.end)}) after {clock(ended.seconds)}"
    mark = glyphs.DONE if ended.exit_code == 0 else glyphs.FAILED
    return mark, f"exit code {ended.exit_code} after {clock(ended.seconds)}"
