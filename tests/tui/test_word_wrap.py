"""On a terminal, lines of words are broken between words; commands to copy and piped lines stay whole."""

from __future__ import annotations

import io
import re

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.conftest import Home
from tests.tui.plans import WAITING
from tui.plain.telling import GUTTER, Telling
from tui.screen import Screen
from tui.voices import PlainVoice
from tui.word_wrap import BELOW_TIME, wrapped

SAID = "12:04:51  E1    the researcher says: the tree errs on a third of what one tree does, on every seed"


def test_what_goes_on_stands_below_the_text(home: Home) -> None:
    assert list(wrapped(SAID, 60)) == [
        "12:04:51  E1    the researcher says: the tree errs on a",
        "                  third of what one tree does, on every seed",
    ]
    below = Telling(home.run_with(), Screen(io.StringIO(), colours=False, unicode=True)).indented("")
    assert len(below) == BELOW_TIME == GUTTER + 2


@pytest.mark.parametrize(
    ("line", "columns", "lines"),
    [
        ("  - one two three", 20, ["  - one two three"]),
        ("  - one two three four", 20, ["  - one two three", "  four"]),
        ("one two", 4, ["one two"]),
        ("a " + "x" * 40 + " b", 30, ["a", "x" * 40, "b"]),
        ("標準 標準 標準 標準 標準", 20, ["標準 標準 標準 標準", "標準"]),
        ("  fumehood approve a-long-name E1", 20, ["  fumehood approve a-long-name E1"]),
        (
            "Come back with 'fumehood attach a-name', or not at all",
            30,
            ["Come back with", "'fumehood attach a-name', or", "not at all"],
        ),
        ("It's Breiman's claim 'that is so'", 20, ["It's Breiman's claim", "'that is so'"]),
    ],
)
def test_a_line_is_broken_only_between_words(line: str, columns: int, lines: list[str]) -> None:
    assert list(wrapped(line, columns)) == lines


def test_colours_take_no_room() -> None:
    painted = " ".join(click.style(word, fg="red") for word in ["one", "two", "three", "four", "five"])
    broken = list(wrapped(painted, 20))
    assert [click.unstyle(line) for line in broken] == ["one two three four", "five"]


@given(st.text(st.sampled_from("ab' -標\x1b[1m09:"), max_size=200), st.integers(0, 60))
def test_nothing_is_lost_and_no_line_of_several_words_is_too_long(line: str, columns: int) -> None:
    broken = list(wrapped(line, columns))
    assert " ".join(" ".join(broken).split()) == " ".join(line.split())
    for part in broken if len(broken) > 1 else []:
        plain = re.sub(r"\x1b\[[0-9;]*m", "", part)
        cells = len(plain) + plain.count("標")
        assert cells <= columns or len(plain.split()) <= 1


@pytest.mark.parametrize(("terminal", "lines"), [(True, 2), (False, 1)])
def test_only_a_terminal_gets_broken_lines(terminal: bool, lines: int) -> None:
    printed = io.StringIO()
    Screen(printed, colours=False, unicode=True, columns=60, terminal=terminal).words(SAID)
    assert len(printed.getvalue().splitlines()) == lines


def test_lines_stay_lines() -> None:
    printed = io.StringIO()
    screen = Screen(printed, colours=False, unicode=True, columns=20, terminal=True)
    screen.words("one two three four five\n\n  six")
    assert printed.getvalue() == "one two three four\nfive\n\n  six\n"


def test_a_followed_run_is_told_in_lines_that_fit_a_narrow_terminal(home: Home) -> None:
    folder = home.run_with(*WAITING)
    printed = io.StringIO()
    voice = PlainVoice(folder, Screen(printed, colours=False, unicode=True, columns=60, terminal=True))
    with folder.journal() as journal:
        state = folder.state()
        for event in journal.read():
            voice.tell(state, event)
    voice.detached()
    told = printed.getvalue().splitlines()
    assert len(told) > 5
    assert all(len(line) <= 60 or "fumehood " in line for line in told)
    assert any(len(line) > 40 for line in told)
