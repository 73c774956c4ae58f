"""Breaking lines of plain output at words, so that a narrow terminal does not break them anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len

LEAST_COLUMNS = 20
"""A narrower terminal breaks lines itself."""

BELOW_TIME = 18
"""How far what goes on below a line is indented that begins with the time of day."""

ROOM_COLUMNS = 40
"""What has to be left of a line behind its indentation; else what goes on is hardly indented."""

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_COMMAND = re.compile(r"\s*(?:fumehood|less|tail) ")
_TIME = re.compile(r"\d\d:\d\d:\d\d ")
_INDENTED = re.compile(r" *(?:- )?")
_WORD = re.compile(r" *(?:'fumehood [^']*'\S*|\S+)")
"""A word with the spaces before it; a quoted command is one, because it is there to be copied."""


def wrapped(line: str, columns: int) -> Iterator[str]:
    """A line as the lines it takes.

    A command on a line of its own stays whole, as does one in quotes and every word: they are there to be
    copied.

    Args:
        line: without a newline; colours are allowed.
        columns: the width of the terminal, in cells.
    """
    plain = _COLOURS.sub("", line)
    if columns < LEAST_COLUMNS or cell_len(plain) <= columns or _COMMAND.match(plain):
        yield line
        return
    begins = _INDENTED.match(plain)
    indent = BELOW_TIME if _TIME.match(plain) else begins.end() if begins else 0
    indent = indent if columns - indent >= ROOM_COLUMNS else min(indent, 2)
    shown = ""
    for word in _WORD.findall(line):
        if shown.strip() and cell_len(_COLOURS.sub("", shown + word)) > columns:
            yield shown
            shown = " " * indent + word.lstrip(" ")
        else:
            shown += word
    yield shown
