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
from typing import Self, TypeAlias

from tests.fakes.emulation import Emulation

SECONDS = 30.0
"""How long the screen may take to show what a test waits for."""

CUT_SECONDS = 0.3
"""Longer than any program waits for the rest of an escape sequence, in seconds."""

Shown: TypeAlias = str | Callable[[str], bool]
"""What a test waits for: a text, or a condition that the screen's text fits."""


class NotShown(AssertionError):
    """The screen did not show what was waited for; the message holds the screen."""


class Terminal:
    """A program in a terminal of its own.

    Args:
        command: the program and its arguments.
        environment: its whole environment.
        columns: width in characters.
        rows: height in characters.

    Attributes:
        emulation: what the terminal shows, and its modes.
        received: bytes that the program wrote.
        exit_code: how the program ended, negative for a signal; None while it runs.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], columns: int = 100, rows: int = 30
    ) -> None:
        self.emulation = Emulation(columns, rows)
        self.received = 0
        self.exit_code: int | None = None
        self._descriptor: int | None = None
        self.pid, self._descriptor = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], list(command), dict(environment))  # the child: becomes the program
        self._set_size(columns, rows)
        self.lines_at_first = self.line_modes()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.exit_code is None:
            self.signal(signal.SIGKILL)
            self.ended()
        self.hang_up()

    @property
    def text(self) -> str:
        """What is on the screen."""
        return self.emulation.text

    def press(self, keys: str) -> None:
        """Type keys, as the terminal sends them."""
        os.write(self._open(), keys.encode())

    def press_apart(self, first: str, rest: str) -> None:
        """Type what belongs together, with a bad line in between."""
        self.press(first)
        self.look_on(CUT_SECONDS)
        self.press(rest)

    def until(self, shown: Shown, seconds: float = SECONDS) -> str:
        """Wait until the screen shows a text, or fits a condition, and give the whole screen.

        Raises:
            NotShown: it did not, in time or before the program ended.
        """
        fits = (lambda text: shown in text) if isinstance(shown, str) else shown
        deadline = time.monotonic() + seconds
        while not fits(self.text):
            if not self._read(deadline - time.monotonic()):
                wanted = repr(shown) if isinstance(shown, str) else "what was waited for"
                raise NotShown(f"{wanted} was not shown:\n{self.text}")
        return self.text

    def look_on(self, seconds: float) -> str:
        """Let the program paint for a while, and give the whole screen."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not self._read(left):  # it may have ended
                time.sleep(min(left, 0.01))
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
        while self._read(0.05):  # what it said last
            pass
        return self.exit_code

    def signal(self, number: signal.Signals) -> None:
        """Send the program a signal."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def hang_up(self) -> None:
        """Close the terminal, as a lost line does: the program gets SIGHUP and nobody reads it any more."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size."""
        self.emulation.resize(columns, rows)
        self._set_size(columns, rows)

    def line_modes(self) -> list[object]:
        """The line discipline's settings: whether keys are echoed, sent by lines, and so on."""
        return list(termios.tcgetattr(self._open()))

    @property
    def given_back(self) -> bool:
        """Whether a program has left the terminal as it found it."""
        return self.emulation.at_rest and self.line_modes() == self.lines_at_first

    def _open(self) -> int:
        assert self._descriptor is not None, "this terminal has hung up"
        return self._descriptor

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._open(), termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _read(self, seconds: float) -> bool:
        """Take in what the program writes next; False where it wrote nothing in time or has ended."""
        if self._descriptor is None:
            time.sleep(max(0.0, seconds))
            return False
        if seconds <= 0 or not select.select([self._descriptor], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._descriptor, 1 << 16)
            self.received += len(data)
            if answers := self.emulation.feed(data):
                os.write(self._descriptor, answers)
        except OSError:  # how Linux says that the other end was closed
            return False
        return bool(data)
