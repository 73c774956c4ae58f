"""One run on one page: plan → gate → experiments → paper.

Resuming is the same function: every step finds in the journal what is done already and goes on
from there. The engine alone launches; what may be launched is for the gate to say.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
from dataclasses import dataclass

from core.agents.conduct import Conductor
from core.agents.loop import Agent, converse
from core.agents.orchestrator import orchestrator
from core.agents.reports import report_for_model
from core.agents.writer import publish_if_needed, writer
from core.approval import next_event
from core.budget import Rates, estimate
from core.errors import FumehoodError, Outrun, first_cause
from core.experiment import Experiment
from core.models.base import Model
from core.pricing import Estimate
from core.record.events import EngineStarted, EngineStopped, ExperimentEnded, RunEnded
from core.record.live import LiveRun
from core.sandbox.base import SandboxProvider

HEARTBEATS_PER_LEASE = 10


@dataclass(frozen=True)
class Models:
    """The models of a run, by role."""

    orchestrator: Model
    researcher: Model
    writer: Model


class _Halted(FumehoodError):
    """The human killed the run or asked the engine to stop."""


class Engine:
    """Drives one run.

    Args:
        live: the run; its lock must be held.
        models: who thinks.
        provider: where experiments run.
        rates: what they cost.
        gpus: names of GPUs that the provider's sandboxes can have.
    """

    def __init__(
        self,
        live: LiveRun,
        models: Models,
        provider: SandboxProvider,
        rates: Rates,
        gpus: frozenset[str] = frozenset(),
    ) -> None:
        self.live = live
        self.models = models
        self.provider = provider
        self.rates = rates
        self.gpus = gpus
        self.conductor = Conductor(live, provider, models.researcher, rates.sandbox)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Drive the run until it is over, killed or asked to stop; the journal says which.

        Raises:
            FumehoodError: the run cannot go on now; it can be resumed.
        """
        await self._begin()
        try:
            async with asyncio.TaskGroup() as group:
                self._conduct_running(group)
                attendants = [
                    group.create_task(attendant)
                    for attendant in (
                        self.live.watch(),
                        self._launch(group),
                        self.conductor.keep_alive(
                            self.live.state.settings.lease_seconds / HEARTBEATS_PER_LEASE
                        ),
                        self._heed(),
                    )
                ]
                await group.create_task(self._investigate())
                for attendant in attendants:
                    attendant.cancel()
        except BaseExceptionGroup as errors:
            if not isinstance(cause := first_cause(errors), _Halted):
                raise cause from None
        finally:
            await self.conductor.settle()
        self._end()

    async def _investigate(self) -> None:
        """Plan → gate → experiments → paper, unless an earlier engine got to the end already."""
        if self.live.state.ended is not None or self.live.state.kill is not None:
            return
        planned = await converse(self.live, self._orchestrator())
        await self.live.until(lambda state: not any(x.open for x in state.experiments.values()))
        if planned.outcome != "done" and not any(script.records for script in self.live.state.execs.values()):
            self.live.record(RunEnded(outcome="failed", message=f"the orchestrator {planned.message}"))
            return
        await converse(self.live, writer(self.live, self.models.writer))
        publish_if_needed(self.live)
        self.live.record(RunEnded(outcome="done", message=planned.message))

    async def _launch(self, group: asyncio.TaskGroup) -> None:
        """Make a fact of whatever the gate says, and conduct what has started, for ever."""
        while True:
            while event := next_event(self.live.state, self._price):
                with contextlib.suppress(Outrun):
                    self.live.record_if_unchanged(event)
            self._conduct_running(group)
            await self.live.changed()

    def _conduct_running(self, group: asyncio.TaskGroup) -> None:
        """Conduct every running experiment that is not conducted yet."""
        for experiment in self.live.state.in_stage("running"):
            if experiment.id not in self._tasks:
                self._tasks[experiment.id] = group.create_task(self.conductor.conduct(experiment.id))

    async def _heed(self) -> None:
        """Wait until the human wants an end."""
        await self.live.until(lambda state: state.kill or state.stop)
        raise _Halted("the human wants an end")

    def _price(self, experiment: Experiment) -> Estimate:
        return estimate(experiment, self.rates)

    async def _begin(self) -> None:
        for agent in self.live.journal.partials():
            self.live.journal.set_partial(agent, "")  # left by an engine that died in the middle of a turn
        isolation, advice = await self.provider.isolation()
        self.live.record(
            EngineStarted(pid=os.getpid(), host=platform.node(), isolation=isolation, isolation_advice=advice)
        )

    def _end(self) -> None:
        """Say how the engine ended; a killed run ends with everything in it."""
        state = self.live.state
        if state.kill is not None and state.ended is None:
            note = state.kill.note or "the run was killed"
            self.live.record(
                *(
                    ExperimentEnded(experiment_id=x.id, outcome="killed", message=note)
                    for x in state.experiments.values()
                    if x.open
                ),
                RunEnded(outcome="killed", message=state.kill.note),
            )
        if self.live.state.ended is not None:
            self.live.record(EngineStopped(reason="finished"))
        elif self.live.state.stop is not None:
            left = any(x.sandbox is not None for x in state.experiments.values())
            self.live.record(EngineStopped(reason="asked", sandboxes="left" if left else "closed"))

    def _orchestrator(self) -> Agent:
        return orchestrator(
            self.live,
            self.models.orchestrator,
            lambda experiment_id: report_for_model(self.live, experiment_id),
            self.gpus,
        )
