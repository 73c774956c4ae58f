"""How events about the run as a whole and its engine change the state."""

from __future__ import annotations

from core.record import events as e
from core.record.fold.money import cut_off_all
from core.record.state import RunState


def run_created(state: RunState, event: e.RunCreated) -> None:
    """The first creation counts; its cap holds until another is set."""
    if state.created is None:
        state.created = event
        state.cap_usd = event.settings.budget_usd


def engine_started(state: RunState, event: e.EngineStarted) -> None:
    """A new engine: attempts at turns of an earlier one are cut off, and what blocked it is over."""
    state.stop = _still_to_be_heeded(state, event)
    state.engine = event
    state.engine_stopped = None
    state.blocked = None
    state.engines += 1
    cut_off_all(state)
    state.turn_reserves.clear()


def _still_to_be_heeded(state: RunState, started: e.EngineStarted) -> e.StopRequested | None:
    """A stop that was asked of the engine that starts, while it was getting ready."""
    stop, stopped = state.stop, state.engine_stopped
    if stop is None or started.taken_at is None or stop.seq <= started.taken_at:
        return None
    return stop if stopped is None or stopped.seq < stop.seq else None


def engine_stopped(state: RunState, event: e.EngineStopped) -> None:
    """Nobody waits for a turn any more."""
    state.engine_stopped = event
    cut_off_all(state)


def prices_taken(state: RunState, event: e.PricesTaken) -> None:
    """The latest prices hold."""
    state.prices = event


def run_ended(state: RunState, event: e.RunEnded) -> None:
    """Nothing is waited for any more; the first end is the run's conclusion."""
    state.ended = event
    state.concluded = state.concluded or event
    state.reproduction = None
    cut_off_all(state)
    for request in state.requests.values():
        if request.waits:
            request.void = True
