"""An agent's conversation, its scripts and its report."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.record import events as e
from tests.fakes import console_runs
from tests.fakes.console_story import Story
from tests.tui.console.run_app import opened, play, seen, settle, still, until
from tests.tui.console.test_run_screen import grow
from tui.screens.run import RunScreen
from tui.widgets.code_lines import script_lines
from tui.widgets.thoughts_view import FIRST_TURNS, ThoughtsView

__all__ = ["still"]


def test_a_turn_that_streams_grows_at_the_end(still: Path) -> None:
    async def scene() -> None:
        folder = console_runs.planning(still)
        async with opened(folder) as (screen, pilot):
            assert "● thinking" in seen(screen)
            assert "So the claim" in seen(screen)
            with folder.journal() as journal:
                journal.set_partial("orchestrator", "So the claim has two halves.")
            await until(pilot, lambda: "has two halves." in seen(screen), "more of the turn")

    play(scene)


def test_a_retry_is_seen_while_the_turn_is_asked_for_again(still: Path) -> None:
    async def scene() -> None:
        folder = console_runs.planning(still)
        async with opened(folder) as (screen, pilot):
            grow(
                folder,
                e.TurnRetried(agent="orchestrator", number=1, reason="overloaded (529)", after_seconds=4.0),
            )
            await until(pilot, lambda: "tries again in 4 s: overloaded (529)" in seen(screen), "the retry")

    play(scene)


def test_scripts_and_long_results_are_folded_until_enter(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still), (140, 80)) as (screen, pilot):
            await pilot.press("j", "j", "2", "tab")
            await settle(pilot)
            assert "lines more" in seen(screen)
            assert "MEMBERS = 50" in seen(screen)
            assert "model.fit" not in seen(screen)
            await pilot.press("enter")
            await settle(pilot)
            assert "model.fit" in seen(screen)

    play(scene)


def test_what_fences_the_words_of_a_program_for_a_model_is_not_shown(still: Path) -> None:
    async def scene() -> None:
        folder = console_runs.planning(still)
        async with opened(folder) as (screen, pilot):
            call = e.Call(id="c1", name="read_log", arguments={})
            grow(
                folder,
                e.TurnFinished(agent="orchestrator", number=1, raw={}, text="", thoughts="", calls=(call,)),
                e.ToolAnswered(
                    agent="orchestrator", call_id="c1", text="<data-1f72c655>\nepoch 3\n</data-1f72c655>"
                ),
            )
            await until(pilot, lambda: "← epoch 3" in seen(screen), "the answer")
            assert "data-1f72" not in seen(screen)

    play(scene)


def test_what_the_human_said_is_part_of_the_conversation(still: Path) -> None:
    async def scene() -> None:
        folder = console_runs.planning(still)
        grow(folder, e.MessageSent(message_id="m1", agent="orchestrator", text="Mind the floor."))
        grow(folder, e.TurnStarted(agent="orchestrator", number=1, message_ids=("m1",)))
        grow(
            folder,
            e.TurnFinished(agent="orchestrator", number=1, raw={}, text="I will.", thoughts="", calls=()),
        )
        async with opened(folder) as (screen, _):
            assert "you said: Mind the floor." in seen(screen)

    play(scene)


def test_of_a_long_conversation_earlier_turns_come_when_one_goes_up(still: Path) -> None:
    story = Story(still)
    story.agent("orchestrator")
    for number in range(1, FIRST_TURNS + 21):
        story.turn("orchestrator", number, text=f"This is number {number}.")
    folder = story.told()

    async def scene() -> None:
        async with opened(folder) as (screen, pilot):
            assert f"This is number {FIRST_TURNS + 20}." in seen(screen)
            view = screen.query_one(ThoughtsView)
            assert "20 earlier turns" in view.lines[0].plain
            await pilot.press("tab", "g")
            await settle(pilot)
            assert "This is number 20." in "\n".join(line.plain for line in view.lines)
            await pilot.press("g")
            await settle(pilot)
            assert "This is number 1." in seen(screen)

    play(scene)


def test_reading_further_up_is_not_disturbed_by_new_turns(still: Path) -> None:
    story = Story(still)
    story.agent("orchestrator")
    for number in range(1, 40):
        story.turn("orchestrator", number, text=f"This is number {number}.")
    folder = story.told()

    async def scene() -> None:
        async with opened(folder) as (screen, pilot):
            await pilot.press("tab", "g")
            await settle(pilot)
            grow(
                folder,
                e.TurnStarted(agent="orchestrator", number=40),
                e.TurnFinished(agent="orchestrator", number=40, raw={}, text="New.", thoughts="", calls=()),
            )
            view = screen.query_one(ThoughtsView)
            await until(pilot, lambda: any("New." in line.plain for line in view.lines), "the turn")
            assert "This is number 1." in seen(screen)
            await pilot.press("G")
            await settle(pilot)
            assert "New." in seen(screen)

    play(scene)


def test_earlier_and_later_scripts_can_be_read(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            await pilot.press("j", "j", "4", "tab")
            await settle(pilot)
            assert "E1-2  2 of 2" in seen(screen)
            await pilot.press("<")
            assert "a trial: nothing in it counts" in await now(screen, pilot)
            await pilot.press("<", ">")
            assert "E1-2  2 of 2" in await now(screen, pilot)

    async def now(screen: RunScreen, pilot: object) -> str:
        screen.refresh()
        await settle(pilot)  # type: ignore[arg-type]
        return seen(screen)

    play(scene)


@pytest.mark.parametrize(
    "code", ["", "\n\n", "x = '[bold]'", "\x1b[31mred", "a" * 300_000, "\ud800", "def f(:\n\t\t'''", "é" * 10]
)
def test_any_script_is_shown_line_by_line_without_escapes(code: str) -> None:
    lines = script_lines(code)
    assert len(lines) == max(1, len(code.rstrip("\n").splitlines()))
    assert not any("\x1b" in line.plain or "\t" in line.plain for line in lines)


def test_a_report_says_how_a_verdict_was_reached(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still), (140, 60)) as (screen, pilot):
            await pilot.press("j", "j", "5")
            await settle(pilot)
            text = seen(screen)
            for words in (
                "test_error(bagged tree) − test_error(single tree) is less than",
                "paired over 10 seeds (0–9)",
                "effect −0.104 [−0.12, −0.088] fraction, 10 seeds",
                "A bag of 50 trees errs on a third of what one tree does.",
                "E1-1",
                "a trial with one",
            ):
                assert words in text

    play(scene)


def test_the_report_of_the_run_lists_the_verdicts_and_the_paper(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.done(still)) as (screen, pilot):
            await pilot.press("5")
            await settle(pilot)
            text = seen(screen)
            for words in ("✓ supported", "✗ refuted", "≈ inconclusive", "paper/paper.md", "31 numbers bound"):
                assert words in text

    play(scene)


def test_what_an_experiment_cannot_be_asked_is_said_in_words(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            await pilot.press("3")
            await settle(pilot)
            assert "Only experiments measure." in seen(screen)
            await pilot.press("4")
            await settle(pilot)
            assert "Only experiments run scripts." in seen(screen)

    play(scene)
