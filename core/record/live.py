"""A run as its engine holds it: the journal, the state kept folded, and waiting for conditions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from core.record.events import Event
from core.record.fold import fold
from core.record.folder import RunFolder
from core.record.journal import Journal
from core.record.records import Record
from core.record.state import RunState

T = TypeVar("T")


class LiveRun:
    """One run, kept up to date.

    The state is only ever folded from what was read back from the journal, in the journal's own
    order, so that events of other processes that came in between are never missed.

    Attributes:
        folder: the run on disk.
        journal: its event log.
        state: what it looks like as of the last ``refresh``.
        taken_at: the journal's last event when this process took the run up.
    """

    def __init__(self, folder: RunFolder, journal: Journal) -> None:
        self.folder = folder
        self.journal = journal
        self.state = RunState()
        self._changed = asyncio.Event()
        self.refresh()
        self.taken_at = self.state.seq

    def record(self, *events: Event, records: Sequence[Record] = ()) -> None:
        """Append events, with records that belong to them, and take them in.

        Raises:
            StorageError: the disk is full, read-only or forbidden.
        """
        self.journal.append(*events, records=records)
        self.refresh()

    def record_if_unchanged(self, *events: Event) -> None:
        """Append events only if nothing was appended since the last refresh.

        Raises:
            Outrun: something was; the state is refreshed now and the caller decides again.
            StorageError: the disk is full, read-only or forbidden.
        """
        try:
            self.journal.append(*events, only_after=self.state.seq)
        finally:
            self.refresh()

    def refresh(self) -> None:
        """Take in everything that was appended, by whomever, and wake those who wait."""
        before = self.state.seq
        fold(self.journal.read(before), self.state)
        if self.state.seq != before:
            self._changed.set()
            self._changed = asyncio.Event()

    async def watch(self) -> None:
        """Take in what other processes append, for ever."""
        async for _ in self.journal.follow(self.state.seq):
            self.refresh()

    async def changed(self) -> None:
        """Wait until the state changes."""
        await self._changed.wait()

    async def until(self, condition: Callable[[RunState], T | None]) -> T:
        """Wait until a condition gives something true, and return that.

        Someone must ``watch`` for changes that other processes make.
        """
        while not (found := condition(self.state)):
            await self._changed.wait()
        return found
