"""Finding lines in a log of any size: what matches is counted block by block, a little at a time."""

from __future__ import annotations

import asyncio
import re
import time
from array import array
from dataclasses import dataclass

from tui.log_file import BLOCK_BYTES, LogFile
from tui.safe_text import log_line

SEARCHED_LINE_BYTES = 16 * 1024
"""What is searched of a line that goes on beyond its block."""

SLICE_SECONDS = 0.004
REST_SECONDS = 0.003
"""Work on a log is done in slices with rests between them, so that keys are answered meanwhile."""

UNKNOWN, NONE, SOME = 0, 1, 2

_INVISIBLE = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]?|[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[ -/]*[0-~]?)"
    rb"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
)
_REDRAWN_OR_COLOURED = re.compile(rb"[\x1b\r\x00]")


@dataclass(frozen=True)
class LinePattern:
    """What makes a line match.

    Attributes:
        raw: the pattern for bytes as they are in the file.
        shown: the same for the text on the screen.
        literals: a line without any of these cannot match; one alone is all of the pattern. They are
            looked for first because that is many times faster. Empty where nothing is known.
        lower: whether literals are looked for in lower-cased bytes.
    """

    raw: re.Pattern[bytes]
    shown: re.Pattern[str]
    literals: tuple[bytes, ...] = ()
    lower: bool = False

    @classmethod
    def of(cls, text: str) -> LinePattern:
        """The pattern for a text as typed; capitals count only where there is one in it."""
        flags = re.IGNORECASE if text == text.lower() else re.NOFLAG
        literal = text.encode("utf-8", errors="replace")
        if flags and not text.isascii():
            # Bytes know the case of ASCII letters only.
            raw = b"".join(_either_case(character) for character in text)
            return cls(re.compile(raw, flags), re.compile(re.escape(text), flags))
        shown = re.compile(re.escape(text), flags)
        return cls(re.compile(re.escape(literal), flags), shown, (literal,), lower=bool(flags))

    def line_starts(self, data: bytes) -> list[int]:
        """Where the lines that match start in bytes that begin and end with whole lines."""
        # Looking for a few bytes one after the other is many times faster than a pattern for all.
        coloured = any(byte in data for byte in (b"\x1b", b"\r", b"\x00"))
        seen = _INVISIBLE.sub(b"", data) if coloured else data
        seen = seen.lower() if self.lower else seen
        if self.literals and not any(literal in seen for literal in self.literals):
            return []
        if coloured:
            return self._tested(data)
        return self._found(data) if len(self.literals) != 1 else _lines_with(seen, self.literals[0])

    def _found(self, data: bytes) -> list[int]:
        starts: list[int] = []
        position = 0
        while match := self.raw.search(data, position):
            starts.append(data.rfind(b"\n", 0, match.start()) + 1)
            position = data.find(b"\n", match.start()) + 1
            if not position:
                break
        return starts

    def _tested(self, data: bytes) -> list[int]:
        """Lines one by one, as they are shown: what was redrawn or lies in an escape does not count."""
        starts: list[int] = []
        position = 0
        for line in data.split(b"\n"):
            if _REDRAWN_OR_COLOURED.search(line):
                matches = self.shown.search(log_line(line[-SEARCHED_LINE_BYTES:])) is not None
            else:
                matches = self.raw.search(line) is not None
            if matches:
                starts.append(position)
            position += len(line) + 1
        return starts


def _lines_with(data: bytes, literal: bytes) -> list[int]:
    starts: list[int] = []
    place = data.find(literal)
    while place >= 0:
        starts.append(data.rfind(b"\n", 0, place) + 1)
        end = data.find(b"\n", place)
        place = data.find(literal, end) if end >= 0 else -1
    return starts


def _either_case(character: str) -> bytes:
    forms = {character.lower().encode(errors="replace"), character.upper().encode(errors="replace")}
    return b"(?:" + b"|".join(re.escape(form) for form in sorted(forms)) + b")"


_ERROR = (
    r"Traceback \(most recent call last\)|^[ \t]*[\w.]*(?:Error|Exception|Interrupt)\b"
    r"|\b(?:ERROR|CRITICAL|FATAL)\b"
    r"|\bexit(?:ed with)? (?:code|status) [1-9]|\bKilled\b|[Ss]egmentation fault|[Oo]ut of memory"
)

_ERROR_WORDS = (
    b"Traceback", b"Error", b"Exception", b"Interrupt", b"ERROR", b"CRITICAL", b"FATAL",
    b"exit", b"Killed", b"egmentation fault", b"ut of memory",
)  # fmt: skip

ERRORS = LinePattern(
    re.compile(_ERROR.encode(), re.MULTILINE), re.compile(_ERROR, re.MULTILINE), _ERROR_WORDS
)
"""Lines that say that something went wrong."""


