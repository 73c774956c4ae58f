"""Lines of a log are found by counting newlines block by block, however long they are."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from tui.log_file import BLOCK_BYTES, LogFile
from tui.log_index import LogIndex

LENGTHS = (0, 1, 80, BLOCK_BYTES - 2, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES)

contents = st.builds(
    lambda lengths, ends: b"\n".join(b"x" * length for length in lengths) + b"\n" * ends,
    st.lists(st.sampled_from(LENGTHS), max_size=12),
    st.booleans(),
)


def starts_of(data: bytes) -> list[int]:
    """Where lines start, by the plainest means."""
    starts = [0, *(match.end() for match in re.finditer(b"\n", data))]
    return [start for start in starts if start < len(data)]


def counted(path: Path) -> LogIndex:
    index = LogIndex(LogFile(path))
    index.file.look()
    while not index.extend(1.0):
        pass
    return index


@settings(max_examples=40, deadline=None)
@given(contents)
def test_every_line_has_its_number(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "E1-1.log"
        path.write_bytes(data)
        index, starts = counted(path), starts_of(data)
        assert index.lines == len(starts)
        assert [index.number(start) for start in starts] == list(range(1, len(starts) + 1))
        index.file.close()


@settings(max_examples=40, deadline=None)
@given(contents, st.booleans())
def test_lines_begin_and_end_where_they_do_whether_or_not_they_are_counted(data: bytes, known: bool) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "E1-1.log"
        path.write_bytes(data)
        index = counted(path) if known else LogIndex(LogFile(path))
        index.file.look()
        starts = starts_of(data)
        blocks = [start for block in range(index.file.blocks) for start in index.file.line_starts(block)]
        assert blocks == starts
        behind = len(data) + (data[-1:] != b"\n")
        for start, following in pairwise([*starts, behind] if starts else []):
            assert index.line_end(start) == following - 1
            assert index.line_start((start + following - 1) // 2) == start
        index.file.close()


def test_a_log_that_grows_is_counted_on_and_a_last_line_without_newline_is_a_line(tmp_path: Path) -> None:
    path = tmp_path / "E1-1.log"
    index = LogIndex(LogFile(path))
    index.extend(1.0)
    assert (index.lines, index.done, index.file.look()) == (0, True, False)
    total = 0
    with path.open("ab") as file:
        for piece in (b"one\ntw", b"o\n", b"x" * BLOCK_BYTES, b"\n\n", b"end"):
            file.write(piece)
            file.flush()
            total += len(piece)
            assert index.file.look()
            assert index.extend(1.0)
    assert index.lines == 5
    assert index.number(total - 3) == 5
    assert not index.file.look()
    index.file.close()


def test_a_log_that_is_shorter_than_it_was_is_counted_anew(tmp_path: Path) -> None:
    path = tmp_path / "E1-1.log"
    path.write_bytes(b"one\ntwo\n")
    index = counted(path)
    path.write_bytes(b"new\n")
    assert index.file.look()
    assert not index.done
    index.extend(1.0)
    assert index.lines == 1
    index.file.close()


def test_a_file_that_vanishes_or_cannot_be_read_is_an_empty_log(tmp_path: Path) -> None:
    path = tmp_path / "E1-1.log"
    path.mkdir()
    file = LogFile(path)
    file.look()
    assert file.read(0, 100) == b""
    index = LogIndex(file)
    index.extend(0.1)
    assert index.lines == 0
    file.close()


def test_counting_stops_when_its_time_is_over(tmp_path: Path) -> None:
    path = tmp_path / "E1-1.log"
    path.write_bytes(b"a line\n" * 100_000)
    index = LogIndex(LogFile(path))
    index.file.look()
    assert not index.extend(0.0)
    assert 0.0 < index.counted_share < 1.0
    while not index.extend(0.0):
        pass
    assert (index.lines, index.counted_share) == (100_000, 1.0)
    index.file.close()
