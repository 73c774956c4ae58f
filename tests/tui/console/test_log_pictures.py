"""How a log looks: long, searched, filtered, with progress and errors, and where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest
from textual.app import App
from textual.pilot import Pilot

from tests.fakes.console_story import BEGIN
from tests.fakes.specs import experiment, new_run
from tests.tui.console.log_probe import LogApp, ended, requested, until
from tui.run_feed import RunFeed
from tui.widgets import lines

SIZES = {"80x24": (80, 24), "140x40": (140, 40)}
THEMES = ("signature-dark", "sixteen")


class Compare(Protocol):
    """The fixture of pytest-textual-snapshot."""

    def __call__(self, app: App[int], **options: object) -> bool: ...


def training_log(epochs: int) -> bytes:
    """What a training script prints, with a progress bar that was redrawn and one that was not."""
    rows = [b"\x1b[1mtraining on cpu\x1b[0m, 1,437 examples\n"]
    for epoch in range(1, epochs + 1):
        rows.append(
            b"epoch %d/%d  train_loss \x1b[33m%.4f\x1b[0m  val_acc \x1b[32m%.4f\x1b[0m\n"
            % (epoch, epochs, 1 / epoch, 1 - 0.5 / epoch)
        )
        if epoch % 7 == 0:
            bars = [
                b"checkpoint %3d%%|%-10s| %d/100" % (done, b"#" * (done // 10), done)
                for done in range(0, 101, 5)
            ]
            rows.append(b"\r".join(bars) + b"\n")
    rows += [
        b"load %d%%|%-5s| %d/5 [00:01<00:00, 9.5it/s]\n" % (done * 20, b"#" * done, done) for done in range(6)
    ]
    return b"".join(rows) + (
        b"Traceback (most recent call last):\n"
        b'  File "main.py", line 31, in <module>\n'
        b"    torch.save(model, path)\n"
        b"\x1b[31mOSError\x1b[0m: [Errno 28] No space left on device\n"
    )


class Picture(LogApp):
    """A log in one of its states."""

    def __init__(self, feed: RunFeed, agent: str) -> None:
        super().__init__()
        self._shown = (feed, agent)

    def on_mount(self) -> None:
        self.view.show(*self._shown)
        self.view.focus()


@pytest.fixture
def feed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunFeed]:
    monkeypatch.setattr(lines, "moment", lambda: BEGIN + timedelta(seconds=95))
    folder = new_run(tmp_path)
    with folder.journal() as journal:
        from core.record import events as e

        journal.append(e.ExperimentProposed(experiment=experiment(1), call_id="c1", at=BEGIN))
        journal.append(e.ExperimentStarted(experiment_id="E1", at=BEGIN))
        for number, purpose in ((1, "a trial with one seed"), (2, "single and bagged trees")):
            exec_id = f"E1-{number}"
            journal.append(requested(exec_id, purpose=purpose).model_copy(update={"at": BEGIN}))
            folder.log_path(exec_id).write_bytes(training_log(60))
        journal.append(ended("E1-1", exit_code=1))
    feed = RunFeed(folder)
    feed.refresh()
    yield feed
    feed.close()


STATES: dict[str, tuple[str, ...]] = {
    "followed": (),
    "searched": ("g", "slash", *"val_acc 0.99", "enter"),
    "filtered": ("ampersand", *"checkpoint", "enter"),
    "asking": ("s",),
    "error": ("less_than_sign", "E"),
}


async def settle(pilot: Pilot[int]) -> None:
    """Wait until all is counted and painted."""
    app = pilot.app
    assert isinstance(app, Picture)
    view = app.view
    await until(lambda: view.reader.opened is None or view.reader.opened.work(0.1), "the counts")
    await pilot.pause()
    view.look()
    await pilot.pause()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
def test_a_log_looks_as_before(
    snap_compare: Compare, feed: RunFeed, state: str, size: str, theme: str
) -> None:
    async def act(pilot: Pilot[int]) -> None:
        pilot.app.theme = theme
        await settle(pilot)
        await pilot.press(*STATES[state])
        await settle(pilot)

    assert snap_compare(Picture(feed, "E1"), run_before=act, terminal_size=SIZES[size])


@pytest.mark.parametrize("size", SIZES)
def test_an_agent_without_scripts_looks_as_before(snap_compare: Compare, feed: RunFeed, size: str) -> None:
    assert snap_compare(Picture(feed, "orchestrator"), run_before=settle, terminal_size=SIZES[size])
