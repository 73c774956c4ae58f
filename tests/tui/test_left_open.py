"""What is left open at Modal is closed or said, with what it costs, wherever a run is left."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from textual.pilot import Pilot

from core.config import Settings
from core.keys.lookup import use_key_store
from core.record import events as e
from core.record.folder import RunFolder
from tests.fakes.console_runs import driven
from tests.fakes.keys import keys_in_environment
from tests.fakes.modal.double import ModalDouble
from tests.fakes.terminal import Terminal
from tests.tui.conftest import Home, refusal
from tests.tui.console.told_paper import until
from tests.tui.modal_home import alive, modal, open_at_modal, running_double, token
from tests.tui.plans import LAUNCHED
from tui.app import Console
from tui.left_open import left_in_words, left_open
from tui.screens.dialogs import Confirm
from tui.screens.runs import RunsScreen
from tui.widgets.key_guard import HELD_SECONDS
from tui.widgets.run_list import RunList

__all__ = ["modal", "running_double", "token"]

SAID = "The sandbox of E1 may still be open at Modal, at $3.60/h: see 'fumehood sandboxes'"
Play = Callable[[RunsScreen, Pilot[int]], Awaitable[None]]


def opened(sandbox_id: str, ago: timedelta = timedelta(minutes=1)) -> e.SandboxOpened:
    """The experiment's sandbox is open."""
    return e.SandboxOpened(
        experiment_id="E1",
        sandbox_id=sandbox_id,
        isolation="remote machine",
        usd_per_hour=Decimal("3.60"),
        at=e.now() - ago,
    )


def run_on_modal(home: Home, *events: e.Event, **settings: str) -> RunFolder:
    """A run with one experiment whose sandbox was asked for at Modal."""
    requested = e.SandboxRequested(experiment_id="E1", name="E1", provider="modal")
    return home.run_with(*LAUNCHED[:-2], requested, *events, **{"sandbox": "modal", **settings})


def run_with_a_sandbox(home: Home, double: ModalDouble) -> tuple[RunFolder, str]:
    """Such a run, whose sandbox is at Modal."""
    folder = run_on_modal(home)
    sandbox_id = open_at_modal(double, folder.run_id, "E1")
    with folder.journal() as journal:
        journal.append(opened(sandbox_id))
    return folder, sandbox_id


def test_what_a_run_has_left_open_is_said_with_its_price_where_the_run_is_shown(home: Home) -> None:
    folder = run_on_modal(home, opened("sb-1"))
    assert SAID in home.type("show", folder.run_id).stdout
    assert SAID in refusal(home.type("stop", folder.run_id, "--close-sandboxes"))
    with driven(folder):
        assert "may still be open" not in home.type("show", folder.run_id).stdout


def test_a_sandbox_that_nobody_could_say_is_open_may_be_left_as_well(home: Home) -> None:
    folder = run_on_modal(home)
    (left,) = left_open(folder, folder.state())
    assert left.experiment_id == "E1"
    assert (left.usd_per_hour or 0) > 0


@pytest.mark.parametrize(
    ("events", "settings"),
    [
        ((opened("sb-1", timedelta(days=1)),), {}),
        (
            (
                opened("sb-1"),
                e.SandboxClosed(experiment_id="E1", sandbox_id="sb-1", seconds=1, cost_usd=None),
            ),
            {},
        ),
        ((e.ExperimentEnded(experiment_id="E1", outcome="failed"),), {}),
        ((opened("E1"),), {"sandbox": "local"}),
    ],
    ids=["its time is over", "it is closed", "it was never had", "it is on this machine"],
)
def test_nothing_is_said_of_what_cannot_be_open_at_modal(
    home: Home, events: tuple[e.Event, ...], settings: dict[str, str]
) -> None:
    folder = run_on_modal(home, *events, **settings)
    assert left_open(folder, folder.state()) == ()
    assert left_in_words(()) == ""


def test_an_ended_run_with_a_sandbox_left_says_so(home: Home) -> None:
    folder = run_on_modal(home, opened("sb-1"), e.RunEnded(outcome="failed", message="nothing ran"))
    assert SAID in home.type("show", folder.run_id).stdout


def play(home: Home, act: Play) -> None:
    """Open the list of runs, and act."""

    async def run() -> None:
        async with Console(Settings(data_folder=home.data)).run_test(size=(120, 30)) as pilot:
            await until(pilot, lambda: isinstance(pilot.app.screen, RunsScreen), "the list")
            screen = pilot.app.screen
            assert isinstance(screen, RunsScreen)
            await until(pilot, lambda: known(screen), "reading the runs")
            await act(screen, pilot)

    asyncio.run(run())


