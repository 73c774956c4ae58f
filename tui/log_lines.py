"""One line of a log as the screen shows it: its last state, in its colours, cut where it is endless."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property

from rich.ansi import AnsiDecoder
from rich.cells import get_character_cell_size
from rich.text import Text

from tui.log_file import LogFile
from tui.safe_text import log_line
from tui.wording import counted

SHOWN_BYTES = 4 * 1024
"""What is shown of a line that is longer."""

COUNTED_BYTES = 1024 * 1024
"""A line's redrawn states are counted in this much of it."""

FEWEST_FOLDED = 3
"""So many progress lines in a row fold to one."""

VARIATION_SELECTORS = dict.fromkeys(range(0xFE00, 0xFE10))
DOTTED_CIRCLE = "\u25cc"

_BAR = rb"(?:\xe2\x96[\x80-\x9f]|\xe2\x94[\x80-\x83]|\xe2\x95[\xb8-\xbb]|[=#>.\-]){5,}"
_PROGRESS = re.compile(
    rb"\d%\|"  # 42%|████▎     | tqdm
    rb"|\d ?(?:it|[kKMGT]?i?B|steps?|samples?|s)/(?:s|it|step|sample)\b"
    rb"|" + _BAR + rb".*\d(?:%|/\d)|\d(?:%|/\d).*" + _BAR
)
_VARIES = re.compile(rb"\x1b\[[0-9;:]*m|" + _BAR + rb"|\xe2[\x94-\x96][\x80-\xbf]|[\d.,:?<%|=#>\s\-]+")


@dataclass(frozen=True)
class ShownLine:
    """A line, safe for a terminal.

    Attributes:
        text: what the script printed, and a remark of ours behind it.
        length: characters of it that the script printed.
    """

    text: Text
    length: int

    @property
    def printed(self) -> str:
        """What the script printed, without colours."""
        return self.text.plain[: self.length]

    @cached_property
    def columns(self) -> list[int] | range:
        """The column that each character starts in, and the width of all at the end."""
        plain = self.text.plain
        if plain.isascii():
            return range(len(plain) + 1)
        columns, column = [], 0
        for character in plain:
            columns.append(column)
            column += get_character_cell_size(character)
        return [*columns, column]

    def rows(self, width: int) -> list[tuple[int, int]]:
        """The line broken to a width: from which character to before which, at least one row."""
        columns, count = self.columns, len(self.text.plain)
        if columns[-1] <= width:
            return [(0, count)]
        rows, begin = [], 0
        for position in range(1, count + 1):
            if columns[position] - columns[begin] > max(width, 2):
                rows.append((begin, position - 1))
                begin = position - 1
        return [*rows, (begin, count)]


def shown_line(file: LogFile, start: int, end: int, hidden: int = 0) -> ShownLine:
    """One line as it is shown.

    Args:
        file: the log.
        start: where it starts, bytes.
        end: where its newline or the file's end is, bytes.
        hidden: lines before it that it stands for.
    """
    raw = file.read(start, min(end, start + SHOWN_BYTES))
    left_out = end - start - len(raw)
    if left_out:
        tail = file.read(end - SHOWN_BYTES, end)
        if b"\r" in tail.rstrip(b"\r"):
            raw, left_out = tail, 0
    hidden += file.read(start, min(end, start + COUNTED_BYTES)).rstrip(b"\r").count(b"\r")
    text = _decoded(log_line(raw, colours=True))
    length = len(text.plain)
    if left_out > 0:
        text.append(f" … {counted(left_out, 'byte')} more")
    if hidden:
        text.append(f"  ({counted(hidden, 'line')} folded)")
    return ShownLine(text, length)


def _decoded(line: str) -> Text:
    """Text with its colours, of characters about whose width all terminals agree."""
    # Other line separators have become newlines.
    line = settled(line.replace("\n", " "))
    text = AnsiDecoder().decode_line(line) if "\x1b" in line else Text(line)
    if text.plain and not get_character_cell_size(text.plain[0]):
        # It would be drawn over the border beside it.
        return Text(DOTTED_CIRCLE) + text
    return text


def settled(line: str) -> str:
    """Safe text without invisible characters of format and unassigned ones: terminals disagree about them."""
    if line.isascii():
        return line
    line = line.translate(VARIATION_SELECTORS)
    if line.isprintable():
        return line
    kinds = ((character, unicodedata.category(character)) for character in line)
    return "".join("\ufffd" if kind == "Cn" else character for character, kind in kinds if kind != "Cf")


def progress_shape(raw: bytes) -> bytes | None:
    """What stays the same while a progress line is printed again and again; None for other lines."""
    last = raw.rstrip(b"\r").rpartition(b"\r")[2][:SHOWN_BYTES]
    if b"%" not in last and b"/" not in last:  # every progress line has one, and this is far quicker
        return None
    return _VARIES.sub(b" ", last) if _PROGRESS.search(last) else None
