"""A run's screen in a console of its own, with the time standing still."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import ContentSwitcher

from core.config import Settings
from core.record.folder import RunFolder
from tests.fakes.console_runs import LOOKED_AT
from tui.app import Console
from tui.screens.run import RunScreen
from tui.widgets.log_view import LogView

WIDE, NARROW, WIDEST = (140, 40), (80, 24), (200, 50)
DEADLINE_SECONDS = 20.0

ENDING = frozenset({"records", "findings", "log-count", "log-seek", "log-save", "sources"})
"""Groups of workers that come to an end; others follow what goes on."""


@pytest.fixture
def still(home: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place for runs, with the time, its zone and the user's folders fixed."""
    monkeypatch.setattr("tui.run_feed.now", lambda: LOOKED_AT)
    monkeypatch.setattr("tui.widgets.lines.now", lambda: LOOKED_AT)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with monkeypatch.context() as zone:
        zone.setenv("TZ", "UTC")
        time.tzset()
        yield tmp_path / "data"
    time.tzset()


def console(folder: RunFolder, theme: str = "signature-dark") -> Console:
    """A console that opens a run."""
    return Console(Settings(data_folder=folder.path.parent.parent), folder, theme=theme)


@contextlib.asynccontextmanager
async def opened(
    folder: RunFolder, size: tuple[int, int] = WIDE
) -> AsyncIterator[tuple[RunScreen, Pilot[int]]]:
    """A run's screen once it shows the whole journal."""
    async with console(folder).run_test(size=size) as pilot:
        await shown(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        yield screen, pilot


async def shown(pilot: Pilot[Any]) -> None:
    """Wait until the screen shows all that is in the journal and nothing is left to do."""
    screen = pilot.app.screen
    assert isinstance(screen, RunScreen)
    await until(pilot, lambda: screen.feed.caught_up, "reading the journal")
    await until(pilot, lambda: "orchestrator" in seen(screen), "the plan")
    await settle(pilot)


async def settle(pilot: Pilot[Any]) -> None:
    """Let everything that is under way come to its end and be shown."""
    for _ in range(2):
        await pilot.pause()
        under_way = [worker for worker in pilot.app.workers if worker.group in ENDING]
        await until(pilot, lambda under_way=under_way: all(one.is_finished for one in under_way), "the end")  # type: ignore[misc]
    counting = [view for view in pilot.app.screen.query(LogView) if view._visible]
    await until(
        pilot, lambda: not any("counting" in str(view._place_shown.render()) for view in counting), "counting"
    )
    await pilot.pause()


async def until(pilot: Pilot[Any], condition: Callable[[], object], what: str) -> None:
    """Wait for a condition.

    Raises:
        AssertionError: it did not come true in time.
    """
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen"
        await pilot.pause(0.02)


def play(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Play a scene."""
    asyncio.run(scene())


def rows(screen: RunScreen) -> list[str]:
    """The screen as people see it, a line a row."""
    strips = screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip) for strip in strips]


def seen(screen: RunScreen) -> str:
    """The screen as one text."""
    return "\n".join(rows(screen))


def shown_view(screen: RunScreen) -> str | None:
    """The view at the right."""
    return screen.query_one("#views", ContentSwitcher).current
