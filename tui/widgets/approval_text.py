"""What an approval card says about a request, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from textual.content import Content

from core.budget import fits
from core.evidence.code_checks import check_code
from core.experiment import Experiment, Hypothesis, criterion_in_words, judged_by_in_words
from core.pricing import Estimate, at_most_dollars, dollars
from core.record import events as e
from core.record.state import Request, RunState
from tui.differences import differences
from tui.launch_words import (
    data_in_words,
    launch_notes,
    machine_in_words,
    network_in_words,
    packages_in_words,
    prices_note,
)
from tui.safe_text import one_line, safe
from tui.widgets.approval_code import hidden_characters
from tui.widgets.field_layout import Field
from tui.wording import counted, time_of_day

FOLDED_CHARACTERS = 220
"""How much of a long text shows until enter unfolds it."""

GAP = "   "


def fields_of(
    state: RunState, request: Request, *, proposal: Experiment | None = None, unfolded: bool = False
) -> list[Field]:
    """Everything but a script's code.

    Args:
        state: the run.
        request: what waits.
        proposal: for an edited launch, what was proposed; None for any other.
        unfolded: whether long texts are shown whole.
    """
    asked = request.asked
    match asked.kind:
        case "launch" if asked.experiment_id in state.experiments:
            return list(_launch(state, asked, proposal, unfolded))
        case "script":
            return list(_script(state, asked))
        case "isolation":
            return list(_isolation(state, asked))
        case _:
            return [Field("Question", _text(asked.detail or asked.title))]


def price_fields(state: RunState, estimate: Estimate | None) -> Iterator[Field]:
    """The price, and what is left of the cap if it is all spent.

    Args:
        state: the run.
        estimate: the price; None where nobody has made one.
    """
    maximum = estimate.maximum if estimate else None
    if estimate is None or maximum is None:
        unknown = Content("? unknown").stylize("$failed bold")
        yield Field("Price", unknown + ": nothing can be held back for it", half=True, tone="failed")
        yield Field(
            "Left", Content(f"{dollars(state.free_usd)} of {dollars(state.cap_usd)} is free now"), half=True
        )
        return
    never = Content(f"never more than {at_most_dollars(maximum).removeprefix('≤ ')}").stylize("bold")
    likely = f"{dollars(estimate.low)} – {dollars(estimate.high)}{GAP}" if estimate.high is not None else ""
    yield Field("Price", Content(likely) + never, half=True)
    if fits(state, maximum):
        left = dollars(state.free_usd - maximum)
        yield Field("Left then", Content(f"{left} of {dollars(state.cap_usd)} at worst"), half=True)
    else:
        words = f"does not fit: {dollars(state.free_usd)} is free"
        yield Field("Left then", Content(words).stylize("$failed"), half=True, tone="failed")
    if note := prices_note(state):
        yield Field("Priced by", Content(note))


def short_name(request: Request) -> str:
    """What people call a request: an experiment's id, or its kind with the id of who asks."""
    asked = request.asked
    if asked.kind == "launch" and asked.experiment_id:
        return asked.experiment_id
    return f"{asked.kind} of {asked.experiment_id}" if asked.experiment_id else asked.kind


def headline(request: Request) -> str:
    """What a request is about, in one line."""
    asked = request.asked
    match asked.kind:
        case "launch":
            return f"{asked.experiment_id}   {one_line(asked.title)}"
        case "script":
            return f"{asked.experiment_id}   wants to run a script"
        case "isolation":
            return "This run has no isolation"
    return one_line(asked.title)


def decided_elsewhere(request: Request) -> str:
    """Whose decision it was, for the moment before the card moves on."""
    decision = request.decision
    if decision is None:
        return "it does not wait any more: what it asked about has changed"
    what = {"approve": "approved", "reject": "rejected", "answer": "answered"}[decision.decision]
    whose = "by a human" if decision.by == "human" else f"by the {decision.by}"
    note = f": {one_line(decision.note, 60)}" if decision.note else ""
    return f"{what} {whose} at {time_of_day(decision.at)} elsewhere{note}"


def total_of(requests: Sequence[Request]) -> Decimal | None:
    """What requests can cost together at most, USD; None where one has no known price."""
    total = Decimal(0)
    for request in requests:
        if request.asked.kind != "launch":
            continue
        if request.asked.estimate is None or request.asked.estimate.maximum is None:
            return None
        total += request.asked.estimate.maximum
    return total


def _launch(
    state: RunState, asked: e.ApprovalRequested, proposal: Experiment | None, unfolded: bool
) -> Iterator[Field]:
    spec = state.experiments[str(asked.experiment_id)].spec
    if asked.detail:
        yield Field("Asked again", _text(asked.detail), tone="waiting")
    if proposal is not None:
        yield from _deviation(proposal, spec)
    if spec.reproduces:
        yield Field(
            "Reproduces", Content(f"{spec.reproduces}: its measurements are compared, without a model")
        )
    elif spec.hypothesis is None:
        yield Field("Exploration", Content("it yields measurements, and no verdict"))
    else:
        yield from _hypothesis(state, spec, spec.hypothesis)
    if spec.why:
        yield Field("Why", _text(spec.why, folded=not unfolded), apart=True)
    yield Field("Plan", _text(spec.plan, folded=not unfolded), apart=not spec.why)
    yield from _machine(state, spec, unfolded)


