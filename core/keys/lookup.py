"""The keys of this process: found by name, handed on to an engine."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from core.keys.encrypted_file import EncryptedFile
from core.keys.names import KEY_NAMES
from core.keys.pasted import is_placeholder
from core.keys.secret import Secret
from core.keys.store import KeyStore

MOST_HANDED_BYTES = 32 * 1024
"""What an engine takes in at most, which is less than a pipe holds."""

_store: KeyStore | None = None


def key_store() -> KeyStore:
    """The places of this process, made at the first use."""
    global _store
    if _store is None:
        _store = KeyStore()
    return _store


def use_key_store(store: KeyStore | None) -> None:
    """Take other places for this process; None for the usual ones, found anew."""
    global _store
    _store = store


async def find_key(name: str) -> Secret | None:
    """A key by its name, from the first place that has it; None where it is missing.

    Takes a few milliseconds where the environment has it, a quarter of a second where the keyring is
    asked, and up to 3 seconds where that does not answer.

    Args:
        name: one of ``core.keys.names.KEY_NAMES``.

    Raises:
        KeysLocked: no place has it, and one that may have it is locked.
        KeysError: no place has it, and one that may have it cannot be read.
    """
    found = await key_store().find(name)
    return None if found is None else found.secret


async def find_keys(names: Sequence[str]) -> dict[str, Secret]:
    """Keys by their names, those that are missing left out; asks each place once for all of them.

    Takes as long as ``find_key``.

    Args:
        names: of ``core.keys.names.KEY_NAMES``.

    Raises:
        KeysLocked: one is missing, and a place that may have it is locked.
        KeysError: one is missing, and a place that may have it cannot be read.
    """
    search = await key_store().search(names)
    if len(search.found) < len(set(names)):
        for error in search.troubles.values():
            raise error
    return {name: found.secret for name, found in search.found.items()}


def handed_on() -> bytes:
    """What an engine cannot find by itself, for the pipe to it: it gets no environment with keys in it.

    That is keys from this environment, keys of this session and the passphrase of the encrypted file.
    """
    store = key_store()
    environment = {name: store.environment.get(name, "") for name in KEY_NAMES}
    for name, secret in store.env_file.items():
        if is_placeholder(environment[name]):
            environment[name] = secret.reveal()
    handed: dict[str, Any] = {
        "environment": {name: value for name, value in environment.items() if not is_placeholder(value)},
        "session": {name: secret.reveal() for name, secret in store.session.items()},
    }
    if store.file.passphrase is not None:
        handed["passphrase"] = store.file.passphrase.reveal()
    return json.dumps(handed).encode()


def take_over(handed: bytes, environment: Mapping[str, str] = os.environ) -> None:
    """Make what a starting command handed on the places of this process.

    Args:
        handed: what ``handed_on`` gave; empty where nobody handed anything on.
        environment: of this process.
    """
    given: dict[str, Any] = json.loads(handed) if handed else {}
    keys: dict[str, str] = given.get("environment", {})
    store = KeyStore({**environment, **keys}, file=EncryptedFile(environment=environment))
    store.session = {name: Secret(value) for name, value in given.get("session", {}).items()}
    for value in keys.values():
        Secret(value)  # from now on it is taken out of logs, also where nobody asks for it
    if "passphrase" in given:
        store.file.passphrase = Secret(given["passphrase"])
    use_key_store(store)
