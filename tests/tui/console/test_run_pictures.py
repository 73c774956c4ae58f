"""The run's screen in every state, as pictures: change one only after looking at it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from core.record.folder import RunFolder
from tests.fakes import console_runs
from tests.tui.console.run_app import NARROW, WIDE, WIDEST, console, settle, shown, still

__all__ = ["still"]

THEMES = ("signature-dark", "sixteen")

Compare = Callable[..., bool]

STATES: dict[str, tuple[Callable[[Path], RunFolder], bool, tuple[str, ...]]] = {
    "planning": (console_runs.planning, True, ()),
    "waiting": (console_runs.waiting, True, ("j", "j")),
    "running": (console_runs.running, True, ("j", "j", "j")),
    "paused": (console_runs.paused, True, ("G",)),
    "failed": (console_runs.failed, False, ("j", "j")),
    "done": (console_runs.done, False, ()),
    "interrupted": (console_runs.interrupted, False, ("j", "j")),
    "hostile": (console_runs.hostile_run, False, ("j", "j")),
}
"""How to tell a state, whether an engine drives it, and the keys that bring something to look at."""


def picture(
    snap_compare: Compare, state: str, still: Path, size: tuple[int, int], theme: str, *keys: str
) -> bool:
    """Whether a state looks as it did."""
    tell, has_engine, first = STATES[state]
    folder = tell(still)

    async def look(pilot: Pilot[Any]) -> None:
        await shown(pilot)
        for key in (*first, *keys):
            await pilot.press(key)
            await settle(pilot)

    with console_runs.driven(folder) if has_engine else contextlib.nullcontext():
        return snap_compare(console(folder, theme), terminal_size=size, run_before=look)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["140x40", "80x24"])
@pytest.mark.parametrize("state", list(STATES))
def test_a_run_looks_like_this(
    snap_compare: Compare, still: Path, state: str, size: tuple[int, int], theme: str
) -> None:
    assert picture(snap_compare, state, still, size, theme)


def test_a_wide_terminal_has_a_rail_of_findings(snap_compare: Compare, still: Path) -> None:
    assert picture(snap_compare, "running", still, WIDEST, "signature-dark", "j", "j", "j", "3")


@pytest.mark.parametrize("view", ["1", "2", "3", "4", "5"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["140x40", "80x24"])
def test_an_agent_looks_like_this(
    snap_compare: Compare, still: Path, size: tuple[int, int], view: str
) -> None:
    assert picture(snap_compare, "running", still, size, "signature-dark", "k", view)


def test_a_card_lies_over_the_right_side(snap_compare: Compare, still: Path) -> None:
    assert picture(snap_compare, "waiting", still, WIDE, "signature-dark", "enter")
