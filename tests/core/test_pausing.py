"""What becomes of a run whose models cannot be used: it pauses, loses nothing, and makes nothing up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from core import decisions
from core.engine import NOTHING_RAN
from core.errors import (
    ContextFull,
    ModelBusy,
    ModelError,
    ModelRefused,
    ModelRejected,
    ModelUnusable,
)
from core.record.events import EngineStopped
from core.record.folder import RunFolder
from core.record.live import LiveRun
from core.record.state import RunState
from core.sandbox.local_sandbox import LocalSandbox
from tests.fakes.behaving_model import AT_ONCE
from tests.fakes.failing_model import FailingModel
from tests.fakes.tiny_run import MEASURE_WHEN_TOLD, call, let_go, play, study, tiny_run

BAD_KEY = ModelUnusable("Anthropic does not accept the key (401)", "Set another with 'fumehood keys'.")


def paused(state: RunState) -> EngineStopped:
    assert state.ended is None
    assert state.engine_stopped is not None
    assert state.engine_stopped.reason == "paused"
    return state.engine_stopped


@pytest.mark.parametrize(
    "error",
    [BAD_KEY, ModelRejected("bad request"), ContextFull("too long"), ModelRefused("no"), ModelBusy("busy")],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("place", [("orchestrator", 1), ("writer", 1)], ids=lambda place: place[0])
def test_whatever_ends_the_orchestrator_or_the_writer_pauses_the_run_and_writes_no_paper(
    tmp_path: Path, error: ModelError, place: tuple[str, int]
) -> None:
    folder = tiny_run(tmp_path, study())
    model = FailingModel(study(), {place: error}, stays=True)
    stopped = paused(play(folder, model=model, retries=AT_ONCE))
    assert error.message in stopped.message
    assert stopped.next_step or not error.next_step
    assert not list(folder.paper.iterdir())
    state = play(folder, model=FailingModel(study()))
    assert state.ended is not None
    assert state.ended.outcome == "done"
    assert "H1 is [supported]" in (folder.paper / "paper.md").read_text()


def test_a_bad_key_fails_no_experiment_and_leaves_running_scripts_to_the_next_engine(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path, study(MEASURE_WHEN_TOLD, experiments=2))
    model = FailingModel(study(MEASURE_WHEN_TOLD, experiments=2), {("E2", 1): BAD_KEY})

    async def script_of_the_other_runs() -> None:
        await until(folder, lambda state: bool(state.experiments["E1"].execs))

    model.before[("E2", 1)] = script_of_the_other_runs
    state = play(folder, model=model)
    stopped = paused(state)
    assert (stopped.message, stopped.next_step) == (BAD_KEY.message, BAD_KEY.next_step)
    assert stopped.sandboxes == "left"
    assert {x.stage for x in state.experiments.values()} == {"running"}
    let_go(folder, "E1")
    let_go(folder, "E2")
    again = FailingModel(study(MEASURE_WHEN_TOLD, experiments=2))
    state = play(folder, model=again)
    assert {x.outcome for x in state.experiments.values()} == {"done"}
    assert [x.execs for x in state.experiments.values()] == [["E1-1"], ["E2-1"]]
    assert ("E1", 1) not in again.asked


def test_turns_that_are_under_way_when_the_run_pauses_are_kept(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path, study(experiments=2))
    model = FailingModel(study(experiments=2), {("E2", 1): BAD_KEY})
    both = asyncio.Barrier(2)

    async def the_other_is_asked() -> None:
        await both.wait()

    async def later() -> None:
        await both.wait()
        await until(folder, lambda state: state.blocked is not None)
        await everything_else_had_its_turn()

    model.before = {("E2", 1): the_other_is_asked, ("E1", 1): later}
    state = play(folder, model=model)
    paused(state)
    assert len(state.agents["E1"].turns) == 1
    assert state.experiments["E2"].stage == "running", "a bad key says nothing about an experiment"
    assert ("E1", 2) not in model.asked
    again = FailingModel(study(experiments=2))
    assert play(folder, model=again).ended is not None
    assert ("E1", 1) not in again.asked


def test_nothing_is_launched_once_the_run_pauses(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path, study(experiments=2), max_parallel=1)
    state = play(folder, model=FailingModel(study(experiments=2), {("E1", 1): BAD_KEY}))
    paused(state)
    assert [x.stage for x in state.experiments.values()] == ["running", "queued"]


def test_a_place_that_gets_free_while_the_run_pauses_is_not_taken(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path, study(experiments=3), max_parallel=2)
    model = FailingModel(study(experiments=3), {("E1", 1): BAD_KEY})
    both = asyncio.Barrier(2)

    async def the_other_is_asked() -> None:
        await both.wait()

    async def later() -> None:
        await both.wait()
        await until(folder, lambda state: state.blocked is not None)
        with folder.journal() as journal:
            journal.append(*decisions.kill(folder.state(), "E1", "its key is bad"))
        await until(folder, lambda state: state.experiments["E1"].outcome is not None)
        await everything_else_had_its_turn()

    model.before = {("E1", 1): the_other_is_asked, ("E2", 1): later}
    state = play(folder, model=model)
    paused(state)
    assert [x.stage for x in state.experiments.values()] == ["ended", "running", "queued"]


@pytest.mark.parametrize(
    "error",
    [ModelRefused("it declines to answer"), ContextFull("too long"), ModelRejected("bad request")],
    ids=lambda error: type(error).__name__,
)
def test_a_conversation_that_cannot_go_on_costs_its_experiment_only(
    tmp_path: Path, error: ModelError
) -> None:
    folder = tiny_run(tmp_path, study(experiments=2))
    state = play(folder, model=FailingModel(study(experiments=2), {("E1", 2): error}))
    assert (state.experiments["E1"].outcome, state.experiments["E1"].message) == ("failed", error.message)
    assert state.experiments["E2"].outcome == "done"
    told = [answer.text for answer in state.agents["orchestrator"].answers.values()]
    assert any("E1" in text and error.message in text for text in told)
    assert state.ended is not None
    assert state.ended.outcome == "done"


def test_an_orchestrator_that_ends_without_any_experiment_gets_no_paper(tmp_path: Path) -> None:
    nothing = study(orchestrator=[call("finish_research", summary="No need.")])
    folder = tiny_run(tmp_path, nothing)
    state = play(folder)
    assert state.ended is not None
    assert (state.ended.outcome, state.ended.message) == ("failed", NOTHING_RAN)
    assert state.paper is None
    assert "writer" not in state.agents
    assert not list(folder.paper.iterdir())


def test_a_stop_while_a_turn_waits_to_be_asked_again_ends_the_engine_at_once(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path, study())
    busy = ModelBusy("overloaded", after_seconds=500)

    async def human(live: LiveRun) -> None:
        await live.until(lambda state: "E1" in state.agents and state.agents["E1"].retry)
        live.record(*decisions.stop(live.state, close_sandboxes=False))

    state = play(folder, human, model=FailingModel(study(), {("E1", 1): busy}))
    assert state.engine_stopped is not None
    assert state.engine_stopped.reason == "asked"
    assert play(folder).ended is not None


def test_a_kill_while_a_turn_waits_to_be_asked_again_ends_the_experiment_at_once(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path, study())
    busy = ModelBusy("overloaded", after_seconds=500)

    async def human(live: LiveRun) -> None:
        await live.until(lambda state: "E1" in state.agents and state.agents["E1"].retry)
        live.record(*decisions.kill(live.state, "E1", "enough"))

    state = play(folder, human, model=FailingModel(study(), {("E1", 1): busy}))
    assert state.experiments["E1"].outcome == "killed"
    assert state.ended is not None


def test_sandboxes_hear_of_the_engine_while_their_researcher_waits_to_ask_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_run(tmp_path, study(), lease_seconds=1)
    beats = asyncio.Semaphore(0)
    heartbeat = LocalSandbox.heartbeat

    async def counted(sandbox: LocalSandbox) -> None:
        await heartbeat(sandbox)
        beats.release()

    monkeypatch.setattr(LocalSandbox, "heartbeat", counted)
    busy = ModelBusy("overloaded", after_seconds=500)

    async def human(live: LiveRun) -> None:
        await live.until(lambda state: "E1" in state.agents and state.agents["E1"].retry)
        for _ in range(5):
            await beats.acquire()
        live.record(*decisions.kill(live.state, None, "seen enough"))

    assert play(folder, human, model=FailingModel(study(), {("E1", 1): busy})).ended is not None


async def everything_else_had_its_turn() -> None:
    """Let the engine do all that it can do without waiting for anything outside."""
    for _ in range(200):
        await asyncio.sleep(0)


async def until(folder: RunFolder, condition: Callable[[RunState], bool]) -> None:
    """Wait until the run is in some state, as another process sees it."""
    with folder.journal() as journal:
        live = LiveRun(folder, journal)
        watching = asyncio.create_task(live.watch())
        await asyncio.wait_for(live.until(condition), 20)
        watching.cancel()
