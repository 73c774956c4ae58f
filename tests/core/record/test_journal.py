"""The journal: append-only, whole transactions, errors that say what to do."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings

from core.errors import JournalError, JournalTooNew, Outrun, StorageError
from core.experiment import Verdict
from core.record.events import (
    EVENT_TYPES,
    ApprovalDecided,
    BudgetSet,
    Event,
    ExperimentProposed,
    FindingRecorded,
    LaunchingPaused,
    MessageSent,
    RecordsTaken,
    TurnFinished,
    UnknownEvent,
    VerdictReached,
    now,
)
from core.record.journal import Journal
from core.record.records import Record, read_record
from tests.fakes.event_samples import any_event
from tests.fakes.specs import experiment


def message(number: int) -> MessageSent:
    return MessageSent(message_id=f"m{number}", agent="orchestrator", text="hello")


def record(number: int, body: bytes = b'{"kind":"note"}') -> Record:
    return read_record(body, exec_id="E1-1", number=number, at=now(), previous="")


def taken(count: int) -> RecordsTaken:
    return RecordsTaken(exec_id="E1-1", offset=1, records=count, chain="c")


def texts(events: Any) -> list[str]:
    return [event.message_id for event in events]


def test_events_come_back_in_order_with_their_places(journal: Journal) -> None:
    assert journal.append(message(1), message(2)) == 2
    assert journal.append(message(3)) == 3
    assert [event.seq for event in journal.read()] == [1, 2, 3]
    assert texts(journal.read(after=1)) == ["m2", "m3"]


@given(event=any_event)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_event_comes_back_as_it_was_appended(journal: Journal, event: Event) -> None:
    before = max((old.seq for old in journal.read()), default=0)
    with journal._database as database:
        database.execute("BEGIN")
        database.execute("INSERT INTO events (type, body) VALUES (?, ?)", (event.type, journal._body(event)))
        [back] = journal.read(after=before)
        database.execute("ROLLBACK")
    assert back.model_copy(update={"seq": 0}) == event
    assert type(back) is type(event)


@pytest.mark.parametrize("statement", ["UPDATE {} SET body = '{{}}'", "DELETE FROM {}"])
@pytest.mark.parametrize("table", ["events", "records"])
def test_what_is_in_can_be_neither_changed_nor_removed(journal: Journal, table: str, statement: str) -> None:
    journal.append(taken(1), records=[record(1)])
    with (
        sqlite3.connect(journal.path) as database,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        database.execute(statement.format(table))
    database.close()
    assert len(list(journal.read())) == len(list(journal.records())) == 1


def test_a_decision_appended_twice_is_in_once(journal: Journal) -> None:
    decision = ApprovalDecided(
        by="human", decision_id="d1", request_id="E1.1", subject="s", decision="approve"
    )
    first = journal.append(decision)
    again = journal.append(decision.model_copy(update={"decision": "reject"}), message(1))
    assert again > first
    assert [event.type for event in journal.read()] == ["approval.decided", "message.sent"]


def test_a_finding_repeated_by_a_resumed_engine_is_in_once_but_not_lost_to_another_experiment(
    journal: Journal,
) -> None:
    finding = FindingRecorded(experiment_id="E1", call_id="call-1", text="It works.")
    journal.append(finding)
    journal.append(finding)
    journal.append(finding.model_copy(update={"experiment_id": "E2"}))
    found = [event.experiment_id for event in journal.read() if isinstance(event, FindingRecorded)]
    assert found == ["E1", "E2"]


def test_a_conditional_append_is_refused_once_the_journal_has_grown(journal: Journal) -> None:
    seen = journal.append(message(1))
    with Journal(journal.path) as other:
        other.append(message(2))
    with pytest.raises(Outrun):
        journal.append(message(3), only_after=seen)
    assert journal.append(message(4), only_after=seen + 1) > seen + 1
    assert texts(journal.read()) == ["m1", "m2", "m4"]


def test_records_and_their_event_are_in_together_or_not_at_all(journal: Journal) -> None:
    journal.append(taken(1), records=[record(1)])
    with pytest.raises(JournalError):
        journal.append(taken(2), records=[record(2), record(1)])
    assert [event.records for event in journal.read() if isinstance(event, RecordsTaken)] == [1]
    assert [kept.number for kept in journal.records("E1-1")] == [1]
    assert list(journal.records("E2-1")) == []


def test_records_come_back_as_they_were_taken_in(journal: Journal) -> None:
    kept = record(1, b'{"kind":"result","line":3,"condition":{"seed":1},"value":NaN,"name":"\\u00e9"}')
    journal.append(taken(1), records=[kept])
    [back] = journal.records()
    assert repr(back) == repr(kept)


def test_records_of_an_exec_can_be_read_on_from_the_last_that_was_read(journal: Journal) -> None:
    journal.append(taken(2), records=[record(1), record(2)])
    assert [kept.number for kept in journal.records("E1-1", after=2)] == []
    journal.append(taken(3), records=[record(3)])
    assert [kept.number for kept in journal.records("E1-1", after=2)] == [3]


def test_records_of_one_kind_can_be_read_alone(journal: Journal) -> None:
    drawn = record(2, b'{"kind":"artifact","line":1,"condition":{},"file":"a.png","sha256":"0"}')
    journal.append(taken(3), records=[record(1), drawn, record(3)])
    assert [kept.number for kept in journal.records("E1-1", kind="artifact")] == [2]
    assert list(journal.records("E1-1", kind="artifact", after=2)) == []
    assert list(journal.records("E2-1", kind="artifact")) == []


def test_an_event_from_a_newer_version_is_kept_and_skipped(journal: Journal) -> None:
    journal.append(message(1))
    with sqlite3.connect(journal.path) as database:
        body = '{"type":"moon.landed","at":"2030-01-01T00:00:00Z","by":"engine","crew":3}'
        database.execute("INSERT INTO events (type, body) VALUES ('moon.landed', ?)", (body,))
    database.close()
    journal.append(message(2))
    first, unknown, last = journal.read()
    assert isinstance(unknown, UnknownEvent)
    assert (unknown.type, unknown.seq) == ("moon.landed", 2)
    assert texts([first, last]) == ["m1", "m2"]


def test_a_known_event_with_fields_of_a_newer_version_is_read_without_them(journal: Journal) -> None:
    with sqlite3.connect(journal.path) as database:
        body = '{"type":"launching.paused","at":"2030-01-01T00:00:00Z","by":"human","until":"noon"}'
        database.execute("INSERT INTO events (type, body) VALUES ('launching.paused', ?)", (body,))
    database.close()
    assert [type(event) for event in journal.read()] == [LaunchingPaused]


def test_a_journal_of_a_newer_fumehood_is_left_alone(journal: Journal) -> None:
    journal.close()
    with sqlite3.connect(journal.path) as database:
        database.execute("PRAGMA user_version=99")
    database.close()
    with pytest.raises(JournalTooNew, match="Upgrade"):
        Journal(journal.path)


def test_a_file_that_is_no_database_is_a_journal_error(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"this is a diary, not a database" * 100)
    with pytest.raises(JournalError, match="not a readable journal"):
        Journal(path)


def test_a_missing_journal_is_a_journal_error_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="there is no journal"):
        Journal(tmp_path / "journal.db")
    assert not (tmp_path / "journal.db").exists()


@pytest.mark.parametrize("body", ['{"type":"budget.set","cap_usd":', '{"type":"budget.set"}', "nothing"])
def test_an_event_that_is_damaged_is_a_journal_error(journal: Journal, body: str) -> None:
    with sqlite3.connect(journal.path) as database:
        database.execute("INSERT INTO events (type, body) VALUES ('budget.set', ?)", (body,))
    database.close()
    with pytest.raises(JournalError, match=r"event 1 \(budget.set\)"):
        list(journal.read())


def test_a_database_page_that_is_damaged_is_a_journal_error(journal: Journal) -> None:
    journal.append(*map(message, range(2000)))
    journal.close()
    with journal.path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 10)
    with pytest.raises(JournalError), Journal(journal.path) as damaged:
        list(damaged.read())


def test_a_full_disk_is_a_storage_error_and_nothing_of_the_append_is_in(journal: Journal) -> None:
    journal.append(message(1))
    pages = journal._database.execute("PRAGMA page_count").fetchone()[0]
    journal._database.execute(f"PRAGMA max_page_count={pages + 2}")
    with pytest.raises(StorageError, match="full") as full:
        journal.append(
            message(2), *(message(number).model_copy(update={"text": "x" * 9000}) for number in (3, 4))
        )
    assert "resumed" in full.value.next_step
    assert texts(journal.read()) == ["m1"]
    journal._database.execute(f"PRAGMA max_page_count={pages + 1000}")
    journal.append(message(5))
    assert texts(journal.read()) == ["m1", "m5"]


def test_a_journal_where_no_folder_is_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written"):
        Journal(tmp_path / "nowhere" / "journal.db", create=True)


def test_numbers_that_are_none_or_endless_can_be_read_back(journal: Journal) -> None:
    journal.append(
        taken(1).model_copy(update={"results": (("loss", float("nan")), ("ratio", float("inf")))}),
        VerdictReached(
            experiment_id="E1",
            verdict=Verdict(outcome="supported", reason="r", interval=(0.1, float("inf"))),
        ),
    )
    taken_back, verdict_back = journal.read()
    assert isinstance(taken_back, RecordsTaken)
    assert [str(value) for _, value in taken_back.results] == ["nan", "inf"]
    assert isinstance(verdict_back, VerdictReached)
    assert verdict_back.verdict.interval == (0.1, float("inf"))


@pytest.mark.parametrize(
    "unreadable",
    [
        ExperimentProposed(experiment=experiment().model_copy(update={"title": "x" * 200}), call_id="c"),
        BudgetSet(cap_usd=1).model_copy(update={"by": "nobody"}),
        TurnFinished(agent="E1", number=1, raw={"a": "\ud800"}, text="", thoughts="", calls=()),
    ],
    ids=["a title too long", "an unknown author", "half a surrogate pair"],
)  # fmt: skip
def test_what_could_not_be_read_back_is_not_appended(journal: Journal, unreadable: Event) -> None:
    with pytest.raises(JournalError):
        journal.append(message(1), unreadable)
    assert list(journal.read()) == []


def test_streaming_text_is_overwritten_and_gone_when_empty(journal: Journal) -> None:
    journal.set_partial("E1", "Let me")
    journal.set_partial("E1", "Let me see")
    journal.set_partial("E2", "Hm")
    assert journal.partials() == {"E1": "Let me see", "E2": "Hm"}
    journal.set_partial("E1", "")
    assert journal.partials() == {"E2": "Hm"}


def test_events_wait_for_the_disk_also_after_streaming_text_that_did_not(journal: Journal) -> None:
    journal.set_partial("E1", "Let me")
    with pytest.raises(UnicodeEncodeError):
        journal.set_partial("E1", "\ud800")
    assert journal._database.execute("PRAGMA synchronous").fetchone() == (2,)
    assert list(journal.read()) == []


def test_a_follower_sees_what_its_own_process_appends_while_it_holds_a_batch(journal: Journal) -> None:
    async def follow() -> list[str]:
        seen: list[str] = []
        batches = journal.follow()
        async with aclosing(cast("Any", batches)):
            async for batch in batches:
                seen += texts(batch)
                if len(seen) == 4:
                    return seen
                journal.append(message(len(seen)))
        return seen

    journal.append(message(0))
    assert asyncio.run(asyncio.wait_for(follow(), 10)) == ["m0", "m1", "m2", "m3"]


def test_followers_on_one_and_on_another_connection_see_the_same(journal: Journal) -> None:
    async def take(batches: AsyncIterator[list[Event]]) -> list[str]:
        seen: list[str] = []
        async for batch in batches:
            seen += texts(batch)
            if len(seen) >= 20:
                break
        return seen

    async def write(other: Journal) -> None:
        for number in range(20):
            (journal if number % 2 else other).append(message(number))
            await asyncio.sleep(0)

    async def main() -> list[list[str]]:
        with Journal(journal.path) as other:
            async with asyncio.TaskGroup() as group:
                followers = [group.create_task(take(each.follow())) for each in (journal, journal, other)]
                group.create_task(write(other))
        return [follower.result() for follower in followers]

    expected = [f"m{number}" for number in range(20)]
    assert asyncio.run(asyncio.wait_for(main(), 20)) == [expected] * 3


def test_every_event_type_is_registered_under_its_name() -> None:
    for name, kind in EVENT_TYPES.items():
        assert kind.model_fields["type"].default == name
    assert len(EVENT_TYPES) == len(set(EVENT_TYPES.values())) == len(Event.__subclasses__()) - 1
