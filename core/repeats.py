"""Experiments that run the scripts of others again: with more seeds, or to see whether they hold.

Each is proposed by the gate, waits for an approval at its price like any other, and needs no model.
"""

from __future__ import annotations

import math

from core.experiment import MAX_TITLE_CHARACTERS, Experiment, Hypothesis
from core.record.events import ExperimentProposed, ReproductionRequested, SeedsRequested
from core.record.state import Exec, ExperimentState, RunState

MORE_SEEDS = " (more seeds)"
AGAIN = " (again)"

_REPEAT = "repeat:"


def next_repeat(state: RunState) -> ExperimentProposed | None:
    """The next experiment that a human's wish for a repeat comes to; None where there is none left."""
    if state.reproduction is not None:
        return _next_reproduction(state, state.reproduction)
    return _next_seeds(state)


def reproducible(state: RunState) -> list[ExperimentState]:
    """The experiments whose scripts a reproduction runs again: those of which any script counts."""
    return [
        experiment
        for experiment in state.experiments.values()
        if not experiment.spec.reproduces and any(state.execs[name].counts for name in experiment.execs)
    ]


def repeat_call(experiment_id: str, exec_id: str) -> str:
    """The call for which an experiment runs the script of another's exec again."""
    return f"{_REPEAT}{experiment_id}:{exec_id}"


def repeated_exec(script: Exec) -> str:
    """The exec whose script this runs again; empty for a script of its own."""
    prefix = repeat_call(script.asked.experiment_id, "")
    call_id = script.asked.call_id
    return call_id.removeprefix(prefix) if call_id.startswith(prefix) else ""


def _next_reproduction(state: RunState, wish: ReproductionRequested) -> ExperimentProposed | None:
    proposed = {
        experiment.spec.repeats
        for experiment in state.experiments.values()
        if experiment.proposed_by == wish.request_id
    }
    for source in reproducible(state):
        if source.id not in proposed:
            return ExperimentProposed(experiment=_reproduction(state, source), call_id=wish.request_id)
    return None


def _reproduction(state: RunState, source: ExperimentState) -> Experiment:
    """The same scripts on the same machine with the same seeds; it tests nothing, so has no hypothesis."""
    scripts = [state.execs[name] for name in source.execs]
    took = sum(script.ended.seconds for script in scripts if script.ended and script.by_itself)
    limit = source.spec.compute.timeout_seconds
    expected = min(max(1, math.ceil(took)), limit)
    return source.spec.model_copy(
        update={
            "id": state.next_experiment_id,
            "title": source.spec.title[: MAX_TITLE_CHARACTERS - len(AGAIN)] + AGAIN,
            "why": f"Shows whether a fresh sandbox gives the measurements of {source.id} again.",
            "plan": f"Run every script of {source.id} that ended by itself again, in the same order and with"
            " the same seeds, without a model. Each measurement is compared with its first.",
            "hypothesis": None,
            "compute": source.spec.compute.model_copy(update={"expected_seconds": expected}),
            "repeats": source.id,
        }
    )


def _next_seeds(state: RunState) -> ExperimentProposed | None:
    """Not once the paper is being written: it could not say any more what more seeds showed."""
    if "writer" in state.agents:
        return None
    proposed = {experiment.proposed_by for experiment in state.experiments.values()}
    for wish in state.seeds.values():
        source = state.experiments.get(wish.experiment_id)
        if source is None or source.outcome != "done" or source.spec.hypothesis is None:
            continue  # its scripts are known only once it is done
        if wish.request_id not in proposed:
            return ExperimentProposed(
                experiment=_with_more_seeds(state, source, source.spec.hypothesis, wish),
                call_id=wish.request_id,
            )
    return None


def _with_more_seeds(
    state: RunState, source: ExperimentState, hypothesis: Hypothesis, wish: SeedsRequested
) -> Experiment:
    original = source.spec.repeats or source.id
    used = {
        seed
        for experiment in state.experiments.values()
        if experiment.id == original or experiment.spec.repeats == original
        if experiment.spec.hypothesis is not None
        for seed in experiment.spec.hypothesis.seeds
    }
    first = max(used) + 1
    seeds = tuple(range(first, first + wish.count))
    return source.spec.model_copy(
        update={
            "id": state.next_experiment_id,
            "title": source.spec.title[: MAX_TITLE_CHARACTERS - len(MORE_SEEDS)] + MORE_SEEDS,
            "why": f"{wish.count} more seeds for {original}, asked for after its result was seen.",
            "hypothesis": hypothesis.model_copy(update={"seeds": seeds}),
            "repeats": original,
        }
    )
