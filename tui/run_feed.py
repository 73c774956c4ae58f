"""A run as the console sees it: followed from its journal, decided about by appending to it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from textual.message import Message

from core.budget import open_at_most, sandbox_cost
from core.errors import JournalError, Outrun
from core.record.events import Event, now
from core.record.fold import fold
from core.record.folder import RunFolder
from core.record.state import ExperimentState, RunState

SHOWN_SECONDS = 0.1
"""Changes that come faster than this are shown together."""

LOOK_SECONDS = 0.05
"""How often a run on screen is looked at. What others decide must be seen within a fifth of a second,
of which the screen's own pace takes more than half."""

BATCH_EVENTS = 2000
"""Events of a long journal that are taken in before keys are answered again."""

ATTEMPTS = 50
"""How often a decision is made again because the journal grew meanwhile."""


class RunChanged(Message):
    """The run on screen has changed; whoever shows a piece of it shows it anew."""

    def __init__(self, feed: RunFeed) -> None:
        super().__init__()
        self.feed = feed


class RunFeed:
    """One run, kept up to date for the screens that show it.

    Attributes:
        folder: the run on disk.
        journal: its event log.
        state: what it looks like; only ever folded from the journal.
        partials: the text of turns that are streaming now, by agent.
        has_engine: whether an engine drives it, as of the last look.
        caught_up: whether the journal was read to its end once.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.journal = folder.journal()
        self.state = RunState()
        self.partials: Mapping[str, str] = {}
        self.has_engine = False
        self.caught_up = False

    async def follow(self, changed: Callable[[], None]) -> None:
        """Keep up with the run for ever, and say so at most twenty times a second.

        Raises:
            JournalError: the journal cannot be read.
        """
        while self.refresh(BATCH_EVENTS) == BATCH_EVENTS:  # noqa: ASYNC110 - it reads, it does not wait
            await asyncio.sleep(0)
        self.caught_up = True
        seen = None
        while True:
            self.refresh()
            self.partials, self.has_engine = self.journal.partials(), self.folder.has_engine()
            if (looks := (self.state.seq, self.partials, self.has_engine)) != seen:
                seen = looks
                changed()
            await asyncio.sleep(LOOK_SECONDS)

    def refresh(self, most: int | None = None) -> int:
        """Take in what was appended, by whomever.

        Args:
            most: events to take in at once; None for all.

        Returns:
            How many were taken in.
        """
        batch = list(itertools.islice(self.journal.read(self.state.seq), most))
        fold(batch, self.state)
        return len(batch)

    def decide(self, decision: Callable[[RunState], Sequence[Event]]) -> Sequence[Event]:
        """Append what the human decided about the run exactly as it is now.

        Args:
            decision: the events for a state, from ``core.decisions``; called again where another
                process appended meanwhile.

        Raises:
            DecisionError: nothing waits for it any more.
            StorageError: the disk is full, read-only or forbidden.
        """
        for _ in range(ATTEMPTS):
            self.refresh()
            events = decision(self.state)
            try:
                self.journal.append(*events, only_after=self.state.seq)
            except Outrun:
                continue
            self.refresh()
            return events
        raise JournalError("the run changed faster than a decision could be made", "Try again.")

    def close(self) -> None:
        """Stop looking; the run goes on."""
        self.journal.close()


def cost_so_far(experiment: ExperimentState, at: datetime | None = None) -> Decimal | None:
    """What an experiment has cost until now, its open sandbox included, USD; None where unknown."""
    booked, opened = experiment.cost_usd, experiment.sandbox
    if booked is None or opened is None:
        return booked
    seconds = min(((at or now()) - opened.at).total_seconds(), open_at_most(experiment))
    running = sandbox_cost(opened.usd_per_hour, max(0.0, seconds))
    return None if running is None else booked + running
