"""Themes: legible, complete, the user's own checked and reloaded, chosen while seeing them."""

from __future__ import annotations

import asyncio
import itertools
import math
import os
import re
from pathlib import Path

import pytest
import textual
from textual.color import Color, rgb_to_lab

from core.errors import ConfigError
from tests.tui.conftest import Home
from tests.tui.console.shell import SIZE, shell
from tui import theme_colours, themes
from tui.preferences import read_preferences
from tui.screens.theme_picker import ThemePicker

NAMES = sorted(path.stem for path in theme_colours.SHIPPED.glob("*.toml"))

STATES = ("supported", "refuted", "inconclusive", "waiting", "running", "failed")
TEXTS = ("foreground", "muted", "accent", *STATES)
BEHIND = ("background", "surface", "panel")

# Palettes of the Linux console (VGA) and of xterm, in the order of SGR 30-37 and 90-97.
VGA = (
    "000000 aa0000 00aa00 aa5500 0000aa aa00aa 00aaaa aaaaaa "
    "555555 ff5555 55ff55 ffff55 5555ff ff55ff 55ffff ffffff"
)
XTERM = (
    "000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd e5e5e5 "
    "7f7f7f ff0000 00ff00 ffff00 5c5cff ff00ff 00ffff ffffff"
)
ANSI_NAMES = [
    f"ansi_{bright}{name}"
    for bright in ("", "bright_")
    for name in ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
]


