"""The screen about keys: this version needs none, and says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from core.config import Settings
from tests.tui.console.run_app import NARROW, WIDE, still
from tui.app import Console
from tui.screens.keys import WORDS, KeysScreen
from tui.screens.runs import RunsScreen

__all__ = ["still"]

Compare = Callable[..., bool]


@pytest.mark.parametrize("key", ["escape", "k", "enter"])
def test_it_opens_from_the_empty_list_and_closes(still: Path, key: str) -> None:
    async def run() -> None:
        async with Console(Settings(data_folder=still)).run_test() as pilot:
            await pilot.press("k")
            assert isinstance(pilot.app.screen, KeysScreen)
            await pilot.press(key)
            assert isinstance(pilot.app.screen, RunsScreen)

    asyncio.run(run())


def test_it_promises_nothing_that_this_version_does_not_do() -> None:
    said = " ".join(WORDS)
    assert "No key is needed" in said
    assert "stores none" in said


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["140x40", "80x24"])
def test_it_looks_like_this(snap_compare: Compare, still: Path, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await pilot.press("k")
        await pilot.pause(0.2)

    assert snap_compare(Console(Settings(data_folder=still)), terminal_size=size, run_before=before)
