"""Prices are ready before a key asks for one: reading their tables takes longer than a key press may."""

from __future__ import annotations

import threading
from datetime import date
from pathlib import Path

import pytest

from core.models import choice
from core.models.card import Provider
from core.models.prices import Prices, prices_on
from tests.fakes import console_runs
from tests.tui.console.run_app import opened, play, settle, still, until
from tui.screens.edit_experiment import EditExperiment

__all__ = ["still"]


def test_the_tables_of_prices_are_read_off_the_loop_before_any_key(
    still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def watched(provider: Provider, model_id: str, day: date) -> Prices:
        asked.append(threading.current_thread() is threading.main_thread())
        return prices_on(provider, model_id, day)

    monkeypatch.setattr(choice, "prices_on", watched)

    async def scene() -> None:
        async with opened(console_runs.waiting(still)) as (_, pilot):
            await until(pilot, lambda: asked, "reading the prices")
            assert asked == [False]
            await pilot.press("j", "j", "e")
            await settle(pilot)
            assert isinstance(pilot.app.screen, EditExperiment)

    play(scene)
