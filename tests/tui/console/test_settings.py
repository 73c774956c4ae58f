"""Settings: what is set, where it comes from, and what can be changed in the console."""

from __future__ import annotations

import asyncio

import pytest
from textual.widgets import Static

from core.config import read_settings
from core.errors import StorageError
from tests.tui.conftest import Home
from tests.tui.console.shell import SIZE, First, Shell, shell
from tui.preferences import Preferences, keep_preferences, preferences_path, read_preferences
from tui.screens.settings import SettingsScreen, rows_of
from tui.screens.theme_picker import ThemePicker


def write_config(home: Home, text: str) -> None:
    """Write the user's settings file."""
    path = home.path / "config" / "fumehood" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")


def rows(app: Shell) -> dict[str, tuple[str, str]]:
    """What is shown: value and source by name."""
    return {row.name: (row.value, row.source) for row in rows_of(app)}


def test_every_setting_is_shown_with_where_it_comes_from(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    write_config(home, 'budget_usd = 5\ntheme = "signature-light"\n[keys]\n"app.help" = "f1"\n')
    monkeypatch.setenv("FUMEHOOD_MAX_PARALLEL", "7")
    shown = rows(Shell(read_settings()))
    assert shown["theme"] == ("Signature, light", "config.toml")
    assert shown["budget_usd"] == ("5", "config.toml")
    assert shown["max_parallel"] == ("7", "FUMEHOOD_MAX_PARALLEL")
    assert shown["data_folder"] == (str(home.data), "FUMEHOOD_DATA_FOLDER")
    assert shown["approve"] == ("ask", "default")
    assert shown["model"] == ("–", "default")
    assert shown["keys.app.help"] == ("f1", "config.toml")
    assert shown["slow"] == ("no", "default")


def test_what_is_simple_can_be_changed_and_is_kept(home: Home) -> None:
    app = shell(home.data)

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.press("comma", "j", "enter", "j", "enter")
            assert rows(app)["slow"] == ("yes", "chosen here")
            assert rows(app)["mouse"] == ("no", "chosen here")
            await pilot.press("g", "enter")
            assert isinstance(app.screen, ThemePicker)
            await pilot.press("j", "enter")
            assert isinstance(app.screen, SettingsScreen)
            assert rows(app)["theme"] == ("Signature, light", "chosen here")

    asyncio.run(play())
    assert app.slow
    assert read_preferences(app.settings) == Preferences(theme="signature-light", slow=True, mouse=False)


def test_the_rest_says_where_it_is_set(home: Home) -> None:
    app = shell(home.data)

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.press("comma", "G")
            assert "in seconds" in str(app.screen.query_one(".about", Static).visual)
            await pilot.press("enter")
            await pilot.pause()
            assert any(toast.startswith("Set lease_seconds in ") for toast in app.toasts)

    asyncio.run(play())


@pytest.mark.parametrize("key", ["escape", "q"])
def test_settings_are_left_by_the_keys_that_people_try(home: Home, key: str) -> None:
    app = shell(home.data)

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.press("comma")
            assert isinstance(app.screen, SettingsScreen)
            await pilot.press(key)
            assert isinstance(app.screen, First)

    asyncio.run(play())


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"slow": "perhaps"}', '{"theme": 3}'])
def test_preferences_that_cannot_be_read_are_as_good_as_none(home: Home, text: str) -> None:
    app = shell(home.data)
    preferences_path(app.settings).parent.mkdir(parents=True)
    preferences_path(app.settings).write_text(text)
    assert read_preferences(app.settings) == Preferences()


def test_preferences_of_a_later_version_are_read_as_far_as_they_are_known(home: Home) -> None:
    app = shell(home.data)
    preferences_path(app.settings).parent.mkdir(parents=True)
    preferences_path(app.settings).write_text('{"slow": true, "sound": "loud"}')
    assert read_preferences(app.settings) == Preferences(slow=True)


def test_preferences_that_cannot_be_kept_are_told(home: Home) -> None:
    home.data.write_text("a file where the folder should be")
    app = shell(home.data)
    with pytest.raises(StorageError, match="cannot keep"):
        keep_preferences(app.settings, Preferences(slow=True))

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            app.spare_the_line(True)
            await pilot.pause()
            assert any("cannot keep" in toast for toast in app.toasts)
            assert app.slow

    asyncio.run(play())


def test_a_table_of_settings_is_shown_by_its_entries(home: Home) -> None:
    write_config(
        home,
        '[base_urls]\ngoogle = "https://x.example"\n'
        '[models."qwen3"]\nprovider = "anthropic"\nbase_url = "http://localhost:11434"\n',
    )
    app = Shell(read_settings())
    shown = rows(app)
    assert shown["base_urls.google"] == ("https://x.example", "config.toml")
    assert shown["models.qwen3"] == ("http://localhost:11434", "config.toml")
    assert "models" not in shown
