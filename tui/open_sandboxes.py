"""Sandboxes that are still there, of all runs and at Modal: what they cost, and whose they are."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal, TypeAlias

from core.budget import sandbox_cost
from core.errors import ConfigError, FumehoodError
from core.record.folder import RunFolder, list_runs
from core.record.state import RunState
from core.sandbox.asking_modal import list_sandboxes
from core.sandbox.base import OpenSandbox
from core.sandbox.local import LocalProvider
from core.sandbox.machines import LOCAL, MODAL
from core.sandbox.providers import modal_credentials
from tui.left_open import dollars_per_hour

Standing: TypeAlias = Literal["driven", "no engine", "left over", "unreadable", "elsewhere"]

IN_WORDS: Mapping[Standing, str] = {
    "driven": "its engine drives it",
    "no engine": "no engine drives it",
    "left over": "left over: nothing needs it any more",
    "unreadable": "its run's journal cannot be read",
    "elsewhere": "of another machine or a deleted run",
}
"""How a sandbox stands, for people."""


@dataclass(frozen=True)
class StillOpen:
    """A sandbox that is still there.

    Attributes:
        provider: where it is, ``local`` or ``modal``.
        sandbox: the sandbox as its provider sees it.
        folder: its run; None where that is on another machine, or was deleted.
        title: what people call the run; its id where nobody here knows.
        experiment_id: the experiment it was opened for; its own name where the journal names none.
        open: whether that experiment has not ended.
        driven: whether an engine drives the run, as far as this machine knows.
        readable: whether the run's journal could be read.
        running: ids of the scripts that run in it; None where nobody knows.
        usd_per_hour: what it costs, USD; None where unknown.
        opened_at: when it was opened; None where nobody knows.
    """

    provider: str
    sandbox: OpenSandbox
    folder: RunFolder | None
    title: str
    experiment_id: str
    open: bool = False
    driven: bool = False
    readable: bool = True
    running: tuple[str, ...] | None = None
    usd_per_hour: Decimal | None = None
    opened_at: datetime | None = None

    @property
    def name(self) -> str:
        """What it is called among all: Modal's id, or its name behind that of its run."""
        return self.sandbox.id if self.provider == MODAL else f"{self.sandbox.run_id}/{self.sandbox.id}"

    @property
    def standing(self) -> Standing:
        """How it stands."""
        if self.folder is None:
            return "elsewhere"
        if not self.readable:
            return "unreadable"
        if not self.open:
            return "left over"
        return "driven" if self.driven else "no engine"

    @property
    def machine(self) -> str:
        """Where it runs and on what, shortly."""
        return f"Modal {self.sandbox.gpu or 'CPU'}" if self.provider == MODAL else "here"

    def cost_usd(self, at: datetime) -> Decimal | None:
        """What it has cost up to a time, USD; None where that is unknown."""
        if self.usd_per_hour is not None and self.usd_per_hour == 0:
            return Decimal(0)
        if self.opened_at is None:
            return None
        return sandbox_cost(self.usd_per_hour, max(0.0, (at - self.opened_at).total_seconds()))


@dataclass(frozen=True)
class ModalLook:
    """What Modal said of its sandboxes.

    Attributes:
        sandboxes: those of ours.
        unasked: why it was not asked, which is no trouble; empty where it was.
        trouble: why it does not say; None where it does.
    """

    sandboxes: tuple[OpenSandbox, ...] = ()
    unasked: str = ""
    trouble: FumehoodError | None = None


async def look_at_modal(run_id: str | None = None, *, inside: bool = True) -> ModalLook:
    """Ask Modal what of ours is there, in bounded time.

    Args:
        run_id: only sandboxes of this run; None for all of the workspace.
        inside: whether to look inside for what runs, which keeps idle sandboxes alive.
    """
    try:
        return ModalLook(tuple(await list_sandboxes(await modal_credentials(), run_id, inside=inside)))
    except ConfigError as error:
        return ModalLook(unasked=f"Modal was not asked: {error.message}")
    except FumehoodError as error:
        return ModalLook(trouble=error)


