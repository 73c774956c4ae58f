"""Steering a run: ending, pausing, telling, repeating, paying, renaming."""

from __future__ import annotations

from decimal import Decimal

from core.decisions.checks import (
    experiment_named,
    new_id,
    open_experiment,
    refuse_ended_run,
    refuse_reproduced_run,
    run_id,
    see_run,
    text_of,
)
from core.errors import DecisionError
from core.pricing import dollars
from core.record.events import (
    BudgetSet,
    KillRequested,
    LaunchingContinued,
    LaunchingPaused,
    MessageSent,
    ReproductionRequested,
    RunRenamed,
    SeedsRequested,
    StopRequested,
)
from core.record.state import RunState
from core.repeats import reproducible

AGENTS = ("orchestrator", "writer")
"""Agents that a message can be sent to before they exist, beside every open experiment."""

MAX_TITLE_CHARACTERS = 200

FEWEST_SEEDS, MOST_SEEDS = 2, 1000


def kill(state: RunState, experiment_id: str | None, note: str) -> tuple[KillRequested, ...]:
    """End an experiment, or with None the whole run, for good.

    Raises:
        DecisionError: it has ended or is being killed already.
    """
    note = text_of(note, "the note", empty=True)
    if experiment_id is None:
        refuse_ended_run(state)
        if state.kill is not None:
            raise DecisionError("the run is being killed already", see_run(state))
        return (KillRequested(note=note),)
    experiment = open_experiment(state, experiment_id)
    if experiment.kill is not None:
        raise DecisionError(f"{experiment.id} is being killed already", see_run(state))
    return (KillRequested(experiment_id=experiment.id, note=note),)


def pause(state: RunState) -> tuple[LaunchingPaused, ...]:
    """Let nothing new start; what runs goes on.

    Raises:
        DecisionError: it is paused, or the run has ended.
    """
    refuse_ended_run(state)
    if state.paused:
        raise DecisionError(
            "launching is paused already", f"Continue with 'fumehood continue {run_id(state)}'."
        )
    return (LaunchingPaused(),)


def go_on(state: RunState) -> tuple[LaunchingContinued, ...]:
    """Let approved experiments start again.

    Raises:
        DecisionError: launching is not paused, or the run has ended.
    """
    refuse_ended_run(state)
    if not state.paused:
        raise DecisionError("launching is not paused", see_run(state))
    return (LaunchingContinued(),)


def tell(state: RunState, agent: str, text: str) -> tuple[MessageSent, ...]:
    """Send an agent a message; it arrives at that agent's next turn.

    Args:
        state: the run as the human sees it.
        agent: ``orchestrator``, ``writer`` or an experiment's id.
        text: what to say.

    Raises:
        DecisionError: there is no such agent, it will take no further turn, or there is no text.
    """
    refuse_reproduced_run(state)
    name = agent.lower() if agent.lower() in AGENTS else experiment_named(state, agent).id
    conversation = state.agents.get(name)
    experiment = state.experiments.get(name)
    if (conversation is not None and conversation.ended is not None) or (experiment and not experiment.open):
        raise DecisionError(f"{name} has ended and takes no further turn", see_run(state))
    if experiment is not None and experiment.spec.repeats is not None:
        raise DecisionError(
            f"{name} runs the scripts of {experiment.spec.repeats} again, without a model that could listen",
            see_run(state),
        )
    return (MessageSent(message_id=new_id(), agent=name, text=text_of(text, "the message")),)


def seeds(state: RunState, experiment_id: str, count: int) -> tuple[SeedsRequested, ...]:
    """Ask for an experiment's scripts to be run again with more seeds; that is priced and approved, too.

    Args:
        state: the run as the human sees it.
        experiment_id: an experiment that was carried out.
        count: how many seeds more.

    Raises:
        DecisionError: it was not carried out, has no hypothesis, or the count does not make sense.
    """
    refuse_reproduced_run(state)
    experiment = experiment_named(state, experiment_id)
    if not FEWEST_SEEDS <= count <= MOST_SEEDS:
        raise DecisionError(
            f"{count} seeds are not between {FEWEST_SEEDS} and {MOST_SEEDS:,}", "Ask for another number."
        )
    if experiment.spec.hypothesis is None:
        raise DecisionError(f"{experiment.id} is an exploration and has no seeds that count", see_run(state))
    if experiment.open:
        raise DecisionError(f"{experiment.id} has not ended", "Wait until it has a verdict.")
    if experiment.outcome != "done":
        raise DecisionError(
            f"{experiment.id} was not carried out ({experiment.outcome}), so there is nothing to repeat",
            see_run(state),
        )
    if "writer" in state.agents:
        raise DecisionError("the paper is being written already", see_run(state))
    return (SeedsRequested(request_id=new_id(), experiment_id=experiment.id, count=count),)


def budget(state: RunState, cap_usd: Decimal) -> tuple[BudgetSet, ...]:
    """Raise or lower the cap.

    Args:
        state: the run as the human sees it.
        cap_usd: the new cap, USD.

    Raises:
        DecisionError: it is negative, or below what is spent and reserved already.
    """
    refuse_ended_run(state)
    if not cap_usd.is_finite() or cap_usd < 0:
        raise DecisionError(f"a cap cannot be {cap_usd}", "Name USD from 0 up.")
    bound = state.spent_usd + state.reserved_usd
    if cap_usd < bound:
        raise DecisionError(
            f"the cap cannot be {dollars(cap_usd)}: {dollars(state.spent_usd)} is spent and"
            f" {dollars(state.reserved_usd)} reserved",
            f"Name {dollars(bound)} or more, or kill what runs.",
        )
    return (BudgetSet(cap_usd=cap_usd),)


def reproduce(state: RunState) -> tuple[ReproductionRequested, ...]:
    """Have the scripts of a run that has ended run again, to see whether they give the same.

    What that comes to is priced, and waits for approval like any other experiment.

    Raises:
        DecisionError: the run has not ended, is being reproduced already, or nothing in it counts.
    """
    if state.reproduction is not None:
        raise DecisionError(
            "the run is being reproduced already", f"Go on with it: 'fumehood resume {run_id(state)}'."
        )
    if state.ended is None:
        raise DecisionError("the run has not ended", "Reproduce it once it has.")
    if not reproducible(state):
        raise DecisionError(
            "no script of the run ended well, so there is nothing to reproduce", see_run(state)
        )
    return (ReproductionRequested(request_id=new_id()),)


def stop(state: RunState, *, close_sandboxes: bool) -> tuple[StopRequested, ...]:
    """Let the engine end; the run can be resumed.

    Raises:
        DecisionError: the run has ended.
    """
    refuse_ended_run(state)
    return (StopRequested(close_sandboxes=close_sandboxes),)


def rename(state: RunState, title: str) -> tuple[RunRenamed, ...]:
    """Give the run a title, at any time; its question stays what it is.

    Raises:
        DecisionError: there is none, it is too long, or the run has it already.
    """
    title = " ".join(text_of(title, "the title").split())
    if len(title) > MAX_TITLE_CHARACTERS:
        raise DecisionError(
            f"the title has {len(title):,} characters, more than {MAX_TITLE_CHARACTERS:,}", "Say it shorter."
        )
    if title == state.title:
        raise DecisionError("the run is called that already", see_run(state))
    return (RunRenamed(title=title),)
