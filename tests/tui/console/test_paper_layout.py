"""Papers as lines: nothing is wider than the page, and every number is found in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from tui.log_passage import passage_of_result
from tui.paper_layout import Layout, lay_out, read_markdown
from tui.paper_tables import table_lines


def laid(text: str, width: int = 60) -> Layout:
    return lay_out(read_markdown(text), width)


def plain(text: str, width: int = 60) -> list[str]:
    return [line.plain.rstrip() for line in laid(text, width).lines]


def test_a_number_is_found_wherever_it_stands() -> None:
    text = (
        "# T [1](#e1)\n\nIt is [5.5 ± 1.1%](#e2).\n\n| a | b |\n| - | - |\n| x | [7](#e3) |\n\n- [8](#e4)\n"
    )
    layout = laid(text)
    assert [number.number_id for number in layout.numbers] == ["e1", "e2", "e3", "e4"]
    words = [
        "".join(layout.lines[piece.line].plain[piece.start : piece.end] for piece in number.pieces)
        for number in layout.numbers
    ]
    assert words == ["1", "5.5 ± 1.1%", "7", "8"]


def test_a_number_that_is_broken_between_lines_is_one_number_in_two_pieces() -> None:
    words = "0.055186400000000004 and 0.0022938044671099007"
    (number,) = laid(f"{'x' * 17} [{words}](#e1) and more", 30).numbers
    assert len(number.pieces) >= 2


def test_a_short_number_is_never_broken() -> None:
    layout = laid(f"{'x' * 17} [5.5 ± 1.1%](#e1) and more", 24)
    (number,) = layout.numbers
    (piece,) = number.pieces
    assert layout.lines[piece.line].plain[piece.start : piece.end] == "5.5 ± 1.1%"
    table = laid("| a | b |\n| - | - |\n| some words that go on | [5.5 ± 1.1%](#e1) |", 24)
    assert any("5.5 ± 1.1%" in line.plain for line in table.lines)


def test_only_links_to_evidence_are_numbers() -> None:
    assert not laid("[a](#x1) [b](https://e1) [c](#e) [d](#e1x) [e](#E1)").numbers


def test_formulas_keep_what_markdown_would_take_away() -> None:
    shown = "\n".join(plain("Let $f_D$ and $a\\,b_*$ be.\n\n$$\n\\hat{y}_{a} = b_{c}\n$$\n"))
    assert "f_D" in shown
    assert "a\\,b_*" in shown
    assert "    \\hat{y}_{a} = b_{c}" in shown


def test_lists_hang_and_quotes_are_marked() -> None:
    assert plain("- one two three four five\n- b\n\n3. c\n4. d\n\n> e\n", 20) == [
        "• one two three four",
        "  five",
        "• b",
        "",
        "3. c",
        "4. d",
        "",
        "▌ e",
        "",
    ]


def test_anchors_are_dropped_and_other_html_is_shown_as_it_is() -> None:
    assert "e1 <b>x</b>" in "\n".join(plain('<a id="e1"></a>e1 <b>x</b>'))


def test_a_table_whose_words_would_be_torn_is_shown_row_by_row() -> None:
    head = ("", "statement", "criterion", "verdict", "effect and interval", "reason", "hash")
    row = (
        "H1",
        "Bagging reduces it.",
        "difference below −0.02",
        "inconclusive",
        "−0.1",
        "it is wide",
        "0e6c",
    )
    rows = [[Content(word) for word in words] for words in (head, row)]
    lines = [line.plain for line in table_lines(rows, 44)]
    assert lines[0] == "H1"
    assert "verdict         inconclusive" in lines
    wide = [line.plain for line in table_lines(rows, 100)]
    assert any("H1" in line and "inconclusive" in line for line in wide)


def test_numbers_in_tables_are_right_aligned() -> None:
    assert plain("| a | b |\n| - | - |\n| x | 1.5 |\n| y | 12.25 |\n")[2:4] == ["x    1.5", "y  12.25"]


@given(
    st.lists(st.lists(st.text(max_size=30), min_size=3, max_size=3), min_size=1, max_size=4),
    st.integers(20, 60),
)
def test_a_table_is_never_wider_than_the_page(rows: list[list[str]], width: int) -> None:
    cells = [[Content(" ".join(cell.split())) for cell in row] for row in rows]
    assert all(line.cell_length <= width for line in table_lines(cells, width))


@given(st.text(alphabet="#*_>-|[](){}`$~! \nabe1é宽\u0301\x1b", max_size=200), st.integers(20, 90))
def test_any_text_can_be_laid_out(text: str, width: int) -> None:
    layout = laid(text, width)
    assert all("\n" not in line.plain and "\x1b" not in line.plain for line in layout.lines)
    for number in layout.numbers:
        assert all(0 <= piece.line < len(layout.lines) for piece in number.pieces)


@pytest.mark.parametrize("value", [0.25, "nan", "-inf", 3.0])
def test_the_log_line_of_a_result_is_found_among_others(tmp_path: Path, value: float | str) -> None:
    log = tmp_path / "E1-1.log"
    shown = f"{float(value):.6g}"
    noise = [f"epoch {number}" for number in range(1, 101)]
    wanted = f"lab.result error={shown} arm=bagged seed=3"
    decoys = [f"lab.result error={shown}7 arm=bagged seed=3", f"lab.result error={shown} arm=single seed=3"]
    log.write_text("\n".join([*noise, *decoys, wanted, "after\x1b[2J"]))
    passage = passage_of_result(log, "error", value, {"arm": "bagged", "seed": 3}, around=2)
    assert passage is not None
    assert (passage.first, passage.found) == (101, 103)
    assert passage.lines == (*decoys, wanted, "after")


def test_a_result_on_the_first_line_of_a_log_is_found(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"lab.result error=0.5\n" + b"x" * 1_000_000 + b"\n")
    passage = passage_of_result(log, "error", 0.5, {})
    assert passage is not None
    assert (passage.first, passage.found, len(passage.lines)) == (1, 1, 2)
    assert len(passage.lines[1]) < 5000


def test_a_log_that_is_empty_missing_or_silent_has_no_passage(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    silent = tmp_path / "silent"
    silent.write_text("nothing\n")
    for path in (empty, silent, tmp_path / "missing", tmp_path):
        assert passage_of_result(path, "error", 0.5, {}) is None