async def open_sandboxes(runs: Path, at_modal: Sequence[OpenSandbox] = ()) -> list[StillOpen]:
    """Every sandbox that is still there; local ones of runs that cannot be read are passed over.

    Args:
        runs: the folder that holds all runs.
        at_modal: what Modal said.
    """
    folders = {folder.run_id: folder for folder in list_runs(runs)}
    there: dict[str, list[tuple[str, OpenSandbox]]] = {run_id: [] for run_id in folders}
    for run_id, folder in folders.items():
        # Most runs have none, and a look is much cheaper than reading a journal.
        if any(folder.path.glob("sandboxes/*/spec.json")):
            with contextlib.suppress(FumehoodError, OSError, json.JSONDecodeError, KeyError):
                local = await LocalProvider(folder.path).list()
                there[run_id] += [(LOCAL, sandbox) for sandbox in local]
    for sandbox in at_modal:
        there.setdefault(sandbox.run_id, []).append((MODAL, sandbox))
    found: list[StillOpen] = []
    for run_id, sandboxes in there.items():
        if not sandboxes:
            continue
        # Only what is in the list of runs: an id at Modal may be any text.
        known = folders.get(run_id)
        # A thread, because a long journal takes seconds to read and keys must be answered.
        state = None if known is None else await asyncio.to_thread(_state, known)
        found += [_still_open(provider, sandbox, known, state) for provider, sandbox in sandboxes]
    return found


def _state(folder: RunFolder) -> RunState | None:
    """What a run looks like; None where that cannot be read, which must hide no sandbox."""
    try:
        return folder.state()
    except (FumehoodError, OSError):
        return None


def _still_open(
    provider: str, sandbox: OpenSandbox, folder: RunFolder | None, state: RunState | None
) -> StillOpen:
    unknown = StillOpen(
        provider=provider,
        sandbox=sandbox,
        folder=folder,
        title=sandbox.run_id if state is None else state.title,
        experiment_id=sandbox.name,
        driven=folder is not None and folder.has_engine(),
        readable=state is not None,
        running=sandbox.running,
        usd_per_hour=sandbox.usd_per_hour,
        opened_at=sandbox.opened_at,
    )
    if state is None:
        return unknown
    for experiment in state.experiments.values():
        opened = experiment.sandbox
        # What was closed under the same name before is left over, if it is there at all.
        name = experiment.sandbox_name if opened else experiment.awaited_name
        if sandbox.name == name or (opened and sandbox.id == opened.sandbox_id):
            scripts = (state.execs[name] for name in experiment.execs)
            told = tuple(script.asked.exec_id for script in scripts if script.ended is None)
            return StillOpen(
                provider=provider,
                sandbox=sandbox,
                folder=folder,
                title=state.title,
                experiment_id=experiment.id,
                open=experiment.open and state.ended is None,
                driven=unknown.driven,
                # An engine keeps the journal up to date; without one, only a look inside tells.
                running=told if sandbox.running is None and unknown.driven else sandbox.running,
                usd_per_hour=opened.usd_per_hour if opened else sandbox.usd_per_hour,
                opened_at=opened.at if opened else sandbox.opened_at,
            )
    return unknown


def together(found: Sequence[StillOpen | OpenSandbox]) -> str:
    """How many sandboxes there are and what they cost per hour, for people."""
    noun = "1 sandbox" if len(found) == 1 else f"{len(found):,} sandboxes"
    return f"{noun} at {per_hour(found)}"


def per_hour(found: Sequence[StillOpen | OpenSandbox]) -> str:
    """What sandboxes cost per hour together; what is unknown is not taken for nothing."""
    return dollars_per_hour(one.usd_per_hour for one in found)
