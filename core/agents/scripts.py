"""Running one script in a sandbox: its output into the run's logs, its records into the journal.

Everything here can be cut off at any byte and taken up again: the length of the log says how much
output is in, the journal says how many bytes of records are in, and starting the same exec twice
runs it once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

from core.agents.artifacts import keep_artifacts
from core.errors import StorageError, first_cause
from core.record.events import ExecEnded, ExecRequested, RecordsTaken, now
from core.record.live import LiveRun
from core.record.records import Record, chain_start, read_record
from core.record.state import Exec
from core.sandbox.base import ExecResult, Sandbox

RECORDS_SECONDS = 0.1
"""Pause between two batches of records, so that many small ones share a transaction."""

CHUNKS_AHEAD = 64
"""Chunks of records that wait for the next batch; some sandboxes send a chunk for every record."""

RECORDS_AT_ONCE = 250
"""Records of one transaction at most: reading and writing these takes a few milliseconds."""

REST_SECONDS = 0.005
"""Pause between two transactions of one batch; in a pause of nothing others would not get their turn."""

SHOWN_RESULTS = 20
SHOWN_CHARACTERS = 200

LARGEST_EXACT = 2**53
"""Larger whole numbers may not even fit a float."""


async def run_script(live: LiveRun, sandbox: Sandbox, request: ExecRequested) -> ExecEnded:
    """Run a script to its end, or go on with one that an earlier engine started.

    Args:
        live: the run.
        sandbox: where it runs.
        request: the script; recorded if it is not yet.

    Returns:
        How it ended; recorded, like everything it printed and measured.

    Raises:
        SandboxLost: the sandbox is gone; the script has no result.
    """
    if request.exec_id not in live.state.execs:
        live.record(request)
    script = live.state.execs[request.exec_id]
    if script.ended is None:
        await sandbox.start(request.exec_id, request.code, trial=request.trial)
        live.record(_ended(request.exec_id, await _take_everything(live, sandbox, script)))
        # The sandbox may be taken away before the experiment ends.
        await keep_artifacts(live, request.experiment_id, sandbox, request.exec_id)
    ended = live.state.execs[request.exec_id].ended
    assert ended is not None
    return ended


async def _take_everything(live: LiveRun, sandbox: Sandbox, script: Exec) -> ExecResult:
    """Take output and records until the script has ended and all of it is in."""
    exec_id = script.asked.exec_id
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_take_output(live.folder.log_path(exec_id), sandbox, exec_id))
            group.create_task(_take_records(live, sandbox, script))
            result = group.create_task(sandbox.wait(exec_id))
    except BaseExceptionGroup as errors:
        raise first_cause(errors) from None
    return result.result()


async def _take_output(log: Path, sandbox: Sandbox, exec_id: str) -> None:
    """Append what the script prints to its log; the log's length is the cursor."""
    try:
        with log.open("ab") as file:
            async for chunk in sandbox.output(exec_id, log.stat().st_size):
                file.write(chunk)
                file.flush()
    except OSError as error:
        raise StorageError(
            f"{log} cannot be written: {error.strerror}", "Make room; the run can be resumed."
        ) from None


async def _take_records(live: LiveRun, sandbox: Sandbox, script: Exec) -> None:
    """Take in records as they come, not too many at once: others want the loop, too."""
    exec_id = script.asked.exec_id
    arrived: asyncio.Queue[bytes | None] = asyncio.Queue(CHUNKS_AHEAD)
    rest = b""
    async with asyncio.TaskGroup() as group:
        group.create_task(_read_ahead(sandbox.records(exec_id, script.records_offset), arrived))
        while chunks := await _all_of(arrived):
            whole, newline, rest = b"".join((rest, *chunks)).rpartition(b"\n")
            lines = whole.split(b"\n") if newline else []
            for start in range(0, len(lines), RECORDS_AT_ONCE):
                if start:
                    await asyncio.sleep(REST_SECONDS)
                _take_lines(live, exec_id, lines[start : start + RECORDS_AT_ONCE])
            await asyncio.sleep(RECORDS_SECONDS)


async def _read_ahead(chunks: AsyncIterator[bytes], arrived: asyncio.Queue[bytes | None]) -> None:
    """Put what comes into a queue, and None after the last; waits while the queue is full."""
    async for chunk in chunks:
        await arrived.put(chunk)
    await arrived.put(None)


async def _all_of(arrived: asyncio.Queue[bytes | None]) -> list[bytes]:
    """Everything that has arrived, once there is something; empty after the last."""
    chunks = []
    chunk = await arrived.get()
    while chunk is not None:
        chunks.append(chunk)
        if arrived.empty():
            return chunks
        chunk = arrived.get_nowait()
    if chunks:
        arrived.put_nowait(None)
    return chunks


def _take_lines(live: LiveRun, exec_id: str, lines: list[bytes]) -> None:
    """Take in records with the event that moves their cursor, in one transaction."""
    now_in = live.state.execs[exec_id]
    previous = now_in.chain or chain_start(exec_id, now_in.asked.code_sha256)
    records = _read(lines, exec_id, now_in.records, previous, now())
    live.record(
        RecordsTaken(
            exec_id=exec_id,
            offset=now_in.records_offset + sum(len(line) + 1 for line in lines),
            records=now_in.records + len(records),
            chain=records[-1].chain,
            results=_results(records),
        ),
        records=records,
    )


def _read(lines: list[bytes], exec_id: str, count: int, previous: str, at: datetime) -> list[Record]:
    records = []
    for number, line in enumerate(lines, count + 1):
        records.append(read_record(line, exec_id=exec_id, number=number, at=at, previous=previous))
        previous = records[-1].chain
    return records


def _results(records: list[Record]) -> tuple[tuple[str, float | str], ...]:
    results = [
        (str(record.body.get("name", ""))[:SHOWN_CHARACTERS], _shown(record.body.get("value")))
        for record in records
        if record.kind == "result"
    ]
    return tuple(results[-SHOWN_RESULTS:])


def _shown(value: Any) -> float | str:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_EXACT:
        return float(value)
    return value if isinstance(value, float) else str(value)[:SHOWN_CHARACTERS]


def _ended(exec_id: str, result: ExecResult) -> ExecEnded:
    return ExecEnded(
        exec_id=exec_id,
        end=result.end,
        exit_code=result.exit_code,
        seconds=result.seconds,
        peak_memory_bytes=result.peak_memory_bytes,
        output_bytes=result.output_bytes,
    )
