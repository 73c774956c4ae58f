"""A new run's form, as pictures: change one only after looking at it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from core.config import Settings
from core.keys.lookup import use_key_store
from core.sandbox.isolation import Finding
from tests.fakes.keys import keys_in_environment
from tests.tui.console.run_app import NARROW, WIDE, settle, still
from tests.tui.console.test_new_run import ISOLATED, OPEN, found, hint
from tests.tui.console.told_paper import until
from tui.app import Console
from tui.screens.new_run import NewRunScreen

__all__ = ["still"]

Compare = Callable[..., bool]
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["140x40", "80x24"])
TYPED = (
    *(*"Why?", "tab", "right", "tab", *"/no/such/file", *(["tab"] * 5), *"99"),
    *(*(["tab"] * 3), *"much", "tab", *"yolo", "ctrl+s"),
)
AT_MODAL = (
    *(*"Why?", "tab", "left", "tab", *"claude-opus-5-5", *(["tab"] * 4), "right", "tab", *"H10"),
    *("tab", *"none.csv", "shift+tab"),
)
MODELS = (*"Why?", "tab", "tab", "tab", *"gemini-2.5-pro")
STATES: dict[str, tuple[Finding, tuple[str, ...]]] = {
    "ready": (ISOLATED, ()),
    "problems": (OPEN, TYPED),
    "models": (ISOLATED, MODELS),
    "modal": (ISOLATED, AT_MODAL),
    "priced": (ISOLATED, (*AT_MODAL, "end", "0")),
}


@pytest.mark.parametrize("theme", ["signature-dark", "sixteen"])
@SIZES
@pytest.mark.parametrize("state", list(STATES))
def test_a_new_run_looks_like_this(
    snap_compare: Compare,
    still: Path,
    monkeypatch: pytest.MonkeyPatch,
    state: str,
    size: tuple[int, int],
    theme: str,
) -> None:
    finding, keys = STATES[state]
    found(monkeypatch, finding)
    if keys is MODELS:
        use_key_store(keys_in_environment(ANTHROPIC_API_KEY="sk-ant-api03-1"))

    async def act(pilot: Pilot[Any]) -> None:
        await pilot.press("n")
        for field in pilot.app.screen.query("Input, TextArea"):
            assert isinstance(field, Input | TextArea)
            field.cursor_blink = False
        if keys is MODELS:
            screen = pilot.app.screen
            assert isinstance(screen, NewRunScreen)
            await until(pilot, lambda: "$4" in hint(screen, "model"), "the key and the price")
        await pilot.press(*keys)
        await settle(pilot)

    console = Console(Settings(data_folder=still), theme=theme)
    assert snap_compare(console, terminal_size=size, run_before=act)
