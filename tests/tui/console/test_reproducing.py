"""Reproducing a run from its screen: asked first, then an engine is started for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.record import events as e
from core.record.folder import RunFolder
from tests.fakes import console_runs
from tests.tui.console.run_app import opened, play, still, until
from tui.screens.dialogs import Confirm
from tui.screens.steering_questions import reproduce_question

__all__ = ["still"]


def test_an_ended_run_is_reproduced_once_the_human_said_so(
    still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[RunFolder] = []
    monkeypatch.setattr("tui.screens.steering.start_engine", started.append)
    monkeypatch.setattr("tui.widgets.key_guard.HELD_SECONDS", 0.0)

    async def scene() -> None:
        folder = console_runs.done(still)
        async with opened(folder) as (_, pilot):
            await pilot.press("R")
            await until(pilot, lambda: isinstance(pilot.app.screen, Confirm), "the question")
            await pilot.press("y")
            await until(pilot, lambda: bool(started), "an engine")
            reproduction = folder.state().reproduction
            assert isinstance(reproduction, e.ReproductionRequested)
            assert reproduction.by == "human"

    play(scene)


def test_a_run_that_goes_on_offers_no_reproduction(still: Path) -> None:
    async def scene() -> None:
        folder = console_runs.running(still)
        async with opened(folder) as (screen, pilot):
            assert screen.check_action("reproduce", ()) is False
            await pilot.press("R")
            await pilot.pause()
            assert pilot.app.screen is screen
            assert folder.state().reproduction is None

    play(scene)


def test_the_question_names_what_runs_again_and_what_it_can_cost_at_most(still: Path) -> None:
    folder = console_runs.done(still, local_usd_per_hour="6")
    dialog = reproduce_question(folder.state())
    text = dialog._text.plain
    assert "Every script of E1, " in text
    assert "for never more than $" in text
    assert "without a model" in text
