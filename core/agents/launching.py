"""Having a sandbox for an experiment: found again, opened, and had again where one was lost.

What was approved is the time and the money of an experiment, not one machine: as long as they suffice, a
lost sandbox is replaced. Where they do not, the human is asked again. All of it is in the journal, so
that an engine that comes back goes on with it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, TypeAlias

from core.agents.closing import Closer
from core.approval import Policy
from core.budget import SandboxPrice, sandbox_cost, seconds_left
from core.errors import SandboxError, SandboxFault, SandboxUnavailable
from core.pricing import dollars
from core.record.events import (
    Event,
    SandboxClosed,
    SandboxFailed,
    SandboxOpened,
    SandboxProgressed,
    SandboxRequested,
    now,
)
from core.record.live import LiveRun
from core.record.state import ExperimentState
from core.sandbox.base import Sandbox, SandboxProvider, SandboxSpec

Then: TypeAlias = Literal["tried again", "asked again", "ended"]
"""What a run does after a sandbox failed."""

PASSING: Final[frozenset[SandboxFault]] = frozenset(("ended", "gone", "no room", "unreachable", "silent"))
"""Faults after which another try may do better; the others, but for a price, end the experiment."""

ROUNDING_USD = Decimal("0.000001")
"""What adding up seconds may be off by, USD."""

PROGRESS_CHARACTERS = 500


@dataclass(frozen=True)
class Relaunches:
    """How often, and after how long, a run tries again to have a sandbox.

    Attributes:
        most: tries after a fault, until a script ends by itself or the human approves again.
        first_seconds: the pause before the first; it doubles.
        longest_seconds: the longest pause.
    """

    most: int = 6
    first_seconds: float = 5.0
    longest_seconds: float = 300.0

    def delay(self, failures: int) -> float:
        """Seconds to wait before the next try, after so many that failed before this one."""
        return min(self.longest_seconds, self.first_seconds * 2.0**failures)


class Launcher:
    """Has sandboxes for the experiments of a run.

    Args:
        live: the run.
        provider: where they are from.
        price: what an open one costs.
        closer: closes what is given up.
        relaunches: when to try again.
    """

    def __init__(
        self,
        live: LiveRun,
        provider: SandboxProvider,
        price: SandboxPrice,
        closer: Closer,
        relaunches: Relaunches,
    ) -> None:
        self._live = live
        self._provider = provider
        self._price = price
        self._closer = closer
        self._relaunches = relaunches

    async def sandbox(self, experiment_id: str) -> Sandbox:
        """The experiment's sandbox: found again, or opened under a name that was noted first.

        Raises:
            SandboxError: it is not to be had, costs more than was approved, or was lost; ``after`` says
                what then.
        """
        await self._pause(experiment_id)
        experiment = self._experiment(experiment_id)
        if experiment.sandbox is not None:
            sandbox = await self._provider.reopen(experiment.sandbox.sandbox_id, self._spec(experiment))
            if experiment.failures:
                self._progress(experiment_id)("The sandbox answers again")
            return sandbox
        # A human may have to accept what isolation there is now, beside what there was at first.
        await self._live.until(lambda state: state.isolation_accepted)
        self._refuse_too_dear(experiment)
        name = experiment.awaited_name
        if name is None:
            name = _next_name(experiment)
            self._live.record(
                SandboxRequested(experiment_id=experiment_id, name=name, provider=self._provider.name)
            )
        sandbox = await self._provider.open(self._spec(experiment), name, self._progress(experiment_id))
        self._live.record(
            SandboxOpened(
                experiment_id=experiment_id,
                sandbox_id=sandbox.id,
                isolation=sandbox.isolation,
                usd_per_hour=self._price(experiment.spec.compute),
            )
        )
        return sandbox

    async def after(self, experiment_id: str, error: SandboxError, sandbox: Sandbox | None) -> Then:
        """Decide what is done after a fault, do what can be done about it at once, and record all of it.

        Args:
            experiment_id: the experiment.
            error: the fault.
            sandbox: its sandbox, where this engine has it.

        Returns:
            ``tried again``: ask for the sandbox again. ``asked again``: a human decides about another
            launch, and what was lost is closed. ``ended``: the experiment ends over it.
        """
        experiment = self._experiment(experiment_id)
        again = error.fault != "too dear" and len(experiment.failures) < self._relaunches.most
        if error.fault not in PASSING and error.fault != "too dear":
            return self._record(experiment_id, error, "ended")
        if again and (experiment.sandbox is None or error.fault == "silent"):
            # Nothing was lost yet: a silent sandbox may answer again, with all that runs in it.
            return self._record(experiment_id, error, "tried again")
        closing = await self._closer.close(experiment_id, sandbox, "lost")
        if experiment.sandbox is None:
            # One that was asked for may be there all the same: it must not cost while a human thinks.
            return self._record(experiment_id, error, self._without_more_tries(), events=closing.events)
        if closing.trouble:
            # A second one is never opened beside one that may still be there.
            return self._record(experiment_id, error, "tried again" if again else "ended")
        reason = _does_not_fit(experiment, closing.events, self._price) if again else ""
        then = self._without_more_tries() if reason or not again else "tried again"
        return self._record(experiment_id, error, then, reason, closing.events)

    def _refuse_too_dear(self, experiment: ExperimentState) -> None:
        """Refuse to open what may cost more than is left of the approved money: prices may have risen.

        Raises:
            SandboxUnavailable: it may.
        """
        usd_per_hour = self._price(experiment.spec.compute)
        if not _pays(experiment, usd_per_hour, seconds_left(experiment), experiment.held_usd):
            raise SandboxUnavailable(
                f"A sandbox costs {dollars(usd_per_hour)} per hour now, more than was approved",
                "Approve it at its price of now, edit it or reject it",
                "too dear",
            )

    def _without_more_tries(self) -> Then:
        """Whom nobody would answer is not asked: whoever proposed the experiment hears of its end."""
        return "ended" if Policy.read(self._live.state.settings.approve).unattended else "asked again"

    def _record(
        self,
        experiment_id: str,
        error: SandboxError,
        then: Then,
        reason: str = "",
        events: tuple[Event, ...] = (),
    ) -> Then:
        tries = len(self._experiment(experiment_id).failures)
        if then != "tried again" and not reason and tries >= self._relaunches.most:
            reason = f"that was try {tries + 1}"
        failed = SandboxFailed(
            experiment_id=experiment_id,
            fault=error.fault,
            message=f"{error.message}; {reason}" if reason else error.message,
            then=then,
            after_seconds=self._relaunches.delay(tries) if then == "tried again" else 0.0,
        )
        self._live.record(*events, failed)
        return then

    async def _pause(self, experiment_id: str) -> None:
        """Wait for the rest of the pause after the last fault, whichever engine began it."""
        failures = self._experiment(experiment_id).failures
        if failures:
            waited = (now() - failures[-1].at).total_seconds()
            await asyncio.sleep(max(0.0, failures[-1].after_seconds - max(0.0, waited)))

    def _experiment(self, experiment_id: str) -> ExperimentState:
        return self._live.state.experiments[experiment_id]

    def _spec(self, experiment: ExperimentState) -> SandboxSpec:
        """What its sandbox is opened with: what was approved, for as long as is left of it."""
        assert experiment.locked is not None
        # A reproduction tests nothing, and is given the seeds of what it reproduces.
        planned = self._experiment(experiment.spec.reproduces or experiment.id).spec.hypothesis
        left = max(1, math.ceil(seconds_left(experiment)))
        return SandboxSpec(
            run_id=self._live.folder.run_id,
            compute=experiment.spec.compute.model_copy(update={"timeout_seconds": left}),
            seeds=planned.seeds if planned else (),
            specification=experiment.locked.sha256,
        )

    def _progress(self, experiment_id: str) -> Callable[[str], None]:
        def show(line: str) -> None:
            self._live.record(SandboxProgressed(experiment_id=experiment_id, line=line[:PROGRESS_CHARACTERS]))

        return show


def _next_name(experiment: ExperimentState) -> str:
    """The name of the experiment's next sandbox: ``E1``, then ``E1.2`` and so on."""
    number = max(experiment.requested, len(experiment.closings)) + 1
    return experiment.id if number == 1 else f"{experiment.id}.{number}"


def _does_not_fit(experiment: ExperimentState, closing: tuple[Event, ...], price: SandboxPrice) -> str:
    """Why another sandbox is not within what was approved; empty where it is.

    What was done in the lost one has to be done again, so there must be as much time as was lost.
    """
    lost = next(event for event in closing if isinstance(event, SandboxClosed))
    left = seconds_left(experiment)
    if left < lost.seconds:
        return f"{lost.seconds:.0f} s were lost with it, and {max(0.0, left):.0f} s of its time are left"
    held = experiment.held_usd - (lost.cost_usd or 0)
    if not _pays(experiment, price(experiment.spec.compute), left, held):
        return "what is left of the approved money does not pay for another one"
    return ""


def _pays(experiment: ExperimentState, usd_per_hour: Decimal | None, seconds: float, held: Decimal) -> bool:
    """Whether what is held pays for a sandbox; always where a human approved an unknown price."""
    rest = sandbox_cost(usd_per_hour, seconds)
    return not experiment.reserved or (rest is not None and rest <= held + ROUNDING_USD)
