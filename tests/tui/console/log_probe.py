"""An app that shows nothing but a log view, and experiments whose scripts print what a test says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Static

from core.record import events as e
from core.record.folder import RunFolder
from tests.fakes.specs import experiment, new_run
from tests.tui.conftest import DEADLINE_SECONDS
from tui import theme_colours, themes
from tui.run_feed import RunFeed
from tui.widgets.log_view import LogView

Act = Callable[[Pilot[int], LogView], Awaitable[None]]


class LogApp(App[int]):
    """A log view and nothing else."""

    def __init__(self, *, slow: bool = False) -> None:
        super().__init__()
        self.slow = slow
        self.view = LogView()
        self.copied: list[str] = []
        for path in sorted(theme_colours.SHIPPED.glob("*.toml")):
            self.register_theme(themes.read_theme(path))
        self.theme = theme_colours.DEFAULT

    def compose(self) -> ComposeResult:
        yield self.view

    def copy_to_clipboard(self, text: str) -> None:
        self.copied.append(text)


def requested(exec_id: str, *, purpose: str = "try it") -> e.ExecRequested:
    return e.ExecRequested(
        exec_id=exec_id,
        experiment_id="E1",
        call_id=exec_id,
        code="pass",
        code_sha256="0" * 64,
        purpose=purpose,
    )


def ended(exec_id: str, exit_code: int = 0) -> e.ExecEnded:
    return e.ExecEnded(exec_id=exec_id, end="finished", exit_code=exit_code, seconds=4.6)


def run_that_printed(parent: Path, *logs: bytes, ends: bool = True) -> RunFolder:
    """A run whose one experiment has a script for each log; the last goes on unless it ``ends``."""
    folder = new_run(parent)
    with folder.journal() as journal:
        journal.append(e.ExperimentProposed(experiment=experiment(1), call_id="c1"))
        journal.append(e.ExperimentStarted(experiment_id="E1"))
        for number, log in enumerate(logs, start=1):
            exec_id = f"E1-{number}"
            journal.append(requested(exec_id))
            folder.log_path(exec_id).write_bytes(log)
            if ends or number < len(logs):
                journal.append(ended(exec_id))
    return folder


def reading(
    folder: RunFolder, act: Act, *, agent: str = "E1", size: tuple[int, int] = (60, 12), slow: bool = False
) -> LogApp:
    """Open the log of an agent, focus it, and act."""

    async def run() -> LogApp:
        app = LogApp(slow=slow)
        with closing(RunFeed(folder)) as feed:
            feed.refresh()
            async with app.run_test(size=size) as pilot:
                app.view.show(feed, agent)
                app.view.focus()
                await pilot.pause()
                await act(pilot, app.view)
        return app

    return asyncio.run(run())


async def until(condition: Callable[[], object], what: str) -> None:
    """Poll a condition while the app goes on.

    Raises:
        AssertionError: it did not come true in time.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + DEADLINE_SECONDS
    while not condition():
        assert loop.time() < deadline, f"{what} did not happen"
        await asyncio.sleep(0.01)


def on_screen(view: LogView) -> list[str]:
    """The rows of the log as the screen has them."""
    reader = view.reader
    return [reader.render_line(y).text.rstrip() for y in range(reader.size.height)]


def shown(view: LogView) -> list[str]:
    """The rows that have a line."""
    return [row for row in on_screen(view) if row]


def place(view: LogView) -> str:
    """What is said about where the reader is."""
    return said(view, ".log-place")


def said(view: LogView, selector: str) -> str:
    """What a line above or below the log says."""
    return str(view.query_one(selector, Static).render())


def numbered(count: int, first: int = 1) -> bytes:
    """So many lines, ``line 1`` and so on."""
    return b"".join(b"line %d\n" % number for number in range(first, first + count))
