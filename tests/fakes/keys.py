"""Keys that a test has, and no others: neither those of whoever runs it, nor a keyring's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.errors import KeysError
from core.keys.encrypted_file import EncryptedFile
from core.keys.keyring import Keyring, KeyringAbsent
from core.keys.secret import Secret
from core.keys.store import KeyStore


class NoKeyring(Keyring):
    """A keyring that is not there, or in trouble.

    Args:
        trouble: why it cannot be used; None for there being none.
    """

    def __init__(self, trouble: KeysError | None = None) -> None:
        super().__init__(environment={})
        self.trouble = trouble
        self.asked: list[str] = []

    async def get(self, names: Sequence[str], *, prompt: bool = False) -> dict[str, Secret]:
        self.asked += names
        raise self.trouble or KeyringAbsent("there is no keyring here")

    async def set(self, name: str, secret: Secret, *, prompt: bool = False) -> None:
        raise self.trouble or KeyringAbsent("there is no keyring here")

    async def remove(self, name: str, *, prompt: bool = False) -> bool:
        raise self.trouble or KeyringAbsent("there is no keyring here")


def keys_in_environment(keyring: Keyring | None = None, /, **keys: str) -> KeyStore:
    """Places where only these keys are, as in variables."""
    nowhere = EncryptedFile(Path("/nowhere/keys"), environment={})
    return KeyStore(environment=keys, keyring=keyring or NoKeyring(), file=nowhere)
