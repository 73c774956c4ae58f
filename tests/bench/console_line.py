"""The line between a person and the console: a pseudo-terminal, and what lies behind it, with a clock.

Nothing is emulated here but a terminal's answers, so that measuring costs little beside what is
measured. A line may be paced: then what the console writes reaches the person, and the terminal's
answers come back, only as fast as a line of that many bytes a second lets them, behind a buffer as
large as those of ssh and the kernel together.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self

BUFFER_BYTES = 256 * 1024
"""What a paced line holds between the console and the terminal."""

QUESTION = re.compile(rb"\x1b\[\?(\d+)\$p")
KNOWN_MODE = b"2026"
STYLES = re.compile(rb"\x1b\[[0-9;<=>?]*[A-Za-z]|\x1b\][^\x07\x1b]*\x07")

MOST_SEEN_BYTES = 100_000

SECONDS = 60.0
"""Longer than anything here takes."""


class TooLate(Exception):
    """What was waited for did not arrive."""


class Line:
    """A program at the other end of a line.

    Args:
        command: the program and its arguments.
        environment: its whole environment.
        columns: width in characters.
        rows: height in characters.
        bytes_per_second: what the line takes; None for as much as comes.

    Attributes:
        arrived: bytes that reached the person.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        columns: int = 160,
        rows: int = 45,
        bytes_per_second: float | None = None,
    ) -> None:
        self.arrived = 0
        self._rate = bytes_per_second
        self._buffer: deque[bytes] = deque()
        self._buffered = 0
        self._due = 0.0
        self._tail = b""
        self.begun = time.monotonic()
        self.pid, self._descriptor = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], list(command), dict(environment))  # the child: becomes the program
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._descriptor)

    def press(self, keys: str) -> None:
        """Type keys."""
        os.write(self._descriptor, keys.encode())

    def until(self, pattern: re.Pattern[bytes], seconds: float = SECONDS) -> float:
        """Wait until the person has got what fits a pattern, styles aside, and say when, monotonic seconds.

        Raises:
            TooLate: it did not arrive.
        """
        deadline = time.monotonic() + seconds
        seen = bytearray()
        while (left := deadline - time.monotonic()) > 0:
            seen += self._hear(left)
            if pattern.search(STYLES.sub(b"", seen)):
                return time.monotonic()
            del seen[:-MOST_SEEN_BYTES]
        last = STYLES.sub(b" ", seen).decode(errors="replace")
        raise TooLate(f"{pattern.pattern!r} did not arrive; the last was …{' '.join(last.split())[-300:]}")

    def listen(self, seconds: float) -> int:
        """Listen for a while; how many bytes arrived."""
        before, deadline = self.arrived, time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._hear(left)
        return self.arrived - before

    @contextlib.contextmanager
    def read(self) -> Iterator[None]:
        """Let somebody read all the while: a program whose terminal nobody reads stands still."""
        over = threading.Event()

        def read() -> None:
            while not over.is_set():
                self._hear(0.05)

        # A thread, because another line is waited for meanwhile.
        reader = threading.Thread(target=read)
        reader.start()
        try:
            yield
        finally:
            over.set()
            reader.join()

    def press_and_wait(self, keys: str, pattern: re.Pattern[bytes], seconds: float = 10.0) -> float:
        """Press keys; seconds until their effect has arrived.

        Raises:
            TooLate: it did not arrive.
        """
        self._hear(0)
        begin = time.monotonic()
        self.press(keys)
        return self.until(pattern, seconds) - begin

    def _hear(self, seconds: float) -> bytes:
        """What reaches the person next; nothing where that takes longer."""
        if self._rate is None:
            heard = self._take_in(seconds)
        else:
            heard = self._hear_paced(self._rate, time.monotonic() + seconds)
        self.arrived += len(heard)
        if heard:
            self._answer(heard)
        return heard

    def _hear_paced(self, rate: float, deadline: float) -> bytes:
        """What a slow line delivers next: 20 ms' worth at most, each byte when the line has carried it."""
        while True:
            now = time.monotonic()
            if self._buffer and now >= self._due:
                piece = self._buffer.popleft()
                self._buffered -= len(piece)
                if self._buffer:
                    self._due = max(self._due, now - 0.02) + len(self._buffer[0]) / rate
                return piece
            wake = min(deadline, self._due) if self._buffer else deadline
            if now >= deadline:
                return b""
            if self._buffered >= BUFFER_BYTES:  # the line takes no more; the console has to wait
                time.sleep(max(0.0, wake - now))
                continue
            if data := self._take_in(max(0.0, wake - now)):
                if not self._buffer:
                    self._due = time.monotonic() + min(len(data), rate * 0.02) / rate
                size = int(rate * 0.02)
                self._buffer += [data[place : place + size] for place in range(0, len(data), size)]
                self._buffered += len(data)

    def _take_in(self, seconds: float) -> bytes:
        """What the program writes next."""
        if not select.select([self._descriptor], [], [], max(0.0, seconds))[0]:
            return b""
        try:
            return os.read(self._descriptor, 1 << 16)
        except OSError:  # how Linux says that the other end was closed
            time.sleep(min(seconds, 0.05))
            return b""

    def _answer(self, heard: bytes) -> None:
        """Answer as a terminal does that knows synchronised output."""
        text = self._tail + heard
        end = 0
        for found in QUESTION.finditer(text):
            end = found.end()
            known = 2 if found[1] == KNOWN_MODE else 0
            with contextlib.suppress(OSError):
                os.write(self._descriptor, b"\x1b[?%b;%d$y" % (found[1], known))
        self._tail = text[max(end, len(text) - 12) :]
