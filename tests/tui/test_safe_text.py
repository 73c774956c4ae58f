"""Text from models and experiments does nothing to a terminal."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.content import Content

from tui.safe_text import log_line, one_line, safe

SGR = re.compile(r"\x1b\[[0-9;:]*m")


@pytest.mark.parametrize(
    ("hostile", "left"),
    [
        ("a\x1b]0;title\x07b", "ab"),
        ("a\x1b]52;c;ZXZpbA==\x1b\\b", "ab"),
        ("a\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\b", "alinkb"),
        ("a\x9d0;title\x9cb", "ab"),
        ("a\x1bPq#0;2;0;0;0\x1b\\b", "ab"),
        ("a\x90evil\x9cb", "ab"),
        ("a\x1b_apc\x1b\\b\x1b^pm\x1b\\c\x1bXsos\x1b\\d", "abcd"),
        ("a\x1b[2J\x1b[1;1Hb", "ab"),
        ("a\x9b2Jb", "ab"),
        ("a\x1b[?1049hb\x1b[6nc", "abc"),
        ("a\x1bcb", "ab"),
        ("a\x1b(0b", "ab"),
        ("a\x1b", "a"),
        ("a\x1b[", "a"),
        ("a\x1b]never ends\nnext line", "a\nnext line"),
        ("a\x00\x08\x7f\x85b", "ab"),
        ("\u202eevil\u202c \u2066x\u2069\u200f", "evil x"),
        ("in\u200bvisible\ufeff\U000e0041", "invisible"),
        ("👩\u200d🔬 ❤\ufe0f co\u00adoperate \U000e0101", "👩🔬 ❤ cooperate "),
        ("a\u2028b", "a\nb"),
        ("a\ud800b", "a\ufffdb"),
        ("tab\tand\nnewline\r\n", "tab\tand\nnewline\n"),
        ("ünïcödé → ✓ 日本", "ünïcödé → ✓ 日本"),
        ("[bold]markup[/bold]", "[bold]markup[/bold]"),
    ],
)
def test_an_escape_sequence_or_control_character_does_not_survive(hostile: str, left: str) -> None:
    assert safe(hostile) == left


def test_colours_survive_only_where_they_are_asked_for() -> None:
    text = "\x1b[1;31mred\x1b[0m \x1b[38:2::1:2:3mtrue\x1b[2K"
    assert safe(text) == "red true"
    assert safe(text, colours=True) == "\x1b[1;31mred\x1b[0m \x1b[38:2::1:2:3mtrue\x1b[0m"


@settings(deadline=None, max_examples=300)
@given(
    st.text(st.sampled_from("abc de \u0301\u0302\u200d\ufe0f\u00ad\u1160\u0e33界字👩🏽🇩🇪ﷺאב-_"), max_size=60),
    st.integers(4, 30),
)
def test_a_line_that_is_broken_loses_nothing_and_none_is_too_wide(text: str, columns: int) -> None:
    clean = safe(text)
    lines = Content(clean).wrap(columns)
    assert "".join("".join(line.plain.split()) for line in lines) == "".join(clean.split())
    assert all(cell_len(line.plain) <= columns for line in lines)
    assert cell_len(Content(clean).truncate(columns, ellipsis=True, pad=True).plain) == columns


def test_a_sequence_cannot_be_put_together_from_what_is_left_of_others() -> None:
    assert "\x1b" not in safe("\x1b\x1b[2J[31m\x1b\x07]0;x\x07")
    assert safe("\x1b[\x1b[31m2J", colours=True).replace("\x1b[31m", "").replace("\x1b[0m", "") == "2J"


@settings(deadline=None)
@given(st.text(st.characters(codec=None) | st.sampled_from("\x1b[]m;0123P\\\x07\x9b\x9c\x9d\r\n")))
def test_whatever_comes_in_nothing_but_colours_comes_out(text: str) -> None:
    for colours in (False, True):
        left = SGR.sub("", safe(text, colours=colours))
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", left)
    assert "\x1b" not in safe(text)


def test_one_line_folds_white_space_and_says_where_it_was_cut() -> None:
    assert one_line("a\n\n  b\rc\td") == "a b c d"
    assert one_line("abcdef", 4) == "abc…"
    assert one_line("abcd", 4) == "abcd"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"  0%\r 50%\r100%", "100%"),
        (b"100%\r", "100%"),
        (b"epoch 1\r\n", "epoch 1"),
        (b"\xff\xfe broken", "\ufffd\ufffd broken"),
        (b"a\tb", "a       b"),
        (b"", ""),
    ],
)
def test_a_line_of_a_log_is_what_a_terminal_would_show_at_last(raw: bytes, shown: str) -> None:
    assert log_line(raw.rstrip(b"\n")) == shown
