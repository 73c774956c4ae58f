"""Gathering evidence: what is remembered must never be older than the journal."""

from __future__ import annotations

import json

from core.evidence.gather import gather, own_ledger
from core.evidence.judge import judge
from core.evidence.sheet import report
from core.record.events import (
    Event,
    ExecEnded,
    ExecRequested,
    ExperimentLocked,
    ExperimentProposed,
    RecordsTaken,
    VerdictReached,
    now,
)
from core.record.live import LiveRun
from core.record.records import Record, chain_start, read_record
from tests.fakes.specs import experiment


def proposed(number: int) -> list[Event]:
    return [
        ExperimentProposed(experiment=experiment(number), call_id=f"c{number}"),
        ExecRequested(
            exec_id=f"E{number}-1", experiment_id=f"E{number}", call_id="r", code="x", code_sha256="0" * 64
        ),
    ]


def measured(exec_id: str, count: int, value: float = 0.1) -> tuple[Event, list[Record]]:
    """The first records of an exec, with the event that takes them in."""
    records: list[Record] = []
    for number in range(1, count + 1):
        condition = {"arm": ("bagged", "single")[number % 2], "seed": (number - 1) // 2}
        body = {"kind": "result", "condition": condition, "name": "test_error", "value": value * number}
        raw = json.dumps(body | {"split": "test"}).encode()
        previous = records[-1].chain if records else chain_start(exec_id, "0" * 64)
        records.append(read_record(raw, exec_id=exec_id, number=number, at=now(), previous=previous))
    return RecordsTaken(exec_id=exec_id, offset=1, records=count, chain=records[-1].chain), records


def test_what_is_measured_later_is_gathered_too(live: LiveRun) -> None:
    live.record(*proposed(1))
    assert gather(live.journal, live.state).ledger.measurements == ()
    taken, records = measured("E1-1", 2)
    live.record(taken, records=records)
    assert len(gather(live.journal, live.state).ledger.measurements) == 2
    live.record(ExecEnded(exec_id="E1-1", end="finished", exit_code=0, seconds=1.0))
    assert all(m.usable for m in gather(live.journal, live.state).ledger.measurements)


def test_a_verdict_is_gathered_as_soon_as_it_is_reached(live: LiveRun) -> None:
    live.record(*proposed(1))
    state = live.state.experiments["E1"]
    state.stage = "approved"
    live.record(
        ExperimentLocked(
            experiment_id="E1", decision_id="d", sha256="0" * 64, hypothesis_sha256=None, reserved_usd=None
        )
    )
    assert gather(live.journal, live.state).verdicts == {}
    assert state.locked_at is not None
    verdict = judge(state.spec, state.locked_at, own_ledger(live.journal, live.state, "E1"))
    live.record(VerdictReached(experiment_id="E1", verdict=verdict))
    assert gather(live.journal, live.state).verdicts == {"E1": verdict}


def test_evidence_is_gathered_once_while_nothing_is_measured(live: LiveRun) -> None:
    live.record(*proposed(1))
    assert gather(live.journal, live.state) is gather(live.journal, live.state)


def test_a_verdict_rests_on_the_experiments_own_records_alone(live: LiveRun) -> None:
    live.record(*proposed(1), *proposed(2))
    for exec_id, value in (("E1-1", 0.1), ("E2-1", 0.7)):
        taken, records = measured(exec_id, 6, value)
        live.record(taken, records=records)
        live.record(ExecEnded(exec_id=exec_id, end="finished", exit_code=0, seconds=1.0))
    own, whole = own_ledger(live.journal, live.state, "E1"), gather(live.journal, live.state).ledger
    assert own.measurements == whole.of("E1")
    first = live.state.execs["E1-1"].asked.at
    assert judge(experiment(1), first, own) == judge(experiment(1), first, whole)


def test_what_looks_wrong_in_code_that_counts_is_gathered_for_report_and_paper(live: LiveRun) -> None:
    code = 'import lab\nlab.result("test_error", 0.1)\n'
    fields = {"experiment_id": "E1", "call_id": "r", "code_sha256": "0" * 64}
    live.record(
        ExperimentProposed(experiment=experiment(1), call_id="c1"),
        ExecRequested(exec_id="E1-1", code=code, trial=True, **fields),
        ExecRequested(exec_id="E1-2", code=code, **fields),
        ExecRequested(exec_id="E1-3", code=code, **fields),
        ExecEnded(exec_id="E1-1", end="finished", exit_code=0, seconds=1.0),
        ExecEnded(exec_id="E1-2", end="finished", exit_code=0, seconds=1.0),
        ExecEnded(exec_id="E1-3", end="finished", exit_code=1, seconds=1.0),
    )
    evidence = gather(live.journal, live.state)
    found = [flag for flag in evidence.ledger.flags if flag.kind == "code check"]
    assert [(flag.exec_id, flag.line) for flag in found] == [("E1-2", 2)]
    assert "FLAG code check in E1-2 line 2: constant as a result: " in report(evidence, "E1")
