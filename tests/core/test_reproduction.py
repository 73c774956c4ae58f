"""Reproducing a run that has ended: the same scripts in fresh sandboxes, through the same gate."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core import decisions
from core.errors import DecisionError
from core.evidence.evidence import Evidence
from core.evidence.gather import gather
from core.evidence.reproduction import Compared, compare_again
from core.record import events as e
from core.record.fold import fold
from core.record.folder import RunFolder
from core.record.live import LiveRun
from core.record.state import RunState
from core.repeats import next_repeat, reproducible
from tests.fakes.specs import run_settings
from tests.fakes.tiny_run import MEASURE, MEASURE_WHEN_TOLD, let_go, play, study, tiny_run

DEVIATES = """
import os
import lab
again = "/E2/" in os.environ["LAB_DIR"]
for seed in lab.seeds():
    for arm, score in (("new", 2.0), ("old", 1.0)):
        lab.condition(arm=arm, seed=seed)
        value = score + 0.01 * seed
        if again and arm == "new":
            if seed == 3:
                continue
            value += {0: 5.0, 1: 0.001, 2: 1e-14}.get(seed, 0.0)
        lab.result("score", value, split="test")
"""
"""In E2 it gives another number for seed 0, a near one for 1, a rounding error for 2 and none for 3."""

WAITS_AGAIN = f"""
import os
if "/E2/" in os.environ["LAB_DIR"]:
    exec({MEASURE_WHEN_TOLD!r})
else:
    exec({MEASURE!r})
