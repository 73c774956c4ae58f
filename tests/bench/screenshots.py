"""Makes the README's pictures: plays the demo in the real console and saves what is on the screen.

Run with ``python -m tests.bench.screenshots``; it writes ``docs/screens/*.svg`` and takes about a minute.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from core.config import Settings
from core.process import start_engine
from core.record.state import RunState
from tui.app import Console
from tui.run_feed import RunFeed
from tui.run_request import demo_request, new_run

PICTURES = Path(__file__).parent.parent.parent / "docs" / "screens"
SIZE = (140, 40)
SECONDS = 120.0
SETTLE_SECONDS = 1.0
"""Keys are not answered for a moment after a card has changed, and pictures shall show what lasts."""


async def until(feed: RunFeed, condition: Callable[[RunState], bool]) -> None:
    """Wait until the run fits a condition."""
    async with asyncio.timeout(SECONDS):
        while not condition(feed.state):
            await asyncio.sleep(0.05)
            feed.refresh()


async def press(pilot: Pilot[int], *keys: str) -> None:
    """Press keys, each after the screen has settled."""
    for key in keys:
        await pilot.pause(SETTLE_SECONDS)
        await pilot.press(key)
    await pilot.pause(SETTLE_SECONDS)


async def play(data: Path) -> None:
    """Play the bagging study, approving by keys, and save pictures on the way."""
    # A price for this machine, so that the pictures show what a priced run looks like.
    settings = Settings(data_folder=data, local_usd_per_hour="3.60")
    folder = new_run(settings, demo_request(speed=2000.0))
    start_engine(folder)
    app = Console(settings, folder)
    feed = RunFeed(folder)
    async with app.run_test(size=SIZE) as pilot:
        await until(feed, lambda state: len(state.waiting) == 2)
        await press(pilot, "!")
        app.save_screenshot("approval.svg", str(PICTURES))
        await press(pilot, "a", "a", "tab")
        await until(feed, lambda state: "E1-2" in state.execs and state.execs["E1-2"].records > 60)
        await press(pilot, "right_square_bracket", "3")
        app.save_screenshot("run.svg", str(PICTURES))
        await until(feed, lambda state: len(state.waiting) == 2)
        await press(pilot, "!", "a", "a", "tab")
        await until(feed, lambda state: state.ended is not None)
        await press(pilot, "P", "n", "enter")
        app.save_screenshot("paper.svg", str(PICTURES))


def main() -> None:
    """Play the demo in a folder that is thrown away."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        asyncio.run(play(Path(data)))
    for picture in sorted(PICTURES.glob("*.svg")):
        print(f"{picture.name}  {picture.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
