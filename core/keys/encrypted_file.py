"""The encrypted file as a place for keys, with the passphrase that opens it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import platformdirs

from core.errors import KeysError, KeysLocked
from core.keys.key_file import MOST_FILE_BYTES, opened, sealed
from core.keys.private_files import check_folder, private_folder, read_private, write_private
from core.keys.secret import Secret

TITLE = "encrypted file"
FILE_NAME = "keys.encrypted"
PASSPHRASE_FILE = "FUMEHOOD_PASSPHRASE_FILE"  # noqa: S105 - a name, not a secret
"""The variable that names a file with the passphrase, for machines where nobody types it."""
MOST_PASSPHRASE_BYTES = 4096

_T = TypeVar("_T")


def usual_path() -> Path:
    """Where the encrypted file is: in a folder of its own below the user's data."""
    return platformdirs.user_data_path("fumehood") / "keys" / FILE_NAME


class EncryptedFile:
    """Keys in an encrypted file.

    Args:
        path: the file; its folder holds nothing else.
        environment: where a passphrase file is named.

    Attributes:
        passphrase: what opens it, once somebody said it; kept until the process ends.
    """

    title = TITLE

    def __init__(self, path: Path | None = None, environment: Mapping[str, str] = os.environ) -> None:
        self.path = path or usual_path()
        self.passphrase: Secret | None = None
        self._environment = environment
        self._opened: tuple[bytes, dict[str, str]] | None = None

    @property
    def exists(self) -> bool:
        """Whether there is anything at its place, be it usable or not."""
        return os.path.lexists(self.path)

    def has_passphrase(self) -> bool:
        """Whether it can be opened without asking anybody.

        Raises:
            KeysError: the passphrase file that is named cannot be used.
        """
        return self._known_passphrase() is not None

    async def unlock(self, passphrase: Secret) -> None:
        """Take a passphrase for as long as this process lives, if it opens the file.

        Raises:
            KeysError: it does not, or the file cannot be used.
        """
        await self._in_thread(lambda: self._read(passphrase))
        self.passphrase = passphrase

    async def get(self, names: Sequence[str]) -> dict[str, Secret]:
        """The keys of these names that it holds; none where there is no file.

        Raises:
            KeysLocked: nobody has said the passphrase.
            KeysError: the file or its folder is unsafe, damaged or cut short, or the passphrase is wrong.
        """
        if not self.exists:
            return {}
        keys = await self._in_thread(lambda: self._read(self._passphrase()))
        return {name: Secret(keys[name]) for name in names if name in keys}

    async def set(self, name: str, secret: Secret) -> None:
        """Keep a key; a new file is made with the passphrase at hand.

        Raises:
            KeysLocked: nobody has said the passphrase.
            KeysError: as for ``get``, or the file cannot be written; what was there is unchanged.
        """
        await self._in_thread(lambda: self._change(lambda keys: keys.update({name: secret.reveal()})))

    async def remove(self, name: str) -> bool:
        """Forget a key; gives whether it was there.

        Raises:
            KeysLocked: nobody has said the passphrase.
            KeysError: as for ``set``.
        """
        if name not in await self.get([name]):
            return False
        await self._in_thread(lambda: self._change(lambda keys: keys.pop(name, None)))
        return True

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        # A thread, because a passphrase takes half a second of arithmetic, and screens go on meanwhile.
        return await asyncio.to_thread(work)

    def _read(self, passphrase: Secret) -> dict[str, str]:
        check_folder(self.path.parent)
        content = read_private(self.path, MOST_FILE_BYTES)
        if content is None:
            return {}
        if self._opened is None or self._opened[0] != content or self.passphrase != passphrase:
            self._opened = content, opened(content, passphrase)
        return dict(self._opened[1])

    def _change(self, change: Callable[[dict[str, str]], object]) -> None:
        passphrase = self._passphrase()
        with private_folder(self.path.parent) as folder:
            keys = self._read(passphrase)
            change(keys)
            write_private(folder, self.path, sealed(keys, passphrase))
            if self._read(passphrase) != keys:
                raise KeysError(f"{self.path} does not give back what was written", "Check that disk.")

    def _passphrase(self) -> Secret:
        passphrase = self._known_passphrase()
        if passphrase is None:
            raise KeysLocked(
                "the encrypted key file needs its passphrase",
                "Start a command in a terminal, which asks for it, or name a file that holds it in"
                f" {PASSPHRASE_FILE}.",
            )
        return passphrase

    def _known_passphrase(self) -> Secret | None:
        if self.passphrase is None and (named := self._environment.get(PASSPHRASE_FILE)):
            content = read_private(Path(named), MOST_PASSPHRASE_BYTES)
            if content is None:
                raise KeysError(f"there is no passphrase file {named}", f"Mend {PASSPHRASE_FILE}.")
            text = content.decode(errors="replace").rstrip("\r\n")
            if not text:
                raise KeysError(f"the passphrase file {named} is empty", "Write the passphrase into it.")
            self.passphrase = Secret(text)
        return self.passphrase
