"""Giving a run data from its screen: typed and checked there, copied by a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from core.errors import InputError, RunError
from core.record import events as e
from core.record.folder import RunFolder
from tests.fakes import console_runs
from tests.fakes.console_runs import LOOKED_AT, driven
from tests.tui.conftest import Home
from tests.tui.console.run_app import NARROW, WIDE, console, opened, settle, shown, still
from tests.tui.console.told_paper import until
from tui.file_words import completed, files_typed
from tui.giving_data import add_in_process, step_in_words
from tui.palette import ConsoleCommands
from tui.screens.dialogs import Ask
from tui.widgets.report_view import ReportView

__all__ = ["still"]

Compare = Callable[..., bool]
HUGE_BYTES = 8 * 1024**3


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text("a,b\n")
    return path


async def asked(pilot: Pilot[Any]) -> Ask:
    """Choose the command in the palette; gives the question."""
    await pilot.press("colon", *"add data")
    await until(pilot, lambda: offered(pilot).startswith("add data…"), "the command")
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, Ask), "the question")
    screen = pilot.app.screen
    assert isinstance(screen, Ask)
    return screen


def offered(pilot: Pilot[Any]) -> str:
    """What the palette offers first."""
    options = pilot.app.screen.query_one(OptionList)
    return str(options.get_option_at_index(0).prompt) if options.option_count else ""


def remark(ask: Ask) -> str:
    """What the question says of what was typed."""
    return str(ask.query_one(".remark", Static).render())


def toasts(pilot: Pilot[Any]) -> str:
    """What was said."""
    return "\n".join(f"{toast.title} {toast.message}" for toast in pilot.app._notifications)


def test_files_are_added_by_a_command_of_the_palette_and_shown_in_the_report(
    still: Path, table: Path
) -> None:
    folder = console_runs.interrupted(still)

    async def run() -> None:
        async with opened(folder) as (screen, pilot):
            ask = await asked(pilot)
            ask.query_one(Input).value = f"{table} {table.parent}/none.csv"
            await pilot.pause()
            assert "there is no file" in remark(ask)
            await pilot.press("enter")
            assert pilot.app.screen is ask
            ask.query_one(Input).value = str(table)
            await pilot.pause()
            assert remark(ask) == "1 file: table.csv 4 bytes"
            await pilot.press("enter")
            await until(pilot, lambda: "table.csv added" in toasts(pilot), "the result")
            await until(pilot, lambda: screen.feed.state.data, "the journal")
            await pilot.press("g", "5")
            await settle(pilot)
            assert "DATA  1 file, 4 bytes" in screen.query_one(ReportView).text_to_copy()

    asyncio.run(run())
    assert (folder.data / "table.csv").read_text() == "a,b\n"


def test_a_run_that_has_ended_takes_no_data_and_the_palette_offers_none(still: Path) -> None:
    folder = console_runs.done(still)

    async def run() -> None:
        async with opened(folder) as (screen, _):
            words = [command.words for command in ConsoleCommands(screen)._without_keys()]
            assert words == []

    asyncio.run(run())


def test_what_the_command_refuses_is_said_and_nothing_is_added(home: Home, table: Path) -> None:
    folder = home.run_with()

    async def run() -> list[dict[str, Any]]:
        steps: list[dict[str, Any]] = []
        assert await add_in_process(folder, [table], steps.append) == ["table.csv"]
        with pytest.raises(RunError, match=r"has a file table\.csv already"):
            await add_in_process(folder, [table], steps.append)
        return steps

    steps = asyncio.run(run())
    assert [step["step"] for step in steps] == ["copying", "added"]
    assert list(folder.state().data) == ["table.csv"]


def test_a_copy_that_is_given_up_leaves_the_run_as_it_was(home: Home, tmp_path: Path) -> None:
    folder = home.run_with()
    huge = tmp_path / "huge.bin"
    with huge.open("wb") as file:
        file.truncate(HUGE_BYTES)

    async def run() -> None:
        began = asyncio.Event()
        giving = asyncio.create_task(add_in_process(folder, [huge], lambda _: began.set()))
        async with asyncio.timeout(20):
            await began.wait()
            assert (folder.path / "data.unfinished").exists()
            giving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await giving

    asyncio.run(run())
    assert not (folder.path / "data.unfinished").exists()
    assert not folder.state().data


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (
            {"step": "copying", "name": "a", "done_bytes": 5, "size_bytes": 20},
            "a: 25% of 20 bytes is copied.",
        ),
        ({"step": "copying", "name": "a", "done_bytes": 0, "size_bytes": 0}, "a: 100% of 0 bytes is copied."),
        (
            {"step": "bringing", "name": "\x1b[2Ja", "size_bytes": 20},
            "a: 20 bytes on the way to Modal for 7 s.",
        ),
        ({"step": "added", "name": "a", "size_bytes": 20}, ""),
        ({}, ""),
    ],
)
def test_how_far_a_file_is_is_said_in_words(step: dict[str, Any], words: str) -> None:
    assert step_in_words(step, 7.2) == words


def test_a_line_names_files_as_a_shell_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert files_typed("a.csv 'b c.csv' d\\ e ~/f") == (
        *map(Path, ("a.csv", "b c.csv", "d e")),
        Path("/home/somebody/f"),
    )


@pytest.mark.parametrize("line", ["'a.csv", "a\\", "~nobody-here/a"])
def test_a_line_that_cannot_be_read_is_refused_with_the_reason(line: str) -> None:
    with pytest.raises(InputError):
        files_typed(line)


def test_the_last_word_of_a_line_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my data").mkdir()
    for name in ("my data/table.csv", "my data/test.csv", ".hidden", "t\x1b.csv"):
        (tmp_path / name).touch()
    assert completed("a.csv m") == "a.csv my\\ data/"
    assert completed("my\\ data/") == "my\\ data/table.csv"
    assert completed("my\\ data/te") == "my\\ data/test.csv"
    assert completed(f"{tmp_path}/my\\ data/ta") == f"{tmp_path}/my\\ data/table.csv"
    assert completed(".h") == ".hidden"
    for line in ("", "a ", "none", "t", "'my", "~nobody-here/x", "/proc/self/mem/x", "my\\ data/table.csv"):
        assert completed(line) is None, line


def run_with_data(data: Path) -> RunFolder:
    """A run with three files."""
    folder = console_runs.running(data)
    files = {
        "cifar-10-python.tar.gz": 170_498_071,
        "labels.csv": 812,
        "splits_of_the_first_study.json": 48_213,
    }
    with folder.journal() as journal:
        journal.append(
            *(
                e.DataAdded(
                    name=name,
                    sha256=sha256(name.encode()).hexdigest(),
                    size_bytes=size,
                    at=LOOKED_AT - timedelta(minutes=1),
                )
                for name, size in files.items()
            )
        )
    return folder


SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["140x40", "80x24"])


@SIZES
def test_a_runs_data_looks_like_this(snap_compare: Compare, still: Path, size: tuple[int, int]) -> None:
    folder = run_with_data(still)

    async def look(pilot: Pilot[Any]) -> None:
        await shown(pilot)
        await pilot.press("g", "5")
        await settle(pilot)

    with driven(folder):
        assert snap_compare(console(folder), terminal_size=size, run_before=look)


@SIZES
def test_asking_for_data_looks_like_this(
    snap_compare: Compare, still: Path, table: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    folder = run_with_data(still)
    monkeypatch.chdir(table.parent)
    os.truncate(table, 48_213)

    async def look(pilot: Pilot[Any]) -> None:
        await shown(pilot)
        ask = await asked(pilot)
        field = ask.query_one(Input)
        field.cursor_blink = False
        await pilot.press(*"table.csv labels.csv")
        await settle(pilot)

    with driven(folder):
        assert snap_compare(console(folder), terminal_size=size, run_before=look)
