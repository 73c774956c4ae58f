"""How the shell's own screens look."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.conftest import Home
from tests.tui.console.shell import Shell, shell

Compare = Callable[..., bool]

SIZES = {"80x24": (80, 24), "140x40": (140, 40)}


async def settled(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys and wait until what they open is shown."""
    await pilot.press(*keys)
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


@pytest.fixture
def app(home: Home, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A console whose paths are the same everywhere."""
    made = shell(home.data)
    monkeypatch.setenv("XDG_CONFIG_HOME", "/home/you/.config")
    made.settings = made.settings.model_copy(update={"data_folder": Path("/home/you/.local/share/fumehood")})
    return made


@pytest.mark.parametrize("theme", ["signature-dark", "sixteen"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "keys",
    [("question_mark",), ("comma",), ("comma", "enter"), ("colon",)],
    ids=["help", "settings", "themes", "palette"],
)
def test_a_screen_looks_as_before(
    snap_compare: Compare, app: Shell, keys: tuple[str, ...], size: str, theme: str
) -> None:
    app.theme = theme

    async def press(pilot: Pilot[Any]) -> None:
        await settled(pilot, *keys)

    assert snap_compare(app, run_before=press, terminal_size=SIZES[size])


def test_a_terminal_that_is_too_small_looks_as_before(snap_compare: Compare, app: Shell) -> None:
    assert snap_compare(app, terminal_size=(40, 10))


@pytest.mark.parametrize("theme", ["signature-light", "high-contrast", "colour-blind-safe"])
def test_a_theme_looks_as_before(snap_compare: Compare, app: Shell, theme: str) -> None:
    app.theme = theme

    async def press(pilot: Pilot[Any]) -> None:
        app.action_choose_theme()
        await settled(pilot)

    assert snap_compare(app, run_before=press, terminal_size=(80, 24))
