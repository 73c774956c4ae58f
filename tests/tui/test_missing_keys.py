"""The first run: a key that is missing is named and, at a terminal, taken on the spot."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.fakes.terminal import Terminal
from tests.tui.conftest import Home, refusal

KEY = "sk-ant-api03-first-run-0123456789-xyz4"


@pytest.fixture
def environment(home: Home) -> dict[str, str]:
    """A home without keyring, key and network."""
    names = {name for name in os.environ if name.startswith(("DBUS_", "XDG_"))}
    kept = {name: value for name, value in os.environ.items() if name not in names}
    return kept | {
        "TERM": "xterm-256color",
        "XDG_CONFIG_HOME": str(home.path / "config"),
        "XDG_CACHE_HOME": str(home.path / "cache"),
        "XDG_DATA_HOME": str(home.path / "share"),
        "XDG_RUNTIME_DIR": str(home.path / "nowhere"),
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }


def test_where_nobody_can_be_asked_the_key_is_named_with_where_to_get_it_and_no_run_is_made(
    home: Home,
) -> None:
    line = refusal(home.type("run", "Why?", "--model", "claude-opus-5-5"))
    assert "ANTHROPIC_API_KEY" in line
    assert "console.anthropic.com" in line
    assert "fumehood keys set ANTHROPIC_API_KEY" in line
    assert not home.runs.exists()


@pytest.mark.parametrize("words", [("--model", "claude-opus-5-5"), ()])
def test_at_a_terminal_the_key_is_taken_on_the_spot_and_kept(
    home: Home, environment: dict[str, str], words: tuple[str, ...]
) -> None:
    command = [sys.executable, "-m", "tui.cli", "run", "Why?", *words, "--headless"]
    with Terminal(command, environment, columns=140) as terminal:
        terminal.until("console.anthropic.com")
        terminal.until("not shown")
        terminal.press(f"{KEY}\n")
        terminal.until("A new passphrase for it")
        terminal.press("correct horse battery\n")
        terminal.until("Once more:")
        terminal.press("correct horse battery\n")
        shown = terminal.until("••••xyz4  encrypted file, not checked")
        assert KEY not in shown
        assert "correct horse" not in shown
    assert (Path(environment["XDG_DATA_HOME"]) / "fumehood" / "keys" / "keys.encrypted").exists()


def test_a_wrong_key_is_told_and_asked_for_again(home: Home, environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "tui.cli", "run", "Why?", "--model", "claude-opus-5-5", "--headless"]
    with Terminal(command, environment, columns=140) as terminal:
        terminal.until("not shown")
        terminal.press("AIzaSyA0123456789abcdefghijklmnopqrstuv\n")
        terminal.until("that looks like a Google key")
        terminal.press("\x03")
        assert terminal.ended() == 130
    assert not home.runs.exists()


def test_a_file_of_variables_is_read_only_where_it_is_named_and_that_is_said(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(f"ANTHROPIC_API_KEY={KEY}\n")
    silent = home.type("keys", "list")
    assert "xyz4" not in silent.output
    told = home.type("keys", "--env-file", ".env", "list")
    assert "Read ANTHROPIC_API_KEY from .env: a plain file" in told.stderr
    assert "••••xyz4  --env-file" in told.stdout
    missing = refusal(home.type("keys", "--env-file", "no-such-file", "list"))
    assert "no-such-file" in missing
