"""Following what a script prints: its log file by offset, as lines that a reader can keep up with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tui.safe_text import log_line

CHUNK_BYTES = 1024 * 1024
"""How much is read at once; a tail that may skip never falls further behind."""

MAX_LINE_BYTES = 16 * 1024
"""What of a line that never ends is kept."""


@dataclass
class LogTail:
    """A log that grows.

    Attributes:
        path: the file; it need not be there yet.
        offset: how far it is read, in bytes.
        skips: whether what cannot be kept up with is left out, and counted.
    """

    path: Path
    offset: int = 0
    skips: bool = True
    _rest: bytes = field(default=b"", init=False)

    @property
    def behind(self) -> bool:
        """Whether the file has more than was read."""
        try:
            return self.path.stat().st_size > self.offset
        except FileNotFoundError:
            return False

    def take(self, *, colours: bool = False, ended: bool = False) -> list[str]:
        """The complete lines that came since the last call, safe for a terminal.

        Args:
            colours: let SGR sequences through.
            ended: nothing more will come, so that a last line without newline is complete, too.
        """
        data, skipped = self._read()
        whole, newline, rest = (self._rest + data).rpartition(b"\n")
        # What was redrawn is of no use any more, and a line without an end must not fill the memory.
        self._rest = rest.rpartition(b"\r")[2][-MAX_LINE_BYTES:] if len(rest) > MAX_LINE_BYTES else rest
        lines = whole.split(b"\n") if newline else []
        if ended and self._rest:
            lines.append(self._rest)
            self._rest = b""
        shown = [log_line(line[-MAX_LINE_BYTES:], colours=colours) for line in lines]
        return [f"… {skipped:,} bytes more", *shown] if skipped else shown

    def _read(self) -> tuple[bytes, int]:
        """What is new, and how many bytes before it were skipped."""
        try:
            with self.path.open("rb") as file:
                behind = file.seek(0, 2) - self.offset
                skipped = max(0, behind - CHUNK_BYTES) if self.skips else 0
                file.seek(self.offset + skipped)
                data = file.read(min(behind - skipped, CHUNK_BYTES))
        except FileNotFoundError:
            return b"", 0
        self.offset += skipped + len(data)
        if skipped:
            self._rest = b""
            data = data.partition(b"\n")[2]
        return data, skipped


def thinned(lines: list[str], most: int) -> list[str]:
    """The last lines of many, with the left out ones counted; all of few.

    Args:
        lines: what came at once.
        most: how many may stay.
    """
    if len(lines) <= most:
        return lines
    return [f"… {len(lines) - most:,} lines more", *lines[-most:]]
