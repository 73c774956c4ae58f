"""A run as plain lines: each event that people care about becomes one, or a few."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from core.budget import fits
from core.evidence.code_checks import check_code
from core.experiment import Verdict, criterion_in_words, judged_by_in_words
from core.models.scripted import LABEL
from core.pricing import at_most_dollars, dollars, price_range
from core.record import events as e
from core.record.folder import RunFolder
from core.record.state import Request, RunState
from core.sandbox.machines import usual_packages
from tui import glyphs
from tui.launch_words import launch_notes, machine_in_words, network_in_words, packages_in_words, prices_note
from tui.safe_text import one_line, safe
from tui.screen import Screen
from tui.status import paused_in_words
from tui.wording import cost_line, counted, size_in_words, time_of_day

THOUGHT_CHARACTERS = 240
SPEECH_CHARACTERS = 400
SHOWN_PROBLEMS = 5
SHOWN_SCRIPT_LINES = 12
CAP_CANNOT_HOLD = "Nobody knows what it will cost, and the cap cannot hold it."
GUTTER = 16
"""Columns before the text: the time of day and the subject."""


class Narrator:
    """Tells a run.

    Args:
        folder: the run.
        screen: for colours and width; nothing is printed here.
    """

    def __init__(self, folder: RunFolder, screen: Screen) -> None:
        self.folder = folder
        self.screen = screen
        self._round = 0

    def header(self, state: RunState) -> list[str]:
        """What the run is about and where it is."""
        assert state.created is not None
        settings = state.settings
        lines = [
            self.screen.paint(one_line(state.created.question), bold=True),
            f"{self.folder.run_id}  ·  {settings.sandbox} sandbox  ·  cap {dollars(state.cap_usd)}"
            f"  ·  approve: {one_line(settings.approve)}",
        ]
        if settings.model.startswith("scripted:"):
            lines.append(self.screen.paint(f"{LABEL} ({one_line(settings.model)})", "yellow"))
        return [*lines, ""]

    def lines(self, state: RunState, event: e.Event) -> list[str]:
        """What to print about an event; empty where it is of no interest.

        Args:
            state: the run with this event.
            event: the event.
        """
        tell = _TELLERS.get(type(event))
        about = getattr(event, "experiment_id", None)
        if tell is None or (about is not None and about not in state.experiments):
            return []  # the state ignores what is about nothing, too
        return list(tell(self, state, event))

    def log(self, exec_id: str, line: str) -> str:
        """One line that a script printed."""
        subject = exec_id.partition("-")[0]
        return f"{'':10}{subject:<5} {self.screen.paint('│', dim=True)} {line}"

    def waits(self, state: RunState, request: Request) -> list[str]:
        """What waits for the human, and how to decide it from any terminal."""
        asked = request.asked
        run, name = self.folder.run_id, asked.experiment_id if asked.kind == "launch" else asked.request_id
        head = f"{glyphs.WAITS.glyph} waits for you: {_what(state, request)}"
        lines = [self._line(asked.at, asked.experiment_id or "", self.screen.paint(head, "yellow"))]
        if asked.kind == "script":
            code = safe(asked.detail).splitlines()
            lines += [self._indented(line) for line in code[:SHOWN_SCRIPT_LINES]]
            if len(code) > SHOWN_SCRIPT_LINES:
                lines.append(
                    self._indented(
                        f"… {len(code) - SHOWN_SCRIPT_LINES} lines more: fumehood show {run} --scripts"
                    )
                )
            warnings = (self.screen.paint(text, "yellow") for text in code_warnings(asked.detail))
            lines += map(self._indented, warnings)
        elif asked.detail:
            lines.append(self._indented(one_line(asked.detail)))
        if asked.kind == "launch":
            lines += [self._indented(line) for line in self._about_the_launch(state, asked)]
        return lines + [self._indented(command) for command in commands_for(run, asked.kind, str(name))]

    def _about_the_launch(self, state: RunState, asked: e.ApprovalRequested) -> Iterator[str]:
        """The machine, what may come differently, and what has to be known of the price."""
        if asked.experiment_id in state.experiments:
            compute = state.experiments[asked.experiment_id].spec.compute
            yield f"{machine_in_words(state, compute)} · network {network_in_words(compute)}"
            for name, words in launch_notes(state, compute):
                yield f"{name}: {words}"
            if compute.packages or usual_packages(state.settings.sandbox):
                yield f"packages: {packages_in_words(state, compute)}"
            if note := prices_note(state):
                yield f"priced by {note}"
        yield from self._about_the_cap(state, asked)

    def _about_the_cap(self, state: RunState, asked: e.ApprovalRequested) -> Iterator[str]:
        """What has to be known of a price before it is approved; nothing where it fits the cap."""
        maximum = asked.estimate.maximum if asked.estimate else None
        if maximum is None:
            yield CAP_CANNOT_HOLD
        elif not fits(state, maximum):
            free = f"{dollars(state.free_usd)} of {dollars(state.cap_usd)} is free"
            yield f"It does not fit: {free}. Raise the cap with 'fumehood budget {self.folder.run_id} USD'."

    def _line(self, at: datetime, subject: str, text: str) -> str:
        return f"{self.screen.paint(time_of_day(at), dim=True)}  {subject:<5} {text}"

    def _indented(self, text: str) -> str:
        return f"{'':{GUTTER}}  {text}"

    # One method per event that is told.

    def _engine_started(self, state: RunState, event: e.EngineStarted) -> Iterator[str]:
        again = "again " if state.engines > 1 else ""
        isolation = one_line(event.isolation)
        yield self._line(event.at, "", f"engine started {again}(process {event.pid}); isolation: {isolation}")
        if event.isolation_advice:
            yield self._indented(f"{one_line(event.isolation_advice)}.")

    def _renamed(self, state: RunState, event: e.RunRenamed) -> Iterator[str]:
        yield self._line(event.at, "", f"renamed by {event.by}: {one_line(event.title)}")

    def _engine_stopped(self, state: RunState, event: e.EngineStopped) -> Iterator[str]:
        if event.reason != "finished":
            failed = f"because of an error: {one_line(event.message).rstrip('.')}"
            left = "; sandboxes were left open" if event.sandboxes == "left" else ""
            if event.reason == "paused":
                mark = self.screen.mark(glyphs.PAUSED)
                yield self._line(event.at, "", f"{mark}: {one_line(paused_in_words(event))}")
                return
            why = "as asked" if event.reason == "asked" else failed
            yield self._line(event.at, "", f"the engine ended {why}{left}")

    def _proposed(self, state: RunState, event: e.ExperimentProposed) -> Iterator[str]:
        spec = event.experiment
        if spec.round != self._round:
            self._round = spec.round
            yield ""
            yield self.screen.paint(f"Round {spec.round}", bold=True)
        mark = self.screen.mark(glyphs.PROPOSED)
        yield self._line(event.at, spec.id, f"{mark}  {one_line(spec.title)}")
        if spec.reproduces:
            yield self._indented(f"the scripts of {spec.reproduces} again: do they give the same?")
        elif spec.hypothesis is None:
            yield self._indented("an exploration: measurements, but no verdict")
        else:
            yield self._indented(one_line(spec.hypothesis.statement))
            yield self._indented(
                f"{one_line(criterion_in_words(spec.hypothesis))};"
                f" {judged_by_in_words(spec.hypothesis, spec.alpha)}"
            )

    def _edited(self, state: RunState, event: e.ExperimentEdited) -> Iterator[str]:
        yield self._line(event.at, event.experiment.id, "edited by human; it is priced again")

    def _requested(self, state: RunState, event: e.ApprovalRequested) -> Iterator[str]:
        if event.kind == "launch" and event.estimate is not None:
            detail = f" {one_line(event.detail)}" if event.detail else ""
            mark = self.screen.mark(glyphs.WAITS)
            price = price_range(event.estimate)
            yield self._line(event.at, event.experiment_id or "", f"{mark} for approval, {price}{detail}")

    def _decided(self, state: RunState, event: e.ApprovalDecided) -> Iterator[str]:
        request = state.requests.get(event.request_id)
        if request is None:
            return
        if request.decision is not event:
            yield self._line(
                event.at, request.asked.experiment_id or "", f"a decision by {event.by} came too late"
            )
            return
        # A policy's note says which policy it was.
        who = f"by {one_line(event.note)}" if event.by == "policy" else f"by {event.by}"
        note = f": {one_line(event.note)}" if event.note and event.by != "policy" else ""
        what = f"{one_line(request.asked.title)} " if request.asked.kind != "launch" else ""
        match event.decision:
            case "approve":
                limit = f", {at_most_dollars(event.maximum_usd)}" if request.asked.kind == "launch" else ""
                said = f"{self.screen.paint('approved', 'green')} {who}{limit}{note}"
            case "reject":
                said = f"{self.screen.mark(glyphs.REJECTED)} {who}{note}"
            case _:
                said = f"answered {who}{note}"
        yield self._line(event.at, request.asked.experiment_id or "", f"{what}{said}")

    def _locked(self, state: RunState, event: e.ExperimentLocked) -> Iterator[str]:
        if event.hypothesis_sha256:
            text = f"hypothesis locked ({event.hypothesis_sha256[:12]})"
            yield self._line(event.at, event.experiment_id, self.screen.paint(text, dim=True))

    def _started(self, state: RunState, event: e.ExperimentStarted) -> Iterator[str]:
        title = one_line(state.experiments[event.experiment_id].spec.title)
        yield self._line(event.at, event.experiment_id, f"{self.screen.mark(glyphs.RUNNING)}  {title}")

    def _progressed(self, state: RunState, event: e.SandboxProgressed) -> Iterator[str]:
        yield self._line(
            event.at, event.experiment_id, self.screen.paint(one_line(event.line, 160), dim=True)
        )

    def _opened(self, state: RunState, event: e.SandboxOpened) -> Iterator[str]:
        yield self._line(
            event.at, event.experiment_id, f"sandbox open; isolation: {one_line(event.isolation)}"
        )

    def _sandbox_failed(self, state: RunState, event: e.SandboxFailed) -> Iterator[str]:
        then = {
            "tried again": f"tried again in {event.after_seconds:.0f} s",
            "asked again": "nothing of it counts as a result; you are asked whether to launch it again",
            "ended": "the experiment ends",
            "closed again": "it may still be there, and closing it is tried again; see 'fumehood sandboxes'",
        }[event.then]
        message = one_line(event.message).rstrip(".")
        yield self._line(event.at, event.experiment_id, f"its sandbox failed: {message}. Next: {then}")

    def _reaped(self, state: RunState, event: e.SandboxReaped) -> Iterator[str]:
        name, reason = one_line(event.name), one_line(event.reason)
        yield self._line(event.at, event.experiment_id or "", f"ended the sandbox {name}: {reason}")

    def _billed(self, state: RunState, event: e.SandboxBilled) -> Iterator[str]:
        yield self._line(
            event.at,
            event.experiment_id or "",
            f"its provider says that a sandbox cost {dollars(event.cost_usd)}; that counts now",
        )

    def _exec_requested(self, state: RunState, event: e.ExecRequested) -> Iterator[str]:
        trial = " (a trial: nothing in it counts)" if event.trial else ""
        purpose = one_line(event.purpose) or "no purpose was given"
        yield self._line(event.at, event.experiment_id, f"runs {event.exec_id}: {purpose}{trial}")
        for text in code_warnings(event.code):
            yield self._indented(self.screen.paint(text, "yellow"))

    def _exec_ended(self, state: RunState, event: e.ExecEnded) -> Iterator[str]:
        script = state.execs.get(event.exec_id)
        how = (
            f"exit code {event.exit_code}"
            if event.end == "finished"
            else f"was ended ({one_line(event.end)})"
        )
        results = (
            ", ".join(f"{one_line(name, 40)} {_number(value)}" for name, value in script.results[-2:])
            if script
            else ""
        )
        recorded = f"; {counted(script.records, 'record')}" if script and script.records else ""
        last = f", last: {results}" if results else ""
        bad = event.end != "finished" or event.exit_code != 0
        subject = script.asked.experiment_id if script else ""
        text = f"{event.exec_id} {how} after {event.seconds:.1f} s{recorded}{last}"
        yield self._line(event.at, subject, self.screen.paint(text, "red" if bad else ""))

    def _turn(self, state: RunState, event: e.TurnFinished) -> Iterator[str]:
        subject, who = self._agent(event.agent)
        if thoughts := one_line(event.thoughts, THOUGHT_CHARACTERS):
            yield self._line(event.at, subject, self.screen.paint(f"{who}thinks: {thoughts}", dim=True))
        if text := one_line(event.text, SPEECH_CHARACTERS):
            yield self._line(event.at, subject, f"{who}says: {text}")

    def _retried(self, state: RunState, event: e.TurnRetried) -> Iterator[str]:
        subject, who = self._agent(event.agent)
        reason = one_line(event.reason, 200)
        yield self._line(event.at, subject, f"{who}tries again in {event.after_seconds:.0f} s: {reason}")

    def _turn_failed(self, state: RunState, event: e.TurnFailed) -> Iterator[str]:
        if event is state.blocked:  # elsewhere the experiment's end says it
            subject, who = self._agent(event.agent)
            reason = one_line(event.reason, 300).rstrip(".")
            yield self._line(
                event.at, subject, f"{who}gets no turn: {reason}; the run pauses once turns under way are in"
            )

    def _answered(self, state: RunState, event: e.ToolAnswered) -> Iterator[str]:
        if event.error and event.agent != "writer":
            subject, who = self._agent(event.agent)
            yield self._line(event.at, subject, f"{who}was refused: {one_line(event.text, 300)}")

    def _agent_ended(self, state: RunState, event: e.AgentEnded) -> Iterator[str]:
        if event.outcome != "done":
            subject, who = self._agent(event.agent)
            yield self._line(
                event.at,
                subject,
                f"{who or 'its researcher '}ended: {event.outcome}; {one_line(event.message)}",
            )

    def _finding(self, state: RunState, event: e.FindingRecorded) -> Iterator[str]:
        yield self._line(event.at, event.experiment_id, f"finding: {one_line(event.text)}")

    def _ended(self, state: RunState, event: e.ExperimentEnded) -> Iterator[str]:
        experiment = state.experiments[event.experiment_id]
        if event.outcome == "done" and experiment.spec.hypothesis is not None:
            return  # its verdict says so
        note = f": {one_line(event.message)}" if event.message and event.outcome != "done" else ""
        mark = self.screen.mark(glyphs.experiment_mark(experiment))
        yield self._line(event.at, event.experiment_id, f"{mark}{note}")

    def _verdict(self, state: RunState, event: e.VerdictReached) -> Iterator[str]:
        experiment = state.experiments.get(event.experiment_id)
        unit = experiment.spec.hypothesis.metric.unit if experiment and experiment.spec.hypothesis else ""
        mark = self.screen.mark(glyphs.verdict_mark(event.verdict))
        yield self._line(event.at, event.experiment_id, f"{mark}  {verdict_in_words(event.verdict, unit)}")
        yield self._indented(one_line(event.verdict.reason))
        for deviation in event.verdict.deviations:
            yield self._indented(f"deviation: {one_line(deviation)}")
        yield self._indented(self.screen.paint(cost_line(state), dim=True))

    def _refused(self, state: RunState, event: e.PaperRefused) -> Iterator[str]:
        problems = counted(len(event.problems), "problem")
        yield self._line(
            event.at, "", f"{self.screen.paint('paper refused', 'yellow')}: {problems}; the writer repairs"
        )
        for problem in event.problems[:SHOWN_PROBLEMS]:
            yield self._indented(f"- {one_line(problem, 300)}")
        if len(event.problems) > SHOWN_PROBLEMS:
            yield self._indented(f"… {len(event.problems) - SHOWN_PROBLEMS} more")

    def _published(self, state: RunState, event: e.PaperPublished) -> Iterator[str]:
        draft = f", {event.struck} struck: this is a draft" if event.struck else ""
        again = f" again for the {event.by}" if event.by != "engine" else ""
        numbers = counted(event.numbers, "number")
        yield self._line(event.at, "", f"paper written{again}: {numbers} bound to measurements{draft}")
        if event.pdf:
            yield self._indented(f"{self.folder.path / event.pdf}, {counted(event.pages, 'page')}")
        elif event.no_pdf:
            yield self._indented(self.screen.paint(f"no PDF: {one_line(event.no_pdf, 300)}", "yellow"))

    def _searched(self, state: RunState, event: e.LiteratureSearched) -> Iterator[str]:
        subject, who = self._agent(event.agent)
        asked = f"{who}searches the literature for “{one_line(event.query, 120)}”"
        found = f"{counted(len(event.works), 'work')} found" if event.works else "no match found"
        came = f"{found} ({one_line(', '.join(event.answered))})" if event.answered else "no source answered"
        yield self._line(event.at, subject, f"{asked}: {came}")
        for trouble in event.troubles:
            yield self._indented(self.screen.paint(one_line(trouble, 200), dim=True))

    def _cited(self, state: RunState, event: e.CitationVerified) -> Iterator[str]:
        work = one_line(event.work.title, 120)
        by = one_line(event.resolved_by)
        yield self._line(event.at, "", f"citation verified by {by}: {one_line(event.key)}, {work}")

    def _said(self, state: RunState, event: e.MessageSent) -> Iterator[str]:
        yield self._line(
            event.at, "", f"{event.by} tells {event.agent}: {one_line(event.text, SPEECH_CHARACTERS)}"
        )

    def _data_added(self, state: RunState, event: e.DataAdded) -> Iterator[str]:
        size = size_in_words(event.size_bytes)
        yield self._line(
            event.at,
            "",
            f"{event.by} adds data: {one_line(event.name)}, {size}, sha256 {one_line(event.sha256, 12)}",
        )

    def _seeds(self, state: RunState, event: e.SeedsRequested) -> Iterator[str]:
        yield self._line(event.at, event.experiment_id, f"{event.count} more seeds asked for by {event.by}")

    def _reproduction(self, state: RunState, event: e.ReproductionRequested) -> Iterator[str]:
        if state.reproduction is event:
            yield self._line(event.at, "", f"a reproduction was asked for by {event.by}: no model is asked")

    def _budget(self, state: RunState, event: e.BudgetSet) -> Iterator[str]:
        yield self._line(event.at, "", f"cap set to {dollars(event.cap_usd)} by {event.by}")

    def _paused(self, state: RunState, event: e.LaunchingPaused) -> Iterator[str]:
        yield self._line(event.at, "", f"{self.screen.mark(glyphs.PAUSED)} by {event.by}: nothing new starts")

    def _continued(self, state: RunState, event: e.LaunchingContinued) -> Iterator[str]:
        yield self._line(event.at, "", f"continued by {event.by}")

    def _kill(self, state: RunState, event: e.KillRequested) -> Iterator[str]:
        note = f": {one_line(event.note)}" if event.note else ""
        yield self._line(event.at, event.experiment_id or "", f"kill asked for by {event.by}{note}")

    def _stop(self, state: RunState, event: e.StopRequested) -> Iterator[str]:
        yield self._line(event.at, "", f"stop asked for by {event.by}")

    def _agent(self, agent: str) -> tuple[str, str]:
        """The subject column and the name before a verb: experiments are in the column already."""
        return ("", f"{one_line(agent)} ") if agent in ("orchestrator", "writer") else (one_line(agent), "")


def verdict_in_words(verdict: Verdict, unit: str) -> str:
    """A verdict's effect and interval: ``effect −0.104 [−0.120, −0.088] fraction, 10 seeds``."""
    if verdict.effect is None:
        return ""
    interval = (
        f" [{_number(verdict.interval[0])}, {_number(verdict.interval[1])}]" if verdict.interval else ""
    )
    named_unit = f" {one_line(unit)}" if unit else ""
    return f"effect {_number(verdict.effect)}{interval}{named_unit}, {counted(verdict.seeds, 'seed')}"


