"""What Modal billed for sandboxes that were closed when their run's engine was about to end."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from core.agents.accounts import SETTLED_SECONDS, Unsettled, unsettled
from core.errors import FumehoodError
from core.pricing import dollars
from core.record.events import RunCreated, SandboxBilled, now
from core.record.fold import fold
from core.record.folder import RunFolder, list_runs
from core.record.state import RunState
from core.sandbox.asking_modal import ask_bills
from core.sandbox.machines import MODAL
from core.sandbox.providers import modal_credentials

ASKED_FOR = timedelta(days=30)
"""Of what has been gone for longer, Modal is not asked any more."""

MOST_ASKED = 50
READ_SECONDS = 5.0
"""No further journal is opened after so long."""


@dataclass(frozen=True)
class LateBill:
    """What Modal billed for sandboxes of a run without an engine.

    Attributes:
        run_id: the run.
        sandboxes: how many they are.
        billed_usd: what Modal says that they cost, USD.
        reckoned_usd: what they cost by our own reckoning, USD; None where we have none for one.
    """

    run_id: str
    sandboxes: int
    billed_usd: Decimal
    reckoned_usd: Decimal | None

    def __str__(self) -> str:
        noun = "1 sandbox" if self.sandboxes == 1 else f"{self.sandboxes:,} sandboxes"
        reckoned = dollars(self.reckoned_usd)
        return f"{self.run_id}: Modal billed {dollars(self.billed_usd)} for {noun} (reckoned {reckoned})"


async def take_late_bills(runs: Path) -> list[LateBill]:
    """Ask Modal for bills that no engine asks for any more, and write them into the runs' journals.

    What Modal does not say now is asked for the next time. A run that an engine takes meanwhile is
    left to that engine.

    Args:
        runs: the folder that holds all runs.
    """
    # A thread, because a long journal takes seconds to read.
    waiting = await asyncio.to_thread(lambda: list(_waiting(runs)))
    ids = [one.sandbox_id for _, state in waiting for one in _due(state)][:MOST_ASKED]
    if not ids:
        return []
    try:
        costs = await ask_bills(await modal_credentials(), ids)
    except FumehoodError:
        return []
    bills: list[LateBill] = []
    for folder, state in reversed(waiting):  # so that what changed last stays what changed last
        with contextlib.suppress(FumehoodError, OSError):
            if billed := _record(folder, state, costs):
                bills.append(_together(folder.run_id, billed, costs))
    return bills


def _waiting(runs: Path) -> Iterator[tuple[RunFolder, RunState]]:
    """Runs at Modal without an engine and with a bill that is due, those that changed last first."""
    until = time.monotonic() + READ_SECONDS
    for folder in list_runs(runs):
        if time.monotonic() > until:
            return
        with contextlib.suppress(FumehoodError, OSError):
            if folder.has_engine() or not _is_at_modal(folder):
                continue
            state = folder.state()
            if _due(state):
                yield folder, state


def _is_at_modal(folder: RunFolder) -> bool:
    """Whether a run's sandboxes are Modal's; its first event says it, and reading all takes longer."""
    with folder.journal() as journal:
        first = next(journal.read(), None)
    return isinstance(first, RunCreated) and first.settings.sandbox == MODAL


def _due(state: RunState) -> list[Unsettled]:
    at = now()
    settled = timedelta(seconds=SETTLED_SECONDS)
    return [one for one in unsettled(state) if settled <= at - one.gone_at <= ASKED_FOR]


def _record(folder: RunFolder, state: RunState, costs: Mapping[str, Decimal]) -> list[Unsettled]:
    """Append a run's bills, which no engine may do at the same time; gives what they are for.

    Raises:
        FumehoodError: an engine drives the run now, or its journal cannot be written.
        OSError: the run is gone.
    """
    with folder.locked(), folder.journal() as journal:
        fold(journal.read(after=state.seq), state)  # an engine may have been here meanwhile
        billed = [one for one in unsettled(state) if one.sandbox_id in costs]
        if billed:
            journal.append(
                *(
                    SandboxBilled(
                        sandbox_id=one.sandbox_id,
                        experiment_id=one.experiment_id,
                        cost_usd=costs[one.sandbox_id],
                    )
                    for one in billed
                )
            )
    return billed


def _together(run_id: str, billed: Sequence[Unsettled], costs: Mapping[str, Decimal]) -> LateBill:
    reckoned = [one.reckoned_usd for one in billed if one.reckoned_usd is not None]
    return LateBill(
        run_id,
        len(billed),
        sum((costs[one.sandbox_id] for one in billed), Decimal(0)),
        sum(reckoned, Decimal(0)) if len(reckoned) == len(billed) else None,
    )