"""

PAPER: dict[str, Any] = {
    "writer": [
        {
            "calls": [
                {
                    "tool": "submit_paper",
                    "arguments": {
                        "title": "Scores",
                        "abstract": "New wins.",
                        "body": "The score of arm new is {{ score.new : .2f }}.",
                    },
                }
            ]
        }
    ]
}


OPEN: dict[str, Any] = {"accept_process_only": True, "confirm_scripts": False}
"""Settings of a run whose scripts can see where they are."""


def ask_for_a_reproduction(folder: RunFolder) -> None:
    with folder.journal() as journal:
        live = LiveRun(folder, journal)
        live.record(*decisions.reproduce(live.state))


def evidence_of(folder: RunFolder) -> Evidence:
    with folder.journal() as journal:
        return gather(journal, folder.state())


def compared(folder: RunFolder) -> tuple[Compared, ...]:
    ledger = evidence_of(folder).ledger
    return compare_again(ledger.measurements, ledger.execs)


def turns_of(state: RunState) -> int:
    return sum(len(agent.asked) for agent in state.agents.values())


def test_the_same_scripts_give_the_same_in_fresh_sandboxes_and_raise_every_measurement(
    tmp_path: Path,
) -> None:
    folder = tiny_run(tmp_path, study(**PAPER))
    before = play(folder)
    assert {m.level for m in evidence_of(folder).ledger.measurements} == {"reported"}
    ask_for_a_reproduction(folder)
    after = play(folder)
    assert after.ended is not None
    assert after.concluded is not None
    assert (after.ended.outcome, after.reproduction) == ("done", None)
    assert turns_of(after) == turns_of(before), "a model was asked"
    again = after.experiments["E2"]
    assert (again.spec.reproduces, again.outcome, again.verdict) == ("E1", "done", None)
    assert again.locked is not None, "it was launched past the gate"
    assert {one.outcome for one in compared(folder)} == {"same"}
    assert len(compared(folder)) == 16
    assert {m.level for m in evidence_of(folder).ledger.measurements} == {"reproduced"}


def test_the_paper_is_published_again_and_says_what_was_reproduced(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path, study(**PAPER))
    first = play(folder).paper
    assert "reproduced" not in (folder.paper / "paper.md").read_text(encoding="utf-8")
    ask_for_a_reproduction(folder)
    second = play(folder).paper
    assert first is not None
    assert second is not None
    assert (second.numbers, second.struck) == (first.numbers, first.struck) == (1, 0)
    text = (folder.paper / "paper.md").read_text(encoding="utf-8")
    assert "2.04" in text
    assert "reproduced" in text


def test_each_measurement_is_said_to_be_the_same_near_different_or_missing(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path, study(DEVIATES, **PAPER), **OPEN)
    play(folder, isolation="process only")
    keys = {name: key.values for name, key in evidence_of(folder).ledger.keys.items()}
    ask_for_a_reproduction(folder)
    assert play(folder, isolation="process only").ended is not None
    found = {
        one.first.seed: (one.outcome, one.first.level)
        for one in compared(folder)
        if one.first.condition["arm"] == "new"
    }
    assert found == {
        0: ("different", "reported"),
        1: ("within its seeds' spread", "reported"),
        2: ("same", "reproduced"),
        3: ("not measured again", "reported"),
    } | dict.fromkeys(range(4, 8), ("same", "reproduced"))
    after = {name: key.values for name, key in evidence_of(folder).ledger.keys.items()}
    assert after == keys, "what was measured again must not stand for what was measured first"


def test_a_reproduction_waits_for_a_yes_with_its_price_and_ends_as_the_run_ended(tmp_path: Path) -> None:
    async def approve(live: LiveRun) -> None:
        await live.until(lambda state: state.waiting)
        live.record(*decisions.approve(live.state, "all"))

    folder = tiny_run(tmp_path, study(), approve="ask", local_usd_per_hour=Decimal(6))
    play(folder, approve)
    ask_for_a_reproduction(folder)
    asked: list[e.ApprovalRequested] = []

    async def reject(live: LiveRun) -> None:
        waiting = await live.until(lambda state: state.waiting)
        asked.append(waiting[0].asked)
        live.record(*decisions.reject(live.state, "E2", "too dear"))

    state = play(folder, reject)
    assert asked[0].estimate is not None
    assert asked[0].estimate.maximum == Decimal("0.1"), "one minute at 6 USD an hour, and no model"
    assert state.experiments["E2"].outcome == "rejected"
    assert not state.experiments["E2"].execs
    assert state.ended is not None
    assert state.ended.outcome == "done"


def test_an_engine_that_is_stopped_in_between_is_followed_by_one_that_goes_on(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path, study(WAITS_AGAIN), **OPEN)
    play(folder, isolation="process only")
    ask_for_a_reproduction(folder)

    async def stop(live: LiveRun) -> None:
        await live.until(lambda state: "E2-1" in state.execs)
        live.record(e.StopRequested())

    stopped = play(folder, stop, isolation="process only")
    assert stopped.ended is None
    assert stopped.reproduction is not None

    async def go(live: LiveRun) -> None:
        await live.until(lambda state: state.engines == 3)
        let_go(folder, "E2")

    state = play(folder, go, isolation="process only")
    assert state.ended is not None
    assert state.experiments["E2"].outcome == "done"
    assert list(state.experiments) == ["E1", "E2"]
    assert {one.outcome for one in compared(folder)} == {"same"}


def test_a_killed_reproduction_leaves_the_run_as_it_had_ended_and_can_be_asked_for_again(
    tmp_path: Path,
) -> None:
    folder = tiny_run(tmp_path, study(WAITS_AGAIN), **OPEN)
    play(folder, isolation="process only")
    ask_for_a_reproduction(folder)

    async def kill(live: LiveRun) -> None:
        await live.until(lambda state: "E2-1" in state.execs)
        live.record(*decisions.kill(live.state, None, "enough"))

    state = play(folder, kill, isolation="process only")
    assert state.ended is not None
    assert state.ended.outcome == "done"
    assert state.experiments["E2"].outcome == "killed"
    assert {one.outcome for one in compared(folder)} == {"not measured again"}
    ask_for_a_reproduction(folder)
    state = play(folder, isolation="process only")
    assert state.experiments["E3"].outcome == "done"
    assert {one.outcome for one in compared(folder)} == {"same"}


def test_a_killed_run_is_reproduced_without_going_on_with_its_research(tmp_path: Path) -> None:
    turns: dict[str, Any] = {
        "E2": [{"calls": [{"tool": "run_python", "arguments": {"code": MEASURE_WHEN_TOLD}}]}]
    }
    folder = tiny_run(tmp_path, study(experiments=2, **turns))

    async def kill(live: LiveRun) -> None:
        await live.until(lambda state: state.experiments.get("E1") and not state.experiments["E1"].open)
        live.record(*decisions.kill(live.state, None, ""))

    killed = play(folder, kill)
    assert killed.ended is not None
    assert killed.ended.outcome == "killed"
    ask_for_a_reproduction(folder)
    state = play(folder)
    assert turns_of(state) == turns_of(killed)
    assert state.ended is not None
    assert state.ended.outcome == "killed"
    assert [x.spec.reproduces for x in state.experiments.values()] == [None, None, "E1"]
    assert {one.outcome for one in compared(folder)} == {"same"}


def test_only_a_run_that_has_ended_and_measured_something_can_be_reproduced(tmp_path: Path) -> None:
    created = e.RunCreated(run_id="r", question="?", settings=run_settings(), version="0")
    state = fold([created])
    with pytest.raises(DecisionError, match="has not ended"):
        decisions.reproduce(state)
    fold([e.ReproductionRequested(request_id="w")], state)
    assert state.reproduction is None
    fold([e.RunEnded(outcome="failed")], state)
    with pytest.raises(DecisionError, match="nothing to reproduce"):
        decisions.reproduce(state)
    folder = tiny_run(tmp_path, study())
    play(folder)
    ask_for_a_reproduction(folder)
    for refused in (
        decisions.reproduce,
        lambda state: decisions.tell(state, "orchestrator", "go on"),
        lambda state: decisions.seeds(state, "E1", 5),
    ):
        with pytest.raises(DecisionError, match="reproduced"):
            refused(folder.state())


def test_a_reproduction_cannot_be_edited_into_another_experiment(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path, study())
    play(folder)
    ask_for_a_reproduction(folder)
    state = folder.state()
    proposed = next_repeat(state)
    assert proposed is not None
    fold([proposed.model_copy(update={"seq": state.seq + 1})], state)
    first = state.experiments["E1"].spec.hypothesis
    assert first is not None
    with pytest.raises(DecisionError, match="reproduces it"):
        decisions.edit(state, "E2", {"hypothesis": first.model_dump(mode="json")})
    (edited,) = decisions.edit(state, "E2", {"compute.timeout_seconds": 30})
    fold([edited.model_copy(update={"seq": state.seq + 1})], state)
    assert state.experiments["E2"].spec.compute.timeout_seconds == 30
    assert [x.id for x in reproducible(state)] == ["E1"]
