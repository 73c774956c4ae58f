"""Plain output: colours only where they are wanted, other characters only where they can be shown."""

from __future__ import annotations

import os
import select
import shutil
import sys
from dataclasses import dataclass
from typing import NamedTuple, TextIO

import click

ASCII = str.maketrans(
    {
        "○": "o", "◆": "?", "◔": "-", "●": "*", "✓": "+", "✗": "x", "≈": "~", "⊘": "/", "■": "#", "‖": "=",
        "–": "-", "—": "-", "−": "-", "…": "...", "·": "-", "≤": "<=", "≥": ">=", "±": "+/-", "→": "->",
        "∞": "inf", "×": "x", "│": "|", "“": '"', "”": '"', "‘": "'", "’": "'", "\u00a0": " ", "α": "alpha",
    }
)  # fmt: skip
"""Twins for terminals that lack the character."""

TERMINAL_COLUMNS = 80
"""What a terminal has that does not say."""

FILE_COLUMNS = 150
"""What there is room for where no terminal is."""


class NobodyReads(Exception):
    """Whoever read the output has gone, as ``head`` does. Not an ``OSError``: click has a code for those."""


class Mark(NamedTuple):
    """A state for people.

    Attributes:
        glyph: one character; ``ASCII`` has its twin.
        word: one or two words.
        colour: a name that click knows; empty for none.
    """

    glyph: str
    word: str
    colour: str = ""


@dataclass
class Screen:
    """Where lines for people go.

    Attributes:
        stream: the stream.
        colours: whether colours are shown.
        unicode: whether the encoding has more than ASCII.
        columns: the width that tables are fitted to.
        terminal: whether it is one; in a file and in a pipe, lines stay as long as they are.
    """

    stream: TextIO
    colours: bool
    unicode: bool
    columns: int = FILE_COLUMNS
    terminal: bool = False

    @classmethod
    def of(cls, stream: TextIO | None = None) -> Screen:
        """The screen for a stream; None for stdout as it is now."""
        stream = sys.stdout if stream is None else stream
        terminal = is_terminal(stream)
        encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "").replace("_", "")
        return cls(
            stream=stream,
            colours=terminal and wants_colours(),
            unicode=encoding.startswith("utf"),
            columns=shutil.get_terminal_size((TERMINAL_COLUMNS, 24)).columns if terminal else FILE_COLUMNS,
            terminal=terminal,
        )

    def line(self, text: str = "") -> None:
        """Print one line, or several where the text has newlines, at once.

        Raises:
            NobodyReads: whoever read the output has gone.
        """
        if not self.unicode:
            text = text.translate(ASCII).encode("ascii", errors="replace").decode()
        try:
            self.stream.write(f"{text}\n")
            self.stream.flush()
        except BrokenPipeError:
            raise NobodyReads from None

    def words(self, text: str) -> None:
        """Print a line of words, broken between them where the terminal is too narrow for it.

        Raises:
            NobodyReads: whoever read the output has gone.
        """
        if self.terminal and 2 * len(text) > self.columns:  # no character takes more than two cells
            from tui.word_wrap import wrapped

            text = "\n".join(part for line in text.split("\n") for part in wrapped(line, self.columns))
        self.line(text)

    def must_be_read(self) -> None:
        """Refuse to go on for nobody, also while there is nothing to print.

        Raises:
            NobodyReads: the stream is a pipe, and whoever read it has gone.
        """
        try:
            poll = select.poll()
            poll.register(self.stream.fileno(), 0)
        except (AttributeError, OSError, ValueError):
            return  # not a file of the system's, so not a pipe either
        if poll.poll(0):
            raise NobodyReads

    def paint(self, text: str, colour: str = "", *, bold: bool = False, dim: bool = False) -> str:
        """Text in a colour, where colours are shown."""
        if not self.colours or not (colour or bold or dim):
            return text
        return click.style(text, fg=colour or None, bold=bold or None, dim=dim or None)

    def mark(self, mark: Mark, width: int = 0) -> str:
        """A state's glyph and word, padded to a width in characters."""
        return self.paint(f"{mark.glyph} {mark.word}".ljust(width), mark.colour)


def is_terminal(stream: TextIO) -> bool:
    """Whether a stream is a terminal; a closed one is not."""
    try:
        return stream.isatty()
    except (AttributeError, ValueError):
        return False


def wants_colours() -> bool:
    """Whether the user lets us use colours, by https://no-color.org and by ``TERM``."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM", "") != "dumb"