def _deviation(proposal: Experiment, spec: Experiment) -> Iterator[Field]:
    lines = [difference.shown() for difference in differences(proposal, spec)]
    if lines:
        yield Field("Edited", Content("\n").join(lines), tone="waiting")


def _hypothesis(state: RunState, spec: Experiment, hypothesis: Hypothesis) -> Iterator[Field]:
    unit = f" {one_line(hypothesis.metric.unit)}" if hypothesis.metric.unit else ""
    yield Field("Hypothesis", _text(hypothesis.statement))
    yield Field("Holds if", Content(one_line(criterion_in_words(hypothesis) + unit)).stylize("bold"))
    judged = judged_by_in_words(hypothesis, spec.alpha)
    repeated = state.experiments.get(spec.repeats or "")
    visible = repeated.verdict.visible_effect if repeated and repeated.verdict else None
    if visible is not None and repeated is not None:
        judged += f"; {repeated.id} could show ≥ {visible:.3g}{unit}"
    yield Field("Judged by", Content(one_line(judged)))
    arms = _arm(hypothesis.treatment.label, hypothesis.treatment.where)
    if hypothesis.baseline:
        arms += f"  against  {_arm(hypothesis.baseline.label, hypothesis.baseline.where)}"
    yield Field("Arms", Content(arms))
    metric = hypothesis.metric
    split = f" on {metric.split}" if metric.split else ""
    yield Field("Metric", Content(f"{one_line(metric.name)}{split}{f', in{unit}' if unit else ''}"))


def _arm(label: str, where: dict[str, str | int | float | bool]) -> str:
    factors = ", ".join(f"{name}={value}" for name, value in where.items())
    return one_line(f"{label} ({factors})")


def _machine(state: RunState, spec: Experiment, unfolded: bool) -> Iterator[Field]:
    compute = spec.compute
    notes = launch_notes(state, compute)
    machine = Content(machine_in_words(state, compute, whole=unfolded))
    yield Field("Machine", machine, half=not notes, apart=True)
    network = Content(network_in_words(compute))
    if compute.network == "blocked":
        yield Field("Network", network, half=True)
    else:
        yield Field("Network", network.stylize("$waiting bold"), half=True, tone="waiting")
    for name, words in notes:
        yield Field(name, Content(words))
    yield Field("Packages", Content(packages_in_words(state, compute)))
    if data := data_in_words(state):
        yield Field("Data", Content(data))


def _script(state: RunState, asked: e.ApprovalRequested) -> Iterator[Field]:
    yield Field("Purpose", _text(asked.title))
    trial = _is_trial(state, asked)
    if trial is not None:
        words = "a trial: nothing it measures counts" if trial else "for real: what it measures counts"
        yield Field("Counts", Content(words), half=True)
    if state.engine is not None:
        alone = state.engine.isolation == "process only"
        words = f"{one_line(state.engine.isolation)}{': it can read your files and keys' if alone else ''}"
        tone = "failed" if alone else ""
        yield Field("Isolation", Content(words).stylize("$failed" if alone else ""), half=True, tone=tone)
    if hidden := hidden_characters(asked.detail):
        words = f"{counted(hidden, 'character')} of the script can not be shown and is left out below"
        yield Field("Warning", Content(words).stylize("$failed"), tone="failed")
    if found := check_code(asked.detail):
        lines = [f"line {warning.line}: {one_line(warning.text)}" for warning in found]
        yield Field("Code check", Content("\n".join(lines)), tone="waiting")


def _is_trial(state: RunState, asked: e.ApprovalRequested) -> bool | None:
    """Whether the script is a trial; None where the journal does not have the call."""
    call_id = asked.request_id.rpartition(":")[2]
    agent = state.agents.get(asked.experiment_id or "")
    for turn in reversed(agent.turns if agent else []):
        for call in turn.calls:
            if call.id == call_id and call.arguments.get("code") == asked.detail:
                return call.arguments.get("trial") is True
    return None


def _isolation(state: RunState, asked: e.ApprovalRequested) -> Iterator[Field]:
    yield Field("Warning", Content(one_line(asked.title)).stylize("$failed bold"), tone="failed")
    yield Field(
        "It means",
        Content(
            "Scripts that models write run as you. They can read your files and keys, and reach the network."
        ),
    )
    advice = asked.detail or (state.engine.isolation_advice if state.engine else "")
    if advice:
        yield Field("Better", Content(f"{_sentence(one_line(advice))} Then start the engine again."))
    yield Field("If not", Content("Nothing of this run starts without a yes, unless isolation gets better."))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _text(text: str, *, folded: bool = False) -> Content:
    """Text of a model, safe; folded, it is one line that says that there is more."""
    clean = safe(text).expandtabs(4).strip()
    if not folded or (len(clean) <= FOLDED_CHARACTERS and "\n" not in clean):
        return Content(clean)
    return Content(one_line(clean, FOLDED_CHARACTERS))
