"""Sandboxes that are still there: what is shown of them, and how they are ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from core.config import Settings
from core.errors import SandboxUnavailable
from core.experiment import Compute
from core.record.folder import RunFolder
from core.sandbox.base import OpenSandbox, SandboxSpec
from core.sandbox.local import LocalProvider
from tests.fakes import console_runs
from tests.fakes.console_runs import HOSTILE, LOOKED_AT, driven
from tests.tui.console.run_app import NARROW, WIDE, still
from tests.tui.console.told_paper import until
from tui.app import Console
from tui.open_sandboxes import StillOpen, kill_sandbox, open_sandboxes
from tui.screens.dialogs import Confirm
from tui.screens.run import RunScreen
from tui.screens.sandboxes import SandboxesScreen
from tui.widgets.key_guard import HELD_SECONDS
from tui.widgets.sandbox_list import SandboxList

__all__ = ["still"]

Play = Callable[[SandboxesScreen, Pilot[int]], Awaitable[None]]
Compare = Callable[..., bool]
SCRIPT = "import time\nprint('on', flush=True)\ntime.sleep(600)\n"


def play(data: Path, act: Play, size: tuple[int, int] = (100, 24)) -> None:
    """Open the list of sandboxes, and act."""

    async def run() -> None:
        async with Console(Settings(data_folder=data)).run_test(size=size) as pilot:
            screen = SandboxesScreen()
            await pilot.app.push_screen(screen)
            await pilot.pause(0.2)
            await act(screen, pilot)

    asyncio.run(run())


def found_in(folder: RunFolder) -> list[StillOpen]:
    """Sandboxes as they would be found for the told run."""
    first = StillOpen(
        folder=folder,
        title="Does bagging help every learner, or only unstable ones?",
        sandbox=OpenSandbox("E2", "E2", folder.run_id, ("E2-1",)),
        experiment_id="E2",
        open=True,
        driven=True,
        usd_per_hour=Decimal("3.60"),
        opened_at=LOOKED_AT - timedelta(minutes=7),
    )
    idle = replace(
        first,
        sandbox=OpenSandbox("E4", "E4", folder.run_id, ()),
        experiment_id="E4",
        opened_at=LOOKED_AT - timedelta(minutes=2),
    )
    forgotten = replace(
        first,
        title="Is dropout needed with batch norm?",
        sandbox=OpenSandbox("E1", "E1", "other", ()),
        experiment_id="E1",
        open=False,
        driven=False,
        usd_per_hour=None,
        opened_at=LOOKED_AT - timedelta(days=6),
    )
    return [first, idle, forgotten]


@pytest.fixture
def shown(still: Path, monkeypatch: pytest.MonkeyPatch) -> list[StillOpen]:
    """Three sandboxes that are found wherever anybody looks."""
    found = found_in(console_runs.running(still))

    async def find(runs: Path) -> list[StillOpen]:
        return list(found)

    monkeypatch.setattr("tui.screens.sandboxes.open_sandboxes", find)
    return found


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Sandboxes that were killed; none really is."""
    ids: list[str] = []

    async def kill(found: StillOpen) -> None:
        ids.append(found.sandbox.id)

    monkeypatch.setattr("tui.screens.sandboxes.kill_sandbox", kill)
    return ids


def test_sandboxes_are_listed_with_their_execs_and_prices(still: Path, shown: list[StillOpen]) -> None:
    async def act(screen: SandboxesScreen, pilot: Pilot[int]) -> None:
        lines = [" ".join(line.plain.split()) for line in screen.query_one(SandboxList).lines]
        assert "E2 ● E2-1 $3.60/h 7 m" in lines[0]
        assert "E4 ◔ idle" in lines[1]
        assert "E1 no engine ◔ idle ?/h 6 d" in lines[2]
        assert "3 sandboxes burning $7.20/h + ?" in " ".join(
            str(screen.query_one(".top", Static).render()).split()
        )

    play(still, act)


def test_x_kills_only_after_y(still: Path, shown: list[StillOpen], killed: list[str]) -> None:
    async def act(screen: SandboxesScreen, pilot: Pilot[int]) -> None:
        await pilot.press("j", "x")
        await pilot.pause()
        assert isinstance(pilot.app.screen, Confirm)
        await pilot.pause(HELD_SECONDS + 0.1)
        await pilot.press("enter", "x", "n")
        await pilot.pause()
        assert killed == []
        await pilot.press("x")
        await pilot.pause(HELD_SECONDS + 0.1)
        await pilot.press("y")
        await until(pilot, lambda: killed == ["E4"], "the kill")

    play(still, act)


