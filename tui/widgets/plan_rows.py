"""The rows of the plan: agents, rounds and experiments, before any of them is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.record.state import ExperimentState, RunState

ORCHESTRATOR, WRITER = "orchestrator", "writer"


@dataclass(frozen=True)
class Row:
    """A line of the plan.

    Attributes:
        kind: what it is.
        key: an agent's name, or a round's number as text.
    """

    kind: Literal["agent", "round", "experiment"]
    key: str


def by_round(state: RunState) -> dict[str, list[ExperimentState]]:
    """Experiments by the number of their round, as text."""
    rounds: dict[str, list[ExperimentState]] = {}
    for experiment in state.experiments.values():
        rounds.setdefault(str(experiment.spec.round), []).append(experiment)
    return rounds


def how_it_stands(state: RunState, agent: str) -> tuple[object, ...]:
    """All that the arrangement depends on; far cheaper than arranging a long plan with every event."""
    stages = [(experiment.stage, experiment.verdict is None) for experiment in state.experiments.values()]
    return agent, WRITER in state.agents, state.ended is None, stages
