"""Searching and copying what is no log: thoughts, reports, scripts, the plan, the paper."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.fakes import console_runs
from tests.tui.console import told_paper
from tests.tui.console.run_app import opened, play, rows, seen, settle, still, until
from tui.screens.edit_experiment import EditExperiment
from tui.screens.run import RunScreen
from tui.widgets.code_view import CodeView
from tui.widgets.page_reader import PageReader
from tui.widgets.plan_tree import PlanTree
from tui.widgets.search_line import SearchLine

__all__ = ["still"]


async def look_for(pilot: Pilot[int], text: str) -> None:
    """Search for a text and go on reading."""
    await pilot.press("slash", *text, "enter")
    await settle(pilot)


@pytest.mark.parametrize(("view", "text"), [("2", "import"), ("4", "lab"), ("5", "seed")])
def test_a_view_is_searched_with_counts_and_n_goes_on(still: Path, view: str, text: str) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            await pilot.press("j", "j", "tab", view)
            await settle(pilot)
            page = screen.focused
            assert isinstance(page, PageReader)
            await look_for(pilot, text)
            count = len(page.matches())
            assert count > 1
            assert screen.focused is page
            places = [page.found_at]
            for _ in range(count):
                assert f"/{text}" in seen(screen)
                assert f"/{count}" in seen(screen)
                await pilot.press("n")
                places.append(page.found_at)
            assert len(set(places)) == count
            assert places[0] == places[-1]
            await pilot.press("N")
            assert page.found_at == places[-2]
            await pilot.press("escape")
            await settle(pilot)
            assert not page.search_text
            assert not screen.query_one(SearchLine).has_class("-shown")
            assert pilot.app.screen is screen

    play(scene)


def test_what_is_searched_for_is_never_a_pattern_and_may_be_found_nowhere(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            await pilot.press("j", "j", "tab", "4")
            await look_for(pilot, "(.*[")
            assert "nothing found" in seen(screen)
            await pilot.press("n", "N")
            await look_for(pilot, "lab.result(")
            assert screen.query_one(CodeView).found_words().endswith("/1")

    play(scene)


def test_escape_while_typing_searches_for_nothing(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            await pilot.press("j", "j", "tab", "4", "slash", *"seed", "escape")
            await settle(pilot)
            page = screen.query_one(CodeView)
            assert page.has_focus
            assert not page.search_text

    play(scene)


def test_a_search_in_the_plan_goes_to_the_experiment_and_without_one_n_asks_for_seeds(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            await look_for(pilot, "breast")
            assert screen.agent == "E5"
            await look_for(pilot, "running")
            first = screen.agent
            await pilot.press("n")
            assert {first, screen.agent} == {"E2", "E4"}
            await pilot.press("escape", "g", "j", "j", "n")
            await until(pilot, lambda: pilot.app.screen is not screen, "the question about seeds")

    play(scene)


def copied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is copied from now on."""
    texts: list[str] = []

    async def keep(app: object, text: str) -> str:
        texts.append(text)
        return "the clipboard"

    monkeypatch.setattr("tui.widgets.page_reader.copy", keep)
    return texts


def test_y_copies_the_script_the_row_or_what_is_in_sight(
    still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = copied(monkeypatch)

    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            await pilot.press("j", "j", "y")
            await pilot.press("tab", "4", "y")
            await pilot.press("5", "y")
            await settle(pilot)
            row, script, report = texts
            assert row.startswith("✓ E1  supported")
            assert script == screen.feed.state.execs["E1-2"].asked.code
            assert "VERDICT" in report

    play(scene)


def test_e_in_the_plan_edits_what_no_approval_has_locked_and_nothing_else(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            plan = screen.query_one(PlanTree)
            edits = []
            for _ in range(9):
                await pilot.press("j")
                if plan.check_action("edit", ()) and plan.row is not None:
                    edits.append(plan.row.key)
            assert edits == ["E5", "E6", "E7"]
            await pilot.press("e")
            await until(pilot, lambda: isinstance(pilot.app.screen, EditExperiment), "the form")
            await pilot.press("escape")
            await pilot.press("g", "j", "j", "e")
            assert pilot.app.screen is screen

    play(scene)


def test_a_paper_is_searched_and_without_a_search_n_goes_to_numbers(still: Path) -> None:
    async def scene() -> None:
        folder = told_paper.published(still)
        async with told_paper.console(folder).run_test(size=(140, 40)) as pilot:
            page = told_paper.paper_of(await told_paper.read(pilot, folder))
            await look_for(pilot, "bag")
            before = page.found_at
            await pilot.press("n")
            assert page.found_at != before
            assert page.chosen is None
            await pilot.press("escape", "n")
            assert page.chosen is not None

    play(scene)


def test_the_keys_at_the_bottom_are_never_cut(still: Path) -> None:
    def keys_shown(screen: RunScreen) -> list[str]:
        return [part.strip() for part in rows(screen)[-1].split("  ") if part.strip()]

    async def scene() -> None:
        whole: set[str] = set()
        async with opened(console_runs.running(still), (200, 40)) as (screen, pilot):
            for keys in ((), ("j", "j"), ("tab", "1"), ("2",), ("3",), ("4",), ("5",), ("tab",)):
                await pilot.press(*keys)
                await settle(pilot)
                whole |= set(keys_shown(screen))
            for columns in range(60, 141, 7):
                await pilot.resize_terminal(columns, 20)
                for key in ("1", "2", "3", "4", "5", "tab"):
                    await pilot.press(key)
                    await pilot.pause()
                    assert set(keys_shown(screen)) <= whole, f"cut at {columns}"
                    assert keys_shown(screen)[-1] == "q detach"

    play(scene)
