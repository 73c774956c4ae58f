"""The terminal as Textual drives it, with what a terminal that may go away at any time needs."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from typing import TYPE_CHECKING, Any, TextIO

from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message
from textual.messages import TerminalSupportsSynchronizedOutput

from tui.ascii_twins import in_ascii, speaks_unicode

if TYPE_CHECKING:
    from textual.app import App

KEEP_TITLE = "\x1b[22;2t"
GIVE_BACK_TITLE = "\x1b[23;2t"
"""XTWINOPS: the title is put on the terminal's own stack, and taken from it again."""

LAST_ANSWER_SECONDS = 1.0
"""How long leaving waits for an answer of the terminal, which would be typed into the shell otherwise."""


class LastingFile:
    """A terminal's file; once the terminal is gone, writing to it does nothing.

    Textual writes in a thread of its own. Were that thread to end by an error, the next writes would
    wait for it for ever.

    Args:
        file: the terminal.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.gone = False

    def write(self, text: str) -> int:
        """Write, if anybody is there."""
        try:
            if not self.gone:
                self._file.write(text)
        except (OSError, ValueError):
            self._forget()
        return len(text)

    def flush(self) -> None:
        """Flush, if anybody is there."""
        try:
            if not self.gone:
                self._file.flush()
        except (OSError, ValueError):
            self._forget()

    def fileno(self) -> int:
        """The terminal's descriptor."""
        return self._file.fileno()

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return not self.gone and self._file.isatty()

    def _forget(self) -> None:
        """Let what is still buffered go nowhere, so that the interpreter ends without an error."""
        self.gone = True
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._file.fileno())
            os.close(nowhere)


class TerminalDriver(LinuxDriver):
    """Drives a terminal, its window's title included, and notices when it is gone."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        assert self._file is not None  # a console is opened on a terminal
        self._unicode = speaks_unicode(self._file.encoding or "", os.environ)
        self._lasting = LastingFile(self._file)
        self._file = self._lasting  # type: ignore[assignment] # the part of a file that a driver uses
        self._input_gone = False
        self._title = ""
        self._answers = 0
        self._answered = threading.Event()
        self._answered.set()

    @property
    def gone(self) -> bool:
        """Whether the terminal is gone, as happens without a word where SIGHUP is ignored."""
        return self._lasting.gone or self._input_gone or _hung_up(self.fileno)

    def write(self, data: str) -> None:
        """Send to the terminal; in twins where it lacks characters."""
        super().write(data if self._unicode else in_ascii(data))

    def call_window(self, title: str) -> None:
        """Give the terminal's window a title, until the console leaves or is suspended.

        Args:
            title: plain text without control characters.
        """
        if title != self._title:
            self._title = title
            self._write_title()

    def ask(self, query: str) -> None:
        """Send a query whose answer Textual knows as that of synchronised output."""
        self._answered.clear()
        self.write(query)

    def process_message(self, message: Message) -> None:
        """Pass on what the terminal says; this runs in the thread that reads it."""
        if isinstance(message, TerminalSupportsSynchronizedOutput):
            self._answers += 1
            self._answered.set()
        super().process_message(message)

    def start_application_mode(self) -> None:
        """Take the terminal, and its title."""
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self._writer_thread is not None:
            self.write(KEEP_TITLE)
            self._write_title()

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was, its title included."""
        if self._answers and not self.gone:
            self._answered.wait(LAST_ANSWER_SECONDS)
        self.write(GIVE_BACK_TITLE)
        super().stop_application_mode()

    def _write_title(self) -> None:
        if self._title:
            self.write(f"\x1b]2;{self._title}\x07")

    def _run_input_thread(self) -> None:
        """Read keys; a terminal that cannot be read any more is gone, which is no error of ours."""
        try:
            self.run_input_thread()
        except OSError:
            self._input_gone = True


def _hung_up(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(0))
