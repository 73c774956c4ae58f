"""The system's keyring, asked through a process that can be killed."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.ending import end
from core.errors import KeysError, KeysLocked
from core.keys.secret import Secret

READ_SECONDS = 3.0
"""How long a keyring may take to read; it answers in a quarter of a second, or never."""

PROMPT_SECONDS = 60.0
"""How long the human may take to unlock a keyring that asks them."""

SERVICE = "fumehood"
"""What keys are filed under."""

BACKENDS = {
    "linux": ("keyring.backends.SecretService.Keyring", "Secret Service"),
    "darwin": ("keyring.backends.macOS.Keyring", "macOS Keychain"),
}
"""The one backend per system that is ever used. Plain-text ones are installed by other packages."""

PASSED_ON = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "LANG", "TMPDIR", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"}
    | {"XDG_DATA_HOME", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY"}
)
"""What the process gets of our environment: the way to the keyring and to the screen it asks on."""


class KeyringAbsent(KeysError):
    """There is no keyring here, so it holds nothing."""


class Keyring:
    """The system's keyring.

    Args:
        backend: the class to use; None for the one of this system.
        environment: where the way to the keyring is found.
        read_seconds: how long it may take while nobody is asked, in seconds.
        prompt_seconds: how long it may take where the human may be asked, in seconds.
    """

    def __init__(
        self,
        backend: str | None = None,
        environment: Mapping[str, str] = os.environ,
        *,
        read_seconds: float = READ_SECONDS,
        prompt_seconds: float = PROMPT_SECONDS,
    ) -> None:
        known, self.title = BACKENDS.get(sys.platform, ("", "keyring"))
        self._backend = backend or known
        self._environment = environment
        self._read_seconds = read_seconds
        self._prompt_seconds = prompt_seconds

    async def get(self, names: Sequence[str], *, prompt: bool = False) -> dict[str, Secret]:
        """The keys of these names that it holds.

        Args:
            names: the keys to look for.
            prompt: whether the human is here and may be asked to unlock it.

        Raises:
            KeyringAbsent: there is none.
            KeysLocked: it is locked.
            KeysError: it does not answer, or cannot be used for another reason.
        """
        found = await self._ask({"action": "get", "names": list(names)}, prompt=prompt)
        return {name: Secret(value) for name, value in found.items()}

    async def set(self, name: str, secret: Secret, *, prompt: bool = False) -> None:
        """Keep a key, and read it back.

        Raises:
            KeyringAbsent: there is none.
            KeysLocked: it is locked.
            KeysError: it did not keep the key, does not answer, or cannot be used for another reason.
        """
        await self._ask({"action": "set", "names": [name], "values": {name: secret.reveal()}}, prompt=prompt)

    async def remove(self, name: str, *, prompt: bool = False) -> bool:
        """Forget a key; gives whether it was there.

        Raises:
            KeyringAbsent: there is none.
            KeysLocked: it is locked.
            KeysError: it still has the key, does not answer, or cannot be used for another reason.
        """
        return name in await self._ask({"action": "remove", "names": [name]}, prompt=prompt)

    async def _ask(self, request: dict[str, Any], *, prompt: bool) -> dict[str, str]:
        if not self._backend:
            raise KeyringAbsent(f"fumehood knows no keyring on {sys.platform}", KEEP_IN_FILE)
        request |= {"backend": self._backend, "service": SERVICE, "prompt": prompt}
        seconds = self._prompt_seconds if prompt else self._read_seconds
        said = await self._run(json.dumps(request).encode(), seconds)
        try:
            answered: dict[str, Any] = json.loads(said)
        except ValueError:
            answered = {"trouble": "failed", "reason": "it gave no answer"}
        if "values" in answered:
            values: dict[str, str] = answered["values"]
            return values
        raise _error(self.title, answered["trouble"], answered["reason"], self._environment)

    async def _run(self, request: bytes, seconds: float) -> bytes:
        # A session of its own, so that whatever a backend starts ends with it.
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "core.keys.keyring_process"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_environment_of(self._environment),
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(seconds):
                said, _ = await process.communicate(request)
        except TimeoutError:
            raise KeysError(
                f"the {self.title} does not answer within {seconds:.0f} s: it hangs, or waits for someone at"
                " another screen",
                "Unlock or restart it there and try again, or keep the key elsewhere: 'fumehood keys set NAME"
                " --place file'.",
            ) from None
        finally:
            await end(process, group=True)
        return said


KEEP_IN_FILE = "Keys are kept in the encrypted file here."


def _environment_of(environment: Mapping[str, str]) -> dict[str, str]:
    passed = {
        name: value for name, value in environment.items() if name in PASSED_ON or name.startswith("LC_")
    }
    # A terminal that was opened before the last login, as in tmux, may name a bus that is gone.
    named = passed.get("DBUS_SESSION_BUS_ADDRESS", "")
    gone = named.startswith("unix:path=") and not Path(named[len("unix:path=") :].partition(",")[0]).exists()
    usual = Path(passed.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}") / "bus"
    if (gone or not named) and usual.is_socket():
        passed["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={usual}"
    return passed


def _error(title: str, trouble: str, reason: str, environment: Mapping[str, str]) -> KeysError:
    """What to raise for what a keyring's process said."""
    over_ssh = bool(environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"))
    why = f": {reason}" if reason else ""
    if title == BACKENDS["darwin"][1] and over_ssh and trouble in ("locked", "failed"):
        return KeysLocked(
            f"the {title} is locked for logins over SSH", "Run 'security unlock-keychain' and try again."
        )
    if trouble == "locked":
        return KeysLocked(
            f"the {title} is locked{why}",
            "Unlock it, for example by logging in at the machine's own screen, and try again.",
        )
    if trouble == "absent":
        return KeyringAbsent(f"there is no {title} here{why}", KEEP_IN_FILE)
    if trouble == "lying":
        return KeysError(
            f"the {title} said it kept the key, and gives back something else",
            "Keep the key elsewhere: 'fumehood keys set NAME --place file'.",
        )
    return KeysError(
        f"the {title} cannot be used{why}",
        "Mend it and try again, or keep the key elsewhere: 'fumehood keys set NAME --place file'.",
    )
