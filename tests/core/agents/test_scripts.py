"""Running a script: its log and its records are in exactly once, wherever an engine was cut off."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from core.agents import scripts
from core.agents.scripts import run_script
from core.errors import SandboxLost, StorageError
from core.record.events import ExecEnded, ExecRequested, RecordsTaken
from core.record.live import LiveRun
from core.record.records import chain_start, read_record
from core.sandbox.base import ExecResult
from tests.fakes.launching import lock
from tests.fakes.memory_sandbox import MemorySandbox
from tests.fakes.specs import new_run

OUTPUT = (b"epoch 1\n", b"\xc3", b"\xa9poch 2\n\x00", b"half a li", b"ne\n", b"done")
RECORDS = tuple(
    b"".join(
        json.dumps({"kind": "result", "name": "err", "value": number + place / 4}).encode() + b"\n"
        for place in range(count)
    )
    for number, count in enumerate((1, 3, 2, 4, 1))
)

REQUEST = ExecRequested(
    exec_id="E1-1", experiment_id="E1", call_id="c1", code="print(1)", code_sha256="0" * 64
)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of records follow each other without a pause."""
    monkeypatch.setattr(scripts, "RECORDS_SECONDS", 0)


def check_whole(live: LiveRun, ended: ExecEnded) -> None:
    """Everything that the script printed and recorded is in, once and in order."""
    assert live.folder.log_path("E1-1").read_bytes() == b"".join(OUTPUT)
    lines = b"".join(RECORDS).splitlines()
    kept = list(live.journal.records("E1-1"))
    assert [record.number for record in kept] == list(range(1, len(lines) + 1))
    previous = chain_start("E1-1", "0" * 64)
    for record, line in zip(kept, lines, strict=True):
        expected = read_record(line, exec_id="E1-1", number=record.number, at=record.at, previous=previous)
        assert record == expected
        previous = record.chain
    state = live.state.execs["E1-1"]
    assert (state.records, state.chain) == (len(lines), previous)
    assert state.records_offset == len(b"".join(RECORDS))
    assert [event for event in live.journal.read() if isinstance(event, ExecEnded)] == [ended]


async def cut_off(live: LiveRun, pieces: int) -> bool:
    """Run until so many pieces went through, then die; whether it ended before."""
    sandbox = MemorySandbox(OUTPUT, RECORDS, stops_after=pieces)
    running = asyncio.create_task(run_script(live, sandbox, REQUEST))
    for _ in range(200):
        await asyncio.sleep(0)
    running.cancel()
    return not isinstance((await asyncio.gather(running, return_exceptions=True))[0], asyncio.CancelledError)


def test_a_script_cut_off_after_any_piece_and_taken_up_again_is_in_exactly_once(tmp_path: Path) -> None:
    pieces = len(OUTPUT) + len(RECORDS)
    for cut in range(pieces + 1):
        folder = new_run(tmp_path / str(cut))
        with folder.journal() as journal:
            live = LiveRun(folder, journal)
            lock(live, 1)
            assert asyncio.run(cut_off(live, cut)) == (cut == pieces)
            again = LiveRun(folder, journal)
            ended = asyncio.run(run_script(again, MemorySandbox(OUTPUT, RECORDS), REQUEST))
            check_whole(again, ended)


def test_a_script_cut_off_again_and_again_is_in_exactly_once(live: LiveRun) -> None:
    lock(live, 1)
    while not asyncio.run(cut_off(live, 2)):
        live = LiveRun(live.folder, live.journal)
    check_whole(live, asyncio.run(run_script(live, MemorySandbox(), REQUEST)))


def test_a_log_cut_off_inside_a_piece_goes_on_at_that_byte(live: LiveRun) -> None:
    lock(live, 1)
    live.record(REQUEST)
    whole = b"".join(OUTPUT)
    live.folder.log_path("E1-1").write_bytes(whole[:11])
    ended = asyncio.run(run_script(live, MemorySandbox(OUTPUT, RECORDS), REQUEST))
    check_whole(live, ended)


