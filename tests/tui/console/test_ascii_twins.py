"""A terminal without Unicode gets twins that take as many columns."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tui import glyphs
from tui.ascii_twins import in_ascii, speaks_unicode
from tui.screen import Mark


@pytest.mark.parametrize(
    ("environment", "unicode"),
    [
        ({}, True),
        ({"TMUX": "/tmp/tmux,1,0"}, False),
        ({"LANG": "en_US.UTF-8", "TMUX": "/tmp/tmux,1,0"}, True),
        ({"LANG": "de_DE.utf8"}, True),
        ({"LANG": "de_DE"}, False),
        ({"LANG": "C"}, False),
        ({"LANG": "POSIX"}, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),
        ({"LC_CTYPE": "C.UTF-8", "TMUX": "/tmp/tmux,1,0"}, False),
        ({"LC_CTYPE": "UTF-8"}, True),
        ({"LC_ALL": "C", "LANG": "en_US.UTF-8"}, False),
        ({"LC_ALL": "C.UTF-8", "TMUX": "/tmp/tmux,1,0"}, True),
    ],
)
def test_the_locale_says_what_a_terminal_shows(environment: dict[str, str], unicode: bool) -> None:
    assert speaks_unicode("utf-8", environment) is unicode


def test_a_file_that_cannot_take_more_gets_ascii_whatever_the_locale_says() -> None:
    assert not speaks_unicode("iso-8859-1", {"LANG": "en_US.UTF-8"})


@pytest.mark.parametrize(
    "text",
    [
        "● E1 ✓ supported ≤$1.20 …",
        "▕█▌░ ▏ ▁▂▃▄▅▆▇█",
        "╭─╮│╰╯ ┌┬┐ ═╬═",
        "⣿⠁⡇",
        "界字 é ﷺ 👩",
        "\x1b[31m●\x1b[0m",
    ],
)
def test_twins_take_as_many_columns(text: str) -> None:
    twin = in_ascii(text)
    assert twin.isascii()
    assert cell_len(twin.replace("\x1b", "")) == cell_len(text.replace("\x1b", ""))


def test_states_that_differ_have_twins_that_differ() -> None:
    marks = [mark for mark in vars(glyphs).values() if isinstance(mark, Mark)] + list(
        glyphs.VERDICTS.values()
    )
    twins = {mark.glyph: in_ascii(mark.glyph) for mark in marks}
    assert len(set(twins.values())) == len(twins)
