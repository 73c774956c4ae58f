"""With 256 colours a palette is brought down to them by how colours look."""

from __future__ import annotations

import pytest
from rich.color import Color, ColorSystem

from tui.colours_256 import GREYS, nearest
from tui.theme_colours import shipped_theme


def shown(colour: str) -> tuple[int, int, int]:
    """What a terminal of 256 colours shows for a colour."""
    triplet = Color.parse(colour).downgrade(ColorSystem.EIGHT_BIT).get_truecolor()
    return triplet.red, triplet.green, triplet.blue


@pytest.mark.parametrize("dark_with_a_touch_of_blue", ["#242b35", "#2f3742", "#171b21", "#12151a"])
def test_a_dark_grey_stays_grey_and_does_not_become_navy(dark_with_a_touch_of_blue: str) -> None:
    assert len(set(shown(nearest(dark_with_a_touch_of_blue)))) == 1
    assert max(shown(nearest(dark_with_a_touch_of_blue))) < 0x48


def test_greys_are_asked_for_so_that_the_right_ones_come_out() -> None:
    for asked, grey in GREYS:
        assert shown(f"#{asked:02x}{asked:02x}{asked:02x}") == (grey, grey, grey)


@pytest.mark.parametrize("colour", ["#5fd7d7", "#ff5f5f", "#ffffff", "#000000", "#121212"])
def test_what_is_one_of_them_already_stays(colour: str) -> None:
    assert nearest(colour) == colour


@pytest.mark.parametrize("other", ["ansi_blue", "", "auto", "#fff"])
def test_other_names_are_left_alone(other: str) -> None:
    assert nearest(other) == other


def test_only_a_terminal_of_256_colours_gets_other_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTUAL_COLOR_SYSTEM", "truecolor")
    assert shipped_theme("signature-dark").panel == "#242b35"
    monkeypatch.setenv("TEXTUAL_COLOR_SYSTEM", "256")
    assert shipped_theme("signature-dark").panel == nearest("#242b35") != "#242b35"
    assert shipped_theme("sixteen").panel == "ansi_blue"
