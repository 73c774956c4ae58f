"""How events about sandboxes change the state."""

from __future__ import annotations

from core.record import events as e
from core.record.fold.money import NOTHING, spend
from core.record.state import RunState


def sandbox_requested(state: RunState, event: e.SandboxRequested) -> None:
    """Keep the name that it can be found under."""
    if experiment := state.experiments.get(event.experiment_id):
        experiment.sandbox_name = event.name
        experiment.requested += 1


def sandbox_progressed(state: RunState, event: e.SandboxProgressed) -> None:
    """Keep the latest line."""
    if experiment := state.experiments.get(event.experiment_id):
        experiment.progress = event.line


def sandbox_opened(state: RunState, event: e.SandboxOpened) -> None:
    """The experiment has a sandbox."""
    if experiment := state.experiments.get(event.experiment_id):
        experiment.sandbox = event
        experiment.progress = ""
        if experiment.spec.repeats is not None and experiment.closings:
            # A repeat has nobody who could go on: its scripts are run again from the first.
            for name in experiment.execs:
                state.execs[name].void = True


def sandbox_closed(state: RunState, event: e.SandboxClosed) -> None:
    """Book what it cost by our own reckoning."""
    experiment = state.experiments.get(event.experiment_id)
    if experiment is None or experiment.sandbox is None:
        return
    experiment.sandbox = None
    experiment.closings.append(event)
    experiment.sandbox_seconds += event.seconds
    experiment.bills[event.sandbox_id] = event.cost_usd
    spend(state, experiment, event.cost_usd, "sandbox_cost_usd")


def sandbox_failed(state: RunState, event: e.SandboxFailed) -> None:
    """Keep the failure; the experiment is asked about again where that comes next."""
    experiment = state.experiments.get(event.experiment_id)
    if experiment is None or not experiment.open or event.then == "closed again":
        return
    experiment.failures.append(event)
    experiment.progress = event.message
    if event.then == "asked again" and experiment.stage == "running" and experiment.sandbox is None:
        experiment.stage = "proposed"
        experiment.locked = None
        experiment.again = event.message


def sandbox_reaped(state: RunState, event: e.SandboxReaped) -> None:
    """Keep it, because a bill may follow."""
    state.reaped.setdefault(event.sandbox_id, event)


def sandbox_billed(state: RunState, event: e.SandboxBilled) -> None:
    """Put the provider's figure in the place of our own."""
    experiment = state.experiments.get(event.experiment_id or "")
    if experiment is None or event.sandbox_id not in experiment.bills:
        if event.sandbox_id in state.reaped and event.sandbox_id not in state.stray_bills:
            state.stray_bills[event.sandbox_id] = event.cost_usd
            state.spent_usd += event.cost_usd
        return
    reckoned = experiment.bills[event.sandbox_id]
    experiment.bills[event.sandbox_id] = event.cost_usd
    experiment.billed.add(event.sandbox_id)
    if reckoned is None:
        state.unknown_costs -= 1
    state.spent_usd += event.cost_usd - (reckoned or NOTHING)
    experiment.booked_usd += event.cost_usd - (reckoned or NOTHING)
    known = [cost for cost in experiment.bills.values() if cost is not None]
    whole = len(known) == len(experiment.bills)
    experiment.sandbox_cost_usd = sum(known, NOTHING) if whole else None