def test_what_cannot_be_killed_is_said(
    still: Path, shown: list[StillOpen], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(found: StillOpen) -> None:
        raise SandboxUnavailable("bubblewrap is not installed", "Install it.")

    monkeypatch.setattr("tui.screens.sandboxes.kill_sandbox", refuse)

    async def act(screen: SandboxesScreen, pilot: Pilot[int]) -> None:
        await pilot.press("x")
        await pilot.pause(HELD_SECONDS + 0.1)
        await pilot.press("y")
        await until(pilot, lambda: len(pilot.app._notifications), "the message")
        (toast,) = pilot.app._notifications
        assert toast.title == "bubblewrap is not installed"

    play(still, act)


def test_enter_opens_the_run(still: Path, shown: list[StillOpen]) -> None:
    async def act(screen: SandboxesScreen, pilot: Pilot[int]) -> None:
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, RunScreen)

    play(still, act)


def test_where_nothing_is_open_that_is_said(still: Path) -> None:
    console_runs.running(still)

    async def act(screen: SandboxesScreen, pilot: Pilot[int]) -> None:
        await until(
            pilot, lambda: "No sandbox is open" in str(screen.query_one(".none", Static).render()), "it"
        )
        await pilot.press("x", "enter", "j", "k", "g", "G")
        assert pilot.app.screen is screen

    play(still, act)


def test_hostile_names_do_nothing(still: Path, shown: list[StillOpen]) -> None:
    shown[:] = [
        replace(
            shown[0],
            title=HOSTILE,
            experiment_id="",
            sandbox=OpenSandbox(HOSTILE, HOSTILE, HOSTILE, (HOSTILE,)),
        )
    ]

    async def act(screen: SandboxesScreen, pilot: Pilot[int]) -> None:
        (line,) = screen.query_one(SandboxList).lines
        assert not set(line.plain) & set("\x1b\x07\x00\u202e")
        await pilot.press("x")
        await pilot.pause()
        assert isinstance(pilot.app.screen, Confirm)

    play(still, act)


def test_a_sandbox_is_found_and_ended_with_all_that_runs_in_it(still: Path) -> None:
    folder = console_runs.running(still)

    async def run() -> None:
        provider = LocalProvider(folder.path, isolation="process only")
        sandbox = await provider.open(SandboxSpec(folder.run_id, Compute()), "box-E4", lambda _: None)
        await sandbox.start("E4-1", SCRIPT)
        async for _ in sandbox.output("E4-1", 0):
            break
        (found,) = await open_sandboxes(still / "runs")
        assert (found.experiment_id, found.open, found.driven) == ("E4", True, False)
        assert found.sandbox.running == ("E4-1",)
        assert found.usd_per_hour == Decimal("3.60")
        await kill_sandbox(found)
        assert await open_sandboxes(still / "runs") == []
        assert folder.state().experiments["E4"].kill is not None
        await kill_sandbox(found)

    asyncio.run(run())


def test_a_sandbox_that_an_engine_holds_is_left_to_it(still: Path) -> None:
    folder = console_runs.running(still)
    marker = folder.path / "sandboxes" / "box-E4" / "spec.json"
    marker.parent.mkdir(parents=True)
    marker.write_text(f'{{"run_id": "{folder.run_id}", "isolation": "process only", "opened_at": 0}}')

    async def run() -> None:
        with driven(folder):
            (found,) = await open_sandboxes(still / "runs")
            await kill_sandbox(found)
        assert marker.exists()
        assert folder.state().experiments["E4"].kill is not None

    asyncio.run(run())


@pytest.mark.parametrize("content", ["", "[", "{}"])
def test_a_damaged_sandbox_hides_no_other(still: Path, content: str) -> None:
    folder = console_runs.running(still)
    marker = folder.path / "sandboxes" / "odd" / "spec.json"
    marker.parent.mkdir(parents=True)
    marker.write_text(content)
    assert asyncio.run(open_sandboxes(still / "runs")) == []


@pytest.mark.parametrize("theme", ["signature-dark", "sixteen"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["140x40", "80x24"])
def test_sandboxes_look_like_this(
    snap_compare: Compare, still: Path, shown: list[StillOpen], size: tuple[int, int], theme: str
) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await pilot.app.push_screen(SandboxesScreen())
        await pilot.pause(0.3)

    console = Console(Settings(data_folder=still), theme=theme)
    assert snap_compare(console, terminal_size=size, run_before=before)
