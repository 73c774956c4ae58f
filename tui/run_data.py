"""Giving a run files that all its experiments can read."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from core.agents.data import added
from core.record.data import checked_files, taken_in
from core.record.events import DataAdded
from core.record.folder import RunFolder
from core.record.state import RunState
from core.sandbox.providers import data_brought
from tui.missing_keys import keys_needed, take_missing_keys
from tui.open_run import decide
from tui.safe_text import one_line
from tui.screen import Screen
from tui.wording import size_in_words

LARGE_BYTES = 200_000_000
"""Copying less than this takes no time worth speaking of."""

STEP_SECONDS = 0.5
"""How often programs are told how far a copy is."""


def add_files(
    folder: RunFolder, files: Sequence[Path], telling: Telling | None = None
) -> tuple[tuple[DataAdded, ...], RunState]:
    """Give a run files, all or none, and tell its agents.

    Args:
        folder: the run.
        files: the human's files.
        telling: hears what is done; None says on stderr what takes its time.

    Returns:
        The files as the journal has them, and the run with them.

    Raises:
        InputError: a file is not to be had, cannot be data, or the run takes none any more.
        SandboxUnavailable: the run's sandboxes are at Modal, and the files do not get there.
        StorageError: there is no room for the copies.
    """
    state = folder.state()
    there = tuple(state.data.values())
    checked_files(files, there)
    added(state, ())  # before anything is copied
    settings = state.settings
    take_missing_keys(keys_needed((), settings.sandbox, settings))
    telling = telling or TellingPeople()
    asyncio.run(data_brought(folder.run_id, settings, {}, telling.bringing))
    with taken_in(folder, files, there, telling.copying) as intake:
        copies = {file.name: intake.path(file) for file in intake.files}
        telling.sizes = {file.name: file.size_bytes for file in intake.files}
        asyncio.run(data_brought(folder.run_id, settings, copies, telling.bringing))
        intake.keep()
        _, state = decide(folder, lambda state: added(state, intake.files))
    return intake.files, state


def where_in_words(state: RunState) -> str:
    """Where scripts find the run's files."""
    boxed = state.engine is None or state.engine.isolation != "process only"
    if not boxed:
        return (
            "Without isolation there is no /data: scripts find them by lab.data_path, and nothing but their"
            " mode keeps scripts from changing the copies."
        )
    return "Scripts that start from now on read them at /data, by lab.data_path; none can change them."


class Telling:
    """Hears how far files on their way into a run are; this one says nothing.

    Attributes:
        sizes: how large each file is, bytes, once all were copied.
    """

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}

    def copying(self, name: str, done: int, size: int) -> None:
        """So many bytes of a file are copied."""

    def bringing(self, name: str) -> None:
        """A file is being brought to Modal."""


class TellingPeople(Telling):
    """Says what takes its time; to stderr, so that programs are not in its way."""

    def __init__(self) -> None:
        super().__init__()
        self._screen = Screen.of(sys.stderr)
        self._told: set[str] = set()

    def copying(self, name: str, done: int, size: int) -> None:
        """A large file is being copied; each is told of once."""
        if size >= LARGE_BYTES and name not in self._told:
            self._told.add(name)
            self._screen.line(f"{one_line(name)}: copying {size_in_words(size)} into the run …")

    def bringing(self, name: str) -> None:
        """A file is being brought to Modal."""
        size = size_in_words(self.sizes.get(name, 0))
        self._screen.line(f"{one_line(name)}: bringing {size} to Modal …")


class TellingPrograms(Telling):
    """Says every step as a line of JSON, those of copying now and then."""

    def __init__(self) -> None:
        super().__init__()
        self._screen = Screen.of()
        self._next = 0.0

    def copying(self, name: str, done: int, size: int) -> None:
        """Some more is copied."""
        if monotonic() >= self._next:
            self._next = monotonic() + STEP_SECONDS
            self._say(step="copying", name=name, done_bytes=done, size_bytes=size)

    def bringing(self, name: str) -> None:
        """A file is being brought to Modal."""
        self._say(step="bringing", name=name, size_bytes=self.sizes.get(name, 0))

    def added(self, file: DataAdded) -> None:
        """A file is in the run."""
        self._say(step="added", name=file.name, size_bytes=file.size_bytes, sha256=file.sha256)

    def _say(self, **fields: object) -> None:
        self._screen.line(json.dumps(fields))
