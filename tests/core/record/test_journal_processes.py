"""Several processes at one journal, and processes that die in the middle of an append."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import core
from core.record.events import MessageSent, RecordsTaken, now
from core.record.journal import Journal
from core.record.records import read_record

WRITERS = 2
FOLLOWERS = 2
EACH = 40

WRITE = """
import sys
from pathlib import Path
from core.record.events import MessageSent
from core.record.journal import Journal
path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with Journal(path) as journal:
    for number in range(count):
        journal.append(MessageSent(message_id=f"{name}-{number}", agent="orchestrator", text=name))
"""

FOLLOW = """
import asyncio, sys
from pathlib import Path
from core.record.journal import Journal
async def main(path, count):
    seen = 0
    with Journal(path) as journal:
        async for batch in journal.follow():
            for event in batch:
                print(event.seq, event.message_id)
                seen += 1
            if seen >= count:
                return
asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
"""


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(Path(core.__file__).parents[1])}
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True, env=environment
    )


def test_every_follower_sees_every_event_of_every_writer_once_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    Journal(path, create=True).close()
    followers = [start(FOLLOW, str(path), str(WRITERS * EACH)) for _ in range(FOLLOWERS)]
    writers = [start(WRITE, str(path), f"w{number}", str(EACH)) for number in range(WRITERS)]
    printed = [process.communicate(timeout=60)[0] for process in (*writers, *followers)]
    assert all(process.returncode == 0 for process in (*writers, *followers))
    with Journal(path) as journal:
        written = [
            (event.seq, event.message_id) for event in journal.read() if isinstance(event, MessageSent)
        ]
    assert len(written) == WRITERS * EACH
    for number in range(WRITERS):
        own = [name for _, name in written if name.startswith(f"w{number}-")]
        assert own == [f"w{number}-{place}" for place in range(EACH)]
    for output in printed[WRITERS:]:
        assert output.splitlines() == [f"{seq} {name}" for seq, name in written]


BATCH = 3


def append_until_killed(path: Path, generation: int) -> None:
    """Append transactions of three events and two records, each naming its transaction, for ever."""
    with Journal(path) as journal:
        for number in range(1_000_000):
            batch = f"{generation}-{number}"
            journal.append(
                *(
                    MessageSent(message_id=f"{batch}-{place}", agent=batch, text="x" * 300)
                    for place in range(BATCH - 1)
                ),
                RecordsTaken(exec_id=batch, offset=1, records=2, chain="c"),
                records=[
                    read_record(b'{"kind":"note"}', exec_id=batch, number=place, at=now(), previous="")
                    for place in (1, 2)
                ],
            )


def test_a_writer_killed_at_any_moment_leaves_a_readable_journal_with_whole_transactions(
    tmp_path: Path,
) -> None:
    path = tmp_path / "journal.db"
    Journal(path, create=True).close()
    moments = random.Random(7)
    for generation in range(15):
        before = count_events(path)
        child = os.fork()
        if child == 0:
            try:
                append_until_killed(path, generation)
            finally:
                os._exit(1)
        wait_until_grown(path, before)
        time.sleep(moments.uniform(0, 0.02))  # the random moment is the point of the test
        os.kill(child, signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        with Journal(path) as journal:
            events, records = list(journal.read()), list(journal.records())
        batches = Counter(
            event.agent if isinstance(event, MessageSent) else event.exec_id
            for event in events
            if isinstance(event, MessageSent | RecordsTaken)
        )
        assert len(events) > before
        assert set(batches.values()) == {BATCH}
        assert Counter(record.exec_id for record in records) == dict.fromkeys(batches, 2)
        assert [event.seq for event in events] == sorted(event.seq for event in events)
    database = sqlite3.connect(path)
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def count_events(path: Path) -> int:
    with Journal(path) as journal:
        return sum(1 for _ in journal.read())


def wait_until_grown(path: Path, before: int) -> None:
    deadline = time.monotonic() + 20
    while count_events(path) <= before:
        assert time.monotonic() < deadline, "the writer wrote nothing"


def test_a_follower_of_another_process_is_woken_without_asking_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    Journal(path, create=True).close()

    async def first_batch() -> list[str]:
        with Journal(path) as journal:
            async for batch in journal.follow():
                return [event.type for event in batch]
        return []

    writer = start(WRITE, str(path), "w", "1")
    try:
        assert asyncio.run(asyncio.wait_for(first_batch(), 30)) == ["message.sent"]
    finally:
        writer.communicate(timeout=30)
