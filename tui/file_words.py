"""Files that people type on one line, as in a shell: read, checked, and completed."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import shlex
from pathlib import Path

from textual.suggester import Suggester

from core.errors import InputError
from core.record.data import checked_files
from core.record.state import RunState
from tui.safe_text import one_line
from tui.wording import counted, size_in_words

MOST_ENTRIES = 5_000
"""Entries of a folder that are looked at to complete a name."""

LAST_WORD = re.compile(r"(?:^|(?<=\s))((?:\\.|[^\s\\'\"])+)$")
"""A word at the end that is being typed, without quotation marks."""


def files_typed(text: str) -> tuple[Path, ...]:
    """The files that are named on a line; words are parted by spaces, unless they are quoted.

    Raises:
        InputError: the line cannot be read.
    """
    try:
        return tuple(Path(word).expanduser() for word in shlex.split(text))
    except ValueError:
        raise InputError("a quotation mark or a backslash has nothing behind it", "Close it.") from None
    except RuntimeError:
        raise InputError("there is no such home folder", "Type the whole path.") from None


def files_in_words(text: str, state: RunState | None = None) -> str:
    """What the files on a line are, for people.

    Args:
        text: the line.
        state: the run that gets them; None for one that is still to come.

    Raises:
        InputError: the line cannot be read, or one of its files cannot be data.
    """
    files = files_typed(text)
    sizes = checked_files(files, tuple(state.data.values()) if state else ())
    each = ", ".join(
        f"{one_line(file.name)} {size_in_words(size)}"
        for file, size in itertools.islice(zip(files, sizes, strict=True), 5)
    )
    more = f" and {len(files) - 5} more" if len(files) > 5 else ""
    whole = f", {size_in_words(sum(sizes))}" if len(files) > 1 else ""
    return f"{counted(len(files), 'file')}{whole}: {each}{more}"


class FileSuggester(Suggester):
    """Completes the last word of a line to a file's path, where it is not quoted."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """The line with its last word completed; None where nothing fits."""
        # A thread, because a folder on a network may take seconds to be listed.
        return await asyncio.to_thread(completed, value)


def completed(line: str) -> str | None:
    """A line with its last word completed to the first path that fits; None where none does."""
    typed = LAST_WORD.search(line)
    if typed is None:
        return None
    folder, _, start = re.sub(r"\\(.)", r"\1", typed[1]).rpartition("/")
    name = _first_name(_folder(typed[1], folder), start)
    return None if name is None else line + re.sub(r"([^\w@%+=:,./-])", r"\\\1", name[len(start) :])


def _folder(word: str, folder: str) -> Path:
    if not folder:
        return Path("/" if word.startswith("/") else ".")
    try:
        return Path(folder).expanduser()
    except RuntimeError:  # no such home: then nothing is there
        return Path(folder)


def _first_name(folder: Path, start: str) -> str | None:
    """The first name in a folder that begins so, with a slash behind it where it is a folder."""
    try:
        with os.scandir(folder) as entries:
            fitting = [
                f"{entry.name}/" if entry.is_dir() else entry.name
                for entry in itertools.islice(entries, MOST_ENTRIES)
                if entry.name.startswith(start) and (start or not entry.name.startswith("."))
            ]
    except (OSError, ValueError):
        return None
    return min((name for name in fitting if name.isprintable() and name != start), default=None)
