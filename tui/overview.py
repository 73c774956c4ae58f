"""A run on one page of plain text: the plan with its states and prices, what waits, what was found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby

from core.evidence.measurement import Flag
from core.experiment import Experiment, criterion_in_words, judged_by_in_words
from core.models.scripted import LABEL
from core.pricing import at_most_dollars, dollars, price_range
from core.record.events import now
from core.record.folder import RunFolder
from core.record.state import ExperimentState, Request, RunState
from tui import glyphs
from tui.launch_words import (
    data_in_words,
    launch_notes,
    machine_in_words,
    network_in_words,
    packages_in_words,
    prices_note,
)
from tui.plain import code_warnings, commands_for, verdict_in_words
from tui.safe_text import one_line, safe
from tui.screen import Screen
from tui.status import status_of, waiting_count
from tui.wording import clock, cost_line, counted, data_lines, time_of_day

WORD_COLUMNS = 14
MESSAGE_CHARACTERS = 300
MOST_DOUBTS = 12


class Overview:
    """Puts a run on a page.

    Args:
        folder: the run.
        state: what it looks like.
        screen: for colours and width; nothing is printed here.
        scripts: whether scripts are shown whole.
        flags: what looks wrong in the run.
    """

    def __init__(
        self,
        folder: RunFolder,
        state: RunState,
        screen: Screen,
        *,
        scripts: bool = False,
        flags: Sequence[Flag] = (),
    ) -> None:
        self.folder = folder
        self.state = state
        self.screen = screen
        self.scripts = scripts
        self.flags = flags

    def lines(self) -> list[str]:
        """The whole page."""
        parts = (
            self._head(),
            self._data(),
            self._plan(),
            self._waiting(),
            self._findings(),
            self._doubts(),
            self._paper(),
        )
        return [
            line
            for number, part in enumerate(filter(None, parts))
            for line in (["", *part] if number else part)
        ]

    def _head(self) -> list[str]:
        state, status = self.state, status_of(self.folder, self.state)
        assert state.created is not None
        settings = state.settings
        isolation = f" · isolation: {one_line(state.engine.isolation)}" if state.engine else ""
        waits = f"   {self.screen.mark(glyphs.WAITS)} {waiting_count(state)}" if waiting_count(state) else ""
        seconds = ((state.ended.at if state.ended else now()) - state.created.at).total_seconds()
        lines = [
            self.screen.paint(one_line(state.title), bold=True),
            *([f"its question: {one_line(state.created.question)}"] if state.renamed else []),
            f"{self.folder.run_id}   {self.screen.mark(status.mark)} {clock(seconds)}"
            f"   {settings.sandbox}{isolation}{waits}",
            cost_line(state),
        ]
        if settings.model.startswith("scripted:"):
            lines.append(self.screen.paint(f"{LABEL} ({one_line(settings.model)})", "yellow"))
        lines.append(f"approve: {one_line(settings.approve)}")
        if state.engine and state.engine.isolation_advice:
            lines.append(f"{one_line(state.engine.isolation_advice)}.")
        if state.ended and state.ended.message:
            lines.append(one_line(state.ended.message))
        if status.resumable:
            lines.append(f"{one_line(status.explanation)}; go on with 'fumehood resume {self.folder.run_id}'")
        elif state.ended is None:
            lines += self._retries()
        elif status.explanation:
            lines.append(f"{one_line(status.explanation)}.")
        if state.kill and state.ended is None:
            lines.append(f"{glyphs.KILLED.glyph} it is being killed")
        return lines

    def _retries(self) -> list[str]:
        """Which agents wait until their model is asked again, and why."""
        waiting = ((name, agent.retry) for name, agent in self.state.agents.items() if agent.ended is None)
        return [
            f"{one_line(name)} asks its model again at"
            f" {time_of_day(retry.at + timedelta(seconds=retry.after_seconds))}:"
            f" {one_line(retry.reason, MESSAGE_CHARACTERS)}"
            for name, retry in waiting
            if retry is not None
        ]

    def _data(self) -> list[str]:
        return ["DATA", *(f"  {line}" for line in data_lines(self.state))] if self.state.data else []

    def _plan(self) -> list[str]:
        if not self.state.experiments:
            return ["PLAN", "  nothing is proposed yet"]
        lines = ["PLAN"]
        for number, group in groupby(self.state.experiments.values(), key=lambda x: x.spec.round):
            lines.append(self.screen.paint(f"Round {number}", bold=True))
            for experiment in group:
                lines += self._experiment(experiment)
        return lines

    def _experiment(self, experiment: ExperimentState) -> list[str]:
        mark = self.screen.mark(glyphs.experiment_mark(experiment), WORD_COLUMNS)
        title = one_line(experiment.spec.title)
        lines = [f"  {experiment.id:<4} {mark} {self._price(experiment):>10}  {title}"]
        if hypothesis := experiment.spec.hypothesis:
            lines.append(self._under(one_line(criterion_in_words(hypothesis))))
        if experiment.verdict:
            unit = hypothesis.metric.unit if hypothesis else ""
            if effect := verdict_in_words(experiment.verdict, unit):
                lines.append(self._under(effect))
            lines += [self._under(f"deviation: {one_line(text)}") for text in experiment.verdict.deviations]
        if experiment.outcome not in (None, "done") and experiment.message:
            lines.append(self._under(one_line(experiment.message, MESSAGE_CHARACTERS)))
        if experiment.kill and experiment.open:
            lines.append(self._under("it is being killed"))
        if experiment.progress:
            lines.append(self._under(one_line(experiment.progress, MESSAGE_CHARACTERS)))
        for name in experiment.execs if experiment.open or self.scripts else ():
            lines += self._script(name)
        return lines

    def _price(self, experiment: ExperimentState) -> str:
        """What it cost or costs so far, else the most it may cost."""
        if experiment.started_at is not None:
            return dollars(experiment.cost_usd)
        if not experiment.requests:
            return ""
        estimate = self.state.requests[experiment.requests[-1]].asked.estimate
        return at_most_dollars(estimate.maximum if estimate else None)

    def _script(self, name: str) -> list[str]:
        script = self.state.execs[name]
        ended = script.ended
        if ended is None:
            how = "running"
        elif ended.end == "finished":
            how = f"exit code {ended.exit_code}, {ended.seconds:.1f} s"
        else:
            how = f"was ended ({one_line(ended.end)}), {ended.seconds:.1f} s"
        trial = ", a trial" if script.asked.trial else ""
        lines = [self._under(f"{name}  {how}{trial}  {one_line(script.asked.purpose)}")]
        if self.scripts:
            lines += [self._under(f"    {line}") for line in safe(script.asked.code).splitlines()]
        return lines

    def _waiting(self) -> list[str]:
        if not waiting_count(self.state):
            return []
        lines = [self.screen.paint("WAITS FOR YOU", "yellow")]
        for request in self.state.waiting:
            lines += self._request(request)
        return lines

    def _request(self, request: Request) -> list[str]:
        asked = request.asked
        name = asked.experiment_id if asked.kind == "launch" else asked.request_id
        price = f"   {price_range(asked.estimate)}" if asked.estimate else ""
        lines = [f"  {glyphs.WAITS.glyph} {name}  {one_line(asked.title)}{price}"]
        if asked.kind == "launch" and asked.experiment_id:
            lines += self._card(self.state.experiments[asked.experiment_id].spec)
        if asked.kind == "script":
            lines += [self._under(line) for line in safe(asked.detail).splitlines()]
            lines += [self._under(self.screen.paint(text, "yellow")) for text in code_warnings(asked.detail)]
        elif asked.detail:
            lines.append(self._under(one_line(asked.detail)))
        return lines + [self._under(line) for line in commands_for(self.folder.run_id, asked.kind, str(name))]

    def _card(self, spec: Experiment) -> list[str]:
        """What is approved, field by field."""
        compute = spec.compute
        fields = [("Why", one_line(spec.why))] if spec.why else []
        if spec.hypothesis:
            fields += [
                ("Hypothesis", one_line(spec.hypothesis.statement)),
                ("Judged by", judged_by_in_words(spec.hypothesis, spec.alpha)),
            ]
        fields += [
            ("Machine", machine_in_words(self.state, compute)),
            ("Network", network_in_words(compute)),
            *launch_notes(self.state, compute),
            ("Packages", packages_in_words(self.state, compute)),
        ]
        if data := data_in_words(self.state):
            fields.append(("Data", data))
        if note := prices_note(self.state):
            fields.append(("Priced by", note))
        return [self._under(f"{name:<11} {text}") for name, text in fields]

    def _findings(self) -> list[str]:
        findings = [(x.id, text) for x in self.state.experiments.values() for text in x.findings]
        return ["FINDINGS", *(f"  {name:<4} {one_line(text)}" for name, text in findings)] if findings else []

    def _doubts(self) -> list[str]:
        """What looks wrong in what was recorded, and in the code that recorded it."""
        lines = [
            f"  {flag.exec_id:<6} {_line_of(flag)}{flag.kind}: {one_line(flag.text)}"
            f"{f' ({flag.count} times)' if flag.count > 1 else ''}"
            for flag in self.flags[:MOST_DOUBTS]
        ]
        if (more := len(self.flags) - MOST_DOUBTS) > 0:
            lines.append(f"  and {more} more")
        return [self.screen.paint("LOOKS WRONG", "yellow"), *lines] if lines else []

    def _paper(self) -> list[str]:
        paper = self.state.paper
        if paper is None:
            return []
        struck = f", {paper.struck} struck: this is a draft" if paper.struck else ""
        lines = [f"  {self.folder.path / paper.path}   {paper.numbers} numbers bound{struck}"]
        if paper.pdf:
            lines.append(f"  {self.folder.path / paper.pdf}   {counted(paper.pages, 'page')}")
        elif paper.no_pdf:
            lines.append(f"  no PDF: {one_line(paper.no_pdf, 300)}")
        return ["PAPER", *lines]

    def _under(self, text: str) -> str:
        return f"{'':7}{text}"


def _line_of(flag: Flag) -> str:
    return f"line {flag.line}: " if flag.line else ""
