"""The approval card, its dialogs and its form as pictures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

import pytest
from textual.pilot import Pilot

from core import decisions
from core.pricing import Estimate
from core.record import events as e
from core.record.folder import RunFolder
from core.sandbox.modal.prices import GPU_USD_PER_HOUR
from tests.fakes import console_runs as runs
from tests.tui.console.card_app import LARGE, SMALL, CardApp, CardScreen, Hand, Time
from tui.run_feed import RunFeed
from tui.screens.steering_questions import budget_question, kill_question

pytestmark = pytest.mark.usefixtures("home")

SnapCompare: TypeAlias = Callable[..., bool]
Acts: TypeAlias = Callable[[Hand], Awaitable[None]]
SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    return Time(monkeypatch)


def before(time: Time, acts: Acts) -> Callable[[Pilot[int]], Awaitable[None]]:
    """What happens before the picture is taken."""

    async def run(pilot: Pilot[int]) -> None:
        await pilot.pause()
        assert isinstance(pilot.app, CardApp)
        assert isinstance(pilot.app.screen, CardScreen)
        hand = Hand(pilot.app, pilot, time)
        await acts(hand)
        await pilot.pause()

    return run


def opened(name: str | None, *keys: str) -> Acts:
    async def acts(hand: Hand) -> None:
        await hand.open(name)
        await hand.press(*keys)

    return acts


def edited(folder: RunFolder) -> RunFolder:
    """E1 was edited by a human and is asked about again; it does not fit the cap any more."""
    changes = {"compute.timeout_seconds": 3600, "compute.gpu": "H100", "compute.network": "open"}
    changed(folder, changes)
    asked_again(folder, "3", "6", "12.40", detail="The price has changed since it was approved.")
    return folder


def at_modal(folder: RunFolder) -> RunFolder:
    """E1 wants any GPU and two domains, and the workspace has said what it costs."""
    changes = {
        "compute.timeout_seconds": 3600,
        "compute.gpu": "any",
        "compute.network": "allowed",
        "compute.domains": ["huggingface.co", "*.hf.co"],
        "compute.packages": [],
    }
    gpus = {name: price + Decimal("0.05") for name, price in GPU_USD_PER_HOUR.items()}
    source = "your workspace's rates of 2026-11-23"
    with folder.journal() as journal:
        journal.append(e.PricesTaken(gpus=gpus, cpu=Decimal("0.14"), memory=Decimal("0.02"), source=source))
    changed(folder, changes)
    asked_again(folder, "0.90", "1.60", "2.90")
    return folder


def changed(folder: RunFolder, changes: dict[str, object]) -> None:
    feed = RunFeed(folder)
    feed.decide(lambda state: decisions.edit(state, "E1", changes))
    feed.close()


def asked_again(folder: RunFolder, low: str, high: str, maximum: str, detail: str = "") -> None:
    with folder.journal() as journal:
        journal.append(
            e.ApprovalRequested(
                request_id="E1.2",
                kind="launch",
                experiment_id="E1",
                subject=folder.state().experiments["E1"].spec.sha256,
                title="Bagged trees on digits",
                detail=detail,
                estimate=Estimate(low=Decimal(low), high=Decimal(high), maximum=Decimal(maximum)),
            )
        )


CARDS: dict[str, tuple[Callable[[Path], RunFolder], Acts]] = {
    "launch": (runs.running, opened("E5")),
    "edited": (lambda path: edited(runs.waiting(path, sandbox="modal")), opened("E1")),
    "at-modal": (lambda path: at_modal(runs.waiting(path, sandbox="modal")), opened("E1", "end")),
    "unpriced": (runs.unpriced, opened("E1")),
    "script": (runs.waiting_for_words, opened("script:E4:run-2")),
    "question": (runs.waiting_for_words, opened("question:orchestrator:c9")),
    "isolation": (runs.unpriced, opened("isolation")),
    "marked": (runs.waiting, opened(None, "asterisk")),
    "approve-marked": (runs.waiting, opened(None, "asterisk", "a")),
    "reject": (runs.waiting, opened(None, "r", *"one kind of noise is enough")),
    "answer": (runs.waiting_for_words, opened("question:orchestrator:c9", "enter", *"Yes.")),
    "edit": (runs.waiting, opened(None, "e")),
}


@SIZES
@pytest.mark.parametrize("name", CARDS)
def test_a_card_looks_like_this(
    snap_compare: SnapCompare, tmp_path: Path, time: Time, name: str, size: tuple[int, int]
) -> None:
    told, acts = CARDS[name]
    app = CardApp(told(tmp_path))
    assert snap_compare(app, terminal_size=size, run_before=before(time, acts))


@pytest.mark.parametrize("name", ["launch", "script", "edited"])
def test_a_card_in_16_colours(snap_compare: SnapCompare, tmp_path: Path, time: Time, name: str) -> None:
    told, acts = CARDS[name]
    app = CardApp(told(tmp_path), theme="sixteen")
    assert snap_compare(app, terminal_size=SMALL, run_before=before(time, acts))


@SIZES
def test_an_edit_that_does_not_fit_looks_like_this(
    snap_compare: SnapCompare, tmp_path: Path, time: Time, size: tuple[int, int]
) -> None:
    async def acts(hand: Hand) -> None:
        await opened("E1", "e")(hand)
        await hand.press(*" (again)")
        await hand.press(*["tab"] * 6, *["backspace"] * 3, *"5-2")

    app = CardApp(runs.waiting(tmp_path))
    assert snap_compare(app, terminal_size=size, run_before=before(time, acts))


@SIZES
@pytest.mark.parametrize("name", ["kill", "budget"])
def test_a_question_about_steering_looks_like_this(
    snap_compare: SnapCompare, tmp_path: Path, time: Time, name: str, size: tuple[int, int]
) -> None:
    folder = runs.running(tmp_path)
    state = folder.state()

    async def acts(hand: Hand) -> None:
        question = kill_question(state, "E2", runs.LOOKED_AT) if name == "kill" else budget_question(state)
        hand.app.push_screen(question)
        await hand.pilot.pause()

    assert snap_compare(CardApp(folder), terminal_size=size, run_before=before(time, acts))
