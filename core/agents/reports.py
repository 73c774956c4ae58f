"""What the orchestrator reads about an experiment."""

from __future__ import annotations

from core.agents.researcher import exec_line
from core.evidence.gather import gather
from core.evidence.sheet import report
from core.record.live import LiveRun


def report_for_model(live: LiveRun, experiment_id: str) -> str:
    """One experiment: what was done, found and measured; about a thousand tokens."""
    state = live.state
    experiment = state.experiments[experiment_id]
    agent = state.agents.get(experiment_id)
    submitted = [
        str(call.arguments.get("summary", ""))
        for turn in (agent.turns if agent else ())
        for call in turn.calls
        if call.name == "submit_result"
    ]
    parts = [
        *(f"Researcher's summary: {text[:1500]}" for text in submitted[-1:]),
        *(f"Finding: {text}" for text in experiment.findings[-5:]),
        *(exec_line(state.execs[name]) for name in experiment.execs[-8:]),
        report(gather(live.journal, state), experiment_id),
    ]
    return "\n".join(part for part in parts if part)
