"""What is searched in a log is found by what the screen shows, wherever the blocks are cut."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tui.console.test_log_index import starts_of
from tui.log_file import BLOCK_BYTES, LogFile
from tui.log_search import ERRORS, LinePattern, LogMatches


def matches_in(path: Path, data: bytes, pattern: LinePattern, origin: int = 0) -> LogMatches:
    path.write_bytes(data)
    matches = LogMatches(LogFile(path), pattern, origin)
    matches.file.look()
    return matches


def found(matches: LogMatches) -> list[int]:
    while not matches.extend(1.0):
        pass
    places = [start for block in range(matches.file.blocks) for start in matches.in_block(block)]
    assert matches.count == len(places)
    assert [matches.place(start) for start in places] == list(range(1, len(places) + 1))
    matches.file.close()
    return places


lines = st.lists(
    st.sampled_from(
        [
            b"",
            b"loss 0.5",
            b"Loss 0.5",
            b"x" * 100,
            b"y" * (BLOCK_BYTES - 9),
            b"\x1b[31mlo\x1b[0mss",
            b"no\rloss",
        ]
    ),
    max_size=20,
)


@settings(max_examples=40, deadline=None)
@given(lines, st.booleans(), st.integers(0, 3 * BLOCK_BYTES))
def test_lines_that_show_the_text_are_found_and_no_others(
    printed: list[bytes], ends: bool, origin: int
) -> None:
    data = b"\n".join(printed) + b"\n" * ends
    fitting = {b"loss 0.5", b"Loss 0.5", b"\x1b[31mlo\x1b[0mss", b"no\rloss"}
    starts = starts_of(data)
    expected = [start for start, line in zip(starts, data.split(b"\n"), strict=False) if line in fitting]
    with TemporaryDirectory() as folder:
        matches = matches_in(Path(folder) / "log", data, LinePattern.of("loss"), origin)
        assert found(matches) == expected


def test_capitals_count_only_where_one_is_typed(tmp_path: Path) -> None:
    data = "Loss\nloss\nÄRGER\närger\n".encode()
    for text, count in (("loss", 2), ("Loss", 1), ("ärger", 2), ("Ärger", 0), ("ÄRGER", 1)):
        assert len(found(matches_in(tmp_path / "log", data, LinePattern.of(text)))) == count, text


def test_what_is_typed_is_no_pattern(tmp_path: Path) -> None:
    assert found(matches_in(tmp_path / "log", b"abc\na.c\n(\n", LinePattern.of("a.c"))) == [4]
    assert found(matches_in(tmp_path / "log", b"abc\na.c\n(\n", LinePattern.of("("))) == [8]


def test_what_was_redrawn_or_lies_in_an_escape_is_not_found(tmp_path: Path) -> None:
    data = b"loss 1\rdone\n\x1b]0;loss\x07title\nreal loss\n"
    assert found(matches_in(tmp_path / "log", data, LinePattern.of("loss"))) == [data.index(b"real")]


def test_the_nearest_match_is_found_in_both_directions_over_far_blocks(tmp_path: Path) -> None:
    filler = b"nothing here\n" * (2 * BLOCK_BYTES // 13)
    data = b"match\n" + filler + b"match\n" + filler
    matches = matches_in(tmp_path / "log", data, LinePattern.of("match"))
    second = 6 + len(filler)

    async def look() -> None:
        assert await matches.nearest(-1, 1) == 0
        assert await matches.nearest(0, 1) == second
        assert await matches.nearest(second, 1) is None
        assert await matches.nearest(len(data), -1) == second
        assert await matches.nearest(second, -1) == 0
        assert await matches.nearest(0, -1) is None

    asyncio.run(look())
    matches.file.close()


def test_looking_for_a_match_can_be_cancelled_and_lets_others_have_their_turn(tmp_path: Path) -> None:
    matches = matches_in(tmp_path / "log", b"nothing here\n" * 1_000_000, LinePattern.of("match"))

    async def look() -> None:
        looking = asyncio.ensure_future(matches.nearest(-1, 1))
        for _ in range(3):
            await asyncio.sleep(0)
        assert not looking.done()
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking

    asyncio.run(look())
    assert not matches.done
    matches.file.close()


def test_matches_that_come_later_are_counted_and_unfinished_lines_are_looked_at_again(tmp_path: Path) -> None:
    path = tmp_path / "log"
    matches = matches_in(path, b"lo", LinePattern.of("loss"))
    assert found(matches) == []
    for piece, count in ((b"ss", 1), (b" 1\nloss 2\n", 2), (b"x" * BLOCK_BYTES + b"\nloss", 3), (b"less", 3)):
        with path.open("ab") as file:
            file.write(piece)
        matches.file.look()
        assert len(found(matches)) == count


def test_matches_within_matches_are_counted_by_themselves(tmp_path: Path) -> None:
    data = b"loss 1\nloss 2\nval 1\n" * 10_000
    outer = matches_in(tmp_path / "log", data, LinePattern.of("loss"))
    inner = LogMatches(outer.file, LinePattern.of("1"), within=outer)
    while not inner.extend(1.0):
        pass
    assert inner.count == 10_000
    outer.file.close()


@pytest.mark.parametrize(
    "line",
    [
        b"Traceback (most recent call last):",
        b"ValueError: no such seed",
        b"torch.cuda.OutOfMemoryError: CUDA out of memory",
        b"\x1b[31mModuleNotFoundError\x1b[0m: No module",
        b"2026-01-01 12:00:00 ERROR worker died",
        b"Killed",
        b"child exited with code 137",
    ],
)
def test_lines_that_say_that_something_went_wrong_are_errors(tmp_path: Path, line: bytes) -> None:
    data = b"\n\n" + line + b"\nfine\n"
    assert found(matches_in(tmp_path / "log", data, ERRORS)) == [2]


def test_lines_about_errors_that_are_measured_are_none(tmp_path: Path) -> None:
    data = b"test_error 0.12\nstandard Error of the mean\nexit code 0\nseed 0 test error 0.05\n"
    assert found(matches_in(tmp_path / "log", data, ERRORS)) == []
