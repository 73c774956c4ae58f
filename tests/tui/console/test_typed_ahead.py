"""Keys that come faster than the screen changes go to the field they are meant for, and do nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from core.config import Settings
from tests.fakes import console_runs
from tests.tui.console.run_app import opened, play, settle, still, until
from tests.tui.console.several_runs import all_read, several_runs
from tui.app import Console
from tui.screens.run import RunScreen
from tui.screens.runs import RunsScreen
from tui.widgets.code_view import CodeView
from tui.widgets.log_prompt import LogPrompt
from tui.widgets.log_view import LogView

__all__ = ["still"]


def at_once(pilot: Pilot[int], keys: str) -> None:
    """Send keys without waiting for what any of them does."""
    names = {"/": "slash", "&": "ampersand", "\r": "enter"}
    for key in keys:
        pilot.app.post_message(events.Key(names.get(key, key), key))


def seeks(pilot: Pilot[int]) -> bool:
    """Whether a match is looked for in a log."""
    return any(worker.group == "log-seek" and not worker.is_finished for worker in pilot.app.workers)


def test_what_is_typed_behind_a_slash_is_searched_for_and_steers_nothing(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            await pilot.press("j", "j", "tab", "4")
            await settle(pilot)
            seq = screen.feed.state.seq
            at_once(pilot, "/bx")
            await until(pilot, lambda: screen.query_one(CodeView).search_text == "bx", "the search")
            assert pilot.app.screen is screen
            assert screen.feed.state.seq == seq

    play(scene)


def test_the_log_searches_for_what_is_typed_at_once(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            await pilot.press("j", "j", "tab", "1")
            await settle(pilot)
            reader = screen.query_one(LogView).reader
            await until(pilot, lambda: reader.has_focus, "the log")
            at_once(pilot, "/bx")
            await until(pilot, lambda: reader.search_text == "bx", "the search")
            assert pilot.app.screen is screen

    play(scene)


@pytest.mark.parametrize(
    "keys", ["/bagged\r", "/bagged\rn", "/bagged\rnnN", "/bagged\rgj", "&single\rgj", "/single\r/bagged\rn"]
)
def test_keys_behind_enter_do_in_the_log_what_they_do_when_typed_slowly(still: Path, keys: str) -> None:
    done = []

    async def scene(*, slowly: bool) -> None:
        async with opened(console_runs.running(still / str(slowly))) as (screen, pilot):
            await pilot.press("g", "j", "j", "tab", "1")
            await settle(pilot)
            view = screen.query_one(LogView)
            await until(pilot, lambda: view.reader.has_focus, "the log")
            for burst in keys if slowly else [keys]:
                at_once(pilot, burst)
                await settle(pilot)
                await until(pilot, lambda: not seeks(pilot), "the search")
                await settle(pilot)
            assert view.reader.has_focus
            assert not view.query_one(LogPrompt).asks
            reader = view.reader
            done.append((reader.search_text, reader.filter_text, reader.marked, reader.shown_text()))

    play(lambda: scene(slowly=True))
    play(lambda: scene(slowly=False))
    assert done[0] == done[1]


@pytest.mark.parametrize("keys", ["/def\r", "/def\rnn", "/imp\rG/def\rN"])
def test_keys_behind_enter_do_on_a_page_what_they_do_when_typed_slowly(still: Path, keys: str) -> None:
    done = []

    async def scene(*, slowly: bool) -> None:
        async with opened(console_runs.running(still / str(slowly))) as (screen, pilot):
            await pilot.press("g", "j", "j", "tab", "4")
            await settle(pilot)
            page = screen.query_one(CodeView)
            for burst in keys if slowly else [keys]:
                at_once(pilot, burst)
                await settle(pilot)
            assert page.has_focus
            done.append((page.search_text, page.found_at, page.scroll_offset))

    play(lambda: scene(slowly=True))
    play(lambda: scene(slowly=False))
    assert done[0] == done[1]


def test_what_is_typed_behind_a_slash_filters_the_runs_and_starts_no_demo(
    still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    monkeypatch.setattr(RunsScreen, "_start", lambda self, folder: started.append(folder))

    async def scene() -> None:
        async with Console(Settings(data_folder=still)).run_test(size=(100, 30)) as pilot:
            screen = pilot.app.screen
            assert isinstance(screen, RunsScreen)
            await until(pilot, lambda: all_read(screen), "the runs")
            at_once(pilot, "/dxn")
            await until(pilot, lambda: screen.query_one(Input).value == "dxn", "the filter")
            assert pilot.app.screen is screen
            assert started == []

    with several_runs(still):
        asyncio.run(scene())


def test_keys_behind_enter_act_on_the_runs_that_the_filter_leaves(still: Path) -> None:
    async def scene() -> None:
        async with Console(Settings(data_folder=still)).run_test(size=(100, 30)) as pilot:
            screen = pilot.app.screen
            assert isinstance(screen, RunsScreen)
            await until(pilot, lambda: all_read(screen), "the runs")
            at_once(pilot, "/smoothing\r\r")
            await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen), "the run")
            found = pilot.app.screen
            assert isinstance(found, RunScreen)
            await until(pilot, lambda: found.feed.caught_up, "reading the journal")
            assert "smoothing" in found.feed.state.title
            assert screen.query_one(Input).value == "smoothing"

    with several_runs(still):
        asyncio.run(scene())


@pytest.mark.parametrize("key", ["x", "m"])
def test_an_experiment_that_has_ended_is_not_asked_about(still: Path, key: str) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            await pilot.press("j", "j")
            assert screen.agent == "E1"
            await pilot.press(key)
            await settle(pilot)
            assert isinstance(pilot.app.screen, RunScreen)
            assert any("E1 has ended" in toast.title for toast in pilot.app._notifications)

    play(scene)
