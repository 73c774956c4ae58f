"""The first frame: there before anything slow is read, and followed by what was asked for."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.config import config_path, read_settings
from core.errors import RunNotFound
from core.record.folder import RunFolder
from tests.tui.conftest import Home
from tests.tui.console.shell import SIZE, First, OfRun, Shell
from tui.first_look import FirstLook, first_look
from tui.preferences import Preferences, keep_preferences, read_preferences
from tui.screens.settings import SettingsScreen
from tui.screens.too_small import TooSmall
from tui.widgets.first_frame import FirstFrame


def wrote(text: str) -> None:
    """Write the user's settings file."""
    config_path().parent.mkdir(parents=True, exist_ok=True)
    config_path().write_text(text, encoding="utf-8")


def looks_as_read() -> bool:
    """Whether a peek shows what reading with care does."""
    settings = read_settings()
    kept = read_preferences(settings)
    return first_look() == FirstLook(settings.theme or kept.theme, kept.mouse)


@pytest.mark.usefixtures("home")
def test_nothing_set_is_nothing_seen() -> None:
    assert first_look() == FirstLook()
    assert looks_as_read()


@pytest.mark.usefixtures("home")
def test_what_was_kept_is_seen() -> None:
    keep_preferences(read_settings(), Preferences(theme="signature-light", mouse=False))
    assert first_look() == FirstLook("signature-light", mouse=False)
    assert looks_as_read()


@pytest.mark.usefixtures("home")
def test_settings_go_before_what_was_kept() -> None:
    wrote('theme = "high-contrast"')
    keep_preferences(read_settings(), Preferences(theme="signature-light"))
    assert first_look().theme == "high-contrast"
    assert looks_as_read()


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("name", ["FUMEHOOD_THEME", "fumehood_theme"])
def test_the_environment_goes_before_the_file(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wrote('theme = "high-contrast"')
    monkeypatch.setenv(name, "sixteen")
    assert first_look().theme == "sixteen"
    assert looks_as_read()


@pytest.mark.usefixtures("home")
def test_a_data_folder_of_the_settings_file_is_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FUMEHOOD_DATA_FOLDER", raising=False)
    wrote(f"data_folder = {json.dumps(str(tmp_path / 'elsewhere'))}")
    keep_preferences(read_settings(), Preferences(theme="sixteen"))
    assert first_look().theme == "sixteen"
    assert looks_as_read()


@pytest.mark.parametrize("text", ["theme = ", "theme = 3", "\x00"])
def test_what_is_wrong_with_a_file_does_not_keep_the_first_frame_away(home: Home, text: str) -> None:
    wrote(text)
    home.data.mkdir(exist_ok=True)
    (home.data / "console.json").write_text("[", encoding="utf-8")
    assert first_look().mouse


def opening(find: RunFolder | Exception | None) -> Shell:
    """A console that has read nothing yet."""

    def found() -> RunFolder | None:
        if isinstance(find, Exception):
            raise find
        return find

    app = Shell(None, find=found)
    app.look_like(None)
    return app


def test_the_run_that_was_asked_for_follows_the_first_frame(home: Home) -> None:
    app = opening(home.run_with())

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            while not isinstance(app.screen, OfRun):
                assert app.screen.query(FirstFrame)
                await pilot.pause(0.01)
            assert app.settings == read_settings()
            await pilot.press("escape")
            assert isinstance(app.screen, First)

    asyncio.run(play())


class Late(Shell):
    """A console whose first frame takes its time."""

    painted = False

    def post_display_hook(self) -> None:
        """Wait."""
        if self.painted:
            super().post_display_hook()


def test_keys_that_are_typed_before_anything_was_read_reach_what_follows(home: Home) -> None:
    app = Late(None, find=home.run_with)
    app.look_like(None)

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.press("comma")
            assert app.screen.query(FirstFrame)
            app.painted = True
            app.screen.refresh(layout=True)
            while not isinstance(app.screen, SettingsScreen):
                await pilot.pause(0.01)
            assert isinstance(app.screen_stack[1], OfRun)

    asyncio.run(play())


@pytest.mark.usefixtures("home")
def test_in_a_terminal_that_is_too_small_the_first_screen_is_below_what_says_so() -> None:
    app = opening(None)

    async def play() -> None:
        async with app.run_test(size=(40, 10)) as pilot:
            while len(app.screen_stack) < 3:
                await pilot.pause(0.01)
            assert isinstance(app.screen, TooSmall)
            await pilot.resize_terminal(*SIZE)
            await pilot.pause()
            assert isinstance(app.screen, First)

    asyncio.run(play())


@pytest.mark.usefixtures("home")
def test_what_keeps_the_console_from_opening_is_told_by_who_opens_it() -> None:
    app = opening(RunNotFound("there is no run 'x'"))

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause(5)

    with pytest.raises(RunNotFound):
        asyncio.run(play())
    assert isinstance(app.crash, RunNotFound)


def test_the_first_frame_needs_nothing_that_is_slow_to_import() -> None:
    code = (
        "import sys, tui.cli, tui.commands.attach, tui.console_start, tui.app\n"
        "print(sorted({'pydantic', 'pydantic_settings', 'sqlite3'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
