"""What ``tests.bench.engine`` measures, each part in a process of its own.

``python -m tests.bench.engine_parts PART`` prints one JSON object with the part's figures.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from core.budget import Rates, flat, researcher_money
from core.config import RunSettings
from core.demo import study_path
from core.engine import Engine, Models
from core.models.scripted import ScriptedModel, Trajectory, read_trajectory
from core.record.folder import RunFolder, create_run
from core.record.live import LiveRun
from core.sandbox.base import SandboxProvider
from tests.bench.idle_sandbox import IdleProvider

AT_ONCE = 100
PER_CALL = 25
"""Experiments of one round: more than 32 cannot be proposed by one call."""

MEASUREMENTS = 200
PRINTED_BYTES = 100_000

Figures = dict[str, float]


def used() -> Figures:
    """What this process used so far: seconds of CPU of its own, and its largest memory, bytes."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {"cpu_seconds": usage.ru_utime + usage.ru_stime, "peak_bytes": _peak_bytes()}


def _peak_bytes() -> float:
    # On Linux the other figure (ru_maxrss) also counts what the starting process held.
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return float(line.split()[1]) * 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def demo_of_nothing(place: Path) -> Figures:
    """The whole demo; models read a file, scripts do nothing and measure nothing."""
    state = _drive(_run(place, whole_way(read_trajectory(study_path("bagging")))), IdleProvider())
    return {**used(), "experiments": len(state.experiments), "execs": len(state.execs), "events": state.seq}


def demo_for_real(place: Path) -> Figures:
    """The whole demo with its real scripts in the local sandbox, judged by scipy."""
    from core.sandbox.local import LocalProvider

    folder = _run(place, read_trajectory(study_path("bagging")))
    state = _drive(folder, LocalProvider(folder.path))
    return {**used(), "experiments": len(state.experiments), "execs": len(state.execs), "events": state.seq}


def many_at_once(place: Path) -> Figures:
    """A hundred experiments whose scripts are all under way at the same time and do nothing."""
    return _many(place, IdleProvider(at_once=AT_ONCE))


