"""What a terminal does with the bytes it gets: two screens, modes, a title, a bell, and answers."""

from __future__ import annotations

import re

import pyte

SEQUENCE = re.compile(rb"\x1b\[([<=>?])([0-9;]*)(\$p|[a-zA-Z])")
"""A private control sequence: its mark, its numbers and what it asks for."""

UNFINISHED = re.compile(rb"\x1b(?:\[[0-9;<=>?$]*|\][^\x07\x1b]*)?\Z")

OTHER_SCREEN = 1049
SYNCHRONISED_OUTPUT = 2026
AT_REST = frozenset({7, 25})
"""The modes of a terminal that nothing has changed: lines wrap and the cursor is seen."""


class _Screen(pyte.Screen):
    """A screen that counts its bell."""

    bells = 0

    def bell(self, *arguments: object) -> None:
        """Ring."""
        self.bells += 1


class Emulation:
    """A terminal without its cable.

    Args:
        columns: width in characters.
        rows: height in characters.

    Attributes:
        modes: the private modes that are on.
        keyboards: how many keyboard protocols were pushed and not popped.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self._screens = {False: _Screen(columns, rows), True: _Screen(columns, rows)}
        self._streams = {other: pyte.ByteStream(screen) for other, screen in self._screens.items()}
        self._unfinished = b""
        self.modes = set(AT_REST)
        self.keyboards = 0

    @property
    def screen(self) -> pyte.Screen:
        """The screen that is shown."""
        return self._screens[OTHER_SCREEN in self.modes]

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    @property
    def title(self) -> str:
        """The window's title."""
        return str(self._screens[True].title or self._screens[False].title)

    @property
    def bells(self) -> int:
        """How often it rang."""
        return sum(screen.bells for screen in self._screens.values())

    @property
    def at_rest(self) -> bool:
        """Whether it is as it was before any program changed it."""
        return self.modes == AT_REST and not self.keyboards

    def resize(self, columns: int, rows: int) -> None:
        """Take another size."""
        for screen in self._screens.values():
            screen.resize(rows, columns)

    def feed(self, data: bytes) -> bytes:
        """Take in what a program wrote.

        Returns:
            What the terminal answers.
        """
        data = self._unfinished + data
        held = UNFINISHED.search(data)
        self._unfinished = held.group() if held else b""
        data = data.removesuffix(self._unfinished) if held else data
        answers, begin = b"", 0
        for found in SEQUENCE.finditer(data):
            self._draw(data[begin : found.start()])
            begin = found.end()
            answers += self._obey(found.group(), *found.groups())
        self._draw(data[begin:])
        return answers

    def _obey(self, sequence: bytes, mark: bytes, numbers: bytes, asked: bytes) -> bytes:
        """Do what a private sequence asks for; gives the answer."""
        if asked == b"$p":
            known = 2 if int(numbers or b"0") == SYNCHRONISED_OUTPUT else 0
            return b"\x1b[?%b;%d$y" % (numbers, known)
        if asked == b"u":
            self.keyboards += {b">": 1, b"<": -1}.get(mark, 0)
        elif mark == b"?" and asked in (b"h", b"l"):
            self._draw(sequence)
            modes = {int(number) for number in numbers.split(b";") if number}
            if asked == b"h":
                if OTHER_SCREEN in modes - self.modes:
                    self._screens[True].reset()
                self.modes |= modes
            else:
                self.modes -= modes
        return b""

    def _draw(self, data: bytes) -> None:
        if data:
            self._streams[OTHER_SCREEN in self.modes].feed(data)
