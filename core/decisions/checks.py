"""What decisions share: whom they are about, and in which words they are refused."""

from __future__ import annotations

from uuid import uuid4

from core.errors import DecisionError
from core.record.state import ExperimentState, RunState

MAX_TEXT_CHARACTERS = 8000


def run_id(state: RunState) -> str:
    """The run's id, for commands in messages."""
    return state.created.run_id if state.created else "RUN"


def experiment_named(state: RunState, name: str) -> ExperimentState:
    """The experiment of a name, in large letters or small.

    Raises:
        DecisionError: there is none.
    """
    experiment = state.experiments.get(name.upper())
    if experiment is None:
        known = ", ".join(state.experiments) or "none yet"
        raise DecisionError(f"there is no experiment {name!r}", f"There are: {known}.")
    return experiment


def open_experiment(state: RunState, name: str) -> ExperimentState:
    """The experiment of a name, in a run that goes on.

    Raises:
        DecisionError: there is none, or it or the run has ended.
    """
    refuse_ended_run(state)
    experiment = experiment_named(state, name)
    refuse_ended_experiment(state, experiment)
    return experiment


def refuse_ended_experiment(state: RunState, experiment: ExperimentState) -> None:
    """Refuse what comes too late for an experiment.

    Raises:
        DecisionError: it has ended.
    """
    if experiment.outcome is not None:
        raise DecisionError(f"{experiment.id} has ended: {experiment.outcome}", see_run(state))


def refuse_ended_run(state: RunState) -> None:
    """Refuse what comes too late for a run.

    Raises:
        DecisionError: it has ended.
    """
    if state.ended is not None:
        raise DecisionError(f"the run has ended: {state.ended.outcome}", see_run(state))


def refuse_reproduced_run(state: RunState) -> None:
    """Refuse what needs a model that thinks.

    Raises:
        DecisionError: the run has ended, or is only being reproduced.
    """
    refuse_ended_run(state)
    if state.reproduction is not None:
        raise DecisionError(
            "the run is only being reproduced, without a model that could think", see_run(state)
        )


def text_of(text: str, what: str, *, empty: bool = False) -> str:
    """What the human typed, without white space around it.

    Args:
        text: as typed.
        what: how the refusal names it.
        empty: whether there may be none.

    Raises:
        DecisionError: it is empty or too long.
    """
    text = text.strip()
    if not text and not empty:
        raise DecisionError(f"{what} is empty", "Say it in quotes.")
    if len(text) > MAX_TEXT_CHARACTERS:
        raise DecisionError(
            f"{what} has {len(text):,} characters, more than {MAX_TEXT_CHARACTERS:,}", "Say it shorter."
        )
    return text


def see_run(state: RunState) -> str:
    """The next step where only the run itself tells more."""
    return f"See 'fumehood show {run_id(state)}'."


def new_id() -> str:
    """An id of a decision, made once."""
    return str(uuid4())
