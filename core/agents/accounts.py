"""What sandboxes really cost: their provider is asked some time after each is gone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.errors import SandboxError
from core.record.events import SandboxBilled, now
from core.record.live import LiveRun
from core.record.state import RunState
from core.sandbox.base import SandboxProvider

SETTLED_SECONDS = 180.0
"""A figure may still grow until a sandbox has been gone for so long (vendor's guide, 2026-11: minutes)."""

AGAIN_SECONDS = 600.0
LOOK_SECONDS = 15.0
MOST_ASKED = 6
ASK_SECONDS = 10.0


@dataclass(frozen=True)
class Unsettled:
    """A sandbox that is gone, and of whose cost its provider has said nothing.

    Attributes:
        sandbox_id: the provider's id.
        experiment_id: what it was for; None where the journal does not know it.
        gone_at: when it was gone.
        reckoned_usd: what it cost by our own reckoning; None where we have none.
    """

    sandbox_id: str
    experiment_id: str | None
    gone_at: datetime
    reckoned_usd: Decimal | None


class Accounts:
    """Asks for the bills of a run's sandboxes.

    Args:
        live: the run.
        provider: where they are from.
    """

    def __init__(self, live: LiveRun, provider: SandboxProvider) -> None:
        self._live = live
        self._provider = provider
        self._asked: dict[str, int] = {}

    async def keep(self) -> None:
        """Ask for each bill once it is due, for ever."""
        while True:
            for one in await self._live.until(unsettled):
                if self._is_due(one):
                    await self._ask(one)
            await asyncio.sleep(LOOK_SECONDS)

    async def settle(self, seconds: float = ASK_SECONDS) -> None:
        """Ask for every bill that is not here, once.

        Args:
            seconds: how long all of it may take, in seconds.
        """
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(self._ask(one) for one in unsettled(self._live.state)))
        except TimeoutError:
            return

    def _is_due(self, one: Unsettled) -> bool:
        """Whether it is time to ask, for the first time or again."""
        asked = self._asked.get(one.sandbox_id, 0)
        age = (now() - one.gone_at).total_seconds()
        return asked < MOST_ASKED and age >= SETTLED_SECONDS + asked * AGAIN_SECONDS

    async def _ask(self, one: Unsettled) -> None:
        self._asked[one.sandbox_id] = self._asked.get(one.sandbox_id, 0) + 1
        try:
            async with asyncio.timeout(ASK_SECONDS):
                cost = await self._provider.billed(one.sandbox_id)
        except (SandboxError, TimeoutError):
            return
        if cost is None or self._may_still_grow(one, cost):
            return
        self._live.record(
            SandboxBilled(sandbox_id=one.sandbox_id, experiment_id=one.experiment_id, cost_usd=cost)
        )

    def _may_still_grow(self, one: Unsettled, cost: Decimal) -> bool:
        """Whether a figure is not the last. Ours is the most that it can be, and counts until then."""
        young = (now() - one.gone_at).total_seconds() < SETTLED_SECONDS
        return young and (one.reckoned_usd is None or cost < one.reckoned_usd)


def unsettled(state: RunState) -> list[Unsettled]:
    """Sandboxes that are gone and whose provider has not said what they cost, oldest first."""
    found = [
        Unsettled(closing.sandbox_id, experiment.id, closing.at, closing.cost_usd)
        for experiment in state.experiments.values()
        for closing in experiment.closings
        if closing.sandbox_id not in experiment.billed
    ]
    known = {name for experiment in state.experiments.values() for name in experiment.bills}
    return found + [
        Unsettled(reaped.sandbox_id, reaped.experiment_id, reaped.at, None)
        for reaped in state.reaped.values()
        if reaped.sandbox_id not in known and reaped.sandbox_id not in state.stray_bills
    ]
