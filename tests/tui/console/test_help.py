"""Help and the palette: what they list is what works."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.command import CommandPalette
from textual.widgets import OptionList, Static

from tests.fakes import console_runs
from tests.tui.conftest import Home
from tests.tui.console.run_app import opened, play, still
from tests.tui.console.shell import SIZE, First, OfRun, Shell, shell
from tui.app import Console
from tui.palette import ConsoleCommands
from tui.screens.help import HelpScreen, groups_of
from tui.screens.settings import SettingsScreen

__all__ = ["still"]


def listed(app: Shell) -> dict[str, list[tuple[str, str, str]]]:
    """What help lists now: keys, words and id by group."""
    return {
        group.title: [(" ".join(line.keys), line.words, line.binding_id) for line in group.lines]
        for group in groups_of(app.screen)
    }


def test_help_lists_the_part_with_the_focus_then_the_screen_then_the_rest(home: Home) -> None:
    app = shell(home.data)

    async def play() -> None:
        async with app.run_test(size=SIZE):
            app.first.query_one("Shelf").focus()
            groups = listed(app)
            assert list(groups) == ["Shelf – here", "First", "Everywhere"]
            assert groups["Shelf – here"] == [
                ("j ↓", "next", "shelf.next"),
                ("a", "approve", "shelf.approve"),
            ]
            assert ("n", "new run", "first.new") in groups["First"]
            assert (": ^p", "all commands", "app.palette") in groups["Everywhere"]

    asyncio.run(play())


def test_help_lists_no_key_that_the_focus_would_type(home: Home) -> None:
    app = shell(home.data)

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            app.first.query_one("Input").focus()
            await pilot.pause()
            groups = listed(app)
            assert list(groups) == ["Shelf – once it has the focus", "Everywhere"]
            assert "q" not in {keys for keys, _, _ in groups["Everywhere"]}  # letters are typed here

    asyncio.run(play())


def test_help_shows_changed_keys_and_what_is_wrong_with_others(home: Home) -> None:
    app = shell(home.data, keys={"app.detach": "ctrl+x", "app.fly": "f"})

    async def play() -> None:
        async with app.run_test(size=(100, 40)) as pilot:
            await pilot.pause()
            await pilot.press("question_mark")
            text = str(app.screen.query(Static).first().visual)
            assert "'app.fly' is no binding" in text
            assert "app.detach (changed)" in text
            assert "^x" in text

    asyncio.run(play())


def test_help_is_left_by_the_keys_that_people_try(home: Home) -> None:
    app = shell(home.data)

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            for key in ("escape", "q", "question_mark"):
                await pilot.press("question_mark")
                assert isinstance(app.screen, HelpScreen)
                await pilot.press(key)
                assert isinstance(app.screen, First)

    asyncio.run(play())


@pytest.mark.parametrize(("down", "up"), [("j", "k"), ("down", "up"), ("G", "g"), ("pagedown", "pageup")])
def test_a_long_help_scrolls(home: Home, down: str, up: str) -> None:
    app = shell(home.data)

    async def play() -> None:
        async with app.run_test(size=(80, 14)) as pilot:
            await pilot.press("question_mark")
            scroll = app.screen.query_one("VerticalScroll")
            await pilot.press(down)
            await pilot.pause()
            assert scroll.scroll_offset.y > 0
            await pilot.press(up)
            await pilot.pause()
            assert scroll.scroll_offset.y == 0

    asyncio.run(play())


async def commands_of(app: Console, query: str) -> list[str]:
    """What the palette offers for what was typed."""
    provider = ConsoleCommands(app.screen)
    provider._post_init()
    await provider._wait_init()
    hits = [hit async for hit in (provider.search(query) if query else provider.discover())]
    return [hit.text or "" for hit in hits]


def test_the_palette_has_the_screens_actions_and_everything_else(home: Home) -> None:
    home.run_with(question="Does [b]bold[/b] help?")
    app = shell(home.data)

    async def play() -> None:
        async with app.run_test(size=SIZE):
            app.first.query_one("Shelf").focus()
            found = await commands_of(app, "")
            for words in ("approve", "new run", "settings", "theme: choose one", "detach"):
                assert words in found
            assert found.count("next") == 1
            assert await commands_of(app, "High contrast") == ["theme: High contrast"]
            assert await commands_of(app, "bold") == ["open: Does [b]bold[/b] help?"]

    asyncio.run(play())


def test_the_palette_names_moves_only_to_those_who_search_for_them(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, _):
            found = await commands_of(screen.console, "")
            assert found[0] == "open"
            assert not {"up", "down", "top", "bottom", "fold"} & set(found)
            assert "unfold" in await commands_of(screen.console, "unfold")

    play(scene)


@pytest.mark.parametrize("key", ["colon", "ctrl+p"])
def test_the_palette_does_what_was_chosen(home: Home, key: str) -> None:
    app = shell(home.data)

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.press(key)
            assert isinstance(app.screen, CommandPalette)
            await pilot.press(*"settings")
            options = app.screen.query_one(OptionList)
            while not (options.option_count and "settings" in str(options.get_option_at_index(0).prompt)):
                await pilot.pause(0.02)
            await pilot.press("enter")
            while not isinstance(app.screen, SettingsScreen):
                await pilot.pause(0.02)

    asyncio.run(asyncio.wait_for(play(), 20))


def test_the_palette_opens_a_run_whatever_its_question_looks_like(home: Home) -> None:
    folder = home.run_with(question="Does [red]markup[/] or \x1b[2J help?")
    app = shell(home.data)

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.press("colon")
            await pilot.press(*"open: does")
            options = app.screen.query_one(OptionList)
            while not (options.option_count and "open" in str(options.get_option_at_index(0).prompt)):
                await pilot.pause(0.02)
            assert "Does [red]markup[/] or help?" in str(options.get_option_at_index(0).prompt)
            await pilot.press("enter")
            while not isinstance(app.screen, OfRun):
                await pilot.pause(0.02)
            assert app.screen.feed.folder.path == folder.path

    asyncio.run(asyncio.wait_for(play(), 20))


def test_a_folder_that_is_no_run_does_not_break_the_palette(home: Home, tmp_path: Path) -> None:
    broken = home.runs / "broken"
    broken.mkdir(parents=True)
    (broken / "journal.db").write_bytes(b"no database")
    app = shell(home.data)

    async def play() -> None:
        async with app.run_test(size=SIZE):
            assert "settings" in await commands_of(app, "")

    asyncio.run(play())
