"""What a run makes of sandboxes that fail: never a result, never a second price, and never a word too few."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core import decisions
from core.agents.launching import Relaunches
from core.agents.turn import SANDBOX_LOST
from core.budget import Rates, researcher_money
from core.pricing import FREE
from core.record import events as e
from core.record.folder import RunFolder
from core.record.live import LiveRun
from core.record.state import RunState
from core.sandbox.modal.prices import TABLE
from tests.core.sandbox.test_modal.conftest import ModalPlace
from tests.fakes.tiny_run import MEASURE, Human, call, play, proposed, study, tiny_run

AT_ONCE = Relaunches(most=3, first_seconds=0.05)
WAITS = "import lab, time\nlab.note('it runs')\nprint('on', flush=True)\ntime.sleep(99)"
RATES = Rates(TABLE.usd_per_hour, researcher_money(FREE, 10))


def run_on(
    place: ModalPlace, parent: Path, *scripts: str, settings: dict[str, Any] | None = None, **compute: Any
) -> RunFolder:
    """A run of one experiment with the place's GPU, whose researcher runs these scripts one after another."""
    machine = {"packages": ["numpy"]} | ({"gpu": place.gpu} if place.gpu else {}) | compute
    waits = ({"when": "Still open"} | call("wait_for_results") for _ in range(9))
    proposing = [
        call("propose_experiments", experiments=[proposed(**machine)]),
        call("wait_for_results"),
        *waits,
        call("finish_research", summary="Done."),
    ]
    working = [*(call("run_python", code=code) for code in scripts), call("submit_result", summary="Ran.")]
    trajectory = study(orchestrator=proposing, E1=working)
    return tiny_run(parent, trajectory, sandbox="modal", **(settings or {}))


def drive(
    place: ModalPlace,
    folder: RunFolder,
    human: Human | None = None,
    relaunches: Relaunches = AT_ONCE,
    **provider: Any,
) -> RunState:
    """Drive a run at the double until its engine stops."""
    return play(folder, human, provider=place.provider(**provider), rates=RATES, relaunches=relaunches)


def events(folder: RunFolder, kind: type[e.Event]) -> list[Any]:
    with folder.journal() as journal:
        return [event for event in journal.read() if isinstance(event, kind)]


def names(place: ModalPlace) -> list[str]:
    return [create["tags"]["fumehood-experiment"] for create in place.creates]


def runs(number: int) -> Callable[[RunState], bool]:
    """Whether that many scripts of E1 were begun, and the last of them runs."""

    def look(state: RunState) -> bool:
        experiment = state.experiments.get("E1")
        return (
            experiment is not None
            and len(experiment.execs) == number
            and (state.execs[experiment.execs[-1]].records > 0)
        )

    return look


async def end(place: ModalPlace, live: LiveRun, status: str, exit_code: int) -> None:
    """End the open sandbox of E1 at Modal."""
    sandbox = live.state.experiments["E1"].sandbox
    assert sandbox is not None
    await place.double.acall("end", sandbox_id=sandbox.sandbox_id, status=status, exit_code=exit_code)


@pytest.mark.parametrize(("status", "exit_code"), [("SUCCESS", 0), ("INTERNAL_FAILURE", 1)])
def test_a_preempted_sandbox_is_replaced_and_its_script_has_no_result(
    either: ModalPlace, folder: Path, status: str, exit_code: int
) -> None:
    run = run_on(either, folder, WAITS, MEASURE)

    async def human(live: LiveRun) -> None:
        await live.until(runs(1))
        await end(either, live, status, exit_code)

    state = drive(either, run, human)
    experiment = state.experiments["E1"]
    assert (experiment.outcome, names(either)) == ("done", ["E1", "E1.2"])
    assert experiment.verdict is not None
    assert experiment.verdict.outcome == "supported"
    ends = [state.execs[name].ended for name in experiment.execs]
    assert [one.end for one in ends if one] == ["lost", "finished"]
    [failed] = events(run, e.SandboxFailed)
    assert (failed.fault, failed.then, failed.after_seconds) == ("ended", "tried again", 0.05)
    assert len(experiment.bills) == 2
    assert SANDBOX_LOST in state.agents["E1"].asked[2].remark
    assert SANDBOX_LOST not in state.agents["E1"].asked[3].remark
    assert either.alive == []


