"""Whole runs whose experiments are at Modal, by the real engine, killed wherever it hurts."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from core.budget import Rates, researcher_money
from core.engine import Engine, Models
from core.keys.secret import Secret
from core.models.scripted import ScriptedModel, Trajectory
from core.record.folder import RunFolder
from core.record.live import LiveRun
from core.record.state import RunState
from core.sandbox.modal.account import Credentials
from core.sandbox.modal.prices import TABLE
from core.sandbox.modal.provider import ModalProvider
from tests.core.sandbox.test_modal.conftest import DEADLINE_SECONDS, ModalPlace
from tests.core.sandbox.test_modal.test_sandbox import ROOT
from tests.fakes.modal.world import TOKEN
from tests.fakes.tiny_run import call, proposed, study, tiny_run

MEASURES = 16
SLOWLY = """
import lab, time
for seed in lab.seeds():
    for arm, score in (("new", 2.0), ("old", 1.0)):
        lab.condition(arm=arm, seed=seed)
        lab.result("score", score + 0.01 * seed, split="test")
        time.sleep(0.05)
print("measured")
"""


def drive(folder: RunFolder) -> RunState:
    """Drive a run on Modal until its engine stops."""

    async def whole() -> RunState:
        trajectory = Trajectory.model_validate_json(folder.trajectory_path.read_bytes())
        model = ScriptedModel("scripted:tiny", trajectory)
        provider = ModalProvider(Credentials(*map(Secret, TOKEN)), patience_seconds=10)
        with folder.locked(), folder.journal() as journal:
            live = LiveRun(folder, journal)
            rates = Rates(TABLE.usd_per_hour, researcher_money(model.prices, 10))
            async with asyncio.timeout(60):
                await Engine(live, Models(model, model, model), provider, rates).run()
            await provider.close()
            return live.state

    return asyncio.run(whole())


def run_on(place: ModalPlace, parent: Path, code: str) -> RunFolder:
    """A run of one experiment, with the place's GPU."""
    compute: dict[str, Any] = {"gpu": place.gpu} if place.gpu else {}
    proposing = [
        call("propose_experiments", experiments=[proposed(packages=["numpy"], **compute)]),
        *({"when": "Still open"} | call("wait_for_results") for _ in range(9)),
        call("wait_for_results"),
        *({"when": "Still open"} | call("wait_for_results") for _ in range(9)),
        call("finish_research", summary="Done."),
    ]
    return tiny_run(parent, study(code, orchestrator=proposing), sandbox="modal")


def check(place: ModalPlace, folder: RunFolder, state: RunState) -> None:
    """What must be true of a run that came to its end, whatever happened on the way."""
    assert state.ended is not None
    experiment = state.experiments["E1"]
    assert (experiment.outcome, experiment.message) == ("done", "")
    assert experiment.verdict is not None
    [script] = [state.execs[name] for name in experiment.execs]
    log = folder.log_path(script.asked.exec_id).read_bytes()
    assert (log.count(b"lab.result"), log.count(b"measured\n")) == (MEASURES, 1)
    with folder.journal() as journal:
        kinds = [record.kind for record in journal.records(script.asked.exec_id)]
    assert (kinds.count("result"), kinds.count("end")) == (MEASURES, 1)
    assert place.alive == []
    assert [create["tags"]["fumehood-experiment"] for create in place.creates] == ["E1"]
    assert {create["tags"]["fumehood-run"] for create in place.creates} == {folder.run_id}


def test_a_whole_run_goes_through(either: ModalPlace, folder: Path) -> None:
    run = run_on(either, folder, SLOWLY)
    state = drive(run)
    check(either, run, state)
    assert (state.experiments["E1"].sandbox_cost_usd or 0) > 0


ENGINE = """
import sys
from core.record.folder import RunFolder
from pathlib import Path
from tests.core.sandbox.test_modal.test_run import drive
drive(RunFolder(Path(sys.argv[1])))
"""

MOMENTS = (
    ("SandboxCreate", 1),
    ("TaskExecStart", 1),
    ("TaskExecStart", 4),
    ("TaskExecStart", 6),
    ("SandboxTerminate", 1),
)
"""Calls at which an engine is killed: one engine for each."""


def test_engines_killed_at_every_step_lose_nothing_and_leave_nothing(
    either: ModalPlace, folder: Path
) -> None:
    run = run_on(either, folder, SLOWLY)

    def calls(rpc: str) -> int:
        seen = either.double.call("report")["calls"]
        return int(seen.get(rpc, 0) + seen.get(f"{rpc}V2", 0))

    def reached(engine: subprocess.Popen[bytes], rpc: str, enough: int) -> bool:
        return engine.poll() is not None or calls(rpc) >= enough

    killed = 0
    for rpc, count in MOMENTS:
        enough = calls(rpc) + count
        engine = subprocess.Popen([sys.executable, "-c", ENGINE, str(run.path)], cwd=ROOT)
        with engine:
            wait_until(partial(reached, engine, rpc, enough))
            killed += engine.poll() is None
            engine.kill()
    assert killed >= 3
    check(either, run, drive(run))


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


LEAVES = SLOWLY + "open('kept', 'w').write('kept')\nlab.artifact('kept')\n"


def test_what_a_script_left_is_kept_before_the_next_one_runs(either: ModalPlace, folder: Path) -> None:
    """Its sandbox may be taken away at any time."""
    turns = [
        call("run_python", code=LEAVES),
        call("run_python", code="import time; time.sleep(99)"),
        call("submit_result", summary="Measured."),
    ]
    compute: dict[str, Any] = {"gpu": either.gpu} if either.gpu else {}
    proposing = [
        call("propose_experiments", experiments=[proposed(packages=["numpy"], **compute)]),
        call("wait_for_results"),
        call("finish_research", summary="Done."),
    ]
    run = tiny_run(folder, study(orchestrator=proposing, E1=turns), sandbox="modal")

    def runs_again() -> bool:
        return len(run.state().execs) == 2

    engine = subprocess.Popen([sys.executable, "-c", ENGINE, str(run.path)], cwd=ROOT)
    with engine:
        wait_until(runs_again)
        files = list(run.files.iterdir())
        engine.kill()
    assert [file.read_bytes() for file in files] == [b"kept"]
