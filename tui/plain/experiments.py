"""Lines about experiments, from their place in the plan to their verdict."""

from __future__ import annotations

from collections.abc import Iterator

from core.experiment import Verdict, criterion_in_words, judged_by_in_words
from core.record import events as e
from core.record.state import RunState
from tui import glyphs
from tui.plain.telling import Telling, number
from tui.safe_text import one_line
from tui.wording import cost_line, counted


def experiment_proposed(telling: Telling, state: RunState, event: e.ExperimentProposed) -> Iterator[str]:
    """What it is to find out, below its round."""
    spec = event.experiment
    if spec.round != telling.round:
        telling.round = spec.round
        yield ""
        yield telling.screen.paint(f"Round {spec.round}", bold=True)
    mark = telling.screen.mark(glyphs.PROPOSED)
    yield telling.line(event.at, spec.id, f"{mark}  {one_line(spec.title)}")
    if spec.reproduces:
        yield telling.indented(f"the scripts of {spec.reproduces} again: do they give the same?")
    elif spec.hypothesis is None:
        yield telling.indented("an exploration: measurements, but no verdict")
    else:
        yield telling.indented(one_line(spec.hypothesis.statement))
        yield telling.indented(
            f"{one_line(criterion_in_words(spec.hypothesis))};"
            f" {judged_by_in_words(spec.hypothesis, spec.alpha)}"
        )


def experiment_edited(telling: Telling, state: RunState, event: e.ExperimentEdited) -> Iterator[str]:
    """That it is priced again."""
    yield telling.line(event.at, event.experiment.id, "edited by human; it is priced again")


def experiment_locked(telling: Telling, state: RunState, event: e.ExperimentLocked) -> Iterator[str]:
    """The hash of its hypothesis."""
    if event.hypothesis_sha256:
        text = f"hypothesis locked ({event.hypothesis_sha256[:12]})"
        yield telling.line(event.at, event.experiment_id, telling.screen.paint(text, dim=True))


def experiment_started(telling: Telling, state: RunState, event: e.ExperimentStarted) -> Iterator[str]:
    """That it runs."""
    title = one_line(state.experiments[event.experiment_id].spec.title)
    yield telling.line(event.at, event.experiment_id, f"{telling.screen.mark(glyphs.RUNNING)}  {title}")


def finding_recorded(telling: Telling, state: RunState, event: e.FindingRecorded) -> Iterator[str]:
    """The sentence."""
    yield telling.line(event.at, event.experiment_id, f"finding: {one_line(event.text)}")


def experiment_ended(telling: Telling, state: RunState, event: e.ExperimentEnded) -> Iterator[str]:
    """How it ended, where no verdict says so."""
    experiment = state.experiments[event.experiment_id]
    if event.outcome == "done" and experiment.spec.hypothesis is not None:
        return  # its verdict says so
    note = f": {one_line(event.message)}" if event.message and event.outcome != "done" else ""
    mark = telling.screen.mark(glyphs.experiment_mark(experiment))
    yield telling.line(event.at, event.experiment_id, f"{mark}{note}")


def verdict_reached(telling: Telling, state: RunState, event: e.VerdictReached) -> Iterator[str]:
    """The effect, the reason and what was not as planned."""
    experiment = state.experiments.get(event.experiment_id)
    unit = experiment.spec.hypothesis.metric.unit if experiment and experiment.spec.hypothesis else ""
    mark = telling.screen.mark(glyphs.verdict_mark(event.verdict))
    yield telling.line(event.at, event.experiment_id, f"{mark}  {verdict_in_words(event.verdict, unit)}")
    yield telling.indented(one_line(event.verdict.reason))
    for deviation in event.verdict.deviations:
        yield telling.indented(f"deviation: {one_line(deviation)}")
    yield telling.indented(telling.screen.paint(cost_line(state), dim=True))


def verdict_in_words(verdict: Verdict, unit: str) -> str:
    """A verdict's effect and interval: ``effect −0.104 [−0.120, −0.088] fraction, 10 seeds``."""
    if verdict.effect is None:
        return ""
    interval = f" [{number(verdict.interval[0])}, {number(verdict.interval[1])}]" if verdict.interval else ""
    named_unit = f" {one_line(unit)}" if unit else ""
    return f"effect {number(verdict.effect)}{interval}{named_unit}, {counted(verdict.seeds, 'seed')}"