@pytest.mark.parametrize(
    ("status", "outcome", "fault"),
    [("TERMINATED", "killed", "terminated"), ("TIMEOUT", "timed out", "time over")],
)
def test_what_somebody_ended_or_whose_time_was_over_ends_without_a_verdict(
    either: ModalPlace, folder: Path, status: str, outcome: str, fault: str
) -> None:
    run = run_on(either, folder, MEASURE, WAITS)

    async def human(live: LiveRun) -> None:
        await live.until(runs(2))
        await end(either, live, status, 0)

    state = drive(either, run, human)
    assert (state.experiments["E1"].outcome, state.experiments["E1"].verdict) == (outcome, None)
    assert [(one.fault, one.then) for one in events(run, e.SandboxFailed)] == [(fault, "ended")]
    assert names(either) == ["E1"]


def test_no_room_is_waited_for_without_cost(place: ModalPlace, folder: Path) -> None:
    place.gpu = "H100"
    place.double.call("no room", gpus=["H100"])
    run = run_on(place, folder, MEASURE)

    async def human(live: LiveRun) -> None:
        await live.until(lambda state: state.experiments and state.experiments["E1"].failures)
        await place.double.acall("no room", gpus=[])

    state = drive(place, run, human, room_seconds=0.3)
    assert state.experiments["E1"].outcome == "done"
    failures = events(run, e.SandboxFailed)
    assert {(one.fault, one.then) for one in failures} == {("no room", "tried again")}
    delays = [one.after_seconds for one in failures]
    assert delays == [0.05 * 2**number for number in range(len(delays))]
    assert len(events(run, e.SandboxRequested)) == 1
    assert len(state.experiments["E1"].bills) == 1


def test_a_create_that_cannot_be_asked_for_is_asked_for_again(either: ModalPlace, folder: Path) -> None:
    rpc = "SandboxCreate" if either.gpu else "SandboxCreateV2"
    either.double.call("fault", rpc=rpc, status="INTERNAL", times=6)
    run = run_on(either, folder, MEASURE)
    state = drive(either, run)
    assert state.experiments["E1"].outcome == "done"
    assert {(one.fault, one.then) for one in events(run, e.SandboxFailed)} == {("unreachable", "tried again")}
    assert names(either) == ["E1"]


def test_a_token_that_is_taken_back_fails_no_experiment(either: ModalPlace, folder: Path) -> None:
    rpc = "SandboxCreate" if either.gpu else "SandboxCreateV2"
    either.double.call("fault", rpc=rpc, status="UNAUTHENTICATED", times=2)
    run = run_on(either, folder, MEASURE)
    state = drive(either, run)
    assert state.experiments["E1"].outcome == "done"
    [failed, *_] = events(run, e.SandboxFailed)
    assert (failed.fault, failed.then) == ("unreachable", "tried again")
    assert "token" in failed.message


def test_what_is_refused_ends_the_experiment_at_once(either: ModalPlace, folder: Path) -> None:
    rpc = "SandboxCreate" if either.gpu else "SandboxCreateV2"
    either.double.call("fault", rpc=rpc, status="INVALID_ARGUMENT", message="no such machine", times=-1)
    run = run_on(either, folder, MEASURE)
    state = drive(either, run)
    assert (state.experiments["E1"].outcome, state.experiments["E1"].verdict) == ("failed", None)
    assert "no such machine" in state.experiments["E1"].message
    assert [(one.fault, one.then) for one in events(run, e.SandboxFailed)] == [("refused", "ended")]


