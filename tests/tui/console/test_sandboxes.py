"""Sandboxes that are still there: what is shown of them, and how they are ended."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
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
from tests.fakes.modal.double import ModalDouble
from tests.tui.console.run_app import NARROW, WIDE, still
from tests.tui.console.told_paper import until
from tests.tui.modal_home import alive, modal, open_at_modal, running_double, token
from tui.app import Console
from tui.ending_sandboxes import kill_sandbox
from tui.open_sandboxes import ModalLook, StillOpen, open_sandboxes
from tui.screens.dialogs import Confirm
from tui.screens.run import RunScreen
from tui.screens.sandboxes import SandboxesScreen
from tui.widgets.key_guard import HELD_SECONDS
from tui.widgets.sandbox_list import SandboxList

__all__ = ["modal", "running_double", "still", "token"]

Play = Callable[[SandboxesScreen, Pilot[int]], Awaitable[None]]
Compare = Callable[..., bool]
ELSEWHERE = "20261120-dropout-needed-batch-0c44"
SCRIPT = "import time\nprint('on', flush=True)\ntime.sleep(600)\n"


def play(data: Path, act: Play, size: tuple[int, int] = (100, 24)) -> None:
    """Open the list of sandboxes, and act."""

    async def run() -> None:
        async with Console(Settings(data_folder=data)).run_test(size=size) as pilot:
            screen = SandboxesScreen()
            await pilot.app.push_screen(screen)
            await pilot.pause()
            await act(screen, pilot)

    asyncio.run(run())


def found_in(folder: RunFolder) -> list[StillOpen]:
    """Sandboxes as they would be found for the told run, here and at Modal."""
    title = "Does bagging help every learner, or only unstable ones?"
    first = StillOpen(
        provider="modal",
        sandbox=OpenSandbox("sb-kY2fQ9", "E2", folder.run_id, ("E2-1",), gpu="A100-80GB:2"),
        folder=folder,
        title=title,
        experiment_id="E2",
        open=True,
        driven=True,
        running=("E2-1",),
        usd_per_hour=Decimal("5.60"),
        opened_at=LOOKED_AT - timedelta(minutes=7),
    )
    idle = StillOpen(
        provider="local",
        sandbox=OpenSandbox("E4", "E4", folder.run_id, ()),
        folder=folder,
        title=title,
        experiment_id="E4",
        open=True,
        running=(),
        usd_per_hour=Decimal("3.60"),
        opened_at=LOOKED_AT - timedelta(minutes=2),
    )
    forgotten = StillOpen(
        provider="modal",
        sandbox=OpenSandbox("sb-Zr71Lm", "E1", ELSEWHERE, None),
        folder=None,
        title=ELSEWHERE,
        experiment_id="E1",
        opened_at=LOOKED_AT - timedelta(hours=6),
    )
    return [first, idle, forgotten]


@dataclass
class Shown:
    """What is found wherever anybody looks, and what Modal says when it is asked.

    Attributes:
        found: what is found.
        look: what Modal says.
        asked: of each question to Modal, whether it looked inside.
        answers: set where Modal answers at once.
    """

    found: list[StillOpen]
    look: ModalLook = field(default_factory=ModalLook)
    asked: list[bool] = field(default_factory=list)
    answers: asyncio.Event | None = None


@pytest.fixture
def shown(still: Path, monkeypatch: pytest.MonkeyPatch) -> Shown:
    """Three sandboxes, and a Modal that answers at once."""
    shown = Shown(found_in(console_runs.running(still)))

    async def find(runs: Path, at_modal: Sequence[OpenSandbox] = ()) -> list[StillOpen]:
        return list(shown.found)

    async def look(*, inside: bool) -> ModalLook:
        shown.asked.append(inside)
        if shown.answers is not None:
            await shown.answers.wait()
        return shown.look

    monkeypatch.setattr("tui.screens.sandboxes.open_sandboxes", find)
    monkeypatch.setattr("tui.screens.sandboxes.look_at_modal", look)
    return shown


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Sandboxes that were killed; none really is."""
    ids: list[str] = []

    async def kill(found: StillOpen) -> None:
        ids.append(found.sandbox.id)

    monkeypatch.setattr("tui.screens.sandboxes.kill_sandbox", kill)
    return ids


