"""Conducting one experiment: have its sandbox, let its researcher work, close it, judge.

Every way it can end is a named outcome. Whatever was opened is closed, unless the engine is asked to
leave it for the next one. A sandbox that failed is no outcome while another can be had.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from core.agents.accounts import Accounts
from core.agents.closing import ARTIFACT_SECONDS, KILLED_ARTIFACT_SECONDS, Closer
from core.agents.launching import Launcher, Relaunches
from core.agents.loop import converse
from core.agents.researcher import repeat_scripts, researcher
from core.agents.retries import PATIENT, Retries
from core.agents.sweeping import sweep
from core.budget import SandboxPrice, seconds_left
from core.errors import ModelError, SandboxError, SandboxFault
from core.evidence.gather import own_ledger
from core.models.base import Model
from core.racing import first_of
from core.record.events import AgentEnded, Event, ExperimentEnded, ExperimentOutcome, VerdictReached
from core.record.live import LiveRun
from core.record.state import ExperimentState
from core.sandbox.base import Sandbox, SandboxProvider

CLOSING_SHARE = 0.1
"""The most of an experiment's approved time that is kept for closing its sandbox."""

OUTCOMES: dict[SandboxFault, ExperimentOutcome] = {"time over": "timed out", "terminated": "killed"}
"""What an experiment comes to that ends over a fault of its sandbox; ``failed`` for other faults."""


@dataclass(frozen=True)
class Ending:
    """How an experiment ended, before it is judged.

    Attributes:
        outcome: the outcome.
        message: more about it.
        judged: whether its measurements are judged; not where it was not carried out.
    """

    outcome: ExperimentOutcome
    message: str = ""
    judged: bool = True


