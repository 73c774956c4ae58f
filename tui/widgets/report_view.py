"""What is known about one experiment, or about the run: hypothesis, verdict, findings, execs, outcome."""

from __future__ import annotations

from collections.abc import Iterator

from textual import work
from textual.content import Content

from core.evidence.code_checks import check_code
from core.experiment import Hypothesis, criterion_in_words, judged_by_in_words
from core.record.state import ExperimentState, RunState
from tui import glyphs
from tui.plain import verdict_in_words
from tui.recorded_doubts import Doubts, RecordedDoubts
from tui.run_feed import RunFeed
from tui.safe_text import one_line, safe
from tui.widgets.lines import colour_of, cost_of, mark_of, marked, moment, right_aligned
from tui.widgets.page_reader import PageReader
from tui.widgets.plan_rows import ORCHESTRATOR, WRITER
from tui.widgets.report_lines import BLANK, NAME_COLUMNS, ReportLine, field, title
from tui.widgets.script_state import Going, script_mark
from tui.wording import clock, counted, data_in_short, size_in_words

MOST_FLAGS = 12


class ReportView(PageReader):
    """A report on one page.

    Args:
        doubts: what looks wrong in what experiments recorded.
        id: of the widget.
    """

    def __init__(self, doubts: RecordedDoubts, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._doubts = doubts
        self._looking = False
        self._feed: RunFeed | None = None
        self._agent = ""
        self._shown: tuple[object, ...] = ()

    def show(self, feed: RunFeed, agent: str) -> None:
        """Show the report on an agent's work."""
        self._feed = feed
        other = agent != self._agent
        self._agent = agent
        width = self.size.width
        if not width or feed.state.created is None:
            return
        experiment = feed.state.experiments.get(agent)
        if experiment and not self._looking and self._doubts.wants_look(feed.state, experiment):
            self._looking = True
            self._look(feed, experiment)
        doubts = self._doubts.of(agent)
        looks = (agent, feed.state.seq, feed.has_engine, width, doubts)
        if looks == self._shown:
            return
        self._shown = looks
        parts = _experiment(feed, experiment, doubts) if experiment else _run(feed, agent)
        self.set_lines([line for part in parts for line in part.wrapped(width)])
        if other:
            self.scroll_home(animate=False)

    @work(group="records")
    async def _look(self, feed: RunFeed, experiment: ExperimentState) -> None:
        """See what looks wrong in what an experiment recorded; other things go on meanwhile."""
        try:
            await self._doubts.look(feed.state, experiment)
        finally:
            self._looking = False
        self.on_resize()

    def on_resize(self) -> None:
        """Fill another width."""
        if self._feed is not None:
            self.show(self._feed, self._agent)


def _experiment(feed: RunFeed, experiment: ExperimentState, doubts: Doubts) -> Iterator[ReportLine]:
    state, spec = feed.state, experiment.spec
    yield ReportLine(
        Content.styled(f"  {experiment.id}  {one_line(spec.title)}", "bold"), len(experiment.id) + 4
    )
    yield BLANK
    yield field("State", marked(mark_of(state, experiment)), (_note(experiment), "$muted"))
    if cost := cost_of(state, experiment, moment()):
        yield field("Cost", cost.replace("≤", "never more than "))
    if spec.reproduces:
        yield field("Kind", f"a reproduction: the scripts of {spec.reproduces} again, with the same seeds")
    elif spec.hypothesis is None:
        yield field("Kind", "an exploration: measurements, but no verdict")
    else:
        yield from _hypothesis(spec.hypothesis, spec.alpha)
    if spec.why:
        yield field("Why", one_line(spec.why))
    if spec.repeats and not spec.reproduces:
        yield field("Repeats", f"the scripts of {spec.repeats} with other seeds")
    yield from _verdict(experiment)
    yield from _looks_wrong(doubts)
    if experiment.findings:
        yield BLANK
        yield title("FINDINGS")
        for number, text in enumerate(experiment.findings, start=1):
            yield field(str(number), one_line(text))
    yield from _execs(feed, experiment)
    yield BLANK
    yield title("PLAN")
    for line in safe(spec.plan).strip().split("\n"):
        yield field("", one_line(line))


def _note(experiment: ExperimentState) -> str:
    if experiment.kill and experiment.open:
        return "   it is being killed"
    text = experiment.message if experiment.outcome not in (None, "done") else experiment.progress
    return f"   {one_line(text, 400)}" if text else ""


def _hypothesis(hypothesis: Hypothesis, alpha: float) -> Iterator[ReportLine]:
    yield field("Hypothesis", (one_line(hypothesis.statement), ""))
    yield field("Criterion", one_line(criterion_in_words(hypothesis)))
    yield field("Judged by", one_line(judged_by_in_words(hypothesis, alpha)))


def _verdict(experiment: ExperimentState) -> Iterator[ReportLine]:
    verdict, hypothesis = experiment.verdict, experiment.spec.hypothesis
    if verdict is None:
        return
    unit = hypothesis.metric.unit if hypothesis else ""
    mark = glyphs.verdict_mark(verdict)
    yield BLANK
    yield title("VERDICT")
    yield field(
        "", (f"{mark.glyph} {mark.word}", f"{colour_of(mark)} bold"), f"   {verdict_in_words(verdict, unit)}"
    )
    yield field("", (one_line(verdict.reason), "$muted"))
    if verdict.visible_effect is not None:
        yield field(
            "",
            (f"{counted(verdict.seeds, 'seed')} could show {verdict.visible_effect:.3g} or more", "$muted"),
        )
    for text in verdict.deviations:
        yield field("deviation", (one_line(text), "$waiting"))


def _looks_wrong(doubts: Doubts) -> Iterator[ReportLine]:
    """What looks wrong in its records; how its scripts ended is said of each of them."""
    flags = [flag for flag in doubts.flags if flag.kind != "exec did not end cleanly"]
    if flags or not doubts.checked:
        yield BLANK
        yield title("LOOKS WRONG")
    for flag in flags[:MOST_FLAGS]:
        line = f"line {flag.line}: " if flag.line else ""
        times = f" ({flag.count} times)" if flag.count > 1 else ""
        text = f"{line}{flag.kind}: {one_line(flag.text)}{times}"
        yield field(one_line(flag.exec_id, NAME_COLUMNS - 1), (text, "$waiting"))
    if more := len(flags[MOST_FLAGS:]):
        yield field("", f"and {more} more")
    if not doubts.checked:
        yield field("", ("what it recorded could not be looked at", "$waiting"))


def _execs(feed: RunFeed, experiment: ExperimentState) -> Iterator[ReportLine]:
    if not experiment.execs:
        return
    yield BLANK
    yield title("SCRIPTS")
    for exec_id in experiment.execs:
        script = feed.state.execs[exec_id]
        going = Going.of(feed, script, moment())
        mark, how = script_mark(script, going)
        seconds = clock(script.ended.seconds) if script.ended else ""
        trial = "trial  " if script.asked.trial else ""
        yield field(
            one_line(exec_id, NAME_COLUMNS - 1),
            (f"{mark.glyph} {how:<11}", colour_of(mark)),
            right_aligned(seconds, 8),
            right_aligned(f"{script.records:,}", 8),
            (" records   ", "$muted"),
            (trial, "$waiting"),
            (one_line(script.asked.purpose), "$muted"),
            cut=True,
        )
        for warning in check_code(script.asked.code):
            yield field("", (f"line {warning.line}: {one_line(warning.text)}", "$waiting"))


def _run(feed: RunFeed, agent: str) -> Iterator[ReportLine]:
    """What there is to say about the whole run, for agents that have no experiment."""
    state = feed.state
    assert state.created is not None
    settings, engine = state.settings, state.engine
    yield ReportLine(Content.styled(f"  {one_line(state.title)}", "bold"), 2)
    yield BLANK
    if state.renamed is not None:
        yield field("Question", one_line(state.created.question))
    models = {ORCHESTRATOR: settings.model, WRITER: settings.writer_model}
    yield field(
        "Model",
        one_line(models.get(agent, settings.model)),
        (f"   researchers: {one_line(settings.researcher_model)}", "$muted"),
    )
    yield field("Run", state.created.run_id, (f"   fumehood {one_line(state.created.version)}", "$muted"))
    yield field("Approval", one_line(settings.approve))
    yield field(
        "At once",
        f"{counted(settings.max_parallel, 'experiment')}, {counted(settings.rounds, 'round')} at most",
    )
    if engine:
        yield field("Isolation", one_line(engine.isolation))
        if engine.isolation_advice:
            yield field("", (f"{one_line(engine.isolation_advice)}.", "$waiting"))
    if state.ended is not None:
        ended = state.ended
        mark = {"done": glyphs.DONE, "killed": glyphs.KILLED}.get(ended.outcome, glyphs.FAILED)
        yield field("Outcome", marked(mark), f"   {one_line(ended.message)}" if ended.message else "")
    if state.paper is not None:
        draft = f", {state.paper.struck} struck: this is a draft" if state.paper.struck else ""
        yield field(
            "Paper",
            one_line(state.paper.path),
            (f"   {counted(state.paper.numbers, 'number')} bound to measurements{draft}", "$muted"),
        )
        if state.paper.pdf:
            pages = counted(state.paper.pages, "page")
            yield field("PDF", one_line(state.paper.pdf), (f"   {pages}", "$muted"))
        elif state.paper.no_pdf:
            yield field("PDF", ("none", "$waiting"), f": {one_line(state.paper.no_pdf, 300)}")
    yield from _data(state)
    verdicts = [x for x in state.experiments.values() if x.verdict]
    if verdicts:
        yield BLANK
        yield title("VERDICTS")
        for experiment in verdicts:
            assert experiment.verdict is not None
            mark, hypothesis = glyphs.verdict_mark(experiment.verdict), experiment.spec.hypothesis
            yield field(
                experiment.id,
                (f"{mark.glyph} {mark.word:<12}  ", colour_of(mark)),
                one_line(hypothesis.statement if hypothesis else experiment.spec.title),
                hang=16,
            )
    for refusal in state.refusals[-1:]:
        yield BLANK
        yield title(f"DRAFTS REFUSED  {len(state.refusals)}")
        for problem in refusal.problems[:10]:
            yield field("", one_line(problem, 400))


def _data(state: RunState) -> Iterator[ReportLine]:
    """The files that the human gave the run."""
    if not state.data:
        return
    yield BLANK
    boxed = state.engine is None or state.engine.isolation != "process only"
    yield title(f"DATA  {data_in_short(state)}{', at /data' if boxed else ''}")
    columns = min(max(len(name) for name in state.data), NAME_COLUMNS * 3)
    for file in state.data.values():
        yield field(
            "",
            one_line(file.name, columns).ljust(columns),
            right_aligned(size_in_words(file.size_bytes), 11),
            (f"   sha256 {one_line(file.sha256)[:12]}", "$muted"),
            cut=True,
        )