def test_sandboxes_are_listed_with_their_execs_and_prices(still: Path, shown: Shown) -> None:
    async def act(screen: SandboxesScreen, pilot: Pilot[int]) -> None:
        lines = [" ".join(line.plain.split()) for line in screen.query_one(SandboxList).lines]
        assert "E2 A100-80GB:2 ● E2-1 $5.60/h 7 m" in lines[0]
        assert "E4 no engine here ◔ idle $3.60/h 2 m" in lines[1]
        assert "E1 not here Modal CPU ? unknown ?/h 6 h" in lines[2]
        assert "3 sandboxes burning $9.20/h + ?" in " ".join(
            str(screen.query_one(".top", Static).render()).split()
        )

    play(still, act)


def test_x_kills_only_after_y(still: Path, shown: Shown, killed: list[str]) -> None:
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


def test_what_cannot_be_killed_is_said(still: Path, shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(found: StillOpen) -> None:
        raise SandboxUnavailable("bubblewrap is not installed", "Install it.")

    monkeypatch.setattr("tui.screens.sandboxes.kill_sandbox", refuse)

    async def act(screen: SandboxesScreen, pilot: Pilot[int]) -> None:
        await pilot.press("x")
        await pilot.pause(HELD_SECONDS + 0.1)
        await pilot.press("y")
        titles = [toast.title for toast in pilot.app._notifications]
        await until(
            pilot,
            lambda: "bubblewrap is not installed" in [toast.title for toast in pilot.app._notifications],
            f"the message, {titles}",
        )

    play(still, act)


def test_enter_opens_the_run(still: Path, shown: Shown) -> None:
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


def ids(screen: SandboxesScreen) -> list[str]:
    """Ids of what is listed."""
    return [found.sandbox.id for found in screen._found or ()]


def modal_line(screen: SandboxesScreen) -> str:
    """What is said of Modal."""
    return str(screen.query_one(".modal", Static).render())


def test_modal_is_asked_at_once_and_keys_are_answered_meanwhile(still: Path, shown: Shown) -> None:
    async def act(screen: SandboxesScreen, pilot: Pilot[int]) -> None:
        assert shown.answers is not None
        assert modal_line(screen) == "asking Modal …"
        await pilot.press("j")
        found = screen.query_one(SandboxList).sandbox
        assert found is not None
        assert found.experiment_id == "E4"
        shown.answers.set()
        await until(pilot, lambda: modal_line(screen) == "Modal answered 0 s ago.", "its answer")
        assert shown.asked == [True]

    shown.answers = asyncio.Event()
    play(still, act)


def test_modal_is_asked_rarely_and_looks_inside_only_where_somebody_wants_that(
    still: Path, shown: Shown
) -> None:
    async def act(screen: SandboxesScreen, pilot: Pilot[int]) -> None:
        await until(pilot, lambda: shown.asked == [True], "the first question")
        await pilot.press("x")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm), "the dialog")
        await pilot.pause(HELD_SECONDS + 0.1)
        await pilot.press("n")
        await until(pilot, lambda: pilot.app.screen is screen, "the list")
        await pilot.pause(0.2)
        assert shown.asked == [True]
        screen._ask_again = 0.0  # the time is over
        screen._ask_now.set()
        await until(pilot, lambda: shown.asked == [True, False], "the second question")
        await pilot.press("m")
        await until(pilot, lambda: shown.asked == [True, False, True], "the third question")

    play(still, act)


def test_after_a_kill_modal_is_asked_at_once(still: Path, shown: Shown, killed: list[str]) -> None:
    async def act(screen: SandboxesScreen, pilot: Pilot[int]) -> None:
        await until(pilot, lambda: shown.asked == [True], "the first question")
        await pilot.press("x")
        await pilot.pause(HELD_SECONDS + 0.1)
        await pilot.press("y")
        await until(pilot, lambda: killed and shown.asked == [True, False], "the second question")

    play(still, act)


def test_what_modal_said_before_it_fell_silent_is_still_shown_with_its_age(still: Path, shown: Shown) -> None:
    sandbox = OpenSandbox("sb-1", "E1", ELSEWHERE, ("E1-1",))
    shown.look = ModalLook((sandbox,))

    async def act(screen: SandboxesScreen, pilot: Pilot[int]) -> None:
        await until(pilot, lambda: "answered" in modal_line(screen), "its answer")
        shown.look = ModalLook((replace(sandbox, running=None),))
        await pilot.press("m")
        await until(pilot, lambda: len(shown.asked) == 2, "the second question")
        shown.look = ModalLook(trouble=SandboxUnavailable("Modal does not answer within 40 s", "Wait"))
        await pilot.press("m")
        await until(pilot, lambda: "does not answer" in modal_line(screen), "the trouble")
        assert modal_line(screen) == (
            "Modal does not answer within 40 s. Wait."
            "   Modal answered 0 s ago; what is shown of it is from then."
        )
        assert screen._told is not None
        assert screen._told.sandboxes == (sandbox,)  # with what ran when somebody could look

    play(still, act)


