"""Modal's token: its halves are checked together, and one after the other takes the place of an old one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from core.keys.asking import Verdict
from core.keys.encrypted_file import EncryptedFile
from core.keys.lookup import use_key_store
from core.keys.names import MODAL_ID, MODAL_SECRET
from core.keys.secret import Secret
from core.keys.store import KeyStore
from tests.fakes.memory_keyring import MemoryKeyring
from tests.fakes.modal.double import ModalDouble
from tests.fakes.terminal import Terminal
from tests.tui.conftest import Home
from tests.tui.modal_home import modal, running_double
from tui.exit_codes import ExitCode
from tui.key_checks import is_blamed

__all__ = ["modal", "running_double"]

OLD_ID, OLD_SECRET = "ak-old-0123456789abcdef", "as-old-0123456789abcdef"


@pytest.fixture
def keyring(home: Home) -> Iterator[MemoryKeyring]:
    """A keyring that works, and nothing else."""
    keyring = MemoryKeyring()
    use_key_store(KeyStore({}, keyring, EncryptedFile(home.path / "keys" / "keys.encrypted", {})))
    yield keyring
    use_key_store(None)


def test_the_halves_of_a_token_are_checked_together(
    home: Home, modal: ModalDouble, keyring: MemoryKeyring
) -> None:
    first = home.type("keys", "set", MODAL_ID, typed=modal.token[0])
    assert first.exit_code == 0
    assert f"not checked: {MODAL_SECRET} is missing" in first.stdout
    second = home.type("keys", "set", MODAL_SECRET, typed=modal.token[1])
    assert second.stdout.rstrip().endswith("checked: it works")
    for names in ((MODAL_ID,), (MODAL_SECRET,), ()):
        result = home.type("keys", "check", *names)
        assert result.exit_code == 0
        assert result.stdout.count("checked: it works") == (len(names) or 2)
        assert modal.token[1] not in result.output


def test_a_whole_token_is_asked_about_once(home: Home, modal: ModalDouble, keyring: MemoryKeyring) -> None:
    keyring.keys |= {MODAL_ID: Secret(modal.token[0]), MODAL_SECRET: Secret(modal.token[1])}
    home.type("keys", "check")
    assert modal.call("report")["calls"]["ClientHello"] == 1


def test_a_refused_token_says_so_of_both_halves(
    home: Home, modal: ModalDouble, keyring: MemoryKeyring
) -> None:
    keyring.keys |= {MODAL_ID: Secret(modal.token[0]), MODAL_SECRET: Secret(OLD_SECRET)}
    result = home.type("keys", "check")
    assert result.exit_code == ExitCode.RUN_FAILED
    assert result.stdout.count("refused: Modal does not accept this MODAL_TOKEN_ID with this") == 2
    assert OLD_SECRET not in result.output


def test_a_new_token_takes_the_place_of_an_old_one_half_by_half(
    home: Home, modal: ModalDouble, keyring: MemoryKeyring
) -> None:
    keyring.keys |= {MODAL_ID: Secret(OLD_ID), MODAL_SECRET: Secret(OLD_SECRET)}
    first = home.type("keys", "set", MODAL_ID, typed=modal.token[0])
    assert first.exit_code == 0
    assert "refused: " in first.stdout
    assert f"fumehood keys set {MODAL_SECRET}" in first.stderr
    second = home.type("keys", "set", MODAL_SECRET, typed=modal.token[1])
    assert "checked: it works" in second.stdout
    assert keyring.keys == dict(zip((MODAL_ID, MODAL_SECRET), map(Secret, modal.token), strict=True))


def test_where_modal_does_not_answer_a_token_is_not_checked_and_kept(
    home: Home, modal: ModalDouble, keyring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.sandbox.asking_modal.CHECK_SECONDS", 2.0)
    modal.call("fault", rpc="ClientHello", kind="hang", times=-1)
    keyring.keys |= {MODAL_ID: Secret(modal.token[0])}
    result = home.type("keys", "set", MODAL_SECRET, typed=modal.token[1])
    assert result.exit_code == 0
    assert "not checked: Modal does not answer within 2 s" in result.stdout
    assert MODAL_SECRET in keyring.keys


def test_only_a_key_that_stands_alone_is_blamed_for_a_refusal() -> None:
    assert is_blamed("ANTHROPIC_API_KEY", Verdict("refused"))
    assert not is_blamed("ANTHROPIC_API_KEY", Verdict("not checked"))
    assert not is_blamed(MODAL_SECRET, Verdict("refused"))


def test_at_a_terminal_both_halves_are_taken_before_a_run_and_again_where_they_do_not_fit(
    home: Home, modal: ModalDouble
) -> None:
    names = {name for name in os.environ if name.startswith(("DBUS_", "XDG_"))}
    environment = {name: value for name, value in os.environ.items() if name not in names} | {
        "TERM": "xterm-256color",
        "XDG_CONFIG_HOME": str(home.path / "config"),
        "XDG_CACHE_HOME": str(home.path / "cache"),
        "XDG_DATA_HOME": str(home.path / "share"),
        "XDG_RUNTIME_DIR": str(home.path / "nowhere"),
    }
    words = ("run", "Why?", "--model", "scripted:bagging", "--sandbox", "modal", "--headless")
    with Terminal([sys.executable, "-m", "tui.cli", *words], environment, columns=140) as terminal:
        terminal.until("This run needs MODAL_TOKEN_ID and MODAL_TOKEN_SECRET")
        for value, there in ((modal.token[0], "ID (not shown)"), (OLD_SECRET, "SECRET (not shown)")):
            terminal.until(there)
            terminal.press(f"{value}\n")
        terminal.until("refused: Modal does not accept this MODAL_TOKEN_ID")
        for value, there in ((modal.token[0], "ID (not shown)"), (modal.token[1], "SECRET (not shown)")):
            terminal.until(lambda text, there=there: text.count(there) == 2)  # type: ignore[misc]
            terminal.press(f"{value}\n")
        terminal.until("A new passphrase for it")
        assert OLD_SECRET not in terminal.text
        terminal.press("\x03")
        assert terminal.ended() == 130
    assert not home.runs.exists()
