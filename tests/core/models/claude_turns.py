"""What the tests of Claude ask, and how they ask it: through the real SDK, over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import TypeVar, cast

import pytest

from core.errors import ModelError
from core.keys.secret import Secret
from core.models.base import (
    Delta,
    Message,
    Model,
    ToolSpec,
    Turn,
    TurnRequest,
    UserMessage,
)
from core.models.card import ModelCard
from core.models.claude import ClaudeModel
from core.pricing import TokenPrices
from tests.fakes.anthropic_server import (
    KEY,
    AnthropicServer,
    Json,
    says,
    text,
)
from tests.fakes.streaming_server import Answer

T = TypeVar("T")

PRICES = TokenPrices(Decimal(5), Decimal(25), Decimal("0.5"), Decimal("6.25"))

CARD = ModelCard("claude-opus-5", "anthropic", 200_000, 32_000, "adaptive", PRICES)

TOOLS = (ToolSpec("look", "Look at it.", {"type": "object", "properties": {"at": {"type": "string"}}}),)


def request(*messages: Message, system: str = "Be brief.") -> TurnRequest:
    return TurnRequest("orchestrator", system, TOOLS, messages or (UserMessage("Begin."),))


def claude(server: AnthropicServer, card: ModelCard = CARD, key: str | None = KEY) -> ClaudeModel:
    return ClaudeModel(card, None if key is None else Secret(key), server.base_url, stall_seconds=5)


async def take(model: Model, asked: TurnRequest) -> tuple[list[Delta], Turn]:
    pieces = [piece async for piece in model.turn(asked)]
    deltas = [piece for piece in pieces if isinstance(piece, Delta)]
    [turn] = [piece for piece in pieces if isinstance(piece, Turn)]
    assert pieces[-1] is turn
    return deltas, turn


def with_server(server: AnthropicServer, use: Callable[[AnthropicServer], Awaitable[T]]) -> T:
    async def main() -> T:
        async with server:
            return await use(server)

    return asyncio.run(main())


def one_turn(server: AnthropicServer, asked: TurnRequest | None = None, card: ModelCard = CARD) -> Turn:
    return with_server(server, lambda it: take(claude(it, card), asked or request()))[1]


def sent(asked: TurnRequest, card: ModelCard = CARD) -> Json:
    server = AnthropicServer(says(text("ok")))
    one_turn(server, asked, card)
    return cast("Json", server.bodies[0])


MILLION = Decimal(10**6)

READ_USD = (100 * 5 + 20 * Decimal("6.25") + 300 * Decimal("0.5")) / MILLION
"""What reading the fake's request costs."""


def fault(answer: Answer, *, stall_seconds: float = 5, server: AnthropicServer | None = None) -> ModelError:
    """What a turn ends in."""

    async def ask(it: AnthropicServer) -> ModelError:
        model = ClaudeModel(CARD, Secret(KEY), it.base_url, stall_seconds=stall_seconds)
        with pytest.raises(ModelError) as raised:
            await take(model, request())
        return raised.value

    return with_server(server or AnthropicServer(answer), ask)
