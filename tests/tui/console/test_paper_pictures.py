"""The paper, as pictures: change one only after looking at it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from core.record.folder import RunFolder
from tests.tui.console.run_app import NARROW, WIDE, still
from tests.tui.console.told_paper import CITING_BODY, DRAFT_BODY, console, published, read, settle

__all__ = ["still"]

Compare = Callable[..., bool]
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["140x40", "80x24"])
NUMBER = ("tab",) * 5
STEPS: dict[str, tuple[str, ...]] = {
    "number": (*NUMBER, "enter"),
    "code": (*NUMBER, "enter", "enter"),
    "outline": ("o", "j", "j", "j"),
}


def before(folder: RunFolder, *keys: str) -> Callable[[Pilot[Any]], Any]:
    """Open the paper, then press keys."""

    async def act(pilot: Pilot[Any]) -> None:
        await read(pilot, folder)
        for key in keys:
            await pilot.press(key)
            await settle(pilot)

    return act


@pytest.mark.parametrize("step", list(STEPS))
@SIZES
def test_a_paper_looks_like_this(
    snap_compare: Compare, still: Path, size: tuple[int, int], step: str
) -> None:
    folder = published(still)
    assert snap_compare(console(folder), terminal_size=size, run_before=before(folder, *STEPS[step]))


@SIZES
def test_a_paper_in_16_colours_looks_like_this(
    snap_compare: Compare, still: Path, size: tuple[int, int]
) -> None:
    folder = published(still)
    keys = before(folder, *STEPS["number"])
    assert snap_compare(console(folder, "sixteen"), terminal_size=size, run_before=keys)


@SIZES
def test_a_draft_looks_like_this(snap_compare: Compare, still: Path, size: tuple[int, int]) -> None:
    folder = published(still, DRAFT_BODY)
    assert snap_compare(console(folder), terminal_size=size, run_before=before(folder))


@SIZES
def test_a_citation_looks_like_this(snap_compare: Compare, still: Path, size: tuple[int, int]) -> None:
    folder = published(still, CITING_BODY)
    keys = before(folder, "G", "N", "enter")
    assert snap_compare(console(folder), terminal_size=size, run_before=keys)
