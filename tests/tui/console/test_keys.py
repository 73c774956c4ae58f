"""The keys screen: which keys there are and where; setting, checking and removing them, unseen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input, Static

from core.config import Settings
from core.errors import KeysError, KeysLocked
from core.keys import key_file
from core.keys.asking import Verdict
from core.keys.encrypted_file import EncryptedFile
from core.keys.keyring import KeyringAbsent
from core.keys.lookup import use_key_store
from core.keys.names import ANTHROPIC, GOOGLE
from core.keys.secret import Secret
from core.keys.store import KeyStore
from tests.fakes.memory_keyring import MemoryKeyring
from tests.tui.console.run_app import NARROW, WIDE, still, until
from tui.app import Console
from tui.screens.key_dialogs import AskHidden
from tui.screens.keys import KeysScreen
from tui.screens.runs import RunsScreen

__all__ = ["still"]

Compare = Callable[..., bool]
KEY = "sk-ant-api03-0123456789-canary-xyz4"
OTHER = "AIzaSyA0123456789-canary-bcdefghijk-q9"
ABSENT = KeyringAbsent("there is no Secret Service here", "Keys are kept in the encrypted file here.")
LOCKED = KeysLocked("the Secret Service is locked", "Unlock it and try again.")
HUNG = KeysError("the Secret Service does not answer within 3 s", "Restart it.")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyStore]:
    """The places of the test's own, and a provider that accepts what begins rightly."""
    monkeypatch.setattr(key_file, "COST", key_file.LEAST_COST)
    store = KeyStore({}, MemoryKeyring(), EncryptedFile(tmp_path / "keys" / "keys.encrypted", {}))
    use_key_store(store)

    async def check(name: str, key: Secret, base_url: str) -> Verdict:
        if "refused" in key.reveal():
            return Verdict("refused", "the key is not valid")
        return Verdict("works") if name == ANTHROPIC else Verdict("not checked", "no network")

    monkeypatch.setattr("tui.key_checks.check_key", check)
    yield store
    use_key_store(None)


def play(still: Path, act: Callable[[KeysScreen, Pilot[int]], Awaitable[None]]) -> None:
    """Open the screen and act on it once it has looked."""

    async def run() -> None:
        async with Console(Settings(data_folder=still)).run_test(size=WIDE) as pilot:
            await pilot.app.push_screen(screen := KeysScreen())
            await until(pilot, lambda: screen.found is not None, "looking")
            await act(screen, pilot)
            assert KEY not in pilot.app.export_screenshot()

    asyncio.run(run())


def lines(screen: KeysScreen) -> str:
    """Everything that the screen shows."""
    strips = screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def says(screen: KeysScreen, pilot: Pilot[int], words: str) -> None:
    await until(pilot, lambda: words in str(screen.query_one(".said", Static).visual), words)


async def enter(pilot: Pilot[int], text: str) -> None:
    """Paste into the hidden field that is open, and send it."""
    await until(pilot, lambda: isinstance(pilot.app.screen, AskHidden), "the field")
    before = pilot.app.screen
    pilot.app.screen.query_one(Input).post_message(events.Paste(text))
    await until(pilot, lambda: before.query_one(Input).value, "the paste")
    assert text[:12] not in pilot.app.export_screenshot()
    await pilot.press("enter")
    await until(pilot, lambda: pilot.app.screen is not before, "the next screen")


@pytest.mark.parametrize("key", ["escape", "q"])
def test_it_opens_from_the_empty_list_and_closes(still: Path, store: KeyStore, key: str) -> None:
    async def run() -> None:
        async with Console(Settings(data_folder=still)).run_test() as pilot:
            await until(pilot, lambda: isinstance(pilot.app.screen, RunsScreen), "the list")
            await pilot.press("k")
            assert isinstance(pilot.app.screen, KeysScreen)
            await pilot.press(key)
            await until(pilot, lambda: isinstance(pilot.app.screen, RunsScreen), "the list")

    asyncio.run(run())


def test_each_key_is_shown_by_its_end_and_its_place(still: Path, store: KeyStore) -> None:
    store.environment = {ANTHROPIC: KEY}
    asyncio.run(store.keyring.set(GOOGLE, Secret(OTHER)))

    async def act(screen: KeysScreen, pilot: Pilot[int]) -> None:
        await until(pilot, lambda: "••••xyz4" in lines(screen), "the keys")
        shown = lines(screen)
        assert "••••k-q9  Secret Service" in shown
        assert "environment" in shown
        assert shown.count("missing") == 3
        assert "console.anthropic.com" in shown

    play(still, act)


def test_a_key_is_pasted_unseen_checked_and_kept(still: Path, store: KeyStore) -> None:
    async def act(screen: KeysScreen, pilot: Pilot[int]) -> None:
        await pilot.press("s")
        await enter(pilot, f'"{KEY[:20]}\n{KEY[20:]}"\n')
        await says(screen, pilot, "ANTHROPIC_API_KEY is kept: Secret Service; works")
        assert "••••xyz4  Secret Service  works" in lines(screen)
        assert await store.keyring.get([ANTHROPIC]) == {ANTHROPIC: Secret(KEY)}

    play(still, act)


def test_a_wrong_key_is_asked_for_again_with_the_reason(still: Path, store: KeyStore) -> None:
    async def act(screen: KeysScreen, pilot: Pilot[int]) -> None:
        await pilot.press("enter")
        await enter(pilot, OTHER)
        assert "that looks like a Google key" in pilot.app.export_screenshot().replace("&#160;", " ")
        await enter(pilot, "sk-ant-refused-0123456789")
        await until(pilot, lambda: isinstance(pilot.app.screen, AskHidden), "the field")
        assert "the key is not valid" in pilot.app.export_screenshot().replace("&#160;", " ")
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is screen, "the keys")
        assert await store.keyring.get([ANTHROPIC]) == {}

    play(still, act)