def known(screen: RunsScreen) -> bool:
    """Whether the run under the cursor was read."""
    run = screen.query_one(RunList).run
    return run is not None and run.changed_at is not None


async def asked(pilot: Pilot[int]) -> str:
    """Press the key that deletes; gives what is asked then."""
    await pilot.press("x")
    await until(pilot, lambda: isinstance(pilot.app.screen, Confirm), "the question")
    screen = pilot.app.screen
    assert isinstance(screen, Confirm)
    await pilot.pause(HELD_SECONDS + 0.1)
    return screen._warns


async def delete_and_keep_volumes(pilot: Pilot[int]) -> None:
    """Answer both questions: the run goes, its volumes at Modal stay."""
    first = pilot.app.screen
    await pilot.press("y")
    await until(
        pilot,
        lambda: pilot.app.screen is not first and isinstance(pilot.app.screen, Confirm),
        "the question about volumes",
    )
    await pilot.pause(HELD_SECONDS + 0.1)
    await pilot.press("n")


def test_deleting_a_run_ends_what_it_has_at_modal_and_says_so_before(
    home: Home, modal: ModalDouble, token: None
) -> None:
    folder, _ = run_with_a_sandbox(home, modal)
    other = open_at_modal(modal, "20261101-another-0c44", "E1")

    async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
        assert "Still open at Modal, and ended with it: E1, 1 sandbox at $0." in await asked(pilot)
        await delete_and_keep_volumes(pilot)
        await until(pilot, lambda: not folder.path.exists(), "the deletion")

    play(home, act)
    assert alive(modal) == [other]


def test_a_run_whose_sandbox_cannot_be_ended_is_not_deleted(
    home: Home, modal: ModalDouble, token: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.sandbox.asking_modal.END_SECONDS", 3.0)
    folder, sandbox_id = run_with_a_sandbox(home, modal)
    modal.call("fault", rpc="SandboxTerminateV2", status="UNAVAILABLE", times=-1)

    async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
        await asked(pilot)
        await delete_and_keep_volumes(pilot)
        await until(
            pilot,
            lambda: any("Modal does not answer" in toast.title for toast in pilot.app._notifications),
            "the refusal",
        )
        assert folder.path.exists()

    play(home, act)
    modal.call("heal")
    assert alive(modal) == [sandbox_id]


@pytest.mark.parametrize("with_token", [True, False])
def test_where_modal_cannot_be_asked_what_may_be_left_is_said_before_a_run_is_deleted(
    home: Home, modal: ModalDouble, monkeypatch: pytest.MonkeyPatch, with_token: bool
) -> None:
    monkeypatch.setattr("core.sandbox.asking_modal.LIST_SECONDS", 2.0)
    if with_token:
        use_key_store(keys_in_environment(MODAL_TOKEN_ID="ak-double", MODAL_TOKEN_SECRET="as-double"))
        modal.call("fault", rpc="ClientHello", kind="hang", times=-1)
    folder = run_on_modal(home, opened("sb-1"))

    async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
        warning = await asked(pilot)
        why = "Modal does not answer within 2 s" if with_token else "MODAL_TOKEN_ID is missing"
        assert why in warning
        assert SAID in warning
        assert "until its time is over or somebody ends it" in warning
        await pilot.press("y")
        await until(pilot, lambda: not folder.path.exists(), "the deletion")

    play(home, act)


def test_a_run_that_has_nothing_left_is_deleted_without_a_word_about_modal(
    home: Home, modal: ModalDouble
) -> None:
    home.run_with(sandbox="modal")  # its journal asked for no sandbox yet

    async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
        assert "Modal" not in await asked(pilot)

    play(home, act)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "1 sandbox without an engine may still be open at Modal, at $3.60/h: see 'fumehood sandboxes'."),
        (("attach",), f"{SAID}."),
    ],
)
def test_leaving_the_console_says_what_is_left_open(home: Home, words: tuple[str, ...], said: str) -> None:
    run_on_modal(home, opened("sb-1"))
    command = [sys.executable, "-m", "tui.cli", *words]
    with Terminal(command, dict(os.environ) | {"TERM": "xterm-256color"}, columns=140) as terminal:
        terminal.until(lambda text: "may still be open at Modal" in " ".join(text.split()))
        terminal.look_on(0.5)
        terminal.press("q")
        terminal.ended()
        assert said in " ".join(terminal.text.split())
