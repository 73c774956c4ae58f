"""The scripts of an experiment, one at a time."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from core.evidence.code_checks import check_code
from core.record.state import Exec, ExperimentState
from tui.run_feed import RunFeed
from tui.safe_text import one_line, safe
from tui.widgets.code_lines import script_lines
from tui.widgets.lines import colour_of, moment
from tui.widgets.page_reader import PageReader
from tui.widgets.script_state import Going, script_mark, script_time
from tui.wording import counted


class CodeView(PageReader):
    """A script with line numbers, and how it went."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("less_than_sign", "other(-1)", "earlier", key_display="<", id="code.earlier"),
        Binding("greater_than_sign", "other(1)", "later", key_display=">", id="code.later"),
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
        went = (script and script.ended, script and script.records, feed.has_engine, feed.state.ended)
        looks = (agent, exec_id, *went, len(self._execs()))
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

    def text_to_copy(self) -> str:
        """The whole script."""
        exec_id = self.exec_id
        return safe(self._feed.state.execs[exec_id].asked.code) if exec_id and self._feed else ""

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
        assert self._feed is not None
        going = Going.of(self._feed, script, moment())
        mark, how = script_mark(script, going)
        seconds = script_time(script, going) if script.ended else ""
        return Content.assemble(
            " ",
            (one_line(script.asked.exec_id), "bold"),
            (f"  {place} of {len(experiment.execs)}  ", "$muted"),
            (f"{mark.glyph} {how}{f' · {seconds}' if seconds else ''}", colour_of(mark)),
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
        lines += [
            Content.styled(f" line {warning.line}: {one_line(warning.text)}", "$waiting")
            for warning in check_code(script.asked.code)
        ]
        return lines