def many_at_once_that_measure(place: Path) -> Figures:
    """The same, each with measurements and output."""
    records = [
        {
            "kind": "result", "line": 9, "t": 0.1, "name": "error", "value": number % 2 + number * 1e-4,
            "condition": {"arm": f"a{number % 2}", "seed": number // 2}, "unit": "", "split": "test",
        }
        for number in range(MEASUREMENTS)
    ]  # fmt: skip
    recorded = b"".join(json.dumps(record).encode() + b"\n" for record in records)
    provider = IdleProvider(at_once=AT_ONCE, printed=b"x" * 99 * (PRINTED_BYTES // 99), recorded=recorded)
    return _many(place, provider)


def _many(place: Path, provider: SandboxProvider) -> Figures:
    folder = _run(
        place, _hundred(), num_agents=PER_CALL, max_rounds=AT_ONCE // PER_CALL, max_parallel=AT_ONCE
    )
    state = _drive(folder, provider)
    started = [x.started_at for x in state.experiments.values() if x.started_at]
    ended = [x.ended_at for x in state.experiments.values() if x.ended_at]
    assert len(ended) == AT_ONCE
    assert max(started) < min(ended), "they did not run at once"
    return {**used(), "experiments": len(ended), "execs": len(state.execs), "events": state.seq}


def engine_start(place: Path) -> Figures:
    """Nothing but what an engine imports."""
    import core.driving  # noqa: F401

    return used()


def whole_way(trajectory: Trajectory) -> Trajectory:
    """A study that goes its whole way whatever is measured.

    Turns for what did not come out are left out, the others wait for nothing any more.
    """
    turns = {
        agent: tuple(
            turn.model_copy(update={"when": None})
            for turn in agent_turns
            if turn.when is None or not turn.when.startswith(r"\A(?!")
        )
        for agent, agent_turns in trajectory.turns.items()
    }
    return trajectory.model_copy(update={"turns": turns})


def _hundred() -> Trajectory:
    code = (study_path("bagging") / "trees_on_digits.py").read_text(encoding="utf-8")
    orchestrator = [
        {
            "calls": [
                _call("propose_experiments", experiments=[_experiment(first + n) for n in range(PER_CALL)])
                for first in range(0, AT_ONCE, PER_CALL)
            ]
        },
        {"calls": [_call("wait_for_results")]},
        *({"when": "Still open", "calls": [_call("wait_for_results")]} for _ in range(AT_ONCE)),
        {"calls": [_call("finish_research", summary="Yes.")]},
    ]
    researcher = [
        {"calls": [_call("run_python", code=code, purpose="one of many")]},
        {"calls": [_call("record_finding", text="It ran.")]},
        {"calls": [_call("submit_result", summary="It ran.")]},
    ]
    writer = [{"calls": [_call("submit_paper", title="Many", abstract="Yes.", body="Yes.")]}]
    researchers = {f"E{number}": researcher for number in range(1, AT_ONCE + 1)}
    return Trajectory.model_validate(
        {
            "title": "Many",
            "question": "Can a hundred experiments run at once?",
            "turns": {"orchestrator": orchestrator, "writer": writer} | researchers,
        }
    )


def _call(tool: str, **arguments: Any) -> dict[str, Any]:
    return {"tool": tool, "arguments": arguments}


def _experiment(number: int) -> dict[str, Any]:
    return {
        "title": f"One of many, number {number}",
        "plan": "Run the script.",
        "hypothesis": {
            "statement": "The second arm is higher.",
            "metric": {"name": "error"},
            "treatment": {"label": "second", "where": {"arm": "a1"}},
            "baseline": {"label": "first", "where": {"arm": "a0"}},
            "criterion": {"kind": "differs", "direction": "greater"},
            "seeds": list(range(MEASUREMENTS // 2)),
        },
    }


def _run(place: Path, trajectory: Trajectory, **settings: Any) -> RunFolder:
    usual: dict[str, Any] = {
        **dict.fromkeys(("model", "researcher_model", "writer_model"), "scripted:bench"),
        "num_agents": 2,
        "max_rounds": 2,
        "approve": "auto",
        "max_turns": 400,
    }
    run_settings = RunSettings(**(usual | settings))
    return create_run(place / "runs", trajectory.question, run_settings, "0", trajectory.model_dump_json())


def _drive(folder: RunFolder, provider: SandboxProvider) -> Any:
    """Drive a run to its end, as ``core.driving`` does."""
    import core.driving  # noqa: F401 - an engine's process has imported it

    async def drive() -> Any:
        trajectory = Trajectory.model_validate_json(folder.trajectory_path.read_bytes())
        model = ScriptedModel("scripted:bench", trajectory)
        with folder.locked(), folder.journal() as journal:
            live = LiveRun(folder, journal)
            rates = Rates(flat(Decimal(0)), researcher_money(model.prices, live.state.settings.max_turns))
            await Engine(live, Models(model, model, model), provider, rates).run()
            return live.state

    state = asyncio.run(drive())
    assert state.ended is not None, "the run did not end"
    assert state.ended.outcome == "done", state.ended
    return state


def fold_events(place: Path) -> Figures:
    """Fold a million events that were read before."""
    from core.record.fold import fold
    from tests.bench.many_events import blocks

    state, seconds, count = None, 0.0, 0
    for block in blocks():
        started = time.perf_counter()
        state = fold(block, state)
        seconds += time.perf_counter() - started
        count += len(block)
    assert state is not None
    return {**used(), "fold_seconds": seconds, "events": count, "experiments": len(state.experiments)}


def read_events(place: Path) -> Figures:
    """Read a million events from a journal, and fold them."""
    from core.record.fold import fold
    from core.record.journal import Journal
    from tests.bench.many_events import write_journal

    count = write_journal(place / "journal.db")
    with Journal(place / "journal.db") as journal:
        started = time.perf_counter()
        state = fold(journal.read())
        seconds = time.perf_counter() - started
    assert state.seq == count
    return {**used(), "read_seconds": seconds, "events": count}


def stream_lines(place: Path) -> Figures:
    """Lines per second from a script to a follower, by print and in large writes."""
    from tests.bench.streaming import lines_per_second

    return {how: asyncio.run(lines_per_second(place / how, how)) for how in ("printed", "written")}


PARTS: dict[str, Callable[[Path], Figures]] = {
    part.__name__: part
    for part in (
        engine_start,
        demo_of_nothing,
        demo_for_real,
        many_at_once,
        many_at_once_that_measure,
        fold_events,
        read_events,
        stream_lines,
    )
}


def main() -> None:
    """Measure one part."""
    with tempfile.TemporaryDirectory() as place:
        print(json.dumps(PARTS[sys.argv[1]](Path(place))))


if __name__ == "__main__":
    main()
