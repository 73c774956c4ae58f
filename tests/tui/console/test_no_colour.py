"""Without colours, and with sixteen, the place where keys go can still be seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.strip import Strip

from tests.fakes import console_runs
from tests.tui.console.run_app import opened, play, rows, settle, still, until
from tui.app import Console
from tui.screens.run import RunScreen
from tui.widgets.agent_tabs import AgentTabs
from tui.widgets.plan_tree import PlanTree

__all__ = ["still"]


def row_with(screen: RunScreen, words: str) -> Strip:
    """The row of the screen that says something."""
    strips = screen._compositor.render_strips()
    return next(strip for strip in strips if words in strip.text)


def reversed_words(strip: Strip) -> str:
    """What of a row is painted in reverse."""
    return "".join(segment.text for segment in strip if segment.style is not None and segment.style.reverse)


def test_without_colours_the_row_under_the_cursor_is_reversed_and_no_other(
    still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            screen.console.do_with_few_colours()
            await pilot.press("j", "j")
            await settle(pilot)
            assert "E1" in reversed_words(row_with(screen, "E1  supported"))
            assert not reversed_words(row_with(screen, "E2  running"))
            await pilot.press("tab")
            await settle(pilot)
            assert "E1" not in reversed_words(row_with(screen, "E1  supported"))

    play(scene)


def test_without_colours_a_focused_card_and_a_focused_view_have_another_edge(
    still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def scene() -> None:
        async with opened(console_runs.waiting(still)) as (screen, pilot):
            screen.console.do_with_few_colours()
            await settle(pilot)
            tabs = screen.query_one(AgentTabs)
            before = tabs.styles.border_bottom
            await pilot.press("tab")
            await settle(pilot)
            assert tabs.styles.border_bottom[0] != before[0]
            await pilot.press("tab", "!")
            await settle(pilot)
            focused = screen.card.styles.border_left
            screen.query_one(PlanTree).focus()
            await settle(pilot)
            assert screen.card.display
            assert screen.card.styles.border_left[0] != focused[0]

    play(scene)


def test_the_edge_of_a_view_is_lit_only_while_keys_go_there(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.waiting(still)) as (screen, pilot):
            tabs = screen.query_one(AgentTabs)
            assert not tabs.has_class("-active")
            await pilot.press("j", "j", "enter")
            await settle(pilot)
            await pilot.press("tab")
            await until(pilot, lambda: screen.query_one(PlanTree).has_focus, "the plan")
            assert not tabs.has_class("-active")
            await pilot.press("tab")
            await settle(pilot)
            assert tabs.has_class("-active")

    play(scene)


def test_with_sixteen_colours_no_coloured_word_lies_on_the_cursor(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            screen.console.do_with_few_colours()
            await pilot.press("j", "j", "j", "j")
            await settle(pilot)
            row = row_with(screen, "E3  gave up")
            width = screen.query_one(PlanTree).size.width
            colours = {
                s.style.color for s in row.crop(0, width - 1) if s.style is not None and s.text.strip()
            }
            assert len(colours) == 1

    play(scene)


def test_without_colours_a_typed_letter_has_a_cursor_behind_it(
    still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            app = pilot.app
            assert isinstance(app, Console)
            app.do_with_few_colours()
            await pilot.press("m", *"abc")
            await settle(pilot)
            strips = app.screen._compositor.render_strips()
            assert any(reversed_words(strip) for strip in strips if "abc" in strip.text)
            assert rows(screen)

    play(scene)
