"""A keyring in memory, that can be told to fail."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import KeysError
from core.keys.keyring import Keyring
from core.keys.secret import Secret


class MemoryKeyring(Keyring):
    """Stands where the system's keyring is.

    Args:
        keys: what it holds.
        trouble: what it raises whatever it is asked; None where it works.
    """

    def __init__(self, keys: dict[str, Secret] | None = None, trouble: KeysError | None = None) -> None:
        super().__init__()
        self.title = "Secret Service"
        self.keys = {} if keys is None else keys
        self.trouble = trouble
        self.asked: list[list[str]] = []

    async def get(self, names: Sequence[str], *, prompt: bool = False) -> dict[str, Secret]:
        """What it holds."""
        self.asked.append(list(names))
        self._fail()
        return {name: self.keys[name] for name in names if name in self.keys}

    async def set(self, name: str, secret: Secret, *, prompt: bool = False) -> None:
        """Hold it."""
        self._fail()
        self.keys[name] = secret

    async def remove(self, name: str, *, prompt: bool = False) -> bool:
        """Hold it no longer."""
        self._fail()
        return self.keys.pop(name, None) is not None

    def _fail(self) -> None:
        if self.trouble is not None:
            raise self.trouble