def test_packages_that_cannot_be_installed_end_the_experiment(place: ModalPlace, folder: Path) -> None:
    place.double.call("build", log=["nunpy was not found"], error="exit code 1")
    run = run_on(place, folder, MEASURE)
    state = drive(place, run)
    assert state.experiments["E1"].outcome == "failed"
    assert [(one.fault, one.then) for one in events(run, e.SandboxFailed)] == [("packages", "ended")]
    assert place.creates == []


async def approved(live: LiveRun, number: int) -> None:
    await live.until(lambda state: f"E1.{number}" in state.requests)
    live.record(*decisions.approve(live.state, "E1"))


def test_after_too_many_tries_the_human_is_asked_again_and_a_yes_goes_on(
    place: ModalPlace, folder: Path
) -> None:
    run = run_on(place, folder, WAITS, WAITS, MEASURE, settings={"approve": "ask"})

    async def human(live: LiveRun) -> None:
        await approved(live, 1)
        for number in (1, 2):
            await live.until(runs(number))
            await end(place, live, "FAILURE", 1)
        await live.until(lambda state: "E1.2" in state.requests)
        experiment = live.state.experiments["E1"]
        assert experiment.stage == "waiting"
        assert experiment.sandbox is None
        assert experiment.held_usd == 0
        assert "preempted" in live.state.requests["E1.2"].asked.detail
        await approved(live, 2)

    state = drive(place, run, human, Relaunches(most=1, first_seconds=0.05))
    experiment = state.experiments["E1"]
    assert (experiment.outcome, names(place)) == ("done", ["E1", "E1.2", "E1.3"])
    assert experiment.verdict is not None
    assert experiment.verdict.outcome == "supported"
    locks = events(run, e.ExperimentLocked)
    assert len(locks) == 2
    assert experiment.locked_at == locks[0].at
    assert [one.then for one in events(run, e.SandboxFailed)] == ["tried again", "asked again"]


def test_a_no_to_another_launch_ends_the_experiment_and_its_researcher(
    place: ModalPlace, folder: Path
) -> None:
    run = run_on(place, folder, WAITS, MEASURE, settings={"approve": "ask"})

    async def human(live: LiveRun) -> None:
        await approved(live, 1)
        await live.until(runs(1))
        await end(place, live, "FAILURE", 1)
        await live.until(lambda state: "E1.2" in state.requests)
        live.record(*decisions.reject(live.state, "E1", "too shaky"))

    state = drive(place, run, human, Relaunches(most=0))
    assert (state.experiments["E1"].outcome, state.experiments["E1"].verdict) == ("rejected", None)
    ended = state.agents["E1"].ended
    assert ended is not None
    assert ended.message == "too shaky"
    assert names(place) == ["E1"]


def test_where_nobody_would_answer_the_experiment_ends_and_the_orchestrator_hears_of_it(
    place: ModalPlace, folder: Path
) -> None:
    run = run_on(place, folder, WAITS, MEASURE)

    async def human(live: LiveRun) -> None:
        await live.until(runs(1))
        await end(place, live, "FAILURE", 1)

    state = drive(place, run, human, Relaunches(most=0))
    assert state.experiments["E1"].outcome == "failed"
    told = " ".join(answer.text for answer in state.agents["orchestrator"].answers.values())
    assert "preempted" in told
    assert state.ended is not None


def test_a_sandbox_that_is_silent_for_a_while_is_found_again_with_all_that_runs_in_it(
    either: ModalPlace, folder: Path
) -> None:
    run = run_on(either, folder, "print('first')", MEASURE)
    # Opening, and starting and following the first script are five commands; then one start is let in.
    either.double.call("fault", rpc="TaskExecStart", kind="disconnect", skip=6, times=-1)

    async def human(live: LiveRun) -> None:
        await live.until(lambda state: state.experiments and state.experiments["E1"].failures)
        await either.double.acall("heal")

    state = drive(either, run, human, Relaunches(first_seconds=0.2), patience_seconds=1)
    experiment = state.experiments["E1"]
    assert (experiment.outcome, experiment.execs, names(either)) == ("done", ["E1-1", "E1-2"], ["E1"])
    assert experiment.verdict is not None
    assert run.log_path("E1-2").read_bytes().count(b"measured\n") == 1
    assert {(one.fault, one.then) for one in events(run, e.SandboxFailed)} == {("silent", "tried again")}
    assert len(experiment.closings) == 1
    assert state.agents["E1"].asked[3].remark == ""