def test_a_script_that_has_ended_is_not_started_again(live: LiveRun) -> None:
    lock(live, 1)
    first = asyncio.run(run_script(live, MemorySandbox(OUTPUT, RECORDS), REQUEST))
    sandbox = MemorySandbox(OUTPUT, RECORDS)
    assert asyncio.run(run_script(live, sandbox, REQUEST)) == first
    assert sandbox.started == []


def test_a_script_is_in_the_journal_before_it_is_started(live: LiveRun) -> None:
    lock(live, 1)
    sandbox = MemorySandbox()
    start = sandbox.start

    async def check(exec_id: str, code: str, *, trial: bool = False) -> None:
        assert exec_id in live.state.execs
        await start(exec_id, code, trial=trial)

    sandbox.start = check  # type: ignore[method-assign]
    asyncio.run(run_script(live, sandbox, REQUEST))
    assert sandbox.started == ["E1-1"]


def test_lines_that_are_split_over_pieces_are_put_together(live: LiveRun) -> None:
    lock(live, 1)
    whole = b"".join(RECORDS)
    pieces = [whole[start : start + 7] for start in range(0, len(whole), 7)]
    check_whole(live, asyncio.run(run_script(live, MemorySandbox(OUTPUT, pieces), REQUEST)))


def batches_of(live: LiveRun, pieces: list[bytes]) -> list[int]:
    """How many records each transaction had."""
    asyncio.run(run_script(live, MemorySandbox(OUTPUT, pieces), REQUEST))
    totals = [event.records for event in live.journal.read() if isinstance(event, RecordsTaken)]
    return [total - before for before, total in zip([0, *totals], totals, strict=False)]


def test_records_that_come_one_by_one_meanwhile_share_a_transaction(
    live: LiveRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripts, "RECORDS_SECONDS", 0.2)
    lock(live, 1)
    batches = batches_of(live, [RECORDS[0]] * 50)
    assert sum(batches) == 50
    assert len(batches) < 10


def test_many_records_at_once_are_taken_in_batches_that_let_others_have_their_turn(live: LiveRun) -> None:
    lock(live, 1)
    assert batches_of(live, [RECORDS[0] * 1001]) == [250, 250, 250, 250, 1]


def test_a_lost_sandbox_surfaces_as_such_and_what_is_in_stays_in(live: LiveRun) -> None:
    lock(live, 1)
    with pytest.raises(SandboxLost):
        asyncio.run(run_script(live, MemorySandbox(OUTPUT, RECORDS, lost_after=2), REQUEST))
    assert live.folder.log_path("E1-1").read_bytes() == b"".join(OUTPUT[:2])
    assert live.state.execs["E1-1"].ended is None


def test_a_failing_script_is_a_result(live: LiveRun) -> None:
    lock(live, 1)
    result = ExecResult("memory", None, 2.0, peak_memory_bytes=9, output_bytes=4)
    ended = asyncio.run(run_script(live, MemorySandbox([b"oops"], result=result), REQUEST))
    assert (ended.end, ended.exit_code, ended.peak_memory_bytes) == ("memory", None, 9)


def test_a_full_disk_is_a_storage_error(live: LiveRun) -> None:
    lock(live, 1)
    live.folder.log_path("E1-1").symlink_to("/dev/full")
    with pytest.raises(StorageError, match="No space left"):
        asyncio.run(run_script(live, MemorySandbox([b"x" * 100_000]), REQUEST))


def test_results_that_no_float_can_hold_are_shown_as_text_and_end_nothing(live: LiveRun) -> None:
    lock(live, 1)
    values = ["1" + "0" * 400, "NaN", "Infinity", "true", "null", '"high"', "[1]", "3", "0.5"]
    lines = "".join(f'{{"kind":"result","name":"x","value":{value}}}\n' for value in values)
    asyncio.run(run_script(live, MemorySandbox((), [lines.encode()]), REQUEST))
    [taken] = [event for event in live.journal.read() if isinstance(event, RecordsTaken)]
    assert [str(value)[:6] for _, value in taken.results] == [
        "100000", "nan", "inf", "True", "None", "high", "[1]", "3.0", "0.5",
    ]  # fmt: skip
