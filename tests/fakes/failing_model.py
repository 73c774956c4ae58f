"""A scripted model whose provider fails in between."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal

from core.models.base import Delta, ModelMessage, Turn, TurnRequest
from core.models.scripted import ScriptedModel, Trajectory
from core.pricing import FREE, TokenPrices


async def _at_once() -> None:
    pass


@dataclass
class FailingModel:
    """Plays a trajectory, but for turns that fail.

    Attributes:
        trajectory: what it plays.
        errors: what turns end in, by agent and number of the turn; taken once, unless ``stays``.
        stays: whether a turn that fails fails whenever it is asked for.
        before: waited for before a turn is given, by agent and number.
        asked: agents and numbers, as they were asked for.
    """

    trajectory: Trajectory
    errors: dict[tuple[str, int], Exception] = field(default_factory=dict)
    stays: bool = False
    before: dict[tuple[str, int], Callable[[], Awaitable[None]]] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)
    name: str = "failing"
    scripted: bool = True
    prices: TokenPrices | None = FREE

    def turn_price(self, request: TurnRequest) -> Decimal:
        """Nothing."""
        return Decimal(0)

    async def turn(self, request: TurnRequest) -> AsyncIterator[Delta | Turn]:
        """Fail, or play the turn."""
        number = sum(isinstance(message, ModelMessage) for message in request.messages) + 1
        place = request.agent, number
        self.asked.append(place)
        await self.before.get(place, _at_once)()
        error = self.errors.get(place) if self.stays else self.errors.pop(place, None)
        if error is not None:
            raise error
        async for piece in ScriptedModel(self.name, self.trajectory).turn(request):
            yield piece