def never_terminated(place: ModalPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on no sandbox can be ended, and nobody waits for that for long."""
    monkeypatch.setattr("core.sandbox.modal.sandbox.TERMINATE_SECONDS", 0.3)
    monkeypatch.setattr("core.agents.closing.FIND_SECONDS", 2.0)
    for rpc in ("SandboxTerminate", "SandboxTerminateV2"):
        place.double.call("fault", rpc=rpc, kind="hang", times=-1)


def test_a_sandbox_that_cannot_be_closed_is_billed_until_it_is(
    either: ModalPlace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    never_terminated(either, monkeypatch)
    monkeypatch.setattr("core.agents.closing.Closer.__init__.__defaults__", (0.1, 1.0), raising=False)
    run = run_on(either, folder, MEASURE)
    state = drive(either, run)
    experiment = state.experiments["E1"]
    assert (experiment.outcome, experiment.closings) == ("done", [])
    assert experiment.sandbox is not None
    assert experiment.held_usd > 0
    troubles = events(run, e.SandboxFailed)
    assert {(one.fault, one.then) for one in troubles} == {("silent", "closed again")}
    assert state.ended is not None
    assert state.engine_stopped is not None
    assert (state.engine_stopped.reason, state.engine_stopped.sandboxes) == ("finished", "left")


def test_a_sandbox_that_can_be_closed_later_is_closed_by_the_engine_that_goes_on(
    place: ModalPlace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    never_terminated(place, monkeypatch)
    run = run_on(place, folder, MEASURE, settings={"approve": "ask"})

    async def human(live: LiveRun) -> None:
        await approved(live, 1)
        await live.until(lambda state: state.experiments["E1"].outcome)
        assert live.state.experiments["E1"].sandbox is not None
        live.record(*decisions.stop(live.state, close_sandboxes=False))

    stopped = drive(place, run, human)
    assert stopped.engine_stopped is not None
    assert stopped.engine_stopped.sandboxes == "left"
    assert len(place.alive) == 1
    place.double.call("heal")
    state = drive(place, run)
    assert (state.experiments["E1"].sandbox, len(state.experiments["E1"].bills)) == (None, 1)
    assert place.alive == []


def test_the_vendors_figure_takes_the_place_of_our_own(
    either: ModalPlace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.agents.accounts.SETTLED_SECONDS", 0.0)
    run = run_on(either, folder, MEASURE)
    state = drive(either, run)
    [closing], [billed] = events(run, e.SandboxClosed), events(run, e.SandboxBilled)
    assert billed.sandbox_id == closing.sandbox_id
    assert billed.cost_usd != closing.cost_usd
    assert state.spent_usd == state.experiments["E1"].cost_usd == billed.cost_usd > 0


def test_a_figure_that_may_still_grow_does_not_lower_what_counts(place: ModalPlace, folder: Path) -> None:
    place.double.call("rates", rates={"Sandbox CPU": "0.0001", "Sandbox Memory": "0.0001"})
    run = run_on(place, folder, MEASURE)
    state = drive(place, run)
    assert events(run, e.SandboxBilled) == []
    [closing] = events(run, e.SandboxClosed)
    assert state.spent_usd == closing.cost_usd


def test_what_nobody_needs_is_ended_at_the_start_and_nothing_else_is_touched(
    either: ModalPlace, folder: Path
) -> None:
    run = run_on(either, folder, MEASURE)

    async def leave_some_behind() -> list[str]:
        provider = either.provider()
        opened = []
        for run_id, name in ((run.run_id, "E9"), ("20261123-another-1234", "E1")):
            spec = either.spec()
            spec = type(spec)(run_id, spec.compute, specification=spec.specification)
            opened.append((await provider.open(spec, name, lambda _: None)).id)
        await provider.close()
        return opened

    ours, anothers = asyncio.run(leave_some_behind())
    state = drive(either, run)
    assert either.alive == [anothers]
    [reaped] = events(run, e.SandboxReaped)
    assert (reaped.sandbox_id, reaped.name, reaped.experiment_id) == (ours, "E9", None)
    assert state.experiments["E1"].outcome == "done"


def test_what_was_left_behind_is_in_the_bill(
    place: ModalPlace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.agents.accounts.SETTLED_SECONDS", 0.0)
    run = run_on(place, folder, MEASURE)

    async def leave_one_behind() -> None:
        provider = place.provider()
        spec = place.spec()
        await provider.open(
            type(spec)(run.run_id, spec.compute, specification=spec.specification), "E9", lambda _: None
        )
        await provider.close()

    asyncio.run(leave_one_behind())
    state = drive(place, run)
    [stray] = state.stray_bills.values()
    assert stray > 0
    assert state.spent_usd == stray + (state.experiments["E1"].cost_usd or Decimal(0))


def test_more_seeds_are_measured_anew_where_their_sandbox_is_lost(place: ModalPlace, folder: Path) -> None:
    lingers = "import lab, time\nlab.note('it runs')\ntime.sleep(1 if lab.seeds()[0] else 0)"
    run = run_on(place, folder, MEASURE, lingers, settings={"approve": "ask"})

    async def human(live: LiveRun) -> None:
        await live.until(lambda state: "E1" in state.experiments)
        live.record(e.SeedsRequested(request_id="more", experiment_id="E1", count=2))
        await approved(live, 1)
        await live.until(lambda state: "E2.1" in state.requests)
        live.record(*decisions.approve(live.state, "E2"))
        await live.until(lambda state: "E2-2" in state.execs and state.execs["E2-2"].records)
        sandbox = live.state.experiments["E2"].sandbox
        assert sandbox is not None
        await place.double.acall("end", sandbox_id=sandbox.sandbox_id, status="FAILURE", exit_code=1)

    state = drive(place, run, human)
    repeat = state.experiments["E2"]
    assert (repeat.outcome, len(repeat.execs)) == ("done", 4)
    assert [state.execs[name].counts for name in repeat.execs] == [False, False, True, True]
    assert repeat.verdict is not None
    assert not any("measured" in deviation for deviation in repeat.verdict.deviations)
    assert names(place) == ["E1", "E2", "E2.2"]


def test_an_artifact_of_a_killed_experiment_is_kept(either: ModalPlace, folder: Path) -> None:
    code = "import lab\nopen('model.bin', 'wb').write(b'trained')\nlab.artifact('model.bin')\n" + WAITS
    run = run_on(either, folder, code)

    async def human(live: LiveRun) -> None:
        await live.until(runs(1))
        live.record(*decisions.kill(live.state, "E1", "enough"))

    state = drive(either, run, human)
    assert (state.experiments["E1"].outcome, state.experiments["E1"].verdict) == ("killed", None)
    assert [file.read_bytes() for file in run.files.iterdir()] == [b"trained"]
    assert either.alive == []


def test_a_sandbox_is_closed_before_its_time_is_over_so_that_what_it_holds_is_kept(
    place: ModalPlace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.agents.conduct.CLOSING_SHARE", 0.9)
    code = "import lab\nopen('model.bin', 'wb').write(b'trained')\nlab.artifact('model.bin')\n" + WAITS
    run = run_on(place, folder, code, timeout_seconds=22)
    state = drive(place, run)
    assert state.experiments["E1"].outcome == "timed out"
    assert [file.read_bytes() for file in run.files.iterdir()] == [b"trained"]
    ended = state.execs["E1-1"].ended
    assert ended is not None
    assert ended.end == "time"
    assert state.experiments["E1"].sandbox_seconds < 22
