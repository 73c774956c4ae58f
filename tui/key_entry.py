"""Taking keys and passphrases from a human at a terminal, and putting keys where they belong."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

import click

from core.errors import InputError, KeysError, KeysLocked
from core.keys.asking import Verdict
from core.keys.lookup import key_store
from core.keys.names import KEY_NAMES
from core.keys.pasted import pasted_key
from core.keys.secret import Secret
from core.keys.store import Found, Kept, KeyStore, Place, Search
from tui.hidden_input import can_ask, read_hidden
from tui.key_checks import OTHER_HALF, verdict_on
from tui.screen import Screen

TRIES = 3
"""How often something is asked for that was not right."""

LEAST_PASSPHRASE = 8
"""Characters that a new passphrase has at least."""


def typed_key(name: str, *, any_shape: bool = False) -> Secret:
    """A key from the terminal, without echo, or from stdin where that is no terminal.

    Args:
        name: the key.
        any_shape: whether it may be a key of something else.

    Raises:
        InputError: it is no key.
    """
    if not can_ask():
        return pasted_key(name, sys.stdin.read(), any_shape=any_shape)
    for left in reversed(range(TRIES)):
        try:
            return pasted_key(name, read_hidden(f"{name} (not shown): "), any_shape=any_shape)
        except InputError as error:
            if not left:
                raise
            say(str(error))
    raise AssertionError("the last try either gives a key or raises")


def search(store: KeyStore, names: Sequence[str]) -> Search:
    """Look for keys; the human is asked once for the passphrase of the encrypted file if it is needed."""
    found = asyncio.run(store.search(names))
    if isinstance(found.troubles.get("file"), KeysLocked) and can_ask() and unlock_file(store):
        found = asyncio.run(store.search(names))
    return found


def unlock_file(store: KeyStore) -> bool:
    """Ask for the passphrase of the encrypted file; gives whether it was opened."""
    for _ in range(TRIES):
        typed = read_hidden("Passphrase of the encrypted key file (empty to go on without): ")
        if not typed:
            return False
        try:
            asyncio.run(store.file.unlock(Secret(typed)))
        except KeysError as error:
            say(str(error))
        else:
            return True
    return False


def keep(store: KeyStore, name: str, secret: Secret, place: Place | None = None) -> Kept:
    """Put a key where it belongs; a human is asked for what that needs.

    Raises:
        KeysError: it could not be kept there.
    """
    asks = can_ask()
    while True:
        try:
            if place == "file" and asks:
                _ready_file(store)
            kept = asyncio.run(store.keep(name, secret, place, prompt=asks))
        except KeysLocked as error:
            if place == "file" or not asks:
                raise
            say(str(error))
            if not click.confirm("Try again?", default=True, err=True):
                raise
        else:
            if kept.place == "session" and place is None and asks and _ready_file(store):
                del store.session[name]
                continue
            return kept


def _ready_file(store: KeyStore) -> bool:
    """Have a passphrase for the encrypted file at hand: that of the file, or a new one for a new file."""
    if store.file.has_passphrase():
        return True
    if store.file.exists:
        return unlock_file(store)
    say(f"Keys can be kept in an encrypted file ({store.file.path}).")
    for _ in range(TRIES):
        first = read_hidden("A new passphrase for it (empty: keep the key for this session only): ")
        if not first:
            return False
        if len(first) < LEAST_PASSPHRASE:
            say(f"Too short: use {LEAST_PASSPHRASE} characters or more.")
        elif read_hidden("Once more: ") != first:
            say("These two are not the same.")
        else:
            store.file.passphrase = Secret(first)
            return True
    return False


def checked(found: Found) -> Verdict:
    """Ask the provider whether it accepts a key; a half of a token is checked with the other one."""
    other_half = None
    if other := OTHER_HALF.get(found.name):
        known = search(key_store(), [other]).found.get(other)
        other_half = known.secret if known is not None else None
    return asyncio.run(verdict_on(found.name, found.secret, other_half))


def in_words(verdict: Verdict) -> str:
    """What came of a check, for people."""
    words = {"works": "checked: it works", "refused": "refused", "not checked": "not checked"}[verdict.state]
    return f"{words}: {verdict.reason}" if verdict.reason else words


def where_from(name: str) -> str:
    """Where to get a key, for people."""
    key = KEY_NAMES[name]
    return f"{key.provider} gives it out at {key.url}"


def say(text: str) -> None:
    """Say something beside a command's output."""
    Screen.of(sys.stderr).line(text)