class LogMatches:
    """The lines of a log that match a pattern: how many, and where the next one is.

    Only counts are kept, five bytes a block. The scan begins at the block where the reader is, goes
    on to the end, and then back from there to the beginning.

    Args:
        file: the log.
        pattern: what makes a line match.
        origin: where the reader is, bytes.
        within: only lines that match this, too, count; None for all.
    """

    def __init__(
        self, file: LogFile, pattern: LinePattern, origin: int = 0, within: LogMatches | None = None
    ) -> None:
        self.file = file
        self._within = within
        self.pattern = pattern
        self._origin = max(0, origin) // BLOCK_BYTES
        self._forget()

    def _forget(self) -> None:
        self._generation = self.file.generation
        self._flags = bytearray()
        self._counts = array("I")
        self._size = 0
        self.count = 0

    @property
    def done(self) -> bool:
        """Whether every block was looked at."""
        self._notice_growth()
        return UNKNOWN not in self._flags

    def extend(self, seconds: float) -> bool:
        """Look on for a while; whether every block was looked at."""
        deadline = time.monotonic() + seconds
        while not self.done:
            block = self._flags.find(UNKNOWN, self._origin)
            self.in_block(block if block >= 0 else self._flags.rfind(UNKNOWN))
            if time.monotonic() >= deadline:
                break
        return self.done

    def known(self, block: int) -> bool:
        """Whether a block was looked at as it is now."""
        self._notice_growth()
        return self._flags[block] != UNKNOWN

    def in_block(self, block: int) -> list[int]:
        """Where the matching lines of a block start, bytes from the file's first."""
        self._notice_growth()
        if self._flags[block] == NONE:
            return []
        starts = self._scan(block)
        if self._flags[block] == UNKNOWN:
            self._flags[block] = SOME if starts else NONE
            self._counts[block] = len(starts)
            self.count += len(starts)
        return starts

    def _scan(self, block: int) -> list[int]:
        begin, end = block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES
        before = max(0, begin - 1)
        data = self.file.read(before, end + SEARCHED_LINE_BYTES)
        first = data.find(b"\n") + 1 if begin else 0
        if (begin and not first) or before + first >= end:
            return []
        last = data.find(b"\n", end - 1 - before)
        body = data[first : last if last >= 0 else None]
        starts = [before + first + start for start in self.pattern.line_starts(body)]
        if starts and self._within is not None:
            both = set(self._within.in_block(block))
            starts = [start for start in starts if start in both]
        return starts

    def next_block(self, block: int, step: int) -> int | None:
        """The nearest block from ``block`` on that has matches or was not looked at; None if there is none.

        Args:
            block: where to begin; it counts, too.
            step: 1 towards the end, -1 towards the beginning.
        """
        self._notice_growth()
        if not 0 <= block < len(self._flags):
            return None
        if step > 0:
            found = [place for flag in (UNKNOWN, SOME) if (place := self._flags.find(flag, block)) >= 0]
            return min(found, default=None)
        found = [place for flag in (UNKNOWN, SOME) if (place := self._flags.rfind(flag, 0, block + 1)) >= 0]
        return max(found, default=None)

    async def nearest(self, offset: int, step: int) -> int | None:
        """The nearest matching line behind (``step`` 1) or before (-1) a place; None where there is none.

        Other tasks have their turn while it looks, and it can be cancelled.

        Args:
            offset: the place, bytes; a line that starts there does not count.
            step: the direction.
        """
        deadline = time.monotonic() + SLICE_SECONDS
        block: int | None = min(max(0, offset) // BLOCK_BYTES, self.file.blocks - 1)
        while block is not None and (block := self.next_block(block, step)) is not None:
            starts = self.in_block(block)
            found = [start for start in starts if (start > offset if step > 0 else start < offset)]
            if found:
                return found[0 if step > 0 else -1]
            block += step
            if time.monotonic() >= deadline:
                await asyncio.sleep(REST_SECONDS)
                deadline = time.monotonic() + SLICE_SECONDS
        return None

    def place(self, start: int) -> int | None:
        """The how-manieth match a line is, from 1; None where that is not known yet."""
        block = start // BLOCK_BYTES
        if not self.done or block >= len(self._flags):
            return None
        starts = self.in_block(block)
        return sum(self._counts[:block]) + starts.index(start) + 1 if start in starts else None

    def _notice_growth(self) -> None:
        """Make room for what came, and forget what was known of blocks that it has changed."""
        if self._generation != self.file.generation:
            self._forget()
        if self._size == self.file.size:
            return
        known = len(self._flags)
        more = self.file.blocks - known
        self._flags.extend(bytes(more))
        self._counts.extend([0] * more)
        # Lines that go on into what came start in the last blocks that were known.
        for block in range(max(0, self._size - SEARCHED_LINE_BYTES - 1) // BLOCK_BYTES, known):
            self.count -= self._counts[block]
            self._counts[block], self._flags[block] = 0, UNKNOWN
        self._size = self.file.size
