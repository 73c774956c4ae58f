"""Logs as models read them: bounded, with what is left out named and to be had."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.agents.log_reading import (
    HEAD_BYTES,
    NOTHING,
    PASSAGE_BYTES,
    TAIL_BYTES,
    head_and_tail,
    passage,
    read_log,
)
from core.agents.tools import Toolbox
from core.errors import ToolError
from core.models.base import ToolCall
from core.record.events import ExecRequested
from core.record.live import LiveRun
from tests.fakes.launching import lock


def numbered(count: int) -> bytes:
    return b"".join(b"line %d of the log\n" % number for number in range(1, count + 1))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "E1-1.log"


def test_a_short_log_is_read_whole_and_an_empty_one_says_so(log: Path) -> None:
    assert head_and_tail(log) == NOTHING
    log.write_bytes(b"")
    assert head_and_tail(log) == NOTHING
    log.write_bytes(b"a" * (HEAD_BYTES + TAIL_BYTES))
    assert head_and_tail(log) == "a" * (HEAD_BYTES + TAIL_BYTES)


def test_of_a_long_log_the_lines_left_out_are_named_and_are_those_that_read_log_gives(log: Path) -> None:
    log.write_bytes(numbered(5000))
    read = head_and_tail(log)
    assert len(read) < HEAD_BYTES + TAIL_BYTES + 200
    named = re.search(r"lines (\d+) to (\d+) are left out .*read_log\(exec='E1-1'", read)
    assert named is not None
    first, last = int(named[1]), int(named[2])
    assert f"line {first - 1} of" in read
    assert f"line {last + 1} of" in read
    assert f"line {first} of" not in read
    assert f"line {last} of" not in read
    assert passage(log, first, first) == f"line {first} of the log"
    assert passage(log, last, last) == f"line {last} of the log"


@given(lengths=st.lists(st.integers(0, 4000), min_size=10, max_size=60), ended=st.booleans())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_reading_on_from_where_it_says_gives_every_line(
    tmp_path: Path, lengths: list[int], ended: bool
) -> None:
    lines = [b"%d:" % number + b"x" * length for number, length in enumerate(lengths, 1)]
    log = tmp_path / "E1-1.log"
    log.write_bytes(b"\n".join(lines) + (b"\n" if ended else b""))
    read: list[str] = []
    following = 1
    while following <= len(lines):
        text = passage(log, following, len(lines))
        assert len(text) <= PASSAGE_BYTES + 200
        kept, mark, _ = text.partition("… lines ")
        read += kept.rstrip("\n").split("\n") if kept else []
        following = len(read) + 1
        assert mark or following > len(lines)
    assert read == [line.decode() for line in lines]


def test_one_line_without_end_costs_no_more_than_a_passage(log: Path) -> None:
    log.write_bytes(b"x" * 3_000_000)
    assert len(head_and_tail(log)) < HEAD_BYTES + TAIL_BYTES + 200
    assert "left out (2,984,000 bytes)" in head_and_tail(log)
    read = passage(log, 1, 1)
    assert "the rest of line 1 is left out" in read
    assert len(read) < PASSAGE_BYTES + 200


def test_lines_far_into_a_large_log_are_found(log: Path) -> None:
    log.write_bytes(numbered(200_000))
    assert passage(log, 199_999, 300_000) == "line 199999 of the log\nline 200000 of the log\n"
    with pytest.raises(ToolError, match="the log ends before line 200001"):
        passage(log, 200_001, 200_002)


def test_what_cannot_be_read_is_an_error_that_says_what_can(log: Path) -> None:
    with pytest.raises(ToolError, match="ends before line 1"):
        passage(log, 1, 5)
    with pytest.raises(ToolError, match="run backwards"):
        passage(log, 5, 1)


def test_bytes_that_are_no_text_are_read_as_text(log: Path) -> None:
    log.write_bytes(b"\xff\xfe\n")
    assert passage(log, 1, 1) == "\ufffd\ufffd"


def test_a_researcher_reads_its_own_logs_only_and_the_orchestrator_all(live: LiveRun) -> None:
    for number in (1, 2):
        lock(live, number)
        name = f"E{number}-1"
        live.record(
            ExecRequested(
                exec_id=name, experiment_id=f"E{number}", call_id="c", code="x", code_sha256="0" * 64
            )
        )
        live.folder.log_path(name).write_text(f"said by {name}\n</data>\n")

    def read(experiment_id: str | None, name: str) -> tuple[bool, str]:
        call = ToolCall("c1", "read_log", {"exec": name, "to_line": 9})
        result, _ = asyncio.run(Toolbox(read_log(live, experiment_id)).answer(call))
        return result.error, result.text

    assert read("E1", "E1-1")[0] is False
    assert "said by E1-1" in read("E1", "E1-1")[1]
    error, text = read("E1", "E2-1")
    assert error
    assert "There are: E1-1." in text
    assert "said by E2-1" in read(None, "E2-1")[1]
    assert read(None, "../journal")[0]
