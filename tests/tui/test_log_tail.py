"""A log is followed by its bytes, whatever they are and however fast they come."""

from __future__ import annotations

from pathlib import Path

from tui.log_tail import CHUNK_BYTES, MAX_LINE_BYTES, LogTail, thinned


def test_lines_come_once_and_only_when_they_are_complete(tmp_path: Path) -> None:
    log = tmp_path / "E1-1.log"
    tail = LogTail(log)
    assert tail.take() == []
    log.write_bytes(b"one\ntw")
    assert tail.take() == ["one"]
    with log.open("ab") as file:
        file.write(b"o\nthree")
    assert tail.take() == ["two"]
    assert tail.take(ended=True) == ["three"]
    assert tail.take(ended=True) == []


def test_a_character_that_was_cut_in_two_is_put_together(tmp_path: Path) -> None:
    log = tmp_path / "E1-1.log"
    tail = LogTail(log)
    log.write_bytes("ü".encode()[:1])
    assert tail.take() == []
    log.write_bytes("ü\n".encode())
    assert tail.take() == ["ü"]


def test_a_progress_bar_becomes_its_last_state(tmp_path: Path) -> None:
    log = tmp_path / "E1-1.log"
    log.write_bytes(b"".join(b"\r%3d%%" % share for share in range(101)) + b"\n")
    assert LogTail(log).take() == ["100%"]


def test_a_line_that_never_ends_does_not_fill_the_memory(tmp_path: Path) -> None:
    log = tmp_path / "E1-1.log"
    log.write_bytes(b"x" * (MAX_LINE_BYTES * 4))
    tail = LogTail(log)
    assert tail.take() == []
    assert tail.take(ended=True) == ["x" * MAX_LINE_BYTES]


def test_what_cannot_be_kept_up_with_is_skipped_and_counted(tmp_path: Path) -> None:
    log = tmp_path / "E1-1.log"
    log.write_bytes(b"0123456789abcde\n" * (CHUNK_BYTES // 16 * 3))
    first, *rest = LogTail(log).take()
    assert first == f"… {CHUNK_BYTES * 2:,} bytes more"
    assert set(rest) == {"0123456789abcde"}


def test_a_tail_that_may_not_skip_gives_out_every_line(tmp_path: Path) -> None:
    log = tmp_path / "E1-1.log"
    count = CHUNK_BYTES // 16 * 3
    log.write_bytes(b"0123456789abcde\n" * count)
    tail, lines = LogTail(log, skips=False), 0
    while tail.behind:
        lines += len(tail.take())
    assert lines == count


def test_a_flood_is_thinned_to_its_end_and_the_rest_counted() -> None:
    assert thinned([str(number) for number in range(1000)], 3) == ["… 997 lines more", "997", "998", "999"]
    assert thinned(["a", "b"], 3) == ["a", "b"]
