"""The system's keyring, the real one: what it does, and what is said of one that does not work."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from core.errors import KeysError, KeysLocked
from core.keys.keyring import BACKENDS, READ_SECONDS, Keyring, KeyringAbsent
from core.keys.names import ANTHROPIC, GOOGLE
from core.keys.secret import Secret
from tests.fakes.secret_service import SecretService, with_bus

KEY = Secret("sk-ant-api03-0123456789abcdefXYZ")
SPARE_SECONDS = 3.0
"""What a busy machine may take longer than the deadline that is tested."""


def keyring_of(service: SecretService, **options: float) -> Keyring:
    return Keyring("keyring.backends.SecretService.Keyring", service.environment, **options)


def children() -> set[str]:
    return {
        path.parent.name
        for path in Path("/proc").glob("[0-9]*/stat")
        if (text := _text(path)) and text.rpartition(")")[2].split()[1] == str(os.getpid())
    }


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def test_what_is_set_can_be_read_and_removed(service: SecretService) -> None:
    keyring = keyring_of(service)

    async def use() -> None:
        assert await keyring.get([ANTHROPIC, GOOGLE]) == {}
        await keyring.set(ANTHROPIC, KEY)
        assert await keyring.get([ANTHROPIC, GOOGLE]) == {ANTHROPIC: KEY}
        await keyring.set(ANTHROPIC, Secret("sk-ant-another"))
        assert await keyring.get([ANTHROPIC]) == {ANTHROPIC: Secret("sk-ant-another")}
        assert await keyring.remove(ANTHROPIC)
        assert not await keyring.remove(ANTHROPIC)
        assert await keyring.get([ANTHROPIC]) == {}

    asyncio.run(use())


def test_a_locked_keyring_says_so_at_once_and_works_again_once_it_is_unlocked(
    service: SecretService,
) -> None:
    service.lock()
    for action in ("get", "set", "remove"):
        began = time.monotonic()
        with pytest.raises(KeysLocked, match="is locked") as caught:
            asyncio.run(_do(keyring_of(service), action))
        assert "try again" in caught.value.next_step
        assert time.monotonic() - began < READ_SECONDS + SPARE_SECONDS


def test_a_locked_keyring_whose_prompt_nobody_can_see_is_locked_too(service: SecretService) -> None:
    service.lock()
    with pytest.raises(KeysError, match=r"is locked|does not answer"):
        asyncio.run(keyring_of(service, prompt_seconds=3).set(ANTHROPIC, KEY, prompt=True))


@pytest.mark.parametrize("action", ["get", "set", "remove"])
def test_a_keyring_that_hangs_is_given_up_within_its_deadline_and_leaves_no_process(
    service: SecretService, action: str
) -> None:
    before = children()
    service.hang()
    began = time.monotonic()
    with pytest.raises(KeysError, match="does not answer within 3 s") as caught:
        asyncio.run(_do(keyring_of(service), action))
    assert not isinstance(caught.value, KeysLocked)
    assert "--place file" in caught.value.next_step
    assert READ_SECONDS <= time.monotonic() - began < READ_SECONDS + SPARE_SECONDS
    assert children() == before
    service.go()
    assert asyncio.run(keyring_of(service).get([ANTHROPIC])) == {}


def test_whoever_stops_waiting_for_a_keyring_that_hangs_is_let_go_at_once(service: SecretService) -> None:
    before = children()
    service.hang()

    async def give_up() -> None:
        waiting = asyncio.create_task(keyring_of(service).get([ANTHROPIC]))
        await asyncio.sleep(0.2)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    began = time.monotonic()
    asyncio.run(give_up())
    assert time.monotonic() - began < READ_SECONDS
    assert children() == before
    service.go()


@pytest.mark.parametrize("address", ["", "unix:path=/nowhere/bus", "nonsense"])
def test_where_there_is_no_keyring_that_is_said_at_once(tmp_path: Path, address: str) -> None:
    environment = with_bus({"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(tmp_path)}, address)
    began = time.monotonic()
    with pytest.raises(KeyringAbsent, match="there is no Secret Service here") as caught:
        asyncio.run(Keyring("keyring.backends.SecretService.Keyring", environment).get([ANTHROPIC]))
    assert "encrypted file" in caught.value.next_step
    assert time.monotonic() - began < READ_SECONDS + SPARE_SECONDS


def test_a_stale_bus_address_is_passed_by_for_the_one_of_the_login(service: SecretService) -> None:
    runtime = Path(service.environment["XDG_RUNTIME_DIR"])
    (runtime / "session").rename(runtime / "bus")
    environment = with_bus(service.environment, "unix:path=/run/user/gone/bus")
    keyring = Keyring("keyring.backends.SecretService.Keyring", environment)
    assert asyncio.run(keyring.get([ANTHROPIC])) == {}


def test_a_keyring_that_says_yes_and_stores_nothing_is_found_out() -> None:
    with pytest.raises(KeysError, match="gives back something else") as caught:
        asyncio.run(Keyring("keyring.backends.null.Keyring").set(ANTHROPIC, KEY))
    assert "--place file" in caught.value.next_step


def test_a_backend_that_fails_in_its_own_way_is_one_clear_line_without_the_key() -> None:
    with pytest.raises(KeysError) as caught:
        asyncio.run(Keyring("keyring.backends.no_such_module.Keyring").set(ANTHROPIC, KEY))
    assert KEY.reveal() not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_settings_of_the_keyring_library_change_nothing(
    service: SecretService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = Path(service.environment["HOME"], ".config", "python_keyring", "keyringrc.cfg")
    configuration.parent.mkdir(parents=True)
    configuration.write_text("[backend]\ndefault-keyring=keyring.backends.null.Keyring\n")
    environment = {**service.environment, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    keyring = Keyring("keyring.backends.SecretService.Keyring", environment)

    async def use() -> dict[str, Secret]:
        await keyring.set(ANTHROPIC, KEY)
        return await keyring.get([ANTHROPIC])

    assert asyncio.run(use()) == {ANTHROPIC: KEY}


def test_a_mac_over_ssh_is_told_how_to_unlock_its_keychain(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {sys.platform: ("tests.core.keys.test_keyring.RefusingKeychain", "macOS Keychain")}
    monkeypatch.setattr("core.keys.keyring.BACKENDS", {**BACKENDS, **known})
    environment = {"PATH": os.environ["PATH"], "SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}
    keyring = Keyring(None, environment)
    with pytest.raises(KeysLocked, match="locked for logins over SSH") as caught:
        asyncio.run(keyring.get([ANTHROPIC]))
    assert "security unlock-keychain" in caught.value.next_step


class RefusingKeychain:
    """Answers as a Mac's keychain does where nobody can be asked."""

    def get_password(self, service: str, name: str) -> str:
        raise OSError(-25308, "Unknown Error")


async def _do(keyring: Keyring, action: str) -> None:
    if action == "get":
        await keyring.get([ANTHROPIC])
    elif action == "set":
        await keyring.set(ANTHROPIC, KEY)
    else:
        await keyring.remove(ANTHROPIC)
