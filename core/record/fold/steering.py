"""How what the human asks for changes the state."""

from __future__ import annotations

from core.record import events as e
from core.record.state import RunState


def stop_requested(state: RunState, event: e.StopRequested) -> None:
    """Hold until another engine starts."""
    state.stop = event


def kill_requested(state: RunState, event: e.KillRequested) -> None:
    """Mark the run, or an experiment that is open."""
    if event.experiment_id is None:
        state.kill = event
    elif (experiment := state.experiments.get(event.experiment_id)) and experiment.open:
        experiment.kill = event


def launching_paused(state: RunState, event: e.LaunchingPaused) -> None:
    """Let nothing new start."""
    state.paused = True


def launching_continued(state: RunState, event: e.LaunchingContinued) -> None:
    """Let approved experiments start again."""
    state.paused = False


def budget_set(state: RunState, event: e.BudgetSet) -> None:
    """The latest cap holds."""
    state.cap_usd = event.cap_usd


def message_sent(state: RunState, event: e.MessageSent) -> None:
    """Keep it for its agent's next turn."""
    state.messages.append(event)


def data_added(state: RunState, event: e.DataAdded) -> None:
    """The first file of a name is the one."""
    state.data.setdefault(event.name, event)


def seeds_requested(state: RunState, event: e.SeedsRequested) -> None:
    """Keep it by its id."""
    state.seeds[event.request_id] = event


def reproduction_requested(state: RunState, event: e.ReproductionRequested) -> None:
    """Take up a run that has ended. A kill was carried out when it ended, so it holds no longer."""
    if state.ended is None or any(experiment.open for experiment in state.experiments.values()):
        return
    state.reproduction = event
    state.ended = None
    state.kill = None


def run_renamed(state: RunState, event: e.RunRenamed) -> None:
    """The latest title holds."""
    state.renamed = event
