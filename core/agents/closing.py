"""Closing sandboxes: keeping what they hold, saying what they cost, and calling none gone that may not be."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta

from core.agents.artifacts import keep_artifacts
from core.budget import open_at_most, sandbox_cost
from core.errors import SandboxError, SandboxLost
from core.record.events import Event, ExecEnded, SandboxClosed, SandboxFailed, SandboxReaped, now
from core.record.live import LiveRun
from core.record.state import Exec, ExperimentState, RunState
from core.sandbox.base import ExecEnd, Sandbox, SandboxProvider, SandboxSpec

FIND_SECONDS = 45.0
"""How long a sandbox that is only to be closed is looked for."""

ARTIFACT_SECONDS = 600.0
"""How long fetching what scripts left behind may take; a machine that is paid for waits for it."""

KILLED_ARTIFACT_SECONDS = 60.0
"""The same where somebody wants an end."""

log = logging.getLogger("fumehood.closing")


@dataclass(frozen=True)
class Closing:
    """What closing a sandbox came to.

    Attributes:
        events: what is to be recorded.
        trouble: why it may still be there; empty where it is gone.
    """

    events: tuple[Event, ...]
    trouble: str = ""


class Closer:
    """Closes the sandboxes of a run.

    Args:
        live: the run.
        provider: where they are from.
        first_seconds: the pause before one that could not be closed is closed again; it doubles.
        longest_seconds: the longest such pause.
    """

    def __init__(
        self,
        live: LiveRun,
        provider: SandboxProvider,
        first_seconds: float = 5.0,
        longest_seconds: float = 300.0,
    ) -> None:
        self._live = live
        self._provider = provider
        self._first_seconds = first_seconds
        self._longest_seconds = longest_seconds

    async def close(
        self, experiment_id: str, sandbox: Sandbox | None, cut_off: ExecEnd, artifact_seconds: float = 0.0
    ) -> Closing:
        """Close an experiment's sandbox, whether or not this engine opened it.

        Args:
            experiment_id: the experiment.
            sandbox: its sandbox, where this engine has it.
            cut_off: how scripts ended that run now.
            artifact_seconds: how long fetching artifacts may take, in seconds; 0 to leave them.

        Returns:
            The ends of its scripts, and the end and the price of the sandbox unless it may still be there.
        """
        reaped: list[Event] = []
        trouble = ""
        try:
            sandbox = sandbox or await self._found(experiment_id)
            if sandbox is not None:
                await self._fetch(experiment_id, sandbox, artifact_seconds)
                await sandbox.close()
                reaped = self._never_opened(experiment_id, sandbox)
            else:
                cut_off = "lost"
        except SandboxLost as error:
            cut_off = "lost"
            trouble = error.message if error.fault == "silent" else ""
        except SandboxError as error:
            trouble = error.message
        except TimeoutError:
            trouble = f"Nothing was heard of the sandbox of {experiment_id} for {FIND_SECONDS:g} s"
        experiment = self._experiment(experiment_id)
        scripts = (self._live.state.execs[name] for name in experiment.execs)
        ends = [_cut_off(script, cut_off) for script in scripts if script.ended is None]
        if experiment.sandbox is None:
            return Closing((*ends, *reaped), trouble)
        if trouble:
            return Closing((*ends, self._left(experiment_id, trouble, self._first_seconds)), trouble)
        return Closing((*ends, closed(experiment)))

    async def go_on(self) -> None:
        """Close again, for ever, what may still be there though its experiment has ended."""
        pause = self._first_seconds
        while True:
            await self._live.until(_left_open)
            await asyncio.sleep(pause)
            pause = min(pause * 2, self._longest_seconds)
            if await self.close_again(pause):
                pause = self._first_seconds

    async def close_again(self, pause: float | None = None) -> bool:
        """Try once more to close what may still be there, and say what comes of it.

        Args:
            pause: seconds until the next try; None where there is none.

        Returns:
            Whether all of it is gone now.
        """
        for experiment in _left_open(self._live.state):
            trouble = "" if _over(experiment) else await self._ended(experiment)
            if not trouble:
                self._live.record(closed(experiment))
            elif pause is not None:
                self._live.record(self._left(experiment.id, trouble, pause))
        return not _left_open(self._live.state)

    async def _ended(self, experiment: ExperimentState) -> str:
        """End a sandbox; why it may still be there, if it may."""
        assert experiment.sandbox is not None
        try:
            async with asyncio.timeout(FIND_SECONDS):
                await self._provider.end(experiment.sandbox.sandbox_id)
        except SandboxLost as error:
            return error.message if error.fault == "silent" else ""
        except SandboxError as error:
            return error.message
        except TimeoutError:
            return f"Nothing was heard of the sandbox of {experiment.id} for {FIND_SECONDS:g} s"
        return ""

    def _experiment(self, experiment_id: str) -> ExperimentState:
        return self._live.state.experiments[experiment_id]

    async def _found(self, experiment_id: str) -> Sandbox | None:
        """The sandbox of an experiment that this engine does not have; None where there is none."""
        experiment = self._experiment(experiment_id)
        name = experiment.sandbox.sandbox_id if experiment.sandbox else experiment.awaited_name
        if name is None:
            return None
        spec = SandboxSpec(run_id=self._live.folder.run_id, compute=experiment.spec.compute)
        async with asyncio.timeout(FIND_SECONDS):
            return await self._provider.reopen(name, spec)

    async def _fetch(self, experiment_id: str, sandbox: Sandbox, seconds: float) -> None:
        """Keep what scripts left behind, as far as that goes in time."""
        if not seconds:
            return
        try:
            async with asyncio.timeout(seconds):
                await keep_artifacts(self._live, experiment_id, sandbox)
        except TimeoutError:
            log.warning("not every artifact of %s could be kept within %g s", experiment_id, seconds)

    def _never_opened(self, experiment_id: str, sandbox: Sandbox) -> list[Event]:
        """What is said of a sandbox that was there, though nobody could say that it was open."""
        experiment = self._experiment(experiment_id)
        if experiment.sandbox is not None:
            return []
        return [
            SandboxReaped(
                sandbox_id=sandbox.id,
                name=experiment.sandbox_name or "",
                experiment_id=experiment_id,
                reason="it was asked for and nobody uses it",
            )
        ]

    def _left(self, experiment_id: str, trouble: str, pause: float) -> SandboxFailed:
        return SandboxFailed(
            experiment_id=experiment_id,
            fault="silent",
            message=trouble,
            then="closed again",
            after_seconds=pause,
        )


def closed(experiment: ExperimentState) -> SandboxClosed:
    """The end of an experiment's open sandbox, and what it cost by our own reckoning.

    No sandbox outlives its approved time, so it is not billed beyond it either.
    """
    opened = experiment.sandbox
    assert opened is not None
    seconds = min(max(0.0, (now() - opened.at).total_seconds()), open_at_most(experiment))
    return SandboxClosed(
        experiment_id=experiment.id,
        sandbox_id=opened.sandbox_id,
        seconds=seconds,
        cost_usd=sandbox_cost(opened.usd_per_hour, seconds),
    )


def _left_open(state: RunState) -> list[ExperimentState]:
    """Experiments that have ended and whose sandbox may still be there."""
    return [x for x in state.experiments.values() if not x.open and x.sandbox is not None]


def _over(experiment: ExperimentState) -> bool:
    """Whether a sandbox must have ended itself, because its approved time is over."""
    assert experiment.sandbox is not None
    return now() > experiment.sandbox.at + timedelta(seconds=open_at_most(experiment) + FIND_SECONDS)


def _cut_off(script: Exec, end: ExecEnd) -> ExecEnded:
    """The end of a script that did not say one itself: how long it ran at most."""
    seconds = (now() - script.asked.at).total_seconds()
    return ExecEnded(exec_id=script.asked.exec_id, end=end, exit_code=None, seconds=max(0.0, seconds))
