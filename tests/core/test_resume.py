"""Engines that are killed with SIGKILL, and those that go on after them: a short form of the torture."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core import decisions
from core.errors import SandboxLost
from core.experiment import Compute
from core.record.events import EngineStopped, Event
from core.record.folder import RunFolder
from core.record.live import LiveRun
from core.record.state import RunState
from core.sandbox.base import SandboxSpec
from core.sandbox.local import LocalProvider
from core.sandbox.local_sandbox import SUPERVISOR
from tests.bench.torture import Death, Score, Torture
from tests.bench.torture_checks import Faults, check_remains
from tests.bench.torture_engine import Order
from tests.bench.torture_starter import Starter
from tests.fakes.tiny_run import MEASURE_WHEN_TOLD, study, tiny_run

FIRST_RECORDS = "import lab\nlab.note('it runs')\n"

DEATHS = [
    Death(1, "after", "exec.requested"),
    Death(2, "before", "exec.ended"),
    Death(1, "before", "experiment.ended"),
    Death(1, "after", "paper.refused"),
    Death(1, "after", "paper.published"),
]
"""Appends at which a crash could most easily lose or double something."""

Story = Callable[[Starter], Coroutine[Any, Any, None]]


def tell(place: Path, story: Story, *, judges: bool = False) -> None:
    """Play a story with engines that can be killed."""

    async def told() -> None:
        async with Starter.ready(place, judges=judges) as starter:
            await story(starter)

    asyncio.run(told())


def waiting_run(place: Path) -> RunFolder:
    """A run whose only script records something and then waits for a file that nobody makes."""
    return tiny_run(place, study(FIRST_RECORDS + MEASURE_WHEN_TOLD))


def order(folder: RunFolder, death: Death | None = None) -> Order:
    whole = Order(str(folder.path), str(folder.path.with_suffix(".turns")))
    if death is None:
        return whole
    return replace(whole, die=death.append, moment=death.moment, event=death.event)


def decide(folder: RunFolder, decision: Callable[[RunState], tuple[Event, ...]]) -> None:
    with folder.journal() as journal:
        journal.append(*decision(folder.state()))


async def until(folder: RunFolder, condition: Callable[[RunState], bool]) -> None:
    """Wait until a run, as another process sees it, is in some state."""
    with folder.journal() as journal:
        live = LiveRun(folder, journal)
        watching = asyncio.create_task(live.watch())
        await asyncio.wait_for(live.until(condition), 20)
        watching.cancel()


def remains(folder: RunFolder) -> list[str]:
    """What the run has left running or lying about."""
    faults = Faults()
    check_remains(faults, folder)
    return faults.notes


def turns_asked(folder: RunFolder) -> int:
    return folder.path.with_suffix(".turns").read_text().count('"asked"')


def test_engines_that_are_killed_at_any_moment_lose_and_double_nothing(tmp_path: Path) -> None:
    torture = Torture(tmp_path / "runs", seed=3, keep=False)
    at_random, at_appends, deaths = Score(), Score(), list(DEATHS)

    async def story(starter: Starter) -> None:
        async with Starter.ready(tmp_path) as another:
            undisturbed = await torture.look_undisturbed(starter)
            assert undisturbed.faults.notes == []
            async with asyncio.TaskGroup() as group:
                group.create_task(torture.appends_killed(another, at_appends, deaths))
                await torture.random_kills(at_random, 4, starter)
                await torture.appends_killed(starter, at_appends, deaths)

    tell(tmp_path, story, judges=True)
    assert at_random.kills >= 4
    assert at_appends.kills == len(DEATHS)
    assert at_random.faults.notes + at_appends.faults.notes == []


def test_a_run_that_was_killed_while_its_engine_was_dead_ends_with_everything_in_it(tmp_path: Path) -> None:
    folder = waiting_run(tmp_path)

    async def story(starter: Starter) -> None:
        await starter.engine(order(folder, Death(1, "after", "records.taken")))
        decide(folder, lambda state: decisions.kill(state, None, "enough"))
        asked = turns_asked(folder)
        await starter.engine(order(folder))
        assert turns_asked(folder) == asked

    tell(tmp_path, story)
    state = folder.state()
    assert state.ended is not None
    assert state.ended.outcome == "killed"
    assert state.experiments["E1"].outcome == "killed"
    assert state.experiments["E1"].sandbox is None
    assert remains(folder) == []


def test_an_experiment_is_killed_even_if_its_engine_dies_over_it(tmp_path: Path) -> None:
    folder = waiting_run(tmp_path)

    async def story(starter: Starter) -> None:
        await starter.engine(order(folder, Death(1, "after", "records.taken")))
        decide(folder, lambda state: decisions.kill(state, "E1", "too slow"))
        await starter.engine(order(folder, Death(1, "before", "experiment.ended")))
        await starter.engine(order(folder))

    tell(tmp_path, story)
    state = folder.state()
    assert (state.experiments["E1"].outcome, state.experiments["E1"].message) == ("killed", "too slow")
    assert state.experiments["E1"].verdict is None
    assert state.ended is not None
    assert remains(folder) == []


def test_an_engine_that_goes_on_with_a_run_that_has_ended_changes_nothing(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path, study())

    async def story(starter: Starter) -> None:
        await starter.engine(order(folder, Death(1, "after", "run.ended")))
        await starter.engine(order(folder))
        await starter.engine(order(folder))

    tell(tmp_path, story)
    with folder.journal() as journal:
        counts = Counter(event.type for event in journal.read())
    assert (counts["run.ended"], counts["paper.published"], counts["engine.stopped"]) == (1, 1, 2)


def test_what_a_dead_engine_half_removed_is_removed_by_the_next(tmp_path: Path) -> None:
    half = tmp_path / "sandboxes" / "E1"
    (half / "work").mkdir(parents=True)
    spec = SandboxSpec(run_id="run", compute=Compute())
    with pytest.raises(SandboxLost):
        asyncio.run(LocalProvider(tmp_path).reopen("E1", spec))
    assert not half.exists()


def test_no_turn_is_paid_for_in_a_run_that_was_killed_while_its_engine_was_dead(tmp_path: Path) -> None:
    folder = waiting_run(tmp_path)

    async def story(starter: Starter) -> None:
        await starter.engine(order(folder, Death(1, "before", "turn.finished")))
        decide(folder, lambda state: decisions.kill(state, None, ""))
        await starter.engine(order(folder))

    tell(tmp_path, story)
    assert turns_asked(folder) == 1
    assert folder.state().ended is not None


@pytest.mark.parametrize(("close", "said"), [(False, "left"), (True, "closed")])
def test_an_engine_that_is_stopped_says_what_it_left_open(tmp_path: Path, close: bool, said: str) -> None:
    folder = waiting_run(tmp_path)

    async def story(starter: Starter) -> None:
        await starter.engine(order(folder, Death(1, "after", "records.taken")))
        stopped = asyncio.create_task(starter.engine(order(folder)))
        await until(folder, lambda state: state.engines == 2)
        decide(folder, lambda state: decisions.stop(state, close_sandboxes=close))
        assert await stopped == 0
        decide(folder, lambda state: decisions.kill(state, None, ""))
        await starter.engine(order(folder))

    tell(tmp_path, story)
    with folder.journal() as journal:
        stops = [event for event in journal.read() if isinstance(event, EngineStopped)]
    assert (stops[0].reason, stops[0].sandboxes) == ("asked", said)
    assert remains(folder) == []


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_a_script_runs_even_if_what_started_its_supervisor_is_killed(tmp_path: Path) -> None:
    run = tmp_path / "E1-1"
    run.mkdir()
    policy = {
        "command": ["/bin/echo", "it runs"], "work_folder": "/", "environment": {}, "wall_seconds": 20,
        "cpu_seconds": 20, "memory_bytes": 2**30, "disk_bytes": 2**30, "processes": 10, "output_bytes": 1000,
        "disk_folders": [],
    }  # fmt: skip
    (run / "policy.json").write_text(json.dumps(policy))
    # The supervisor opens its log before it claims the exec, and waits there until somebody reads.
    os.mkfifo(run / "supervisor.log")
    launcher = subprocess.Popen([sys.executable, "-I", "-S", str(SUPERVISOR), str(run / "policy.json")])
    wait_for(lambda: len(processes_with(str(run))) > 1)
    launcher.kill()
    launcher.wait()
    reader = os.open(run / "supervisor.log", os.O_RDONLY | os.O_NONBLOCK)
    wait_for((run / "status.json").exists)
    os.close(reader)
    assert (run / "output").read_bytes() == b"it runs\n"
    assert json.loads((run / "status.json").read_bytes())["exit_code"] == 0


@pytest.mark.parametrize("steps", range(4))
def test_a_start_that_is_cancelled_is_cancelled_even_if_it_ends_just_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    async def story() -> None:
        ended: asyncio.Future[tuple[None, bytes]] = asyncio.get_running_loop().create_future()

        class Pipes:
            def close(self) -> None:
                pass

        class Launcher:
            returncode = 0
            _transport = Pipes()

            async def communicate(self) -> tuple[None, bytes]:
                return await ended

        async def launch(*_: object, **__: object) -> Launcher:
            return Launcher()

        spec = SandboxSpec(run_id="run", compute=Compute())
        sandbox = await LocalProvider(tmp_path).open(spec, "E1", lambda _: None)
        monkeypatch.setattr(asyncio, "create_subprocess_exec", launch)
        starting = asyncio.create_task(sandbox.start("E1-1", "print()"))
        for _ in range(5):
            await asyncio.sleep(0)
        ended.set_result((None, b""))
        for _ in range(steps):
            await asyncio.sleep(0)
        came_in_time = starting.cancel()
        await asyncio.wait([starting])
        assert starting.cancelled() == came_in_time
        assert came_in_time or starting.exception() is None

    asyncio.run(story())


def processes_with(argument: str) -> list[str]:
    """Processes among whose arguments something is."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if argument in (process / "cmdline").read_text(errors="replace"):
                found.append(process.name)
    return found


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.005)
