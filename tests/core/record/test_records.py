"""Records are lines of untrusted code: whatever they hold, they become a record that can be kept."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.record.events import RecordsTaken, now
from core.record.journal import Journal
from core.record.records import MAX_LINE_BYTES, Record, chain_start, read_record


def read(raw: bytes, number: int = 1, previous: str = "p") -> Record:
    return read_record(raw, exec_id="E1-1", number=number, at=now(), previous=previous)


def test_a_line_of_lab_is_read_into_its_parts() -> None:
    kept = read(b'{"kind":"result","line":7,"condition":{"arm":"bagged","seed":1},"name":"err","value":0.1}')
    assert (kept.kind, kept.line) == ("result", 7)
    assert dict(kept.condition) == {"arm": "bagged", "seed": 1}
    assert dict(kept.body) == {"name": "err", "value": 0.1}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no json",
        b"[1, 2]",
        b'"text"',
        b"\xff\xfe",
        b'{"value": 1}',
        b'{"kind": 3}',
        b'{"kind": "result", "line": "seven"}',
        b'{"kind": "result", "line": true}',
        b'{"kind": "result", "line": -1}',
        b'{"kind": "result", "line": 1000000000000000000000}',
        b'{"kind": "result", "condition": []}',
        b'{"kind": "\\ud800"}',
        b'{"kind": "result", "name": "\\udfff"}',
        b'{"kind": "result", "\\ud83d": 1}',
        b'{"kind": "result", "value": ' + b"[" * 40 + b"]" * 40 + b"}",
        b'{"kind": "result", "value": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"kind": "result", "value": ' + b"1" * 5000 + b"}",
    ],
    ids=lambda raw: raw[:40].decode(errors="replace") + f" ({len(raw)})",
)
def test_a_line_that_is_no_record_is_unreadable_and_can_be_kept(journal: Journal, raw: bytes) -> None:
    kept = read(raw)
    assert kept.kind == "unreadable"
    journal.append(RecordsTaken(exec_id="E1-1", offset=1, records=1, chain=kept.chain), records=[kept])
    assert list(journal.records()) == [kept]


def test_a_line_that_is_too_long_is_unreadable() -> None:
    assert read(b'{"kind":"note","text":"' + b"x" * MAX_LINE_BYTES + b'"}').kind == "unreadable"


@given(raw=st.binary(max_size=60) | st.text(max_size=40).map(lambda text: f'{{"kind":{text}'.encode()))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_script_writes_can_be_kept(journal: Journal, raw: bytes) -> None:
    number = 1 + sum(1 for _ in journal.records())
    kept = read(raw, number)
    journal.append(RecordsTaken(exec_id="E1-1", offset=1, records=1, chain=kept.chain), records=[kept])
    assert repr(list(journal.records())[-1]) == repr(kept)


def test_the_chain_fixes_order_and_content_and_starts_with_exec_and_code() -> None:
    start = chain_start("E1-1", "abc")
    assert start != chain_start("E1-2", "abc")
    assert start != chain_start("E1-1", "abd")
    first, second = b'{"kind":"a"}', b'{"kind":"b"}'
    forwards = read(second, previous=read(first, previous=start).chain).chain
    backwards = read(first, previous=read(second, previous=start).chain).chain
    assert forwards != backwards
    by_hand = hashlib.sha256(hashlib.sha256(start.encode() + first).hexdigest().encode() + second)
    assert forwards == by_hand.hexdigest()
