"""``fumehood keys set`` and ``check``: a key is tried where it can be, and the verdict is one clear line."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from core.keys.encrypted_file import EncryptedFile
from core.keys.lookup import use_key_store
from core.keys.names import ANTHROPIC
from core.keys.secret import Secret
from core.keys.store import KeyStore
from tests.fakes.anthropic_server import KEY, AnthropicServer
from tests.fakes.memory_keyring import MemoryKeyring
from tests.tui.conftest import Home
from tui.exit_codes import ExitCode

OTHER = "sk-ant-api03-the-server-does-not-know-it-0000"
OF_A_GATEWAY = "sk-1234567890abcdefghij"


@pytest.fixture
def keyring(home: Home) -> Iterator[MemoryKeyring]:
    """A keyring that works, and nothing else."""
    keyring = MemoryKeyring()
    use_key_store(KeyStore({}, keyring, EncryptedFile(home.path / "keys" / "keys.encrypted", {})))
    yield keyring
    use_key_store(None)


def asked_at(home: Home, url: str) -> None:
    """Let Anthropic be asked elsewhere."""
    config = home.path / "config" / "fumehood" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'[base_urls]\nanthropic = "{url}"\n')


def test_a_key_that_works_is_kept_and_said_to_work(home: Home, keyring: MemoryKeyring) -> None:
    with AnthropicServer().in_background() as server:
        asked_at(home, server.base_url)
        result = home.type("keys", "set", ANTHROPIC, typed=KEY)
    assert result.stdout.split("\n")[0].endswith("Secret Service, checked: it works")
    assert keyring.keys == {ANTHROPIC: Secret(KEY)}
    assert KEY not in result.output


def test_a_key_that_is_refused_is_not_kept_and_the_next_step_is_said(
    home: Home, keyring: MemoryKeyring
) -> None:
    with AnthropicServer().in_background() as server:
        asked_at(home, server.base_url)
        result = home.type("keys", "set", ANTHROPIC, typed=OTHER)
    assert result.exit_code == ExitCode.BAD_INPUT
    [line] = result.stderr.splitlines()
    assert "was not kept: refused: " in line
    assert "console.anthropic.com" in line
    assert "--no-check" in line
    assert keyring.keys == {}


@pytest.mark.parametrize("listed", [True, False])
def test_a_key_that_nobody_could_try_is_kept_and_said_not_to_be_checked(
    home: Home, keyring: MemoryKeyring, listed: bool
) -> None:
    with AnthropicServer(models=() if listed else None, key=None).in_background() as server:
        asked_at(home, "http://127.0.0.1:9" if listed else server.base_url)
        result = home.type("keys", "set", ANTHROPIC, typed=KEY)
    why = "cannot connect to 127.0.0.1:9" if listed else "has no list of models to ask for"
    assert "Secret Service, not checked: " in result.stdout
    assert why in result.stdout
    assert keyring.keys == {ANTHROPIC: Secret(KEY)}


def test_the_key_of_a_gateway_is_taken_only_unchecked(home: Home, keyring: MemoryKeyring) -> None:
    refused = home.type("keys", "set", ANTHROPIC, typed=OF_A_GATEWAY)
    assert "that looks like an OpenAI key" in refused.stderr
    assert keyring.keys == {}
    taken = home.type("keys", "set", ANTHROPIC, "--no-check", typed=OF_A_GATEWAY)
    assert taken.exit_code == 0
    assert keyring.keys == {ANTHROPIC: Secret(OF_A_GATEWAY)}


def test_checking_says_for_each_key_whether_it_works(home: Home, keyring: MemoryKeyring) -> None:
    with AnthropicServer().in_background() as server:
        asked_at(home, server.base_url)
        asyncio.run(keyring.set(ANTHROPIC, Secret(OTHER)))
        refused = home.type("keys", "check", ANTHROPIC)
        asyncio.run(keyring.set(ANTHROPIC, Secret(KEY)))
        works = home.type("keys", "check")
    assert refused.exit_code == ExitCode.RUN_FAILED
    assert "refused: 127.0.0.1:" in refused.stdout
    assert works.exit_code == 0
    assert works.stdout.rstrip().endswith("checked: it works")
