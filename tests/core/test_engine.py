"""The engine over whole tiny runs, with the real local sandbox and somebody at the keyboard."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from core import decisions
from core.budget import Rates, flat, researcher_money
from core.driving import drive
from core.engine import Models
from core.models.base import Delta, Turn, TurnRequest
from core.pricing import FREE, TokenPrices
from core.record.events import StopRequested
from core.record.folder import RunFolder
from core.record.live import LiveRun
from core.record.state import RunState
from core.sandbox.base import Isolation
from core.sandbox.local import LocalProvider
from tests.fakes.tiny_run import (
    MEASURE,
    MEASURE_WHEN_TOLD,
    call,
    let_go,
    play,
    proposed,
    study,
    tiny_run,
)


def waits(state: RunState) -> bool:
    return bool(state.waiting)


def running(state: RunState, experiment_id: str = "E1") -> bool:
    """Whether a script of the experiment runs and has printed something."""
    experiment = state.experiments.get(experiment_id)
    return experiment is not None and bool(experiment.execs) and experiment.stage == "running"


async def asked_to_launch(live: LiveRun, experiment_id: str) -> None:
    await live.until(lambda state: experiment_id in state.experiments and state.live_request(experiment_id))


def test_a_question_becomes_a_verdict_and_a_paper(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path, study())
    state = play(folder)
    assert state.ended is not None
    assert state.ended.outcome == "done"
    verdict = state.experiments["E1"].verdict
    assert verdict is not None
    assert verdict.outcome == "supported"
    assert "H1 is [supported]" in (folder.paper / "paper.md").read_text()
    assert (folder.logs / "E1-1.log").read_text().endswith("measured\n")


def test_nothing_runs_until_a_human_approves_it(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path, study(), approve="ask")
    seen: list[str] = []

    async def human(live: LiveRun) -> None:
        await live.until(waits)
        seen.append(live.state.experiments["E1"].stage)
        live.record(*decisions.approve(live.state, "E1"))

    state = play(folder, human)
    assert seen == ["waiting"]
    assert not list((folder.path / "sandboxes").glob("*"))
    decision = state.requests["E1.1"].decision
    assert decision is not None
    assert decision.by == "human"
    assert state.experiments["E1"].outcome == "done"


def test_the_reason_of_a_rejection_reaches_the_orchestrator(tmp_path: Path) -> None:
    async def human(live: LiveRun) -> None:
        await live.until(waits)
        live.record(*decisions.reject(live.state, "E1", "too dear for what it shows"))

    state = play(tiny_run(tmp_path, study(), approve="ask"), human)
    assert state.experiments["E1"].outcome == "rejected"
    told = [answer.text for answer in state.agents["orchestrator"].answers.values()]
    assert any("too dear for what it shows" in text for text in told)
    assert not state.execs


def test_an_edited_experiment_runs_as_edited_after_a_new_approval(tmp_path: Path) -> None:
    async def human(live: LiveRun) -> None:
        await live.until(waits)
        live.record(*decisions.edit(live.state, "E1", {"compute.timeout_seconds": 30}))
        await live.until(lambda state: "E1.2" in state.requests)
        live.record(*decisions.approve(live.state, "E1"))

    state = play(tiny_run(tmp_path, study(), approve="ask"), human)
    assert state.requests["E1.1"].void
    assert state.experiments["E1"].spec.compute.timeout_seconds == 30
    locked = state.experiments["E1"].locked
    assert locked is not None
    assert locked.sha256 == state.experiments["E1"].spec.sha256


def test_a_killed_experiment_ends_and_the_other_goes_on(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path, study(MEASURE_WHEN_TOLD, experiments=2))

    async def human(live: LiveRun) -> None:
        await live.until(lambda state: running(state) and running(state, "E2"))
        live.record(*decisions.kill(live.state, "E1", "no longer needed"))
        await live.until(lambda state: state.experiments["E1"].outcome)
        let_go(folder, "E2")

    state = play(folder, human)
    assert state.experiments["E1"].outcome == "killed"
    assert state.experiments["E1"].verdict is None
    cut_off = state.execs["E1-1"].ended
    assert cut_off is not None
    assert cut_off.end == "killed"
    assert cut_off.seconds > 0
    assert state.experiments["E2"].outcome == "done"
    assert state.ended is not None
    assert state.ended.outcome == "done"
    assert not list((folder.path / "sandboxes").glob("*"))


def test_a_killed_run_closes_everything_and_writes_no_paper(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path, study(MEASURE_WHEN_TOLD, experiments=2))

    async def human(live: LiveRun) -> None:
        await live.until(lambda state: running(state) and running(state, "E2"))
        live.record(*decisions.kill(live.state, None, "wrong question"))

    state = play(folder, human)
    assert state.ended is not None
    assert state.ended.outcome == "killed"
    assert {experiment.outcome for experiment in state.experiments.values()} == {"killed"}
    assert state.paper is None
    assert not list((folder.path / "sandboxes").glob("*"))


def test_a_stopped_engine_leaves_its_sandboxes_and_the_next_one_goes_on(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path, study(MEASURE_WHEN_TOLD))

    async def human(live: LiveRun) -> None:
        await live.until(running)
        live.record(*decisions.stop(live.state, close_sandboxes=False))

    stopped = play(folder, human)
    assert stopped.ended is None
    assert stopped.engine_stopped is not None
    assert stopped.engine_stopped.sandboxes == "left"
    let_go(folder)
    state = play(folder)
    assert state.experiments["E1"].outcome == "done"
    assert state.experiments["E1"].execs == ["E1-1"]
    assert (folder.logs / "E1-1.log").read_text() == "waiting\n" + _expected_output()


def test_a_stop_that_closes_sandboxes_ends_their_scripts_and_a_resumed_run_says_so(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path, study(MEASURE_WHEN_TOLD))

    async def human(live: LiveRun) -> None:
        await live.until(running)
        live.record(*decisions.stop(live.state, close_sandboxes=True))

    stopped = play(folder, human)
    assert stopped.engine_stopped is not None
    assert stopped.engine_stopped.sandboxes == "closed"
    assert not list((folder.path / "sandboxes").glob("*"))
    state = play(folder)
    assert state.experiments["E1"].verdict is not None
    assert state.experiments["E1"].verdict.outcome == "inconclusive"


class SlowToBegin(LocalProvider):
    """Gets ready until it is told that that is enough."""

    def __init__(self, folder: RunFolder) -> None:
        super().__init__(folder.path)
        self.begins, self.enough = asyncio.Event(), asyncio.Event()

    async def isolation(self) -> tuple[Isolation, str]:
        self.begins.set()
        await self.enough.wait()
        return await super().isolation()


@pytest.mark.parametrize(("close", "said"), [(False, "left"), (True, "closed")])
def test_a_stop_that_is_asked_of_an_engine_that_gets_ready_is_carried_out(
    tmp_path: Path, close: bool, said: str
) -> None:
    folder = tiny_run(tmp_path, study(MEASURE_WHEN_TOLD))

    async def first(live: LiveRun) -> None:
        await live.until(running)
        live.record(*decisions.stop(live.state, close_sandboxes=False))

    left = play(folder, first)
    assert left.engine_stopped is not None
    assert left.engine_stopped.sandboxes == "left"
    slow = SlowToBegin(folder)

    async def then(live: LiveRun) -> None:
        await slow.begins.wait()
        assert folder.has_engine()
        live.record(*decisions.stop(live.state, close_sandboxes=close))
        slow.enough.set()

    state = play(folder, then, provider=slow)
    assert state.engines == 2
    assert state.engine_stopped is not None
    assert (state.engine_stopped.reason, state.engine_stopped.sandboxes) == ("asked", said)
    assert bool(list((folder.path / "sandboxes").glob("*"))) is not close
    if not close:
        let_go(folder)
    assert play(folder).ended is not None


def test_while_launching_is_paused_nothing_new_starts(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path, study(MEASURE_WHEN_TOLD, experiments=2), max_parallel=1)
    stages: list[str] = []

    async def human(live: LiveRun) -> None:
        await live.until(running)
        live.record(*decisions.pause(live.state))
        let_go(folder)
        await live.until(lambda state: state.experiments["E1"].outcome)
        stages.append(live.state.experiments["E2"].stage)
        live.record(*decisions.go_on(live.state))
        await live.until(lambda state: running(state, "E2"))
        let_go(folder, "E2")

    state = play(folder, human)
    assert stages == ["queued"]
    assert state.experiments["E2"].outcome == "done"


def test_a_question_to_the_human_waits_and_its_answer_arrives(tmp_path: Path) -> None:
    asking = [call("ask_human", question="Which arm?"), call("submit_result", summary="Asked.")]

    async def human(live: LiveRun) -> None:
        asked = await live.until(lambda state: [r for r in state.waiting if r.asked.kind == "launch"])
        live.record(*decisions.approve(live.state, asked[0].asked.experiment_id or ""))
        asked = await live.until(lambda state: [r for r in state.waiting if r.asked.kind == "question"])
        live.record(*decisions.answer(live.state, asked[0].asked.request_id, "the new one"))

    state = play(tiny_run(tmp_path, study(E1=asking), approve="ask"), human)
    assert "The human answers: the new one" in [a.text for a in state.agents["E1"].answers.values()]


def test_under_an_unattended_policy_questions_are_answered_that_nobody_is_here(tmp_path: Path) -> None:
    asking = [call("ask_human", question="Which arm?"), call("submit_result", summary="Asked.")]
    state = play(tiny_run(tmp_path, study(E1=asking)))
    assert any("Nobody is here" in answer.text for answer in state.agents["E1"].answers.values())


def test_without_isolation_nothing_starts_before_the_human_accepts_that_and_every_script(
    tmp_path: Path,
) -> None:
    folder = tiny_run(tmp_path, study())
    kinds: list[str] = []

    async def human(live: LiveRun) -> None:
        for _ in range(2):
            waiting = await live.until(lambda state: state.waiting)
            kinds.append(waiting[0].asked.kind)
            assert not live.state.execs
            live.record(*decisions.approve(live.state, waiting[0].asked.request_id))

    state = play(folder, human, isolation="process only")
    assert kinds == ["isolation", "script"]
    assert state.experiments["E1"].outcome == "done"


def test_a_run_whose_human_does_not_accept_to_go_without_isolation_ends_without_running_anything(
    tmp_path: Path,
) -> None:
    async def human(live: LiveRun) -> None:
        waiting = await live.until(lambda state: state.waiting)
        live.record(*decisions.reject(live.state, waiting[0].asked.request_id, "no"))

    state = play(tiny_run(tmp_path, study()), human, isolation="process only")
    assert state.experiments["E1"].outcome == "rejected"
    assert not state.execs
    assert state.ended is not None


def test_a_script_that_the_human_refuses_does_not_run_and_its_researcher_is_told(tmp_path: Path) -> None:
    async def human(live: LiveRun) -> None:
        waiting = await live.until(lambda state: state.waiting)
        live.record(*decisions.reject(live.state, waiting[0].asked.request_id, "it reads too much"))

    state = play(tiny_run(tmp_path, study(), confirm_scripts=True), human)
    assert not state.execs
    answers = list(state.agents["E1"].answers.values())
    assert answers[0].error
    assert "it reads too much" in answers[0].text


def test_an_experiment_that_passes_its_time_limit_is_no_evidence(tmp_path: Path) -> None:
    endless = MEASURE + "\nimport time\ntime.sleep(300)\n"
    orchestrator = [
        call("propose_experiments", experiments=[proposed(timeout_seconds=2)]),
        call("wait_for_results"),
        call("finish_research", summary="Too slow."),
    ]
    state = play(tiny_run(tmp_path, study(endless, orchestrator=orchestrator)))
    experiment = state.experiments["E1"]
    assert experiment.outcome == "timed out"
    assert experiment.verdict is not None
    assert experiment.verdict.outcome == "inconclusive"


def test_more_seeds_run_the_same_scripts_again_after_an_approval_of_their_own(tmp_path: Path) -> None:
    hold = [call("ask_human", question="go on?"), call("submit_result", summary="Ran.")]
    trajectory = study(experiments=2, E2=hold)

    async def human(live: LiveRun) -> None:
        for name in ("E1", "E2"):
            await asked_to_launch(live, name)
            live.record(*decisions.approve(live.state, name))
        await live.until(lambda state: state.experiments["E1"].verdict)
        live.record(*decisions.seeds(live.state, "E1", 4))
        await asked_to_launch(live, "E3")
        live.record(*decisions.approve(live.state, "E3"))
        await live.until(lambda state: state.experiments["E3"].verdict)
        asked = next(r for r in live.state.waiting if r.asked.kind == "question")
        live.record(*decisions.answer(live.state, asked.asked.request_id, "yes"))

    state = play(tiny_run(tmp_path, trajectory, approve="ask"), human)
    more = state.experiments["E3"]
    assert more.spec.repeats == "E1"
    assert more.spec.hypothesis is not None
    assert more.spec.hypothesis.seeds == (8, 9, 10, 11)
    assert more.verdict is not None
    assert more.verdict.seeds == 4
    assert more.verdict.outcome == "supported"
    assert any("after the result of E1 was seen" in deviation for deviation in more.verdict.deviations)
    assert "E3" not in state.agents


def test_what_does_not_fit_the_cap_waits_until_the_cap_is_raised(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path, study(), budget_usd=Decimal("0.10"), approve="ask")

    async def human(live: LiveRun) -> None:
        await live.until(waits)
        live.record(*decisions.approve(live.state, "E1"))
        again = await live.until(lambda state: state.requests.get("E1.2"))
        assert "does not fit" in again.asked.detail
        live.record(*decisions.budget(live.state, Decimal(5)))
        live.record(*decisions.approve(live.state, "E1"))

    state = play(folder, human, rates=Rates(flat(Decimal(60)), researcher_money(FREE, 10)))
    assert state.experiments["E1"].outcome == "done"
    assert Decimal(0) < state.spent_usd <= Decimal(1)


def test_a_script_that_fails_is_a_result_and_the_researcher_can_repair_it(tmp_path: Path) -> None:
    repaired = [
        call("run_python", code="print('hello')\nraise ValueError('oh')"),
        call("run_python", code=MEASURE),
        call("submit_result", summary="Repaired."),
    ]
    state = play(tiny_run(tmp_path, study(E1=repaired)))
    answers = [answer.text for answer in state.agents["E1"].answers.values()]
    assert "exit code 1" in answers[0]
    assert "ValueError: oh" in answers[0]
    verdict = state.experiments["E1"].verdict
    assert verdict is not None
    assert verdict.outcome == "supported"


class OnFullDisk:
    """A model whose cache has no room left."""

    name = "full"
    scripted = True
    prices: TokenPrices | None = FREE

    def turn_price(self, request: TurnRequest) -> Decimal:
        return Decimal(0)

    def turn(self, request: TurnRequest) -> AsyncIterator[Delta | Turn]:
        raise OSError(errno.ENOSPC, "No space left on device", "/cache/turn")


def test_what_the_system_refuses_is_named_where_an_engine_fails_over_it(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path, study())
    model = OnFullDisk()
    with pytest.raises(OSError, match="No space left"):
        asyncio.run(drive(folder, Models(model, model, model)))
    stopped = folder.state().engine_stopped
    assert stopped is not None
    assert "No space left on device (/cache/turn)" in stopped.message


def test_a_researcher_that_gives_up_ends_its_experiment_only(tmp_path: Path) -> None:
    state = play(tiny_run(tmp_path, study(E1=[call("run_python", code=MEASURE)])))
    assert state.experiments["E1"].outcome == "gave up"
    assert "no further turn" in state.experiments["E1"].message
    assert state.ended is not None
    assert state.ended.outcome == "done"


def test_an_engine_told_to_stop_before_it_began_work_ends_at_once(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path, study(MEASURE_WHEN_TOLD), approve="ask")

    async def human(live: LiveRun) -> None:
        await live.until(waits)
        live.record(StopRequested())

    state = play(folder, human)
    assert state.engine_stopped is not None
    assert state.engine_stopped.reason == "asked"
    assert state.experiments["E1"].stage == "waiting"


def _expected_output() -> str:
    results = [
        f"lab.result score={score + 0.01 * seed:g} arm={arm} seed={seed}\n"
        for seed in range(8)
        for arm, score in (("new", 2.0), ("old", 1.0))
    ]
    return "".join(results) + "measured\n"
