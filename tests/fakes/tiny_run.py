"""A whole run small enough for a test: scripted turns, the real engine, the real local sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from core.agents.launching import Relaunches
from core.agents.retries import PATIENT, Retries
from core.budget import Rates, flat, researcher_money
from core.engine import Engine, Models
from core.errors import first_cause
from core.models.base import Model
from core.models.scripted import ScriptedModel, Trajectory
from core.record.folder import RunFolder, create_run
from core.record.live import LiveRun
from core.record.state import RunState
from core.sandbox.base import Isolation, SandboxProvider
from core.sandbox.local import LocalProvider
from tests.fakes.specs import run_settings

SECONDS = 40.0
"""No tiny run may take longer; one that does hangs."""

MEASURE = """
import lab
for seed in lab.seeds():
    for arm, score in (("new", 2.0), ("old", 1.0)):
        lab.condition(arm=arm, seed=seed)
        lab.result("score", score + 0.01 * seed, split="test")
print("measured")
"""

MEASURE_WHEN_TOLD = (
    """
import os, time
print("waiting", flush=True)
while not os.path.exists("go"):
    time.sleep(0.01)
"""
    + MEASURE
)

Human = Callable[[LiveRun], Coroutine[Any, Any, None]]
"""What somebody at the keyboard does while the engine works."""


def call(tool: str, **arguments: Any) -> dict[str, Any]:
    """A turn that uses one tool."""
    return {"calls": [{"tool": tool, "arguments": arguments}]}


def proposed(title: str = "new beats old", **compute: Any) -> dict[str, Any]:
    """A proposal whose hypothesis ``MEASURE`` supports."""
    return {
        "title": title,
        "plan": "Score both arms.",
        "hypothesis": {
            "statement": "The new one scores higher.",
            "metric": {"name": "score"},
            "treatment": {"label": "new", "where": {"arm": "new"}},
            "baseline": {"label": "old", "where": {"arm": "old"}},
            "criterion": {"kind": "differs", "direction": "greater", "min_effect": 0.5},
            "seeds": list(range(8)),
        },
        "compute": {"timeout_seconds": 60} | compute,
    }


def study(code: str = MEASURE, experiments: int = 1, **turns: list[dict[str, Any]]) -> Trajectory:
    """One round of experiments that all run the same script, and a paper. Any agent can be replaced."""
    ids = [f"E{number}" for number in range(1, experiments + 1)]
    usual: dict[str, Any] = {
        "orchestrator": [
            call("propose_experiments", experiments=[proposed(f"new beats old {name}") for name in ids]),
            *({"when": "Still open"} | call("wait_for_results") for _ in range(experiments + 3)),
            call("wait_for_results"),
            {"when": "Still open"} | call("wait_for_results"),
            {"when": "Still open"} | call("wait_for_results"),
            call("finish_research", summary="Done."),
        ],
        "writer": [
            call("submit_paper", title="Scores", abstract="New wins.", body="H1 is {{ verdict(H1) }}.")
        ],
    } | {name: [call("run_python", code=code), call("submit_result", summary="Ran.")] for name in ids}
    return Trajectory(title="tiny", question="Is new better?", turns=usual | turns)


def tiny_run(parent: Path, trajectory: Trajectory, **settings: Any) -> RunFolder:
    """A new run that will play a trajectory."""
    usual = {"approve": "auto", "num_agents": 4, "max_rounds": 2, "max_parallel": 4}
    return create_run(
        parent / "runs",
        trajectory.question,
        run_settings(**(usual | settings)),
        "0",
        trajectory.model_dump_json(),
    )


def play(
    folder: RunFolder,
    human: Human | None = None,
    *,
    isolation: Isolation | None = None,
    model: Model | None = None,
    rates: Rates | None = None,
    retries: Retries = PATIENT,
    provider: SandboxProvider | None = None,
    relaunches: Relaunches | None = None,
) -> RunState:
    """Drive a run until its engine stops, with somebody at the keyboard, and say what it came to.

    Raises:
        TimeoutError: it did not end.
    """

    async def drive() -> RunState:
        trajectory = Trajectory.model_validate_json(folder.trajectory_path.read_bytes())
        thinker = model or ScriptedModel("scripted:tiny", trajectory)
        with folder.locked(), folder.journal() as journal, folder.journal() as other_journal:
            live = LiveRun(folder, journal)
            place = provider or LocalProvider(folder.path, isolation=isolation)
            price = rates or Rates(
                flat(live.state.settings.local_usd_per_hour), researcher_money(thinker.prices, 10)
            )
            minds = Models(thinker, thinker, thinker)
            engine = Engine(live, minds, place, price, retries=retries, relaunches=relaunches)
            async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
                # The human sits in another process, so sees the run through a journal of its own.
                seen = LiveRun(folder, other_journal)
                watching = group.create_task(seen.watch())
                acting = group.create_task(human(seen)) if human else None
                await engine.run()
                if acting is not None:
                    await acting
                watching.cancel()
            await place.close()
            return live.state

    try:
        return asyncio.run(drive())
    except BaseExceptionGroup as errors:
        raise first_cause(errors) from errors


def let_go(folder: RunFolder, experiment_id: str = "E1") -> None:
    """Let a script that waits in ``MEASURE_WHEN_TOLD`` go on."""
    (folder.path / "sandboxes" / experiment_id / "work" / "go").touch()
