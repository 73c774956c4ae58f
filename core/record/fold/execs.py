"""How events about scripts and their records change the state."""

from __future__ import annotations

from core.record import events as e
from core.record.state import Exec, RunState


def exec_requested(state: RunState, event: e.ExecRequested) -> None:
    """The first request under an id counts."""
    experiment = state.experiments.get(event.experiment_id)
    if experiment is not None and event.exec_id not in state.execs:
        state.execs[event.exec_id] = Exec(event)
        experiment.execs.append(event.exec_id)


def exec_ended(state: RunState, event: e.ExecEnded) -> None:
    """Keep the end; a script that finished shows that the sandbox works."""
    if script := state.execs.get(event.exec_id):
        script.ended = event
        experiment = state.experiments.get(script.asked.experiment_id)
        if event.end == "finished" and experiment is not None:
            experiment.failures.clear()


def records_taken(state: RunState, event: e.RecordsTaken) -> None:
    """Keep how far records are in."""
    if script := state.execs.get(event.exec_id):
        script.records = event.records
        script.records_offset = event.offset
        script.chain = event.chain
        script.results = event.results or script.results
