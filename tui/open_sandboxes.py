"""Sandboxes that are still there, of all runs: what they cost, and how they are ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from core import decisions
from core.errors import DecisionError, FumehoodError, SandboxLost
from core.experiment import Compute
from core.record.folder import RunFolder, list_runs
from core.record.state import RunState
from core.sandbox.base import OpenSandbox, SandboxSpec
from core.sandbox.local import LocalProvider
from tui.open_run import decide


@dataclass(frozen=True)
class StillOpen:
    """A sandbox that is still there.

    Attributes:
        folder: its run.
        title: what people call the run.
        sandbox: the sandbox as its provider sees it.
        experiment_id: the experiment it was opened for; empty where the journal names none.
        open: whether that experiment has not ended.
        driven: whether an engine drives the run.
        usd_per_hour: what it costs, USD; None where unknown.
        opened_at: when it was opened; None where the journal does not say.
    """

    folder: RunFolder
    title: str
    sandbox: OpenSandbox
    experiment_id: str
    open: bool
    driven: bool
    usd_per_hour: Decimal | None
    opened_at: datetime | None


async def open_sandboxes(runs: Path) -> list[StillOpen]:
    """Every sandbox of every run that is still there; runs that cannot be read are passed over.

    Args:
        runs: the folder that holds all runs.
    """
    found: list[StillOpen] = []
    for folder in list_runs(runs):
        # Most runs have none, and a look is much cheaper than reading a journal.
        if not any(folder.path.glob("sandboxes/*/spec.json")):
            continue
        with contextlib.suppress(FumehoodError, OSError, json.JSONDecodeError, KeyError):
            sandboxes = await LocalProvider(folder.path).list()
            # A thread, because a long journal takes seconds to read and keys must be answered.
            state = await asyncio.to_thread(folder.state)
            found += [_still_open(folder, state, sandbox) for sandbox in sandboxes]
    return found


def _still_open(folder: RunFolder, state: RunState, sandbox: OpenSandbox) -> StillOpen:
    for experiment in state.experiments.values():
        opened = experiment.sandbox
        if sandbox.id in (experiment.sandbox_name, opened.sandbox_id if opened else None):
            return StillOpen(
                folder,
                state.title,
                sandbox,
                experiment.id,
                experiment.open and state.ended is None,
                folder.has_engine(),
                opened.usd_per_hour if opened else None,
                opened.at if opened else None,
            )
    return StillOpen(folder, state.title, sandbox, "", False, folder.has_engine(), None, None)


async def kill_sandbox(found: StillOpen) -> None:
    """End a sandbox and everything that runs in it.

    The experiment is killed by a decision in the journal; an engine that drives the run closes the
    sandbox itself, so that its bill is recorded. Where there is none, it is closed from here.

    Raises:
        SandboxError: it cannot be ended.
        StorageError: the decision cannot be written.
    """
    if found.open:
        with contextlib.suppress(DecisionError):  # it has ended, or is being killed already
            await asyncio.to_thread(
                decide, found.folder, lambda state: decisions.kill(state, found.experiment_id, "")
            )
    if not found.driven:
        await close_sandbox(found.folder, found.sandbox)


async def close_sandboxes(folder: RunFolder) -> None:
    """End every sandbox of a run that no engine drives.

    Raises:
        SandboxError: one cannot be ended.
    """
    for sandbox in await LocalProvider(folder.path).list():
        await close_sandbox(folder, sandbox)


async def close_sandbox(folder: RunFolder, sandbox: OpenSandbox) -> None:
    """End a sandbox that no engine needs.

    Raises:
        SandboxError: it cannot be ended.
    """
    marker = folder.path / "sandboxes" / sandbox.id / "spec.json"
    try:
        opened = json.loads(marker.read_bytes())
    except FileNotFoundError:
        return
    # Only to be closed: it needs no packages, and keeps the isolation that it has.
    provider = LocalProvider(folder.path, isolation=opened["isolation"])
    with contextlib.suppress(SandboxLost):
        reopened = await provider.reopen(sandbox.id, SandboxSpec(sandbox.run_id, Compute()))
        await reopened.close()
