"""What agents are told of the files that the human gave the run, also of those that come later."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from core.agents.fence import fenced
from core.errors import DecisionError
from core.record.events import DataAdded, MessageSent
from core.record.state import RunState

ADDED = (
    "I added files to this run's data. Every script that starts from now on can read them, by"
    " lab.data_path(name):"
)


def data_in_words(files: Sequence[DataAdded]) -> str:
    """Files for a model: names, sizes and hashes, fenced; empty where there are none."""
    lines = [f"{file.name}  {file.size_bytes:,} bytes  sha256 {file.sha256}" for file in files]
    return fenced("\n".join(lines)) if lines else ""


def added(state: RunState, files: Sequence[DataAdded]) -> tuple[DataAdded | MessageSent, ...]:
    """The files as facts, and what tells those agents who have read their first message already.

    Every other agent finds them in its first message. An agent that is about to begin may hear it twice.

    Args:
        state: the run as it is now.
        files: what was taken in.

    Raises:
        DecisionError: no experiment would see them any more.
    """
    if state.ended is not None:
        raise DecisionError(f"the run has ended: {state.ended.outcome}", "Nothing would read the data.")
    if state.reproduction is not None or "writer" in state.agents:
        what = "is being reproduced" if state.reproduction else "has its paper written"
        raise DecisionError(f"the run {what}, so nothing would read the data", "Nothing was added.")
    text = f"{ADDED}\n{data_in_words(files)}"
    return (
        *files,
        *(MessageSent(message_id=str(uuid4()), agent=agent, text=text) for agent in _listeners(state)),
    )


def _listeners(state: RunState) -> list[str]:
    """Agents that have been told of the data already, or are just being told."""
    if state.engine is None:
        return []
    orchestrator = state.agents.get("orchestrator")
    running = [x.id for x in state.in_stage("running") if x.spec.repeats is None]
    begun = ["orchestrator"] if orchestrator is None or orchestrator.ended is None else []
    return begun + [
        name for name in running if (agent := state.agents.get(name)) is None or agent.ended is None
    ]
