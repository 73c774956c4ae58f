"""Views and dialogs with sixteen colours, and with none, as pictures: change one only after looking at it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from textual.filter import NoColor
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from core.config import Settings
from core.keys.encrypted_file import EncryptedFile
from core.keys.lookup import use_key_store
from core.keys.names import ANTHROPIC
from core.keys.store import KeyStore
from core.record.folder import RunFolder
from tests.fakes import console_runs
from tests.fakes.memory_keyring import MemoryKeyring
from tests.tui.console.run_app import NARROW, settle, shown, still, until
from tests.tui.console.several_runs import all_read, several_runs
from tests.tui.console.test_keys import KEY, LOCKED
from tests.tui.console.test_recorded_doubts import with_an_overlap
from tui.app import Console
from tui.screens.dialogs import Ask, Confirm
from tui.screens.keys import KeysScreen
from tui.screens.runs import RunsScreen

__all__ = ["still"]

Compare = Callable[..., bool]

LOOKS = pytest.mark.parametrize("look", ["sixteen", "no-colour"])

VIEWS: dict[str, tuple[Callable[[Path], RunFolder], tuple[str, ...]]] = {
    "thoughts": (console_runs.running, ("j", "j", "2")),
    "metrics": (console_runs.running, ("j", "j", "3")),
    "code": (console_runs.running, ("j", "j", "4")),
    "report": (console_runs.running, ("j", "j", "5")),
    "report-of-the-run": (console_runs.running, ("g", "5")),
    "report-with-doubts": (lambda parent: with_an_overlap(parent).told(), ("j", "j", "5")),
    "searched": (console_runs.running, ("j", "j", "4", "slash", *"imp", "enter")),
}
"""How to tell a run, and the keys that lead to a view of it."""

DIALOGS: dict[str, tuple[Callable[[Path], RunFolder], tuple[str, ...]]] = {
    "kill": (console_runs.running, ("j", "j", "j", "x")),
    "kill-the-run": (console_runs.running, ("g", "x")),
    "cap": (console_runs.running, ("b",)),
    "cap-refused": (console_runs.running, ("b", "ctrl+u", "ctrl+k", *"0.01")),
    "message": (console_runs.running, ("j", "j", "j", "m", *"Try ten more trees.")),
    "seeds": (console_runs.running, ("j", "j", "n")),
    "confirm": (console_runs.done, ("R",)),
}
"""How to tell a run, and the keys that open a dialog over it."""


def console(data: Path, look: str, folder: RunFolder | None = None) -> Console:
    """A console with few colours."""
    made = Console(Settings(data_folder=data), folder, theme="sixteen")
    made.do_with_few_colours()
    if look == "no-colour":
        # As Textual does with the theme that it is started with then.

        made._filters = [NoColor()]
    return made


@pytest.fixture
def colours(still: Path, monkeypatch: pytest.MonkeyPatch, look: str) -> None:
    """As many colours as a terminal of that look has."""
    if look == "no-colour":
        monkeypatch.setenv("NO_COLOR", "1")


async def pressed(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys, one after the other, and let nothing blink."""
    for key in keys:
        await pilot.press(key)
        await settle(pilot)
    for field in pilot.app.screen.query("Input, TextArea"):
        assert isinstance(field, Input | TextArea)
        field.cursor_blink = False
    await pilot.pause()


def driven(folder: RunFolder) -> AbstractContextManager[object]:
    """An engine for a run that goes on."""
    return contextlib.nullcontext() if folder.state().ended else console_runs.driven(folder)


@LOOKS
@pytest.mark.usefixtures("colours")
@pytest.mark.parametrize("view", list(VIEWS))
def test_a_view_looks_like_this(snap_compare: Compare, still: Path, view: str, look: str) -> None:
    tell, keys = VIEWS[view]
    folder = tell(still)

    async def before(pilot: Pilot[Any]) -> None:
        await shown(pilot)
        await pressed(pilot, *keys)

    with driven(folder):
        assert snap_compare(console(still, look, folder), terminal_size=NARROW, run_before=before)


@LOOKS
@pytest.mark.usefixtures("colours")
@pytest.mark.parametrize("dialog", list(DIALOGS))
def test_a_dialog_looks_like_this(snap_compare: Compare, still: Path, dialog: str, look: str) -> None:
    tell, keys = DIALOGS[dialog]
    folder = tell(still)

    async def before(pilot: Pilot[Any]) -> None:
        await shown(pilot)
        await pressed(pilot, *keys)
        assert isinstance(pilot.app.screen, Ask | Confirm)

    with driven(folder):
        assert snap_compare(console(still, look, folder), terminal_size=NARROW, run_before=before)


@LOOKS
@pytest.mark.usefixtures("colours")
@pytest.mark.parametrize("key", ["e", "x"], ids=["rename", "delete"])
def test_a_dialog_over_the_list_looks_like_this(
    snap_compare: Compare, still: Path, key: str, look: str
) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        screen = pilot.app.screen
        assert isinstance(screen, RunsScreen)
        await until(pilot, lambda: all_read(screen), "reading")
        await pressed(pilot, "j", "j", key)
        assert isinstance(pilot.app.screen, Ask | Confirm)

    with several_runs(still):
        assert snap_compare(console(still, look), terminal_size=NARROW, run_before=before)


@pytest.fixture
def keys_kept(tmp_path: Path) -> Iterator[None]:
    """One key in the environment, and a keyring that is locked."""
    file = EncryptedFile(tmp_path / "keys" / "keys.encrypted", {})
    use_key_store(KeyStore({ANTHROPIC: KEY}, MemoryKeyring(trouble=LOCKED), file))
    yield
    use_key_store(None)


@LOOKS
@pytest.mark.usefixtures("colours", "keys_kept")
@pytest.mark.parametrize("keys", [(), ("j", "enter")], ids=["keys", "asking"])
def test_the_keys_look_like_this(
    snap_compare: Compare, still: Path, keys: tuple[str, ...], look: str
) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: isinstance(pilot.app.screen, RunsScreen), "the list")
        await pilot.press("k")
        await until(pilot, lambda: isinstance(pilot.app.screen, KeysScreen), "the screen")
        screen = pilot.app.screen
        assert isinstance(screen, KeysScreen)
        await until(pilot, lambda: screen.found is not None, "looking")
        await pressed(pilot, *keys)

    assert snap_compare(console(still, look), terminal_size=NARROW, run_before=before)