def palette(name: str, terminal: str = VGA) -> dict[str, Color]:
    """A theme's colours as they are seen."""
    seen = dict(zip(ANSI_NAMES, (Color.parse(f"#{code}") for code in terminal.split()), strict=True))
    variables = themes.read_theme(theme_colours.SHIPPED / f"{name}.toml").variables
    return {
        colour: seen.get(variables[colour]) or Color.parse(variables[colour])
        for colour in themes.Palette.model_fields
    }


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of WCAG 2, from 1 to 21."""

    def luminance(colour: Color) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.normalized]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("name", "least", "terminal"),
    [
        ("signature-dark", 4.5, VGA),
        ("signature-light", 4.5, VGA),
        ("colour-blind-safe", 4.0, VGA),
        ("high-contrast", 7.0, VGA),
        ("sixteen", 3.0, VGA),
        ("sixteen", 2.0, XTERM),
    ],
)
def test_every_text_can_be_read_on_everything_behind_it(name: str, least: float, terminal: str) -> None:
    colours = palette(name, terminal)
    poor = {
        (text, behind): round(ratio, 2)
        for text in TEXTS
        for behind in BEHIND
        if (ratio := contrast(colours[text], colours[behind])) < least
    }
    assert poor == {}


def test_sixteen_colours_are_the_terminals_own() -> None:
    theme = themes.read_theme(theme_colours.SHIPPED / "sixteen.toml")
    assert theme.ansi
    assert {theme.variables[name].split("_")[0] for name in themes.Palette.model_fields} == {"ansi"}
    # Both are set, so that the terminal's own background does not matter.
    assert (theme.background, theme.foreground) == ("ansi_black", "ansi_bright_white")


def as_a_deuteranope(colour: Color) -> Color:
    """A colour as people without green cones see it: Viénot, Brettel and Mollon 1999."""
    r, g, b = ((c / 255) ** 2.2 for c in colour.rgb)
    long, short = 17.8824 * r + 43.5161 * g + 4.11935 * b, 0.0299566 * r + 0.184309 * g + 1.46709 * b
    middle = 0.494207 * long + 1.24827 * short
    linear = (
        0.0809444479 * long - 0.130504409 * middle + 0.116721066 * short,
        -0.0102485335 * long + 0.0540193266 * middle - 0.113614708 * short,
        -0.000365296938 * long - 0.00412161469 * middle + 0.693511405 * short,
    )
    return Color(*(round(255 * min(1.0, max(0.0, c)) ** (1 / 2.2)) for c in linear))


def test_states_stay_apart_for_people_who_do_not_tell_red_from_green() -> None:
    colours = palette("colour-blind-safe")
    near = {}
    for one, other in itertools.combinations(STATES, 2):
        seen = [rgb_to_lab(as_a_deuteranope(colours[name])) for name in (one, other)]
        distance = math.dist((seen[0].L, seen[0].a, seen[0].b), (seen[1].L, seen[1].a, seen[1].b))
        if distance < 15:
            near[one, other] = round(distance, 1)
    assert near == {}


@pytest.mark.parametrize("name", NAMES)
def test_a_theme_has_every_colour_that_textuals_own_widgets_take(name: str) -> None:
    taken: set[str] = set()
    for path in Path(textual.__file__).parent.rglob("*.py"):
        for style in re.findall(r'CSS[^=\n]*= """(.*?)"""', path.read_text(encoding="utf-8"), re.DOTALL):
            taken |= set(re.findall(r"\$([a-z][a-z0-9-]*)", style))
    theme = themes.read_theme(theme_colours.SHIPPED / f"{name}.toml")
    assert taken - (theme.to_color_system().generate() | theme.variables).keys() == set()


def own_theme(home: Home, name: str = "mine", **changes: str) -> Path:
    """Write a theme of the user's own."""
    text = (theme_colours.SHIPPED / "signature-dark.toml").read_text(encoding="utf-8")
    text = text.replace('"signature-dark"', f'"{name}"').replace("Signature, dark", "My own")
    for colour, value in changes.items():
        text = re.sub(rf'^{colour} = ".*"$', f'{colour} = "{value}"', text, flags=re.MULTILINE)
    path = home.path / "config" / "fumehood" / "themes" / f"{name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("accent = ", "colour = "), "is not complete"),
        (('"#', '"##'), "has no colour in background"),
        (("[colours]", "[colours"), "is not TOML"),
        (('accent = "#72c3d0"', 'accent = "ansi_cyan"'), "mixes ansi_"),
    ],
)
def test_a_theme_that_cannot_be_used_says_why(home: Home, change: tuple[str, str], said: str) -> None:
    path = own_theme(home)
    path.write_text(path.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        themes.read_theme(path)


def test_a_broken_theme_is_told_in_a_toast_and_the_others_work(home: Home) -> None:
    own_theme(home)
    own_theme(home, "broken", accent="no colour at all")
    app = shell(home.data, theme="mine")

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause()
            assert app.theme == "mine"
            assert any("has no colour in accent" in toast for toast in app.toasts)

    asyncio.run(play())


def test_a_theme_changes_on_screen_when_its_file_does(home: Home) -> None:
    path = own_theme(home, accent="#111111")
    app = shell(home.data, theme="mine")

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            assert app.get_css_variables()["accent"] == "#111111"
            own_theme(home, accent="#222222")
            os.utime(path, ns=(0, 12_345))
            app._look_around()
            await pilot.pause()
            assert app.theme_variables["accent"] == "#222222"
            own_theme(home, accent="nothing")
            os.utime(path, ns=(0, 23_456))
            app._look_around()
            await pilot.pause()
            assert app.theme_variables["accent"] == "#222222"
            assert any("has no colour in accent" in toast for toast in app.toasts)
            own_theme(home, "another")
            app._look_around()
            assert "another" in {theme.name for theme in app.our_themes}

    asyncio.run(play())


def test_an_unknown_theme_is_told_and_the_usual_one_taken(home: Home) -> None:
    app = shell(home.data, theme="dracula")

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause()
            assert app.theme == theme_colours.DEFAULT
            assert any("there is no theme 'dracula'" in toast for toast in app.toasts)

    asyncio.run(play())


def test_only_themes_with_all_our_colours_can_be_chosen(home: Home) -> None:
    app = shell(home.data)
    assert sorted(app.available_themes) == NAMES


def test_choosing_shows_each_theme_and_keeps_the_one_that_enter_takes(home: Home) -> None:
    app = shell(home.data)

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            app.action_choose_theme()
            await pilot.pause()
            assert isinstance(app.screen, ThemePicker)
            seen = [app.theme]
            for key in ("down", "j", "up", "g"):
                await pilot.press(key)
                seen.append(app.theme)
            assert seen == [
                "signature-dark",
                "signature-light",
                "sixteen",
                "signature-light",
                "colour-blind-safe",
            ]
            await pilot.press("j", "enter")
            assert not isinstance(app.screen, ThemePicker)

    asyncio.run(play())
    assert app.theme == "high-contrast"
    assert read_preferences(app.settings).theme == "high-contrast"
    assert shell(home.data).theme == "high-contrast"


def test_escape_gives_back_the_theme_that_was_there(home: Home) -> None:
    app = shell(home.data)

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            app.action_choose_theme()
            await pilot.pause()
            await pilot.press("G", "escape")

    asyncio.run(play())
    assert app.theme == "signature-dark"
    assert read_preferences(app.settings).theme is None


def test_a_theme_in_the_settings_stays_the_one_to_begin_with(home: Home) -> None:
    app = shell(home.data, theme="signature-light")

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            app.keep_theme("sixteen")
            await pilot.pause()
            assert any("the settings say 'signature-light'" in toast for toast in app.toasts)

    asyncio.run(play())
    assert read_preferences(app.settings).theme is None


def test_few_colours_take_the_theme_made_for_them(home: Home) -> None:
    app = shell(home.data, theme="signature-light")
    app.do_with_few_colours()
    assert app.theme == theme_colours.SIXTEEN


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_theme_is_the_same_unchecked_as_checked(name: str) -> None:
    assert theme_colours.shipped_theme(name) == themes.read_theme(theme_colours.SHIPPED / f"{name}.toml")


def test_the_first_frame_of_a_theme_that_is_not_shipped_has_the_usual_colours() -> None:
    for name in (None, "", "mine", "../themes/sixteen"):
        assert theme_colours.shipped_theme(name).name == theme_colours.DEFAULT
