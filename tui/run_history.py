"""Every run there is, as the list of runs shows it: read newest first, and a little at a time."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import TypeAlias

from core.budget import sandbox_cost
from core.errors import FumehoodError, JournalError
from core.record.fold import fold
from core.record.folder import RunFolder, list_runs
from core.record.state import RunState
from core.sandbox.machines import MODAL
from tui import glyphs
from tui.left_open import LeftOpen, left_open, may_have_volumes
from tui.run_feed import SHOWN_SECONDS
from tui.screen import Mark
from tui.status import status_of

LOOK_SECONDS = 1.0
"""How often the runs are looked at."""

SLICE_SECONDS, REST_SECONDS = 0.004, 0.006
"""How long journals are read in one go, and how long keys then have for themselves."""

SLICE_EVENTS = 50

UNREADABLE = Mark("!", "unreadable", "red")
READING = Mark("…", "reading")

Look: TypeAlias = tuple[tuple[int, int], tuple[int, int]]
"""When a journal and what was appended to it last were written, and their sizes."""


@dataclass(frozen=True)
class RunSummary:
    """One run, shortly.

    Attributes:
        folder: the run on disk.
        title: what people call it.
        mark: how it stands.
        resumable: whether an engine can be started for it.
        explanation: why no engine drives it, or why it cannot be read; empty else.
        live: whether an engine drives it.
        waiting: how many decisions wait.
        verdicts: how many experiments were supported, refuted, inconclusive.
        spent_usd: what is booked as spent, USD; None before the journal was read.
        unknown_costs: whether something that was spent has no known price.
        open_sandboxes: price per hour, USD, and opening time of each.
        scripted: whether no language model takes part.
        paper: whether it has a paper.
        uses_modal: whether its sandboxes are at Modal.
        left: what it may have left open there.
        volumes: whether it may have volumes there.
        changed_at: when its last event happened; None before the journal was read.
    """

    folder: RunFolder
    title: str
    mark: Mark = READING
    resumable: bool = False
    explanation: str = ""
    live: bool = False
    waiting: int = 0
    verdicts: Mapping[str, int] = field(default_factory=dict)
    spent_usd: Decimal | None = None
    unknown_costs: bool = False
    open_sandboxes: tuple[tuple[Decimal | None, datetime], ...] = ()
    scripted: bool = False
    paper: bool = False
    uses_modal: bool = False
    left: tuple[LeftOpen, ...] = ()
    volumes: bool = False
    changed_at: datetime | None = None

    def cost_usd(self, at: datetime) -> Decimal | None:
        """What it has cost until a moment, USD; None where that is unknown."""
        if self.spent_usd is None or self.unknown_costs:
            return None
        total = self.spent_usd
        for usd_per_hour, opened_at in self.open_sandboxes:
            cost = sandbox_cost(usd_per_hour, max(0.0, (at - opened_at).total_seconds()))
            if cost is None:
                return None
            total += cost
        return total


@dataclass
class _Seen:
    """What is known about a run: its looks when it was last read, and what it looked like."""

    look: Look
    ended: bool
    summary: RunSummary


class RunHistory:
    """The runs of a folder, kept up to date.

    Attributes:
        runs: the folder.
        listed: whether the folder was looked into once.
    """

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self.listed = False
        self._summaries: dict[str, RunSummary] = {}
        self._seen: dict[str, _Seen] = {}
        self._live_states: dict[str, RunState] = {}

    @property
    def summaries(self) -> list[RunSummary]:
        """What is known of each run, in the order in which their journals changed."""
        return list(self._summaries.values())

    @property
    def reading(self) -> bool:
        """Whether some runs were not read yet."""
        return any(summary.mark is READING for summary in self._summaries.values())

    async def follow(self, changed: Callable[[], None]) -> None:
        """Keep up with the runs for ever.

        Args:
            changed: called when anything looks different.
        """
        while True:
            if self._list():
                changed()
            await self._in_slices(self._refresh(), changed)
            await asyncio.sleep(LOOK_SECONDS)

    def forget(self, run_id: str) -> None:
        """Leave out a run that was removed."""
        for known in (self._summaries, self._seen, self._live_states):
            known.pop(run_id, None)

    def _list(self) -> bool:
        """Find out which runs there are; whether that has changed."""
        before, first = list(self._summaries), not self.listed
        folders = list_runs(self.runs)
        known = self._summaries
        self._summaries = {
            folder.run_id: known.get(folder.run_id) or RunSummary(folder, folder.run_id) for folder in folders
        }
        for gone in known.keys() - self._summaries.keys():
            self.forget(gone)
        self.listed = True
        return first or before != list(self._summaries)

    def _refresh(self) -> Generator[bool, None, None]:
        """Read what changed, in small steps; each says whether something looks different now."""
        for summary in self.summaries:
            folder = summary.folder
            try:
                yield from self._refresh_run(folder)
            except (FumehoodError, OSError) as error:
                yield self._put_unreadable(folder, error)

    def _refresh_run(self, folder: RunFolder) -> Iterator[bool]:
        look, seen = _look(folder), self._seen.get(folder.run_id)
        # An engine may come or go without a word in the journal.
        if seen and seen.look == look and (seen.ended or seen.summary.live == folder.has_engine()):
            return
        state = self._live_states.pop(folder.run_id, RunState())
        with folder.journal() as journal:
            events = journal.read(state.seq)
            while batch := list(itertools.islice(events, SLICE_EVENTS)):
                fold(batch, state)
                yield False
        if state.created is None:
            raise JournalError("its journal does not say yet what it is about")
        yield self._put(folder, look, state)

    def _put(self, folder: RunFolder, look: Look, state: RunState) -> bool:
        summary = _summary(folder, state)
        if summary.live:
            self._live_states[folder.run_id] = state
        self._seen[folder.run_id] = _Seen(look, state.ended is not None, summary)
        return self._show(summary)

    def _put_unreadable(self, folder: RunFolder, error: FumehoodError | OSError) -> bool:
        said = str(error) if isinstance(error, FumehoodError) else (error.strerror or "it cannot be read")
        known = self._summaries.get(folder.run_id)
        if known is None:
            return False
        return self._show(replace(known, mark=UNREADABLE, explanation=said, resumable=False, live=False))

    async def _in_slices(self, steps: Generator[bool, None, None], changed: Callable[[], None]) -> None:
        """Take steps, and let keys be answered between them; a journal that is being read is closed."""
        with contextlib.closing(steps):
            await self._taken(steps, changed)

    async def _taken(self, steps: Iterator[bool], changed: Callable[[], None]) -> None:
        began = shown = perf_counter()
        differs = False
        for step in steps:
            differs = differs or step
            now = perf_counter()
            if differs and now - shown >= SHOWN_SECONDS:
                shown, differs = now, False
                changed()
            if now - began >= SLICE_SECONDS:
                await asyncio.sleep(REST_SECONDS)
                began = perf_counter()
        if differs:
            changed()

    def _show(self, summary: RunSummary) -> bool:
        run_id = summary.folder.run_id
        if self._summaries.get(run_id) == summary or run_id not in self._summaries:
            return False
        self._summaries[run_id] = summary
        return True


def _look(folder: RunFolder) -> Look:
    looks = []
    for suffix in ("", "-wal"):
        try:
            status = Path(f"{folder.journal_path}{suffix}").stat()
        except FileNotFoundError:
            looks.append((0, 0))
        else:
            # Whoever only reads makes an empty one.
            looks.append((status.st_mtime_ns, status.st_size) if status.st_size else (0, 0))
    return looks[0], looks[1]


def _summary(folder: RunFolder, state: RunState) -> RunSummary:
    status = status_of(folder, state)
    counts = Counter[str](x.verdict.outcome for x in state.experiments.values() if x.verdict)
    sandboxes = [x.sandbox for x in state.experiments.values() if x.sandbox is not None]
    return RunSummary(
        folder=folder,
        title=state.title,
        mark=status.mark,
        resumable=status.resumable,
        explanation=status.explanation,
        live=state.ended is None and not status.resumable,
        waiting=0 if state.ended else len(state.waiting),
        verdicts={name: counts[name] for name in glyphs.VERDICTS if counts[name]},
        spent_usd=state.spent_usd,
        unknown_costs=state.unknown_costs > 0,
        # Where no engine is there, nobody knows how long a sandbox has really been open.
        open_sandboxes=tuple((x.usd_per_hour, x.at) for x in sandboxes) if not status.resumable else (),
        scripted=state.settings.model.startswith("scripted:"),
        paper=state.paper is not None,
        uses_modal=state.settings.sandbox == MODAL,
        left=left_open(folder, state),
        volumes=may_have_volumes(state),
        changed_at=state.last_at,
    )
