"""A page of a log moves over lines, wrapped, folded and filtered ones, without knowing the log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from tui.log_document import LogDocument
from tui.log_file import BLOCK_BYTES, LogFile
from tui.log_page import LogPage
from tui.log_search import LinePattern

BAR = "epoch 1:  {percent:3}%|████▎     | {percent}/100 [00:01<00:02, 42.1it/s]"


@contextmanager
def page_of(data: bytes, width: int = 40, height: int = 5, *, wraps: bool = False) -> Iterator[LogPage]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "E1-1.log"
        path.write_bytes(data)
        document = LogDocument(LogFile(path))
        document.file.look()
        page = LogPage(document, width, height, wraps)
        page.lay_out()
        yield page
        document.file.close()


def texts(page: LogPage) -> list[str]:
    """What the screen shows, row by row."""
    return [row.line.text.plain[row.begin : row.end] for row in page.rows]


def walked_down(page: LogPage) -> list[str]:
    """All rows, by going down row by row from the beginning."""
    page.go_first()
    rows = texts(page)
    while not page.at_end:
        page.scroll(1)
        rows.append(texts(page)[-1])
    return rows


def walked_up(page: LogPage) -> list[str]:
    """All rows, by going up row by row from the end."""
    page.follow()
    rows = texts(page)
    while True:
        before = (page.top, page.skipped)
        page.scroll(-1)
        if (page.top, page.skipped) == before:
            return rows
        rows.insert(0, texts(page)[0])


def wrapped(lines: list[str], width: int) -> list[str]:
    return [line[at : at + width] for line in lines for at in range(0, max(1, len(line)), width)]


printed = st.lists(
    st.sampled_from(
        [
            "",
            "a",
            "b" * 39,
            "c" * 40,
            "d" * 41,
            "e" * 200,
            "f" * 3000,
            *(f"line {number}" for number in range(9)),
        ]
    ),
    min_size=1,
    max_size=60,
).map(lambda lines: [*lines, "end"])


@settings(max_examples=60, deadline=None)
@given(printed, st.booleans())
def test_going_down_and_going_up_meet_every_row_once(lines: list[str], wraps: bool) -> None:
    with page_of("\n".join(lines).encode(), wraps=wraps) as page:
        rows = wrapped(lines, 40) if wraps else lines
        assert walked_down(page) == rows
        assert walked_up(page) == rows


@settings(max_examples=60, deadline=None)
@given(printed, st.lists(st.integers(-30, 30), max_size=20), st.booleans())
def test_the_screen_is_always_full_where_the_log_has_enough_rows(
    lines: list[str], moves: list[int], wraps: bool
) -> None:
    with page_of("\n".join(lines).encode(), wraps=wraps) as page:
        rows = wrapped(lines, 40) if wraps else lines
        place = max(0, len(rows) - 5)
        for move in moves:
            page.scroll(move)
            place = min(max(0, place + move), max(0, len(rows) - 5))
            assert texts(page) == rows[place : place + 5]
            assert page.at_end == (place == max(0, len(rows) - 5))
            assert page.follows == page.at_end


def test_lines_of_far_blocks_are_neighbours_whatever_lies_between() -> None:
    data = b"first\n" + b"x" * (5 * BLOCK_BYTES) + b"\nlast\n"
    with page_of(data) as page:
        assert [text[:5] for text in texts(page)] == ["first", "xxxxx", "last"]
        assert [text[:5] for text in walked_up(page)] == ["first", "xxxxx", "last"]


def test_an_endless_line_is_cut_and_says_how_much_is_left_out() -> None:
    with page_of(b"x" * 1_000_000) as page:
        (text,) = texts(page)
        assert len(text) < 5000
        assert text.endswith(" … 995,904 bytes more")


def test_a_line_that_is_redrawn_for_ever_shows_its_last_state() -> None:
    states = b"\r".join(b"%d%% of it" % (number % 100) for number in range(100_000))
    with page_of(states + b"\r100% of it\n") as page:
        (text,) = texts(page)
        assert text.startswith("100% of it  (")
        assert text.endswith(" lines folded)")


def test_a_progress_bar_that_is_redrawn_counts_what_is_folded() -> None:
    with page_of(b"10%\r20%\r30%\r\n") as page:
        assert texts(page) == ["30%  (2 lines folded)"]


def test_runs_of_progress_lines_fold_to_their_last_and_unfold() -> None:
    bars = [BAR.format(percent=percent) for percent in range(50)]
    lines = ["start", *bars, "val_acc 0.5", bars[0], "end"]
    with page_of("\n".join(lines).encode(), width=200, height=60) as page:
        assert texts(page) == ["start", f"{bars[-1]}  (49 lines folded)", "val_acc 0.5", bars[0], "end"]
        page.document.set_folds(False)
        page.lay_out()
        assert texts(page) == lines


def test_lines_with_what_was_measured_are_never_folded() -> None:
    lines = [f"epoch {epoch}/30  train_loss 0.{epoch}  val_acc 89%" for epoch in range(30)]
    lines += [f"seed {seed} (1 of 10) test error 0.05" for seed in range(10)]
    with page_of("\n".join(lines).encode(), height=50) as page:
        assert texts(page) == lines


def test_progress_bars_of_different_things_are_folded_apart() -> None:
    train = [BAR.format(percent=percent) for percent in range(5)]
    test = [line.replace("epoch", "testing") for line in train]
    with page_of("\n".join(train + test).encode(), width=200) as page:
        assert texts(page) == [f"{train[-1]}  (4 lines folded)", f"{test[-1]}  (4 lines folded)"]


@settings(max_examples=40, deadline=None)
@given(printed, st.booleans())
def test_a_filter_shows_what_matches_in_order(lines: list[str], folds: bool) -> None:
    with page_of("\n".join(lines).encode()) as page:
        page.document.folds = folds
        page.document.set_filter(LinePattern.of("line"), 0)
        page.lay_out()
        assert walked_down(page) == [line for line in lines if "line" in line]
        assert walked_up(page) == [line for line in lines if "line" in line]


def test_what_comes_moves_the_screen_only_while_it_follows(tmp_path: Path) -> None:
    path = tmp_path / "E1-1.log"
    path.write_bytes(b"".join(b"%d\n" % number for number in range(20)))
    document = LogDocument(LogFile(path))
    document.file.look()
    page = LogPage(document, 40, 3)
    page.lay_out()
    for follows, rows in ((True, ["18", "19", "20"]), (False, ["17", "18", "19"])):
        with path.open("ab") as file:
            file.write(b"20\n" if follows else b"21\n")
        document.file.look()
        page.lay_out()
        assert texts(page) == rows
        page.scroll(-1)
    page.scroll(100)
    assert texts(page) == ["19", "20", "21"]
    document.file.close()


def test_a_line_that_is_not_complete_is_shown_as_far_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "E1-1.log"
    document = LogDocument(LogFile(path))
    page = LogPage(document, 40, 3)
    seen = []
    for piece in ("tra", "ining\r", "50%\r", "100%", "\nnext"):
        with path.open("a") as file:
            file.write(piece)
        document.file.look()
        page.lay_out()
        seen.append([text.split("  (")[0] for text in texts(page)])
    assert seen == [["tra"], ["training"], ["50%"], ["100%"], ["100%", "next"]]
    document.file.close()


def test_a_jump_shows_the_line_and_what_is_around_it() -> None:
    lines = [f"line {number}" for number in range(1000)]
    data = "\n".join(lines).encode()
    with page_of(data, height=9) as page:
        page.go_to(data.index(b"line 500"))
        assert texts(page) == lines[497:506]
        page.go_to(data.index(b"line 501"))
        assert texts(page) == lines[497:506], "what is on the screen already does not move"
        page.go_to(data.index(b"line 999"))
        assert texts(page) == lines[-9:]
        page.go_to(0)
        assert texts(page) == lines[:9]


def test_a_share_of_the_log_is_near_where_it_says() -> None:
    lines = [f"line {number:04}" for number in range(1000)]
    with page_of("\n".join(lines).encode(), height=10) as page:
        page.go_to_share(0.5)
        assert texts(page)[0] == "line 0499"
        assert 0.49 < page.share < 0.52
        page.go_to_share(1.0)
        assert (page.follows, page.share) == (True, 1.0)
