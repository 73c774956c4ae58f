"""What looks wrong in what an experiment recorded stands in its report."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.evidence.measurement import Flag
from core.record.folder import RunFolder
from core.record.state import RunState
from tests.fakes import console_runs
from tests.fakes.console_scenes import begun, first_round
from tests.fakes.console_story import TREES, Story
from tests.tui.console.run_app import opened, play, seen, settle, still, until
from tui import recorded_doubts
from tui.recorded_doubts import RecordedDoubts

__all__ = ["still"]

ROWS = [f"{number:016x}" for number in range(40)]


def with_an_overlap(parent: Path) -> Story:
    """An experiment whose script trains on three of its ten test rows; the script goes on."""
    story = begun(parent)
    first_round(story)
    story.launch(TREES)
    exec_id = story.script("E1", 1, "pass")
    split = {"kind": "data", "condition": {"seed": 0}}
    story.record(
        exec_id, split | {"name": "train", "rows": ROWS[:30]}, split | {"name": "test", "rows": ROWS[27:37]}
    )
    return story


def test_rows_of_the_test_data_that_were_trained_on_are_a_warning_in_the_report(still: Path) -> None:
    async def scene() -> None:
        async with opened(with_an_overlap(still).told()) as (screen, pilot):
            await pilot.press("j", "j", "5")
            assert screen.agent == "E1"
            await until(pilot, lambda: "LOOKS WRONG" in seen(screen), "the warning")
            assert "train/test overlap: 3 of 10 rows of 'test' are also in 'train'" in seen(screen)

    play(scene)


def test_an_experiment_in_which_nothing_looks_wrong_has_no_warning(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            await pilot.press("j", "j", "5")
            await settle(pilot)
            assert "VERDICT" in seen(screen)
            assert "LOOKS WRONG" not in seen(screen)

    play(scene)


@pytest.mark.parametrize("program", ["false", "a-program-that-nobody-has"])
def test_that_nobody_could_look_is_said(still: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(recorded_doubts, "LOOK", (program,))

    async def scene() -> None:
        async with opened(with_an_overlap(still).told()) as (screen, pilot):
            await pilot.press("j", "j", "5")
            await until(pilot, lambda: "could not be looked at" in seen(screen), "the word that it failed")

    play(scene)


def test_a_look_that_takes_too_long_is_ended(still: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded_doubts, "MOST_SECONDS", 0.05)
    monkeypatch.setattr(recorded_doubts, "LOOK", ("sh", "-c", "exec sleep 3600"))

    async def scene() -> None:
        folder = with_an_overlap(still).told()
        doubts, state = RecordedDoubts(folder), folder.state()
        await doubts.look(state, state.experiments["E1"])
        assert not doubts.of("E1").checked

    play(scene)


def test_scripts_that_go_on_recording_are_looked_at_now_and_then_and_when_one_ends(
    still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = with_an_overlap(still)
    doubts = RecordedDoubts(story.folder)

    async def asked(experiment_id: str) -> tuple[Flag, ...]:
        return ()

    monkeypatch.setattr(doubts, "_asked", asked)

    def wants(state: RunState) -> bool:
        return doubts.wants_look(state, state.experiments["E1"])

    async def look(folder: RunFolder) -> None:
        state = folder.state()
        await doubts.look(state, state.experiments["E1"])

    async def scene() -> None:
        assert wants(story.told().state())
        await look(story.folder)
        assert not wants(story.folder.state())
        story.record("E1-1", {"kind": "note", "text": "more"})
        assert not wants(story.told().state())
        monkeypatch.setattr(recorded_doubts, "monotonic", lambda: float("inf"))
        assert wants(story.folder.state())
        monkeypatch.undo()
        await look(story.folder)
        story.script_ends("E1-1")
        assert wants(story.told().state())

    play(scene)
