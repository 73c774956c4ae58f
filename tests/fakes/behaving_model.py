"""A model in memory that behaves, well or badly, as a list says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

from core.agents.retries import Retries
from core.errors import ModelBusy
from core.models.base import Delta, ModelMessage, ToolCall, Turn, TurnRequest
from core.pricing import FREE, TokenPrices


@dataclass(frozen=True)
class Says:
    """A complete turn: a text, and calls as ``(tool, arguments)``."""

    text: str = ""
    calls: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    cost_usd: Decimal | None = Decimal(0)


@dataclass(frozen=True)
class Fails:
    """A turn that ends in an error."""

    error: Exception


@dataclass(frozen=True)
class Breaks:
    """A stream that ends after some text, without a turn."""

    text: str = "I was about to"


Behaviour: TypeAlias = Says | Fails | Breaks

AT_ONCE = Retries(first_seconds=0)
"""Turns are asked for again without a pause of their own."""

BUSY = Fails(ModelBusy("the fake is busy", after_seconds=0))


def calls(tool: str, **arguments: Any) -> Says:
    """A turn that uses one tool."""
    return Says(calls=((tool, arguments),))


@dataclass
class BehavingModel:
    """Behaves as the list says, one entry an attempt.

    Attributes:
        behaviours: what comes next; taken from the front.
        price: what one turn is said to cost at most, USD.
        requests: every request that it got.
        during: called in the middle of every attempt.
        closed: how many attempts ran to their very end.
    """

    behaviours: Iterable[Behaviour]
    price: Decimal | None = Decimal(0)
    requests: list[TurnRequest] = field(default_factory=list)
    during: Callable[[TurnRequest], None] = lambda _: None
    name: str = "fake:behaving"
    scripted: bool = True
    closed: int = 0
    prices: TokenPrices | None = FREE

    def __post_init__(self) -> None:
        self._left = iter(self.behaviours)

    def turn_price(self, request: TurnRequest) -> Decimal | None:
        """What was given as ``price``."""
        return self.price

    def next_behaviour(self, request: TurnRequest) -> Behaviour:
        """What this request is answered with."""
        return next(self._left)

    async def turn(self, request: TurnRequest) -> AsyncIterator[Delta | Turn]:
        """Behave once."""
        self.requests.append(request)
        behaviour = self.next_behaviour(request)
        self.during(request)
        if isinstance(behaviour, Fails):
            raise behaviour.error
        yield Delta("text", behaviour.text)
        if isinstance(behaviour, Says):
            yield complete(behaviour, position(request))
        self.closed += 1


class ConstantModel(BehavingModel):
    """Gives the same turn for the same place in a conversation, however often it is asked."""

    def next_behaviour(self, request: TurnRequest) -> Behaviour:
        """The entry for this place."""
        return list(self.behaviours)[position(request)]


def position(request: TurnRequest) -> int:
    """How many complete turns the conversation holds."""
    return sum(isinstance(message, ModelMessage) for message in request.messages)


def complete(says: Says, number: int) -> Turn:
    """A turn whose raw message holds what providers' messages hold: order, floats, signatures."""
    made = tuple(
        ToolCall(f"call-{number}-{place}", name, arguments)
        for place, (name, arguments) in enumerate(says.calls)
    )
    return Turn(
        raw={
            "role": "assistant",
            "content": [
                {"type": "thinking", "signature": "Zm9v+/==", "temperature": 1.0},
                {"type": "text", "text": says.text},
                *({"id": call.id, "name": call.name, "input": dict(call.arguments)} for call in made),
            ],
        },
        text=says.text,
        thoughts="hm",
        calls=made,
        cost_usd=says.cost_usd,
    )
