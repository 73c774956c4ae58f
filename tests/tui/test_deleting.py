"""Deleting a run, by command and in the console: what it has at Modal is said, and goes or stays."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from core.config import Settings
from core.errors import RunLocked, SandboxUnavailable
from core.keys.lookup import use_key_store
from core.record import events as e
from core.record.folder import RunFolder
from core.sandbox.modal.volumes import volume_names
from tests.fakes import console_runs
from tests.fakes.console_runs import driven
from tests.fakes.keys import keys_in_environment
from tests.fakes.modal.double import ModalDouble
from tests.fakes.terminal import Terminal
from tests.tui.conftest import Home, refusal
from tests.tui.console.run_app import NARROW, WIDE, still
from tests.tui.console.told_paper import until
from tests.tui.modal_home import alive, modal, open_at_modal, provider, running_double, token
from tests.tui.test_left_open import asked, known, opened, play, run_on_modal, run_with_a_sandbox
from tui import deleting
from tui.app import Console
from tui.screens.dialogs import Confirm
from tui.screens.runs import RunsScreen
from tui.widgets.key_guard import HELD_SECONDS

__all__ = ["modal", "running_double", "still", "token"]

CLOSED = e.SandboxClosed(experiment_id="E1", sandbox_id="sb-1", seconds=1, cost_usd=None)
OTHER = "20261101-another-0c44"
DELETE_THEM = "Delete them at modal.com/storage, or by 'modal volume delete NAME'."


def volumes(double: ModalDouble) -> set[str]:
    """The names of all volumes at the double."""
    return set(double.call("report")["volumes"])


def make_volumes(double: ModalDouble, *names: str) -> None:
    """Make volumes at the double."""

    async def whole() -> None:
        opener = provider(double)
        connection = await opener.account.connect()
        for name in names:
            volume = connection.sdk.Volume.from_name(
                name, create_if_missing=True, version=2, client=connection.client
            )
            await volume.hydrate.aio()
        await opener.close()

    asyncio.run(whole())


def ended_run(home: Home, double: ModalDouble) -> RunFolder:
    """A run whose sandbox is closed, and whose volumes are at the double beside those of another."""
    folder = run_on_modal(home, opened("sb-1"), CLOSED)
    make_volumes(double, *volume_names(folder.run_id), *volume_names(OTHER), f"fumehood.{folder.run_id}")
    return folder


def others(folder: RunFolder) -> set[str]:
    """What is never removed with that run."""
    return {*volume_names(OTHER), f"fumehood.{folder.run_id}"}


# By command


def test_a_run_is_deleted_only_by_its_name_and_a_yes(home: Home) -> None:
    folder = home.run_with()
    assert home.type("delete").exit_code == 2
    assert "nobody is there to confirm the deletion" in refusal(home.type("delete", folder.run_id))
    assert folder.path.exists()
    result = home.type("delete", folder.run_id, "--yes")
    assert (result.exit_code, result.stdout) == (0, f"deleted {folder.run_id}\n")
    assert not folder.path.exists()


def test_a_run_that_an_engine_drives_is_not_deleted_by_command(home: Home) -> None:
    folder = home.run_with()
    with driven(folder):
        assert f"End it first: 'fumehood stop {folder.run_id}'" in refusal(
            home.type("delete", folder.run_id, "--yes")
        )
    assert folder.path.exists()


def test_a_run_whose_journal_cannot_be_read_can_be_deleted(home: Home) -> None:
    folder = home.run_with()
    folder.journal_path.write_bytes(b"no journal" * 1000)
    result = home.type("delete", folder.run_id, "--yes")
    assert result.exit_code == 0, result.output
    assert "What it may have at Modal is not known" in result.stderr
    assert not folder.path.exists()


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("kept", [False, True])
def test_volumes_go_with_the_run_or_stay_as_was_said(home: Home, modal: ModalDouble, kept: bool) -> None:
    folder = ended_run(home, modal)
    own = set(volume_names(folder.run_id))
    result = home.type("delete", folder.run_id, "--yes", *(["--keep-volumes"] if kept else []))
    assert result.exit_code == 0, result.output
    assert volumes(modal) == others(folder) | (own if kept else set())
    if kept:
        assert all(name in result.stdout for name in own)
        assert DELETE_THEM in result.stdout
    else:
        assert "Its volumes at Modal are removed." in result.stdout


@pytest.mark.usefixtures("token")
def test_a_sandbox_that_is_open_ends_with_its_run(home: Home, modal: ModalDouble) -> None:
    folder, _ = run_with_a_sandbox(home, modal)
    other = open_at_modal(modal, OTHER, "E1")
    result = home.type("delete", folder.run_id, "--yes")
    assert "Still open at Modal, and ended with it: E1" in result.stderr
    assert alive(modal) == [other]
    assert volumes(modal) == set(volume_names(OTHER))


@pytest.mark.parametrize("with_token", [True, False])
def test_where_modal_cannot_be_asked_it_is_said_where_volumes_can_be_deleted(
    home: Home, modal: ModalDouble, monkeypatch: pytest.MonkeyPatch, with_token: bool
) -> None:
    monkeypatch.setattr("core.sandbox.asking_modal.LIST_SECONDS", 2.0)
    monkeypatch.setattr("core.sandbox.asking_modal.VOLUMES_SECONDS", 2.0)
    folder = run_on_modal(home, opened("sb-1"), CLOSED)
    if with_token:
        use_key_store(keys_in_environment(MODAL_TOKEN_ID="ak-double", MODAL_TOKEN_SECRET="as-double"))
        modal.call("fault", rpc="ClientHello", kind="hang", times=-1)
    result = home.type("delete", folder.run_id, "--yes")
    assert result.exit_code == 0, result.output
    assert ("does not answer within 2 s" if with_token else "MODAL_TOKEN_ID is missing") in result.stderr
    assert all(name in result.stderr for name in volume_names(folder.run_id))
    assert DELETE_THEM in result.stderr
    assert not folder.path.exists()


@pytest.mark.usefixtures("token")
def test_a_run_whose_volumes_cannot_be_removed_is_kept(home: Home, modal: ModalDouble) -> None:
    folder = ended_run(home, modal)
    modal.call("fault", rpc="VolumeDelete", times=-1, status="INTERNAL", message="oh no")
    result = home.type("delete", folder.run_id, "--yes")
    assert result.exit_code == 2
    said = result.stderr.splitlines()[-1]
    assert "oh no, so the run is kept" in said
    assert DELETE_THEM in said
    assert folder.path.exists()
    assert home.type("delete", folder.run_id, "--yes", "--keep-volumes").exit_code == 0


@pytest.mark.usefixtures("token")
def test_at_a_terminal_each_is_asked_about_and_no_is_the_usual_answer(home: Home, modal: ModalDouble) -> None:
    folder = ended_run(home, modal)
    known = dict(zip(("MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET"), modal.token, strict=True))
    command = [sys.executable, "-m", "tui.cli", "delete", folder.run_id]
    with Terminal(command, dict(os.environ) | known, columns=200) as terminal:
        terminal.until(lambda text: "for good? [y/N]" in text)
        terminal.press("y\r")
        terminal.until(lambda text: "Remove its 2 volumes at Modal, too? [y/N]" in text)
        terminal.press("\r")
        terminal.ended()
        assert "Its volumes at Modal are kept" in terminal.text
    assert not folder.path.exists()
    assert set(volume_names(folder.run_id)) < volumes(modal)


# In the console


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("key", ["y", "n", "escape"])
def test_the_console_asks_about_volumes_on_their_own(home: Home, modal: ModalDouble, key: str) -> None:
    folder = ended_run(home, modal)

    async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
        assert "Modal" not in await asked(pilot)
        first = pilot.app.screen
        await pilot.press("y")
        await until(
            pilot,
            lambda: pilot.app.screen is not first and isinstance(pilot.app.screen, Confirm),
            "the question about volumes",
        )
        second = pilot.app.screen
        assert isinstance(second, Confirm)
        assert second._question == "Remove its 2 volumes at Modal, too?"
        assert all(name in second._text.plain for name in volume_names(folder.run_id))
        assert folder.path.exists()
        await pilot.pause(HELD_SECONDS + 0.1)
        await pilot.press(key)
        await until(pilot, lambda: not folder.path.exists(), "the deletion")
        if key != "y":
            await until(
                pilot,
                lambda: any(DELETE_THEM in toast.message for toast in pilot.app._notifications),
                "where to delete them",
            )

    play(home, act)
    own = set(volume_names(folder.run_id))
    assert volumes(modal) == others(folder) | (set() if key == "y" else own)


def test_the_console_says_which_volumes_may_stay_where_modal_cannot_be_asked(
    home: Home, modal: ModalDouble
) -> None:
    folder = run_on_modal(home, opened("sb-1"), CLOSED)

    async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
        warning = await asked(pilot)
        assert "MODAL_TOKEN_ID is missing" in warning
        assert all(name in warning for name in volume_names(folder.run_id))
        assert DELETE_THEM in warning
        await pilot.press("y")
        await until(pilot, lambda: not folder.path.exists(), "the deletion")

    play(home, act)


# Whoever deletes


def test_nothing_is_deleted_under_an_engine_that_came_meanwhile(home: Home) -> None:
    folder = home.run_with()
    with driven(folder), pytest.raises(RunLocked):
        asyncio.run(deleting.delete(folder, deleting.AtModal(), volumes=False))
    assert folder.path.exists()


@pytest.mark.usefixtures("modal")
def test_a_token_that_went_missing_keeps_the_run(home: Home) -> None:
    folder = home.run_with(sandbox="modal")
    there = deleting.AtModal(volumes=volume_names(folder.run_id))
    with pytest.raises(SandboxUnavailable, match=r"MODAL_TOKEN_ID is missing.*so the run is kept"):
        asyncio.run(deleting.delete(folder, there, volumes=True))
    assert folder.path.exists()


# As pictures: change one only after looking at it

SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["140x40", "80x24"])


@SIZES
@pytest.mark.parametrize("answers", [True, False], ids=["volumes", "silent"])
def test_deleting_looks_like_this(
    snap_compare: Callable[..., bool],
    still: Path,
    monkeypatch: pytest.MonkeyPatch,
    answers: bool,
    size: tuple[int, int],
) -> None:
    names = volume_names("20261123-bagging-help-every-7f3a")
    why = "Modal cannot be asked (Modal does not answer within 40 s. Check the network, and status.modal.com)"
    there = deleting.AtModal(volumes=names) if answers else deleting.AtModal(unsure=names, why=why)

    async def look(run_id: str, *, volumes: bool) -> deleting.AtModal:
        return there

    monkeypatch.setattr(deleting, "look_at_run", look)
    console_runs.done(still)

    async def act(pilot: Pilot[Any]) -> None:
        screen = pilot.app.screen
        assert isinstance(screen, RunsScreen)
        await until(pilot, lambda: known(screen), "reading the runs")
        run = screen._run
        assert run is not None
        screen._delete(replace(run, uses_modal=True))
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm), "the question")
        pilot.app.clear_notifications()
        if answers:
            first = pilot.app.screen
            await pilot.pause(HELD_SECONDS + 0.1)
            await pilot.press("y")
            await until(pilot, lambda: pilot.app.screen is not first, "the first question's end")
            await until(pilot, lambda: isinstance(pilot.app.screen, Confirm), "the question about volumes")
        await pilot.pause()

    assert snap_compare(Console(Settings(data_folder=still)), terminal_size=size, run_before=act)
