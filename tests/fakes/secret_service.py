"""A real Secret Service without a desktop: gnome-keyring on a D-Bus of its own, in a throw-away folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

DEADLINE_SECONDS = 20.0
PROGRAMS = ("dbus-daemon", "gnome-keyring-daemon")

ASK = """
import sys
from contextlib import closing
import secretstorage
with closing(secretstorage.dbus_init()) as connection:
    collection = secretstorage.collection.Collection(connection, "/org/freedesktop/secrets/aliases/default")
    if sys.argv[1] == "lock":
        collection.lock()
    print("locked" if collection.is_locked() else "open")
"""


def missing_programs() -> list[str]:
    """What has to be installed before a Secret Service can be had here."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


class SecretService:
    """A Secret Service with an unlocked collection.

    Args:
        folder: an empty one for its files, with a short path: a socket's name has little room.
        python: the interpreter to ask it with.

    Attributes:
        environment: what a process needs to find it.
    """

    def __init__(self, folder: Path, python: str) -> None:
        self._python = python
        base = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(folder)}
        base |= {"XDG_RUNTIME_DIR": str(folder), "XDG_DATA_HOME": str(folder / "data")}
        (folder / "data").mkdir(mode=0o700)
        address = f"unix:path={folder}/session"
        self.environment = base | {"DBUS_SESSION_BUS_ADDRESS": address}
        self._bus = self._start("dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={address}")
        self._wait((folder / "session").is_socket, "the bus")
        self._daemon = self._start("gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets")
        assert self._daemon.stdin is not None
        with self._daemon.stdin as password:
            password.write(b"a password")
        self._wait(lambda: self._ask("state") == "open", "the unlocked collection")

    def lock(self) -> None:
        """Lock the collection."""
        assert self._ask("lock") == "locked"

    def hang(self) -> None:
        """Let it answer nothing any more."""
        self._daemon.send_signal(signal.SIGSTOP)

    def go(self) -> None:
        """Let it answer again."""
        self._daemon.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End it."""
        for process in (self._daemon, self._bus):
            process.kill()
            process.wait()

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE if command[0] == "gnome-keyring-daemon" else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self.environment,
        )

    def _ask(self, what: str) -> str:
        said = subprocess.run(
            [self._python, "-c", ASK, what],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        return said.stdout.strip()

    @staticmethod
    def _wait(ready: object, what: str) -> None:
        assert callable(ready)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not ready():
            assert time.monotonic() < deadline, f"{what} did not come up"
            time.sleep(0.05)


def with_bus(environment: Mapping[str, str], address: str) -> dict[str, str]:
    """An environment that names another bus."""
    return {**environment, "DBUS_SESSION_BUS_ADDRESS": address}
