"""Sweeping up: sandboxes of a run that are still there and that nobody needs are ended."""

from __future__ import annotations

import asyncio
import logging

from core.agents.closing import closed
from core.errors import SandboxError
from core.record.events import Event, SandboxReaped
from core.record.live import LiveRun
from core.record.state import ExperimentState, RunState
from core.sandbox.base import OpenSandbox, SandboxProvider

SWEEP_SECONDS = 45.0

log = logging.getLogger("fumehood.sweeping")


async def sweep(live: LiveRun, provider: SandboxProvider) -> None:
    """End every sandbox of this run that no running experiment needs, and say so in the journal.

    What belongs to another run, or is not ours at all, is never touched. Nothing may be opened or closed
    meanwhile. A provider that cannot be asked is asked at another time: what is left ends itself.

    Args:
        live: the run.
        provider: where its sandboxes are.
    """
    try:
        async with asyncio.timeout(SWEEP_SECONDS):
            found = await provider.list(live.folder.run_id, inside=False)
            # At once: one that does not answer, or has just ended, keeps none of the others.
            await asyncio.gather(*(_end_unless_needed(live, provider, sandbox) for sandbox in found))
    except (SandboxError, TimeoutError) as error:
        log.warning("not everything of this run could be swept up: %s", error)


async def _end_unless_needed(live: LiveRun, provider: SandboxProvider, sandbox: OpenSandbox) -> None:
    owner = _owner(live.state, sandbox)
    if sandbox.run_id != live.folder.run_id or (owner and _needs(owner, sandbox)):
        return
    try:
        await provider.end(sandbox.id)
    except SandboxError as error:
        log.warning("the sandbox %s could not be swept up: %s", sandbox.id, error)
    else:
        live.record(*_gone(owner, sandbox))


def _owner(state: RunState, sandbox: OpenSandbox) -> ExperimentState | None:
    """The experiment that a sandbox was opened for, by its name: ``E1``, ``E1.2`` and so on."""
    return state.experiments.get(sandbox.name.partition(".")[0])


def _needs(experiment: ExperimentState, sandbox: OpenSandbox) -> bool:
    """Whether an experiment works in a sandbox, or waits for just this one."""
    if experiment.stage != "running":
        return False
    if experiment.sandbox is not None:
        return experiment.sandbox.sandbox_id == sandbox.id
    return experiment.awaited_name == sandbox.name


def _gone(owner: ExperimentState | None, sandbox: OpenSandbox) -> list[Event]:
    if owner is not None and owner.sandbox is not None and owner.sandbox.sandbox_id == sandbox.id:
        return [closed(owner)]
    return [
        SandboxReaped(
            sandbox_id=sandbox.id,
            name=sandbox.name,
            experiment_id=owner.id if owner else None,
            reason=_reason(owner),
        )
    ]


def _reason(owner: ExperimentState | None) -> str:
    if owner is None:
        return "the journal does not know it"
    return f"{owner.id} has ended" if not owner.open else f"{owner.id} does not use it"
