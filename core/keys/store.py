"""The order of the places where keys are, for reading and for keeping."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from core.errors import KeysError, KeysLocked
from core.keys.encrypted_file import EncryptedFile
from core.keys.keyring import Keyring, KeyringAbsent
from core.keys.pasted import is_placeholder
from core.keys.secret import Secret

Place = Literal["environment", "keyring", "file", "session"]
"""The places, in the order in which they are read. Nothing is ever kept in plain text."""

ENVIRONMENT = "environment"
ENV_FILE = "--env-file"
SESSION = "this session"


@dataclass(frozen=True)
class Found:
    """A key that was found.

    Attributes:
        name: the key.
        secret: its value.
        place: where it is.
        title: that place for people, such as ``Secret Service``.
    """

    name: str
    secret: Secret
    place: Place
    title: str


@dataclass(frozen=True)
class Search:
    """What a search through all places brought.

    Attributes:
        found: keys by name.
        troubles: places that may hold more, and cannot be read now.
        absent: why there is no keyring here; None where there is one.
    """

    found: Mapping[str, Found]
    troubles: Mapping[Place, KeysError] = field(default_factory=dict)
    absent: KeyringAbsent | None = None


@dataclass(frozen=True)
class Kept:
    """Where a key was put.

    Attributes:
        place: the place.
        title: that place for people.
        note: why it is not the first choice; empty where it is.
    """

    place: Place
    title: str
    note: str = ""


class KeyStore:
    """All places where keys are.

    Args:
        environment: variables of the user's, or those that the starting command handed over.
        keyring: the system's keyring.
        file: the encrypted file.

    Attributes:
        env_file: keys from a file that the user named with ``--env-file``; the environment goes before it.
        session: keys that are kept until this process ends.
    """

    def __init__(
        self,
        environment: Mapping[str, str] = os.environ,
        keyring: Keyring | None = None,
        file: EncryptedFile | None = None,
    ) -> None:
        # As it was: Modal's SDK, once it is here, is kept from finding its token in that of the process.
        self.environment = dict(environment)
        self.keyring = keyring or Keyring()
        self.file = file or EncryptedFile()
        self.env_file: dict[str, Secret] = {}
        self.session: dict[str, Secret] = {}

    async def search(self, names: Sequence[str], *, prompt: bool = False) -> Search:
        """Look for keys in every place, in order; the first that has one counts.

        A place is asked only for what was not found before it. Placeholders count as missing.

        Args:
            names: the keys.
            prompt: whether the human is here and may be asked to unlock the keyring.
        """
        found = {
            name: Found(name, Secret(value), "environment", ENVIRONMENT)
            for name in names
            if not is_placeholder(value := self.environment.get(name, ""))
        }
        for name in names:
            if name not in found and name in self.env_file:
                found[name] = Found(name, self.env_file[name], "environment", ENV_FILE)
        troubles: dict[Place, KeysError] = {}
        absent = None
        if missing := [name for name in names if name not in found]:
            try:
                for name, secret in (await self.keyring.get(missing, prompt=prompt)).items():
                    self._take(found, Found(name, secret, "keyring", self.keyring.title))
            except KeyringAbsent as error:
                absent = error
            except KeysError as error:
                troubles["keyring"] = error
        if missing := [name for name in names if name not in found]:
            try:
                for name, secret in (await self.file.get(missing)).items():
                    self._take(found, Found(name, secret, "file", self.file.title))
            except KeysError as error:
                troubles["file"] = error
        for name in names:
            if name not in found and name in self.session:
                found[name] = Found(name, self.session[name], "session", SESSION)
        return Search({name: found[name] for name in names if name in found}, troubles, absent)

    async def find(self, name: str, *, prompt: bool = False) -> Found | None:
        """A key, from the first place that has it; None where no place does.

        Raises:
            KeysLocked: no place has it, and one that may have it is locked.
            KeysError: no place has it, and one that may have it cannot be read.
        """
        search = await self.search([name], prompt=prompt)
        if name in search.found:
            return search.found[name]
        for error in search.troubles.values():
            raise error
        return None

    async def keep(
        self, name: str, secret: Secret, place: Place | None = None, *, prompt: bool = False
    ) -> Kept:
        """Keep a key: in the keyring, else in the encrypted file, else until this process ends.

        Only where there is no keyring at all is the next place taken unasked, and that is said. A keyring
        that is there and does not work is for the human to mend or to pass by.

        Args:
            name: the key.
            secret: its value.
            place: where to keep it; None for the first that there is.
            prompt: whether the human is here and may be asked to unlock the keyring.

        Raises:
            KeysLocked: the place is locked.
            KeysError: the place cannot be used, or does not give back what it was given.
        """
        note = ""
        if place in (None, "keyring"):
            try:
                if prompt:
                    with contextlib.suppress(KeysLocked):  # one that hangs is not waited for as for a human
                        await self.keyring.get([name])
                await self.keyring.set(name, secret, prompt=prompt)
                return Kept("keyring", self.keyring.title)
            except KeyringAbsent as error:
                if place == "keyring":
                    raise
                note = str(error.message)
        if place in (None, "file"):
            try:
                await self.file.set(name, secret)
                return Kept("file", self.file.title, note)
            except KeysLocked as error:
                if place == "file" or self.file.exists:
                    raise
                note = f"{note}; {error.message}"
        self.session[name] = secret
        return Kept("session", SESSION, note)

    async def remove(self, name: str, *, prompt: bool = False) -> list[str]:
        """Forget a key everywhere but in the environment.

        Args:
            name: the key.
            prompt: whether the human is here and may be asked to unlock the keyring.

        Returns:
            The places that had it, for people.

        Raises:
            KeysError: a place that may have it cannot be used; the others have forgotten it.
        """
        gone = []
        trouble: KeysError | None = None
        if self.session.pop(name, None) is not None:
            gone.append(SESSION)
        try:
            if await self.keyring.remove(name, prompt=prompt):
                gone.append(self.keyring.title)
        except KeyringAbsent:
            pass
        except KeysError as error:
            trouble = error
        if await self.file.remove(name):
            gone.append(self.file.title)
        if trouble is not None:
            raise trouble
        return gone

    @staticmethod
    def _take(found: dict[str, Found], key: Found) -> None:
        if not is_placeholder(key.secret.reveal()):
            found[key.name] = key
