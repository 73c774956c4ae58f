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
from typing import Literal

from core.agents.agent import Agent
from core.agents.conduct import Conductor
from core.agents.launching import Relaunches
from core.agents.loop import converse
from core.agents.orchestrator import orchestrator
from core.agents.reports import report_for_model
from core.agents.retries import PATIENT, Retries
from core.agents.writer import publish_again, publish_if_needed, writer
from core.approval import next_event
from core.budget import Rates, estimate
from core.errors import FumehoodError, ModelError, Outrun, first_cause
from core.experiment import Experiment
from core.literature.literature import Literature
from core.models.base import Model
from core.pricing import Estimate
from core.record.events import (
    AgentEnded,
    EngineStarted,
    EngineStopped,
    Event,
    ExperimentEnded,
    RunEnded,
    now,
)
from core.record.live import LiveRun
from core.record.state import RunState
from core.repeats import next_repeat
from core.sandbox.base import SandboxProvider

HEARTBEATS_PER_LEASE = 10

LAST_TURNS_SECONDS = 120.0
"""How long a run that pauses waits for turns under way, which are paid for; then they are cut off."""

NOTHING_RAN = "no experiment ran, so there is nothing to write a paper from"


@dataclass(frozen=True)
class Models:
    """The models of a run, by role."""

    orchestrator: Model
    researcher: Model
    writer: Model


class _Halted(FumehoodError):
    """The human killed the run or asked the engine to stop, or no model can be asked."""


class Engine:
    """Drives one run.

    Args:
        live: the run; its lock must be held.
        models: who thinks.
        provider: where experiments run.
        rates: what they cost.
        retries: when turns that were not complete are asked for again.
        literature: who is asked what is known; None where the run does without.
        relaunches: when sandboxes that failed are tried again; None for the usual.
    """

    def __init__(
        self,
        live: LiveRun,
        models: Models,
        provider: SandboxProvider,
        rates: Rates,
        retries: Retries = PATIENT,
        literature: Literature | None = None,
        relaunches: Relaunches | None = None,
    ) -> None:
        self.live = live
        self.models = models
        self.provider = provider
        self.rates = rates
        self.retries = retries
        self.literature = literature
        self.conductor = Conductor(live, provider, models.researcher, rates.sandbox, retries, relaunches)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Drive the run until it is over, killed, paused or asked to stop; the journal says which.

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
                        self.conductor.closer.go_on(),
                        self.conductor.accounts.keep(),
                        self._heed(),
                        self._pause(),
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
        if self.live.state.ended is not None or self.live.state.kill is not None:
            await self.conductor.wind_up()
        self._end()

    async def _investigate(self) -> None:
        """Plan → gate → experiments → paper, unless an earlier engine got to the end already."""
        if self.live.state.ended is not None or self.live.state.kill is not None:
            return
        if self.live.state.reproduction is not None:
            await self._reproduce()
            return
        planned = await self._converse(self._orchestrator())
        await self.live.until(lambda state: not any(x.open for x in state.experiments.values()))
        if reason := _no_paper(self.live.state, planned):
            self.live.record(RunEnded(outcome="failed", message=reason))
            return
        await self._converse(writer(self.live, self.models.writer, self.literature))
        await publish_if_needed(self.live)
        self.live.record(RunEnded(outcome="done", message=planned.message))

    async def _reproduce(self) -> None:
        """Gate → experiments → paper: run the scripts of a run that had ended again, without any model.

        The paper then says which of its numbers were reproduced; the run ends as it ended before.
        """
        await self.live.until(
            lambda state: (
                next_repeat(state) is None
                and not any(experiment.open for experiment in state.experiments.values())
            )
        )
        await publish_again(self.live)
        concluded = self.live.state.concluded
        assert concluded is not None
        self.live.record(RunEnded(outcome=concluded.outcome, message=concluded.message))

    async def _converse(self, agent: Agent) -> AgentEnded:
        """Let an agent work to its end; where no model can be asked, wait to be paused."""
        try:
            return await converse(self.live, agent, self.retries)
        except ModelError:
            await self.live.until(lambda state: state.blocked is None)
            raise

    async def _launch(self, group: asyncio.TaskGroup) -> None:
        """Make a fact of whatever the gate says, and conduct what has started, for ever."""
        while True:
            while event := self._next_event():
                with contextlib.suppress(Outrun):
                    self.live.record_if_unchanged(event)
            self._conduct_running(group)
            await self.live.changed()

    def _next_event(self) -> Event | None:
        """What the gate says; nothing new is launched that no model could work on."""
        return next_event(self.live.state, self._price) if self.live.state.blocked is None else None

    def _conduct_running(self, group: asyncio.TaskGroup) -> None:
        """Conduct every running experiment that is not conducted yet."""
        for experiment in self.live.state.in_stage("running"):
            task = self._tasks.get(experiment.id)
            if task is None or task.done():
                self._tasks[experiment.id] = group.create_task(self.conductor.conduct(experiment.id))

    async def _heed(self) -> None:
        """Wait until the human wants an end."""
        await self.live.until(lambda state: state.kill or state.stop)
        raise _Halted("the human wants an end")

    async def _pause(self) -> None:
        """Wait until no model can be asked, and then for the turns that are under way."""
        await self.live.until(lambda state: state.blocked)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_TURNS_SECONDS):
                await self.live.until(lambda state: not any(x.under_way for x in state.agents.values()))
        raise _Halted("no model can be asked until a human acts")

    def _price(self, experiment: Experiment) -> Estimate:
        return estimate(experiment, self.rates)

    async def _begin(self) -> None:
        for agent in self.live.journal.partials():
            self.live.journal.set_partial(agent, "")  # left by an engine that died in the middle of a turn
        isolation, advice = await self.provider.isolation()
        self.live.record(
            EngineStarted(
                pid=os.getpid(),
                host=platform.node(),
                isolation=isolation,
                isolation_advice=advice,
                taken_at=self.live.taken_at,
            )
        )
        await self.conductor.sweep()

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
                state.concluded.model_copy(update={"seq": 0, "at": now()})
                if state.concluded
                else RunEnded(outcome="killed", message=state.kill.note),
            )
        left = any(x.sandbox is not None for x in state.experiments.values())
        sandboxes: Literal["left", "closed"] = "left" if left else "closed"
        if self.live.state.ended is not None:
            self.live.record(EngineStopped(reason="finished", sandboxes=sandboxes))
            return
        if state.stop is not None:
            self.live.record(EngineStopped(reason="asked", sandboxes=sandboxes))
        elif (blocked := state.blocked) is not None:
            self.live.record(
                EngineStopped(
                    reason="paused",
                    message=blocked.reason,
                    next_step=blocked.next_step,
                    sandboxes=sandboxes,
                )
            )

    def _orchestrator(self) -> Agent:
        return orchestrator(
            self.live,
            self.models.orchestrator,
            lambda experiment_id, section: report_for_model(self.live, experiment_id, section),
            self.literature,
        )


def _no_paper(state: RunState, planned: AgentEnded) -> str:
    """Why no paper is written; empty where there is something to write about."""
    if planned.outcome != "done" and not any(script.records for script in state.execs.values()):
        return f"the orchestrator ended: {planned.outcome}; {planned.message}"
    ran = any(experiment.started_at for experiment in state.experiments.values())
    return "" if ran else NOTHING_RAN
