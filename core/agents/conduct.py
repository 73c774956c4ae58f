"""Conducting one experiment: open its sandbox, let its researcher work, close it, judge.

Every way it can end is a named outcome. Whatever was opened is closed, unless the engine is asked to
leave it for the next one.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal

from core.agents.artifacts import keep_artifacts
from core.agents.loop import converse
from core.agents.researcher import repeat_scripts, researcher
from core.agents.retries import PATIENT, Retries
from core.budget import SandboxPrice, sandbox_cost, seconds_left
from core.errors import ModelError, SandboxError, SandboxLost
from core.evidence.gather import own_ledger
from core.models.base import Model
from core.racing import first_of
from core.record.events import (
    AgentEnded,
    Event,
    ExecEnded,
    ExperimentEnded,
    ExperimentOutcome,
    SandboxClosed,
    SandboxOpened,
    SandboxProgressed,
    SandboxRequested,
    VerdictReached,
    now,
)
from core.record.live import LiveRun
from core.record.state import Exec, ExperimentState
from core.sandbox.base import Sandbox, SandboxProvider, SandboxSpec


@dataclass(frozen=True)
class Ending:
    """How an experiment ended, before it is judged."""

    outcome: ExperimentOutcome
    message: str = ""


class Conductor:
    """Conducts the experiments of a run.

    Attributes:
        open: sandboxes that are open now, by experiment id.
    """

    def __init__(
        self,
        live: LiveRun,
        provider: SandboxProvider,
        model: Model,
        price: SandboxPrice,
        retries: Retries = PATIENT,
    ) -> None:
        self.live = live
        self.provider = provider
        self.model = model
        self.price = price
        self.retries = retries
        self.open: dict[str, Sandbox] = {}
        self._endings: set[asyncio.Task[None]] = set()

    async def conduct(self, experiment_id: str) -> None:
        """Take a running experiment to its end, or go on with one from an earlier engine."""
        try:
            ending = await first_of(
                self._researched(experiment_id), self._killed(experiment_id), self._timed_out(experiment_id)
            )
        except asyncio.CancelledError:
            if self._closes_when_stopped():
                await self._shielded(self._record_closed(experiment_id))
            raise
        await self._shielded(self._end(experiment_id, ending))

    async def settle(self) -> None:
        """Wait until every end that has begun is recorded."""
        await asyncio.gather(*self._endings)

    async def keep_alive(self, seconds: float) -> None:
        """Say to every open sandbox that the engine is here, every so many seconds, for ever."""
        while True:
            for sandbox in list(self.open.values()):
                try:
                    await sandbox.heartbeat()
                except SandboxLost:
                    continue  # whoever waits for it learns it there
            await asyncio.sleep(seconds)

    def _experiment(self, experiment_id: str) -> ExperimentState:
        return self.live.state.experiments[experiment_id]

    async def _shielded(self, end: Coroutine[Any, Any, None]) -> None:
        """Do this to its end, even if we are cancelled: a close without its record is a lost bill."""
        task = asyncio.create_task(end)
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)
        await asyncio.shield(task)

    async def _researched(self, experiment_id: str) -> Ending:
        """Let the researcher work until it has ended, however it ends."""
        begun = self.live.state.agents.get(experiment_id)
        if begun is not None and begun.ended is not None:
            return _ending(begun.ended)
        if seconds_left(self._experiment(experiment_id)) <= 0:
            return self._out_of_time(experiment_id)
        if kill := self._experiment(experiment_id).kill:
            # Perhaps an engine died over it: that its sandbox is gone then must not count as a fault.
            return Ending("killed", kill.note)
        try:
            sandbox = await self._sandbox(experiment_id)
            original = self._experiment(experiment_id).spec.repeats
            if original is not None:
                await repeat_scripts(self.live, experiment_id, sandbox)
                return Ending("done", f"ran the scripts of {original} again")
            agent = researcher(self.live, self.model, experiment_id, sandbox)
            return _ending(await converse(self.live, agent, self.retries))
        except ModelError as error:
            # Where the run pauses over it, the experiment goes on with the next engine.
            await self.live.until(lambda state: state.blocked is None)
            return Ending("failed", str(error))
        except SandboxError as error:
            return Ending("failed", str(error))

    async def _killed(self, experiment_id: str) -> Ending:
        """Wait until the human kills it."""
        kill = await self.live.until(lambda state: state.experiments[experiment_id].kill)
        return Ending("killed", kill.note)

    async def _timed_out(self, experiment_id: str) -> Ending:
        """Wait until its sandboxes have been open for as long as was approved."""
        await self.live.until(lambda state: state.experiments[experiment_id].sandbox)
        await asyncio.sleep(max(0.0, seconds_left(self._experiment(experiment_id))))
        return self._out_of_time(experiment_id)

    def _out_of_time(self, experiment_id: str) -> Ending:
        limit = self._experiment(experiment_id).spec.compute.timeout_seconds
        return Ending("timed out", f"its sandbox was open for the whole {limit} s")

    async def _sandbox(self, experiment_id: str) -> Sandbox:
        """The experiment's sandbox: found again, or opened under a name that was noted first."""
        experiment = self._experiment(experiment_id)
        # A reproduction tests nothing, and is given the seeds of what it reproduces.
        planned = self._experiment(experiment.spec.reproduces or experiment_id).spec.hypothesis
        left = math.ceil(seconds_left(experiment))
        spec = SandboxSpec(
            run_id=self.live.folder.run_id,
            compute=experiment.spec.compute.model_copy(update={"timeout_seconds": left}),
            seeds=planned.seeds if planned else (),
        )
        if experiment.sandbox is not None:
            sandbox = await self.provider.reopen(experiment.sandbox.sandbox_id, spec)
        else:
            name = experiment.sandbox_name or experiment_id
            if experiment.sandbox_name is None:
                self.live.record(
                    SandboxRequested(experiment_id=experiment_id, name=name, provider=self.provider.name)
                )
            sandbox = await self.provider.open(spec, name, self._progress(experiment_id))
            self.live.record(
                SandboxOpened(
                    experiment_id=experiment_id,
                    sandbox_id=sandbox.id,
                    isolation=sandbox.isolation,
                    usd_per_hour=self.price(experiment.spec.compute),
                )
            )
        self.open[experiment_id] = sandbox
        return sandbox

    def _progress(self, experiment_id: str) -> Callable[[str], None]:
        def show(line: str) -> None:
            self.live.record(SandboxProgressed(experiment_id=experiment_id, line=line[:500]))

        return show

    def _closes_when_stopped(self) -> bool:
        stop, kill = self.live.state.stop, self.live.state.kill
        return kill is not None or (stop is not None and stop.close_sandboxes)

    async def _end(self, experiment_id: str, ending: Ending) -> None:
        """Close the sandbox, judge what was measured, and record it all at once."""
        closed = await self._close(experiment_id)
        agent = self.live.state.agents.get(experiment_id)
        agent_ended: list[Event] = []
        if agent is not None and agent.ended is None:
            outcome = "killed" if ending.outcome == "killed" else "failed"
            agent_ended = [
                AgentEnded(agent=experiment_id, outcome=outcome, message=ending.message or ending.outcome)
            ]
        ended = ExperimentEnded(experiment_id=experiment_id, outcome=ending.outcome, message=ending.message)
        self.live.record(*closed, *agent_ended, ended, *await self._verdict(experiment_id, ending))

    async def _record_closed(self, experiment_id: str) -> None:
        self.live.record(*await self._close(experiment_id))

    async def _close(self, experiment_id: str) -> list[Event]:
        """Close the sandbox, whether or not this engine opened it, and say what it cost."""
        experiment = self._experiment(experiment_id)
        sandbox = self.open.pop(experiment_id, None)
        opened = experiment.sandbox
        if sandbox is None and experiment.sandbox_name is not None:
            spec = SandboxSpec(run_id=self.live.folder.run_id, compute=experiment.spec.compute)
            try:
                sandbox = await self.provider.reopen(
                    opened.sandbox_id if opened else experiment.sandbox_name, spec
                )
            except SandboxLost:
                sandbox = None
        if sandbox is not None:
            await keep_artifacts(self.live, experiment_id, sandbox)
            await sandbox.close()
        scripts = (self.live.state.execs[name] for name in experiment.execs)
        unended: list[Event] = [
            _cut_off(script, "killed" if sandbox else "lost") for script in scripts if script.ended is None
        ]
        if opened is None:
            return unended
        seconds = (now() - opened.at).total_seconds()
        # No sandbox outlives its approved time, so it is not billed beyond it either.
        billed = min(seconds, experiment.spec.compute.timeout_seconds - experiment.sandbox_seconds)
        return [
            *unended,
            SandboxClosed(
                experiment_id=experiment_id,
                sandbox_id=opened.sandbox_id,
                seconds=seconds,
                cost_usd=sandbox_cost(opened.usd_per_hour, max(0.0, billed)),
            ),
        ]

    async def _verdict(self, experiment_id: str, ending: Ending) -> list[Event]:
        """What the measurements say; a killed experiment was not carried out and is not judged."""
        experiment = self._experiment(experiment_id)
        if experiment.spec.hypothesis is None or experiment.locked_at is None or ending.outcome == "killed":
            return []
        from core.evidence.judge import judge

        ledger = own_ledger(self.live.journal, self.live.state, experiment_id)
        # A thread, because importing scipy.stats takes up to a second, in which logs must flow on.
        verdict = await asyncio.to_thread(judge, experiment.spec, experiment.locked_at, ledger)
        if original := experiment.spec.repeats:
            seen = f"these seeds were asked for after the result of {original} was seen"
            verdict = verdict.model_copy(update={"deviations": (*verdict.deviations, seen)})
        return [VerdictReached(experiment_id=experiment_id, verdict=verdict)]


def _cut_off(script: Exec, end: Literal["killed", "lost"]) -> ExecEnded:
    """The end of a script that did not say one itself: how long it ran at most."""
    seconds = (now() - script.asked.at).total_seconds()
    return ExecEnded(exec_id=script.asked.exec_id, end=end, exit_code=None, seconds=max(0.0, seconds))


def _ending(ended: AgentEnded) -> Ending:
    outcome = ended.outcome
    return Ending(outcome, "" if outcome == "done" else ended.message)
