"""The console with nothing but an approval card beside something else that can have the focus."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Static

from core.config import Settings
from core.record.folder import RunFolder
from tui.app import Console
from tui.run_feed import RunFeed
from tui.widgets import key_guard
from tui.widgets.approval_card import ApprovalCard

SMALL, LARGE = (80, 24), (140, 40)


class Plan(Static, can_focus=True):
    """What has the focus before the card gets it."""


class CardScreen(Screen[None]):
    """A run's screen, as far as a card needs one."""

    DEFAULT_CSS = """
    CardScreen Plan { width: 0; height: 1fr; border-right: solid $line; padding: 0 1; }
    CardScreen.-wide Plan { width: 28; }
    """

    def __init__(self, folder: RunFolder) -> None:
        super().__init__()
        self.feed = RunFeed(folder)
        self.counts: list[int] = []
        self.left = 0

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Plan("PLAN", markup=False)
            yield ApprovalCard()

    def on_mount(self) -> None:
        self.query_one(Plan).focus()
        self.look()

    def on_unmount(self) -> None:
        self.feed.close()

    def look(self) -> None:
        """What following the journal does when something was appended."""
        self.feed.refresh()
        self.query_one(ApprovalCard).show(self.feed, "orchestrator")

    def on_approval_card_changed(self, message: ApprovalCard.Changed) -> None:
        self.counts.append(message.count)

    def on_approval_card_left(self) -> None:
        self.left += 1


class CardApp(Console):
    """The console on that screen."""

    def __init__(self, folder: RunFolder, theme: str | None = None) -> None:
        super().__init__(Settings(), theme=theme)
        self.shown = folder

    def runs_screen(self) -> Screen[Any]:
        return CardScreen(self.shown)


class Time:
    """The clock that holds keys back, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 100.0
        monkeypatch.setattr(key_guard, "clock", lambda: self.seconds)

    def passes(self, seconds: float = key_guard.HELD_SECONDS + 0.01) -> None:
        self.seconds += seconds


class Hand:
    """A human before one console.

    Attributes:
        app: the console.
        pilot: presses its keys.
        time: the clock that holds keys back.
    """

    def __init__(self, app: CardApp, pilot: Pilot[int], time: Time) -> None:
        self.app, self.pilot, self.time = app, pilot, time

    @property
    def screen(self) -> CardScreen:
        return next(screen for screen in self.app.screen_stack if isinstance(screen, CardScreen))

    @property
    def feed(self) -> RunFeed:
        return self.screen.feed

    @property
    def card(self) -> ApprovalCard:
        return self.screen.query_one(ApprovalCard)

    async def open(self, name: str | None = None) -> None:
        """Open the card, and wait until its keys act."""
        assert self.card.open(name)
        await self.pilot.pause()
        self.time.passes()

    async def press(self, *keys: str) -> None:
        """Press keys one after the other, each when keys act."""
        for key in keys:
            self.time.passes()
            await self.pilot.press(key)

    def text(self) -> str:
        """Everything that can be read on the top screen, scrolled-away lines included."""
        return "\n".join(
            str(widget.content)
            for widget in self.app.screen.query(Static)
            if widget.display and widget.is_attached
        )


def at_a_card(
    folder: RunFolder,
    monkeypatch: pytest.MonkeyPatch,
    acts: Callable[[Hand], Awaitable[None]],
    size: tuple[int, int] = LARGE,
) -> None:
    """Open a console on a run and let a human act."""
    time = Time(monkeypatch)

    async def session() -> None:
        app = CardApp(folder)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await acts(Hand(app, pilot, time))

    asyncio.run(session())
