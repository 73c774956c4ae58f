"""The order of places, for reading and for keeping; nothing is ever stepped down in silence."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core.errors import KeysError, KeysLocked
from core.keys import key_file
from core.keys.encrypted_file import EncryptedFile
from core.keys.env_file import read_env_file
from core.keys.keyring import KeyringAbsent
from core.keys.names import ANTHROPIC, GOOGLE, MODAL_ID, OPENALEX
from core.keys.secret import Secret
from core.keys.store import KeyStore
from tests.fakes.memory_keyring import MemoryKeyring

FIRST, SECOND, THIRD, FOURTH = (Secret(f"key-number-{number}-0123456789") for number in range(4))
PASSPHRASE = Secret("correct horse battery")
LOCKED = KeysLocked("the Secret Service is locked", "Unlock it.")
HUNG = KeysError("the Secret Service does not answer within 3 s", "Restart it.")
LYING = KeysError(
    "the Secret Service said it kept the key, and gives back something else", "Keep it elsewhere."
)
ABSENT = KeyringAbsent("there is no Secret Service here", "Keys are kept in the encrypted file here.")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_file, "COST", key_file.LEAST_COST)


@pytest.fixture
def file(tmp_path: Path) -> EncryptedFile:
    file = EncryptedFile(tmp_path / "keys" / "keys.encrypted", {})
    file.passphrase = PASSPHRASE
    return file


def test_a_key_comes_from_the_first_place_that_has_it(file: EncryptedFile) -> None:
    store = KeyStore({}, MemoryKeyring(), file)

    async def places() -> list[str]:
        seen = []
        store.session[ANTHROPIC] = FOURTH
        for step in (
            None,
            file.set(ANTHROPIC, THIRD),
            store.keyring.set(ANTHROPIC, SECOND),
        ):
            if step is not None:
                await step
            found = await store.find(ANTHROPIC)
            assert found is not None
            seen.append(found.title)
        store.environment = {ANTHROPIC: FIRST.reveal()}
        found = await store.find(ANTHROPIC)
        assert found is not None
        assert found.secret == FIRST
        return [*seen, found.title]

    assert asyncio.run(places()) == ["this session", "encrypted file", "Secret Service", "environment"]


def test_a_place_is_asked_once_and_only_for_what_was_not_found_before(file: EncryptedFile) -> None:
    keyring = MemoryKeyring({GOOGLE: SECOND})
    store = KeyStore({ANTHROPIC: FIRST.reveal()}, keyring, file)
    found = asyncio.run(store.search([ANTHROPIC, GOOGLE, MODAL_ID]))
    assert list(found.found) == [ANTHROPIC, GOOGLE]
    assert keyring.asked == [[GOOGLE, MODAL_ID]]


def test_placeholders_count_as_missing_in_every_place(file: EncryptedFile) -> None:
    keyring = MemoryKeyring({ANTHROPIC: Secret("changeme")})
    store = KeyStore({ANTHROPIC: "your_anthropic_key_here"}, keyring, file)
    asyncio.run(file.set(ANTHROPIC, Secret("<key>")))
    assert asyncio.run(store.find(ANTHROPIC)) is None


@pytest.mark.parametrize("trouble", [LOCKED, HUNG])
def test_a_keyring_in_trouble_is_told_where_no_other_place_has_the_key(
    file: EncryptedFile, trouble: KeysError
) -> None:
    store = KeyStore({}, MemoryKeyring(trouble=trouble), file)
    with pytest.raises(type(trouble)) as caught:
        asyncio.run(store.find(ANTHROPIC))
    assert caught.value is trouble
    asyncio.run(file.set(ANTHROPIC, THIRD))
    found = asyncio.run(store.search([ANTHROPIC]))
    assert found.found[ANTHROPIC].title == "encrypted file"
    assert found.troubles["keyring"] is trouble


def test_where_there_is_no_keyring_a_missing_key_is_just_missing(file: EncryptedFile) -> None:
    assert asyncio.run(KeyStore({}, MemoryKeyring(trouble=ABSENT), file).find(ANTHROPIC)) is None


def test_a_key_is_kept_in_the_keyring_first(file: EncryptedFile) -> None:
    keyring = MemoryKeyring()
    kept = asyncio.run(KeyStore({}, keyring, file).keep(ANTHROPIC, FIRST))
    assert (kept.title, kept.note, keyring.keys) == ("Secret Service", "", {ANTHROPIC: FIRST})
    assert not file.exists


def test_without_a_keyring_it_is_kept_in_the_file_and_that_is_said(file: EncryptedFile) -> None:
    kept = asyncio.run(KeyStore({}, MemoryKeyring(trouble=ABSENT), file).keep(ANTHROPIC, FIRST))
    assert (kept.title, kept.note) == ("encrypted file", "there is no Secret Service here")
    assert asyncio.run(file.get([ANTHROPIC])) == {ANTHROPIC: FIRST}


def test_without_a_passphrase_either_it_is_kept_for_the_session_only_and_that_is_said(
    file: EncryptedFile,
) -> None:
    file.passphrase = None
    store = KeyStore({}, MemoryKeyring(trouble=ABSENT), file)
    kept = asyncio.run(store.keep(ANTHROPIC, FIRST))
    assert kept.place == "session"
    assert "there is no Secret Service here" in kept.note
    assert "needs its passphrase" in kept.note
    assert store.session == {ANTHROPIC: FIRST}
    assert not file.path.parent.exists()


def test_a_file_that_is_there_and_locked_is_not_passed_by(file: EncryptedFile) -> None:
    asyncio.run(file.set(GOOGLE, SECOND))
    store = KeyStore({}, MemoryKeyring(trouble=ABSENT), EncryptedFile(file.path, {}))
    with pytest.raises(KeysLocked, match="needs its passphrase"):
        asyncio.run(store.keep(ANTHROPIC, FIRST))
    assert store.session == {}


@pytest.mark.parametrize("trouble", [LOCKED, HUNG, LYING])
def test_a_keyring_in_trouble_is_never_stepped_down_from_unasked(
    file: EncryptedFile, trouble: KeysError
) -> None:
    store = KeyStore({}, MemoryKeyring(trouble=trouble), file)
    with pytest.raises(KeysError) as caught:
        asyncio.run(store.keep(ANTHROPIC, FIRST))
    assert caught.value is trouble
    assert not file.exists
    assert store.session == {}
    assert asyncio.run(store.keep(ANTHROPIC, FIRST, "file")).title == "encrypted file"


def test_a_key_is_removed_wherever_it_is_kept(file: EncryptedFile) -> None:
    store = KeyStore({}, MemoryKeyring({ANTHROPIC: FIRST}), file)
    asyncio.run(file.set(ANTHROPIC, FIRST))
    store.session[ANTHROPIC] = FIRST
    assert asyncio.run(store.remove(ANTHROPIC)) == ["this session", "Secret Service", "encrypted file"]
    assert asyncio.run(store.find(ANTHROPIC)) is None
    assert asyncio.run(store.remove(ANTHROPIC)) == []


def test_a_removal_that_is_not_whole_is_told_and_does_the_rest(file: EncryptedFile) -> None:
    store = KeyStore({}, MemoryKeyring(trouble=HUNG), file)
    asyncio.run(file.set(ANTHROPIC, FIRST))
    with pytest.raises(KeysError, match="does not answer"):
        asyncio.run(store.remove(ANTHROPIC))
    assert asyncio.run(file.get([ANTHROPIC])) == {}


def test_a_file_of_variables_gives_keys_only_and_no_placeholders(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(
        f'export ANTHROPIC_API_KEY="{FIRST.reveal()}"\nGOOGLE_API_KEY=your-key-here\nPASSWORD=hunter2\n'
        f"OPENALEX_API_KEY='{SECOND.reveal()}' # a remark\nPATH=$HOME\n"
    )
    assert read_env_file(path) == {ANTHROPIC: FIRST, OPENALEX: SECOND}


def test_the_environment_goes_before_a_file_of_variables(file: EncryptedFile) -> None:
    store = KeyStore({ANTHROPIC: FIRST.reveal()}, MemoryKeyring({GOOGLE: THIRD}), file)
    store.env_file = {ANTHROPIC: SECOND, GOOGLE: SECOND}
    found = asyncio.run(store.search([ANTHROPIC, GOOGLE])).found
    assert {name: (key.secret, key.title) for name, key in found.items()} == {
        ANTHROPIC: (FIRST, "environment"),
        GOOGLE: (SECOND, "--env-file"),
    }
