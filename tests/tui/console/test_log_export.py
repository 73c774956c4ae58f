"""Logs go to other programs clean, and to files as they are."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest
from textual.pilot import Pilot

from core.errors import InputError, StorageError
from tests.tui.console.log_probe import LogApp, reading, run_that_printed, until
from tui.clipboard import copy
from tui.log_export import page_through, save
from tui.widgets.log_view import LogView

NASTY = b"\x1b]52;c;ZXZpbA==\x07\x1b[31mred\x1b[0m\x1b[2J\n50%\r100%\r\n\xff\x00end"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "E1-1.log"
    path.write_bytes(NASTY)
    return path


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose programs are found first."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def program(folder: Path, name: str, body: str) -> Path:
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{body}")
    path.chmod(0o755)
    return path


def test_a_pager_gets_clean_lines_with_their_colours(
    log: Path, tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    program(programs, "keeping", f"import sys; open({str(seen)!r}, 'wb').write(sys.stdin.buffer.read())")
    monkeypatch.setenv("PAGER", "keeping --some option")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    page_through(log)
    assert seen.read_text() == "\x1b[31mred\x1b[0m\x1b[0m\n100%\n\ufffdend\n"
    monkeypatch.setenv("NO_COLOR", "1")
    page_through(log)
    assert seen.read_text() == "red\n100%\n\ufffdend\n"


def test_a_pager_that_is_left_early_is_left(
    tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "E1-1.log"
    log.write_bytes(b"a line\n" * 1_000_000)
    program(programs, "leaving", "import sys; sys.stdin.buffer.read(10)")
    monkeypatch.setenv("PAGER", "leaving")
    page_through(log)


@pytest.mark.parametrize("pager", ["no-such-program", "'unclosed", "   "])
def test_a_pager_that_cannot_be_started_is_an_error_with_a_next_step(
    log: Path, pager: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGER", pager)
    with pytest.raises(InputError, match="cannot be started") as caught:
        page_through(log)
    assert caught.value.next_step


def test_a_saved_log_has_the_very_bytes(log: Path, tmp_path: Path) -> None:
    assert save(log, f"  {tmp_path}/copy.log ").read_bytes() == NASTY


@pytest.mark.parametrize(
    ("target", "error", "reason"),
    [
        (" ", InputError, "no name"),
        ("E1-1.log", InputError, "is there already"),
        ("no/such/folder.log", StorageError, "cannot be saved"),
        ("nul\0.log", StorageError, "cannot be saved"),
        ("~no-such-user/x.log", StorageError, "cannot be saved"),
    ],
)
def test_a_log_that_cannot_be_saved_is_an_error_and_changes_nothing(
    log: Path, target: str, error: type[Exception], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(log.parent)
    with pytest.raises(error, match=reason):
        save(log, target)
    assert log.read_bytes() == NASTY


def copied(text: str) -> tuple[str, list[str]]:
    app = LogApp()
    return asyncio.run(copy(app, text)), app.copied


def test_inside_tmux_text_goes_to_its_buffer(
    tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    keeping = f"open({str(seen)!r}, 'w').write(' '.join(sys.argv[1:]) + ' ' + sys.stdin.read())"
    program(programs, "tmux", f"import sys; {keeping}")
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    assert copied("grüße\nzwei") == ("tmux", [])
    assert seen.read_text() == "load-buffer -w - grüße\nzwei"


@pytest.mark.parametrize("body", ["raise SystemExit(1)", "import time; time.sleep(60)", None])
def test_where_tmux_does_not_take_it_the_terminal_is_asked(
    body: str | None, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    monkeypatch.setattr("tui.clipboard.TMUX_SECONDS", 0.3)
    if body is None:
        monkeypatch.setenv("PATH", str(programs))
    else:
        program(programs, "tmux", body)
    assert copied("text") == ("the clipboard", ["text"])


def test_outside_tmux_the_terminal_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    assert copied("text") == ("the clipboard", ["text"])


def test_v_opens_the_pager_or_says_in_words_why_it_cannot(tmp_path: Path) -> None:
    async def act(pilot: Pilot[int], view: LogView) -> None:
        await pilot.press("v")
        await until(
            lambda: any("terminal" in toast.message for toast in pilot.app._notifications), "the word"
        )

    reading(run_that_printed(tmp_path, b"line\n"), act)
