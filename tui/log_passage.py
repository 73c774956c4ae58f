"""The lines of a log around one result that a script recorded."""

from __future__ import annotations

import math
import mmap
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui.safe_text import log_line

AROUND_LINES = 4
MOST_LINE_BYTES = 2000
CHUNK_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Passage:
    """Some lines of a log.

    Attributes:
        first: number of the first line, from 1.
        found: number of the line that was looked for.
        lines: the lines, safe for a terminal.
    """

    first: int
    found: int
    lines: tuple[str, ...]


def passage_of_result(
    path: Path, name: str, value: float | str, levels: Mapping[str, Any], around: int = AROUND_LINES
) -> Passage | None:
    """The lines around the one that ``lab.result`` printed; None where there is none.

    Args:
        path: the log.
        name: the metric.
        value: as it was recorded; NaN and infinities may be text.
        levels: factors and levels that were in force, the seed among them.
        around: how many lines before and after.
    """
    pattern = re.compile(
        rb"^lab\.result "
        + re.escape(f"{name}={_as_printed(value)}".encode(errors="replace"))
        + rb"(?= |$).*",
        re.M,
    )
    wanted = [f"{factor}={level}".encode(errors="replace") for factor, level in levels.items()]
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as log:
            for match in pattern.finditer(log):
                if all(level in match[0] for level in wanted):
                    return _passage(log, match.start(), around)
    except (OSError, ValueError):  # it is not there, or empty
        return None
    return None


def _as_printed(value: float | str) -> str:
    """A value as ``lab.result`` prints it."""
    number = float(value) if isinstance(value, str) else value
    return f"{number:.6g}" if math.isfinite(number) else str(number)


def _passage(log: mmap.mmap, place: int, around: int) -> Passage:
    begin = place
    for _ in range(around):
        before = log.rfind(b"\n", 0, max(0, begin - 1))
        begin = before + 1
        if begin == 0:
            break
    lines, here = [], begin
    for _ in range(log[begin:place].count(b"\n") + 1 + around):
        end = log.find(b"\n", here)
        end = len(log) if end < 0 else end
        if here >= len(log):
            break
        lines.append(log_line(log[here : min(end, here + MOST_LINE_BYTES)]))
        here = end + 1
    first = 1 + _newlines(log, begin)
    return Passage(first, first + log[begin:place].count(b"\n"), tuple(lines))


def _newlines(log: mmap.mmap, end: int) -> int:
    return sum(log[at : min(end, at + CHUNK_BYTES)].count(b"\n") for at in range(0, end, CHUNK_BYTES))