def commands_for(run: str, kind: e.RequestKind, name: str) -> list[str]:
    """The commands that decide a request, from any terminal.

    Args:
        run: the run's id.
        kind: what is asked.
        name: the experiment or the request's id.
    """
    if kind == "question":
        return [f'fumehood answer {run} {name} "…"']
    return [f"fumehood approve {run} {name}", f'fumehood reject {run} {name} --note "why"'] + (
        [f"fumehood edit {run} {name} --editor"] if kind == "launch" else []
    )


def code_warnings(code: str) -> list[str]:
    """What looks wrong in a script, a line each."""
    return [f"code check: line {found.line}: {one_line(found.text)}" for found in check_code(code)]


def _what(state: RunState, request: Request) -> str:
    asked = request.asked
    match asked.kind:
        case "launch":
            price = price_range(asked.estimate) if asked.estimate else "unknown price"
            return f"{one_line(asked.title)}, {price}"
        case "script":
            return f"may this script run? ({one_line(asked.title)})"
        case _:
            return one_line(asked.title)


def _number(value: float | str) -> str:
    """A measured value: four significant digits and a true minus."""
    return one_line(value, 40) if isinstance(value, str) else f"{value:.4g}".replace("-", "−")


_TELLERS: dict[type[e.Event], Callable[[Narrator, RunState, Any], Iterator[str]]] = {
    e.RunRenamed: Narrator._renamed,
    e.EngineStarted: Narrator._engine_started,
    e.EngineStopped: Narrator._engine_stopped,
    e.ExperimentProposed: Narrator._proposed,
    e.ExperimentEdited: Narrator._edited,
    e.ApprovalRequested: Narrator._requested,
    e.ApprovalDecided: Narrator._decided,
    e.ExperimentLocked: Narrator._locked,
    e.ExperimentStarted: Narrator._started,
    e.SandboxProgressed: Narrator._progressed,
    e.SandboxOpened: Narrator._opened,
    e.SandboxFailed: Narrator._sandbox_failed,
    e.SandboxReaped: Narrator._reaped,
    e.SandboxBilled: Narrator._billed,
    e.ExecRequested: Narrator._exec_requested,
    e.ExecEnded: Narrator._exec_ended,
    e.TurnFinished: Narrator._turn,
    e.TurnRetried: Narrator._retried,
    e.TurnFailed: Narrator._turn_failed,
    e.ToolAnswered: Narrator._answered,
    e.AgentEnded: Narrator._agent_ended,
    e.FindingRecorded: Narrator._finding,
    e.ExperimentEnded: Narrator._ended,
    e.VerdictReached: Narrator._verdict,
    e.PaperRefused: Narrator._refused,
    e.PaperPublished: Narrator._published,
    e.LiteratureSearched: Narrator._searched,
    e.CitationVerified: Narrator._cited,
    e.MessageSent: Narrator._said,
    e.DataAdded: Narrator._data_added,
    e.SeedsRequested: Narrator._seeds,
    e.ReproductionRequested: Narrator._reproduction,
    e.BudgetSet: Narrator._budget,
    e.LaunchingPaused: Narrator._paused,
    e.LaunchingContinued: Narrator._continued,
    e.KillRequested: Narrator._kill,
    e.StopRequested: Narrator._stop,
}
