"""A terminal that a test plays the human at: a real pseudo-terminal and an emulated screen."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

import pyte

SECONDS = 30.0
"""How long the screen may take to show what a test waits for."""


class NotShown(AssertionError):
    """The screen did not show what was waited for; the message holds the screen."""


class Terminal:
    """A program in a terminal of its own.

    Args:
        command: the program and its arguments.
        environment: its whole environment.
        columns: width in characters.
        rows: height in characters.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], columns: int = 100, rows: int = 30
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.received = 0
        self.exit_code: int | None = None
        self.pid, self._descriptor = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], list(command), dict(environment))  # the child: becomes the program
        self._resize(columns, rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.exit_code is None:
            self.signal(signal.SIGKILL)
            self.ended()
        os.close(self._descriptor)

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def press(self, keys: str) -> None:
        """Type keys, as the terminal sends them."""
        os.write(self._descriptor, keys.encode())

    def until(self, shown: str | Callable[[str], bool], seconds: float = SECONDS) -> str:
        """Wait until the screen shows a text, or fits a condition, and give the whole screen.

        Raises:
            NotShown: it did not, in time or before the program ended.
        """
        fits = (lambda text: shown in text) if isinstance(shown, str) else shown
        deadline = time.monotonic() + seconds
        while not fits(self.text):
            if not self._read(deadline - time.monotonic()):
                wanted = shown if isinstance(shown, str) else "what was waited for"
                raise NotShown(f"{wanted!r} was not shown:\n{self.text}")
        return self.text

    def ended(self, seconds: float = SECONDS) -> int:
        """Wait until the program has ended, and give its exit code, negative for a signal.

        Raises:
            NotShown: it did not end in time.
        """
        deadline = time.monotonic() + seconds
        while self.exit_code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.exit_code = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > deadline:
                raise NotShown(f"the program did not end:\n{self.text}")
            else:
                self._read(0.05)
        return self.exit_code

    def signal(self, number: signal.Signals) -> None:
        """Send the program a signal."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size."""
        self.screen.resize(rows, columns)
        self._resize(columns, rows)

    def modes(self) -> list[object]:
        """The line discipline's settings, to see whether a program left them as they were."""
        return list(termios.tcgetattr(self._descriptor))

    def _resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _read(self, seconds: float) -> bool:
        """Take in what the program writes next; False where it wrote nothing in time or has ended."""
        if seconds <= 0 or not select.select([self._descriptor], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._descriptor, 1 << 16)
        except OSError:  # how Linux says that the other end was closed
            return False
        self.received += len(data)
        self._stream.feed(data)
        return bool(data)
