"""The list of runs, as pictures: change one only after looking at it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from core.config import Settings
from tests.fakes import console_runs
from tests.tui.console.run_app import NARROW, WIDE, settle, still
from tests.tui.console.several_runs import all_read, several_runs
from tests.tui.console.told_paper import until
from tui.app import Console
from tui.screens.runs import RunsScreen

__all__ = ["still"]

Compare = Callable[..., bool]
THEMES = ("signature-dark", "sixteen")
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["140x40", "80x24"])


def before(*keys: str) -> Callable[[Pilot[Any]], Any]:
    """Wait until all runs are read, then press keys."""

    async def act(pilot: Pilot[Any]) -> None:
        screen = pilot.app.screen
        assert isinstance(screen, RunsScreen)
        await until(pilot, lambda: all_read(screen), "reading")
        screen.query_one(Input).cursor_blink = False
        await pilot.press(*keys)
        await settle(pilot)

    return act


def console(data: Path, theme: str) -> Console:
    return Console(Settings(data_folder=data), theme=theme)


@pytest.mark.parametrize("theme", THEMES)
@SIZES
def test_an_empty_list_looks_like_this(
    snap_compare: Compare, still: Path, size: tuple[int, int], theme: str
) -> None:
    console_runs.no_runs(still)
    assert snap_compare(console(still, theme), terminal_size=size, run_before=before())


@pytest.mark.parametrize("theme", THEMES)
@SIZES
def test_runs_in_several_states_look_like_this(
    snap_compare: Compare, still: Path, size: tuple[int, int], theme: str
) -> None:
    with several_runs(still):
        keys = before("j", "j", "j")
        assert snap_compare(console(still, theme), terminal_size=size, run_before=keys)


def test_a_filtered_list_looks_like_this(snap_compare: Compare, still: Path) -> None:
    with several_runs(still):
        keys = before("slash", *"help")
        assert snap_compare(console(still, "signature-dark"), terminal_size=NARROW, run_before=keys)


def test_deleting_a_run_asks_like_this(snap_compare: Compare, still: Path) -> None:
    with several_runs(still):
        keys = before("j", "j", "x")
        assert snap_compare(console(still, "signature-dark"), terminal_size=NARROW, run_before=keys)