def test_a_provider_that_cannot_be_asked_is_no_reason_to_lose_a_key(still: Path, store: KeyStore) -> None:
    async def act(screen: KeysScreen, pilot: Pilot[int]) -> None:
        await pilot.press("j", "s")
        await enter(pilot, OTHER)
        await says(screen, pilot, "not checked: no network")
        assert await store.keyring.get([GOOGLE]) == {GOOGLE: Secret(OTHER)}

    play(still, act)


def test_without_a_keyring_a_passphrase_makes_an_encrypted_file(still: Path, store: KeyStore) -> None:
    store.keyring = MemoryKeyring(trouble=ABSENT)

    async def act(screen: KeysScreen, pilot: Pilot[int]) -> None:
        await pilot.press("s")
        await enter(pilot, KEY)
        await enter(pilot, "short")
        await enter(pilot, "correct horse battery")
        await enter(pilot, "another horse battery")
        await enter(pilot, "correct horse battery")
        await enter(pilot, "correct horse battery")
        await says(screen, pilot, "is kept: encrypted file (there is no Secret Service here); works")
        assert store.session == {}

    play(still, act)
    assert asyncio.run(store.file.get([ANTHROPIC])) == {ANTHROPIC: Secret(KEY)}


def test_without_a_keyring_and_a_passphrase_a_key_lasts_for_the_session_and_that_is_said(
    still: Path, store: KeyStore
) -> None:
    store.keyring = MemoryKeyring(trouble=ABSENT)

    async def act(screen: KeysScreen, pilot: Pilot[int]) -> None:
        await pilot.press("s")
        await enter(pilot, KEY)
        await until(pilot, lambda: isinstance(pilot.app.screen, AskHidden), "the passphrase")
        await pilot.press("escape")
        await says(screen, pilot, "is kept: this session")
        assert not store.file.exists

    play(still, act)


@pytest.mark.parametrize("trouble", [LOCKED, HUNG])
def test_a_keyring_in_trouble_is_named_with_its_next_step_and_keeps_nothing(
    still: Path, store: KeyStore, trouble: KeysError
) -> None:
    store.keyring = MemoryKeyring(trouble=trouble)

    async def act(screen: KeysScreen, pilot: Pilot[int]) -> None:
        await until(pilot, lambda: trouble.message in lines(screen), "the trouble")
        assert trouble.next_step in lines(screen)
        assert "unknown" in lines(screen)
        await pilot.press("s")
        await enter(pilot, KEY)
        await says(screen, pilot, f"was not kept: {trouble.message}")
        assert not store.file.exists

    play(still, act)


def test_a_keyring_that_was_unlocked_meanwhile_is_looked_at_again(still: Path, store: KeyStore) -> None:
    keyring = MemoryKeyring({ANTHROPIC: Secret(KEY)}, LOCKED)
    store.keyring = keyring

    async def act(screen: KeysScreen, pilot: Pilot[int]) -> None:
        await until(pilot, lambda: "is locked" in lines(screen), "the trouble")
        keyring.trouble = None
        await pilot.press("u")
        await until(pilot, lambda: "••••xyz4" in lines(screen), "the key")
        assert "is locked" not in lines(screen)

    play(still, act)


def test_a_locked_file_is_opened_by_its_passphrase(still: Path, store: KeyStore) -> None:
    store.file.passphrase = Secret("correct horse battery")
    asyncio.run(store.file.set(ANTHROPIC, Secret(KEY)))
    store.file.passphrase = None

    async def act(screen: KeysScreen, pilot: Pilot[int]) -> None:
        await until(pilot, lambda: "needs its passphrase" in lines(screen), "the trouble")
        await pilot.press("u")
        await enter(pilot, "another horse battery")
        await says(screen, pilot, "the passphrase is wrong")
        await pilot.press("u")
        await enter(pilot, "correct horse battery")
        await until(pilot, lambda: "••••xyz4  encrypted file" in lines(screen), "the key")

    play(still, act)


def test_a_key_is_checked_and_removed_from_here(still: Path, store: KeyStore) -> None:
    asyncio.run(store.keyring.set(ANTHROPIC, Secret(KEY)))

    async def act(screen: KeysScreen, pilot: Pilot[int]) -> None:
        await pilot.press("c")
        await says(screen, pilot, "ANTHROPIC_API_KEY: works")
        await pilot.press("d")
        await until(pilot, lambda: pilot.app.screen is not screen, "the question")
        await pilot.pause(0.6)  # keys that come sooner were meant for what was there before
        await pilot.press("y")
        await says(screen, pilot, "removed from Secret Service")
        assert await store.keyring.get([ANTHROPIC]) == {}

    play(still, act)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["140x40", "80x24"])
def test_it_looks_like_this(
    snap_compare: Compare, still: Path, store: KeyStore, size: tuple[int, int]
) -> None:
    store.environment = {ANTHROPIC: KEY}
    store.keyring = MemoryKeyring(trouble=LOCKED)

    async def before(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: isinstance(pilot.app.screen, RunsScreen), "the list")
        await pilot.press("k")
        await until(pilot, lambda: isinstance(pilot.app.screen, KeysScreen), "the screen")
        screen = pilot.app.screen
        assert isinstance(screen, KeysScreen)
        await until(pilot, lambda: screen.found is not None, "looking")
        await pilot.pause()

    assert snap_compare(Console(Settings(data_folder=still)), terminal_size=size, run_before=before)
