"""The plan: folding, moving, and plans of very many experiments."""

from __future__ import annotations

from pathlib import Path

from core.record import events as e
from tests.fakes import console_runs
from tests.fakes.console_story import TREES
from tests.tui.console.run_app import opened, play, rows, seen, settle, still, until
from tests.tui.console.test_run_screen import grow
from tui.screens.run import RunScreen
from tui.widgets.plan_rows import Row
from tui.widgets.plan_tree import PlanTree

__all__ = ["still"]


def under_cursor(screen: RunScreen) -> Row | None:
    return screen.query_one(PlanTree).row


def test_states_are_told_by_glyph_and_word(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, _):
            text = seen(screen)
            for line in (
                "✓ E1  supported",
                "● E2  running",
                "! E3  gave up",
                "◆ E5  waits",
                "○ E7  proposed",
            ):
                assert line in text

    play(scene)


def test_costs_are_aligned_at_the_right_and_limits_are_marked(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, _):
            width = screen.query_one(PlanTree).size.width
            costs = [row[:width].rstrip() for row in rows(screen) if "$" in row[:width]][1:]
            costs = [row for row in costs if " E" in row or "Round" in row]
            assert len({len(row) for row in costs}) == 1
            assert any(row.endswith("≤$2.40") for row in costs)

    play(scene)


def test_moving_passes_over_rounds_and_looks_at_agents(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            agents = []
            for _ in range(9):
                await pilot.press("j")
                agents.append(screen.agent)
            assert agents == ["orchestrator", "E1", "E2", "E3", "E3", "E4", "E5", "E6", "E7"]
            await pilot.press("g")
            assert screen.agent == "orchestrator"
            await pilot.press("G")
            assert screen.agent == "E7"

    play(scene)


def test_the_cursor_stays_on_a_round_while_the_run_goes_on(still: Path) -> None:
    async def scene() -> None:
        folder = console_runs.running(still)
        async with opened(folder) as (screen, pilot):
            await pilot.press("j")
            assert under_cursor(screen) == Row("round", "1")
            grow(folder, e.LaunchingPaused())
            await until(pilot, lambda: screen.feed.state.paused, "the pause")
            screen.show_all()
            assert under_cursor(screen) == Row("round", "1")

    play(scene)


def test_rounds_fold_and_unfold_and_say_what_is_in_them(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            await pilot.press("j", "j", "h")
            await settle(pilot)
            assert under_cursor(screen) == Row("round", "1")
            assert "▸ Round 1  ✓1  ●1  !1" in seen(screen)
            screen.show_all()
            await settle(pilot)
            assert "✓ E1" not in rows(screen)[5]
            await pilot.press("l")
            await settle(pilot)
            assert "✓ E1" in seen(screen)
            await pilot.press("enter")
            await settle(pilot)
            assert "▸ Round 1" in seen(screen)

    play(scene)


def test_a_finished_round_folds_by_itself_once_another_goes_on(still: Path) -> None:
    async def scene() -> None:
        folder = console_runs.running(still)
        async with opened(folder) as (screen, pilot):
            grow(folder, e.ExperimentEnded(experiment_id="E2", outcome="killed"))
            await until(pilot, lambda: "▸ Round 1" in seen(screen), "folding")
            await pilot.press("j", "l")
            await settle(pilot)
            assert "■ E2  killed" in seen(screen)

    play(scene)


def test_an_experiment_that_is_looked_at_is_never_folded_away(still: Path) -> None:
    async def scene() -> None:
        folder = console_runs.running(still)
        async with opened(folder) as (screen, pilot):
            await pilot.press("j", "j", "j")
            grow(folder, e.ExperimentEnded(experiment_id="E2", outcome="killed"))
            await until(pilot, lambda: "■ E2  killed" in seen(screen), "the end")
            assert under_cursor(screen) == Row("experiment", "E2")

    play(scene)


def test_a_plan_of_a_thousand_makes_only_the_lines_that_are_seen(still: Path) -> None:
    async def scene() -> None:
        folder = console_runs.many(still)
        async with opened(folder) as (screen, pilot):
            tree = screen.query_one(PlanTree)
            await pilot.press("G")
            await settle(pilot)
            assert screen.agent == "E1000"
            assert "Depth 1000" in seen(screen)
            await pilot.press("g")
            await settle(pilot)
            assert "Depth 1 " in seen(screen)
            made = [line for line in tree.lines if line]
            assert len(made) <= 3 * tree.size.height

    play(scene)


def test_experiments_proposed_while_one_looks_on_come_into_the_plan(still: Path) -> None:
    async def scene() -> None:
        folder = console_runs.waiting(still)
        async with opened(folder) as (screen, pilot):
            spec = TREES.model_copy(update={"id": "E4", "round": 2, "title": "One more"})
            grow(folder, e.ExperimentProposed(experiment=spec, call_id="c2"))
            await until(pilot, lambda: "One more" in seen(screen), "the experiment")
            assert "Round 2" in seen(screen)

    play(scene)


def test_a_click_folds_a_round_and_opens_an_experiment(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            await pilot.click("#tree", offset=(10, 1))
            await settle(pilot)
            assert "▸ Round 1" in seen(screen)
            await pilot.click("#tree", offset=(10, 1))
            await pilot.click("#tree", offset=(10, 3))
            await settle(pilot)
            assert screen.agent == "E2"

    play(scene)