class Conductor:
    """Conducts the experiments of a run.

    Attributes:
        open: sandboxes that are open now, by experiment id.
        closer: closes them.
        accounts: asks what they cost.
    """

    def __init__(
        self,
        live: LiveRun,
        provider: SandboxProvider,
        model: Model,
        price: SandboxPrice,
        retries: Retries = PATIENT,
        relaunches: Relaunches | None = None,
    ) -> None:
        self.live = live
        self.provider = provider
        self.model = model
        self.retries = retries
        self.open: dict[str, Sandbox] = {}
        self.closer = Closer(live, provider)
        self.accounts = Accounts(live, provider)
        self._launcher = Launcher(live, provider, price, self.closer, relaunches or Relaunches())
        self._endings: set[asyncio.Task[None]] = set()

    async def conduct(self, experiment_id: str) -> None:
        """Take a running experiment to its end, or go on with one from an earlier engine.

        Where its sandbox is lost and another one is not within what was approved, this returns with the
        experiment waiting for the human.
        """
        try:
            ending = await first_of(
                self._researched(experiment_id), self._killed(experiment_id), self._timed_out(experiment_id)
            )
        except asyncio.CancelledError:
            if self._closes_when_stopped():
                await self._shielded(self._record_closed(experiment_id))
            raise
        if ending is not None:
            await self._shielded(self._end(experiment_id, ending))

    async def sweep(self) -> None:
        """End what nobody needs of this run; before anything is conducted."""
        await sweep(self.live, self.provider)

    async def settle(self) -> None:
        """Wait until every end that has begun is recorded."""
        await asyncio.gather(*self._endings)

    async def wind_up(self) -> None:
        """At the end of a run: close what may still be there, and ask what all of it has cost."""
        await self.closer.close_again()
        await sweep(self.live, self.provider)
        await self.accounts.settle()

    async def keep_alive(self, seconds: float) -> None:
        """Say to every open sandbox that the engine is here, every so many seconds, for ever.

        One that does not answer delays no other.
        """
        async with asyncio.TaskGroup() as group:
            beating: dict[str, asyncio.Task[None]] = {}
            while True:
                for experiment_id, sandbox in self.open.items():
                    if experiment_id not in beating or beating[experiment_id].done():
                        beating[experiment_id] = group.create_task(_beat(sandbox, seconds))
                await asyncio.sleep(seconds)

    def _experiment(self, experiment_id: str) -> ExperimentState:
        return self.live.state.experiments[experiment_id]

    async def _shielded(self, end: Coroutine[Any, Any, None]) -> None:
        """Do this to its end, even if we are cancelled: a close without its record is a lost bill."""
        task = asyncio.create_task(end)
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)
        await asyncio.shield(task)

    async def _researched(self, experiment_id: str) -> Ending | None:
        """Let the researcher work until it has ended, however it ends; None where the human is asked."""
        begun = self.live.state.agents.get(experiment_id)
        if begun is not None and begun.ended is not None:
            return _ending(begun.ended)
        while True:
            if seconds_left(self._experiment(experiment_id)) <= 0:
                return self._out_of_time(experiment_id)
            if kill := self._experiment(experiment_id).kill:
                # Perhaps an engine died over it: that its sandbox is gone then must not count as a fault.
                return Ending("killed", kill.note)
            try:
                return await self._worked(experiment_id)
            except ModelError as error:
                # Where the run pauses over it, the experiment goes on with the next engine.
                await self.live.until(lambda state: state.blocked is None)
                return Ending("failed", str(error))
            except SandboxError as error:
                sandbox = self.open.pop(experiment_id, None)
                then = await self._launcher.after(experiment_id, error, sandbox)
                if then == "asked again":
                    return None
                if then == "ended":
                    return Ending(OUTCOMES.get(error.fault, "failed"), str(error), judged=False)

    async def _worked(self, experiment_id: str) -> Ending:
        """Let the researcher work, or its scripts run again, in the experiment's sandbox.

        Raises:
            ModelError: there is no turn.
            SandboxError: the sandbox is not to be had, or was lost.
        """
        sandbox = self.open[experiment_id] = await self._launcher.sandbox(experiment_id)
        original = self._experiment(experiment_id).spec.repeats
        if original is not None:
            await repeat_scripts(self.live, experiment_id, sandbox)
            return Ending("done", f"ran the scripts of {original} again")
        agent = researcher(self.live, self.model, experiment_id, sandbox)
        return _ending(await converse(self.live, agent, self.retries))

    async def _killed(self, experiment_id: str) -> Ending:
        """Wait until the human kills it."""
        kill = await self.live.until(lambda state: state.experiments[experiment_id].kill)
        return Ending("killed", kill.note)

    async def _timed_out(self, experiment_id: str) -> Ending:
        """Wait until its sandboxes have been open for as long as was approved, and can just be closed."""
        limit = self._experiment(experiment_id).spec.compute.timeout_seconds
        closing = min(self.provider.closing_seconds, limit * CLOSING_SHARE)
        while True:
            await self.live.until(lambda state: state.experiments[experiment_id].sandbox)
            left = seconds_left(self._experiment(experiment_id)) - closing
            if left <= 0:
                return self._out_of_time(experiment_id)
            await asyncio.sleep(left)  # Between two sandboxes no time is used.

    def _out_of_time(self, experiment_id: str) -> Ending:
        limit = self._experiment(experiment_id).spec.compute.timeout_seconds
        return Ending("timed out", f"its sandbox was open for the whole {limit} s")

    def _closes_when_stopped(self) -> bool:
        stop, kill = self.live.state.stop, self.live.state.kill
        return kill is not None or (stop is not None and stop.close_sandboxes)

    async def _end(self, experiment_id: str, ending: Ending) -> None:
        """Close the sandbox, judge what was measured, and record it all at once."""
        sandbox = self.open.pop(experiment_id, None)
        seconds = KILLED_ARTIFACT_SECONDS if ending.outcome == "killed" else ARTIFACT_SECONDS
        left = max(1.0, seconds_left(self._experiment(experiment_id)))
        closing = await self.closer.close(
            experiment_id, sandbox, "time" if ending.outcome == "timed out" else "killed", min(seconds, left)
        )
        agent = self.live.state.agents.get(experiment_id)
        agent_ended: list[Event] = []
        if agent is not None and agent.ended is None:
            outcome = "killed" if ending.outcome == "killed" else "failed"
            agent_ended = [
                AgentEnded(agent=experiment_id, outcome=outcome, message=ending.message or ending.outcome)
            ]
        ended = ExperimentEnded(experiment_id=experiment_id, outcome=ending.outcome, message=ending.message)
        self.live.record(*closing.events, *agent_ended, ended, *await self._verdict(experiment_id, ending))

    async def _record_closed(self, experiment_id: str) -> None:
        sandbox = self.open.pop(experiment_id, None)
        closing = await self.closer.close(experiment_id, sandbox, "killed", KILLED_ARTIFACT_SECONDS)
        self.live.record(*closing.events)

    async def _verdict(self, experiment_id: str, ending: Ending) -> list[Event]:
        """What the measurements say; an experiment that was not carried out is not judged."""
        experiment = self._experiment(experiment_id)
        judged = ending.judged and ending.outcome != "killed"
        if experiment.spec.hypothesis is None or experiment.locked_at is None or not judged:
            return []
        from core.evidence.judge import judge

        ledger = own_ledger(self.live.journal, self.live.state, experiment_id)
        # A thread, because importing scipy.stats takes up to a second, in which logs must flow on.
        verdict = await asyncio.to_thread(judge, experiment.spec, experiment.locked_at, ledger)
        if original := experiment.spec.repeats:
            seen = f"these seeds were asked for after the result of {original} was seen"
            verdict = verdict.model_copy(update={"deviations": (*verdict.deviations, seen)})
        return [VerdictReached(experiment_id=experiment_id, verdict=verdict)]


async def _beat(sandbox: Sandbox, seconds: float) -> None:
    """One heartbeat; that it failed is learned by whoever waits for the sandbox."""
    try:
        async with asyncio.timeout(seconds):
            await sandbox.heartbeat()
    except (SandboxError, OSError):  # a TimeoutError is an OSError
        return


def _ending(ended: AgentEnded) -> Ending:
    outcome = ended.outcome
    return Ending(outcome, "" if outcome == "done" else ended.message)