def test_without_a_token_that_is_said_and_nothing_is_claimed_of_modal(still: Path, shown: Shown) -> None:
    shown.found.clear()
    shown.look = ModalLook(unasked="Modal was not asked: MODAL_TOKEN_ID is missing")

    async def act(screen: SandboxesScreen, pilot: Pilot[int]) -> None:
        await until(pilot, lambda: "was not asked" in modal_line(screen), "it")
        none = str(screen.query_one(".none", Static).render())
        assert none == "No sandbox is open on this machine."
        await pilot.press("r", "x", "enter")
        assert pilot.app.screen is screen

    play(still, act)


def test_what_one_can_do_depends_on_the_sandbox(still: Path, shown: Shown) -> None:
    async def act(screen: SandboxesScreen, pilot: Pilot[int]) -> None:
        can, about = [], ""
        for _ in shown.found:
            can.append({name for name in ("open", "resume", "kill") if screen.check_action(name, ())})
            about = str(screen.query_one(".said", Static).render())
            await pilot.press("j")
        assert can == [{"open", "kill"}, {"open", "resume", "kill"}, {"kill"}]
        assert "of another machine or a deleted run" in about
        assert "sb-Zr71Lm" in about

    play(still, act)


def test_hostile_names_do_nothing(still: Path, shown: Shown) -> None:
    hostile = OpenSandbox(HOSTILE, HOSTILE, HOSTILE, (HOSTILE,), gpu=HOSTILE)
    shown.found[:] = [
        replace(shown.found[0], title=HOSTILE, experiment_id=HOSTILE, sandbox=hostile, running=(HOSTILE,))
    ]
    shown.look = ModalLook(trouble=SandboxUnavailable(HOSTILE, HOSTILE))

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


LOOK = """
import asyncio, sys
import tui.app, tui.screens.sandboxes
from tui.ending_sandboxes import kill_sandbox
from tui.open_sandboxes import look_at_modal
look = asyncio.run(look_at_modal())
print(len(look.sandboxes), look.trouble, [name for name in ("modal", "grpclib") if name in sys.modules])
"""


def test_the_console_asks_modal_without_loading_its_sdk(modal: ModalDouble) -> None:
    open_at_modal(modal, ELSEWHERE, "E1")
    token = dict(zip(("MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET"), modal.token, strict=True))
    probe = subprocess.run(
        [sys.executable, "-c", LOOK], env=os.environ | token, capture_output=True, text=True, timeout=60
    )
    assert (probe.stdout.strip(), probe.stderr) == ("1 None []", "")


def test_sandboxes_at_modal_are_shown_and_killed(still: Path, modal: ModalDouble, token: None) -> None:
    folder = console_runs.running(still)
    mine = open_at_modal(modal, folder.run_id, "fumehood-E4", script="E4-1")
    other = open_at_modal(modal, ELSEWHERE, "E1", gpu="T4")

    async def act(screen: SandboxesScreen, pilot: Pilot[int]) -> None:
        sandboxes = screen.query_one(SandboxList)
        await until(pilot, lambda: len(sandboxes.lines) == 2, "Modal's answer")
        lines = [" ".join(line.plain.split()) for line in sandboxes.lines]
        assert "E4 no engine Modal CPU ● E4-1" in lines[0]
        assert "E1 not here T4 ◔ idle" in lines[1]
        for sandbox_id in (mine, other):
            await pilot.press("x")
            await until(pilot, lambda: isinstance(pilot.app.screen, Confirm), "the dialog")
            await pilot.pause(HELD_SECONDS + 0.1)
            await pilot.press("y")
            await until(pilot, lambda name=sandbox_id: name not in ids(screen), "the end")  # type: ignore[misc]
        assert folder.state().experiments["E4"].kill is not None

    play(still, act)
    assert alive(modal) == []


@pytest.mark.parametrize("theme", ["signature-dark", "sixteen"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["140x40", "80x24"])
def test_sandboxes_look_like_this(
    snap_compare: Compare, still: Path, shown: Shown, size: tuple[int, int], theme: str
) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await pilot.app.push_screen(SandboxesScreen())
        await pilot.pause()
        await pilot.press("j")
        await pilot.pause()

    console = Console(Settings(data_folder=still), theme=theme)
    assert snap_compare(console, terminal_size=size, run_before=before)
