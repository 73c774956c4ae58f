"""What the tests of Gemini ask, and how they ask it: through the real SDK, over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from core.errors import (
    ModelBusy,
    ModelError,
)
from core.keys.secret import Secret
from core.models.base import (
    Delta,
    Message,
    ToolSpec,
    Turn,
    TurnRequest,
    UserMessage,
)
from core.models.card import ModelCard, Thinking
from core.models.gemini import GeminiModel
from core.pricing import TokenPrices
from tests.fakes.gemini_server import (
    GeminiServer,
)
from tests.fakes.streaming_server import Answer, Exchange

KEY = Secret("AIzaSyTheKeyOfTheseTests000000000000000")

PRICES = TokenPrices(input=Decimal(2), output=Decimal(10), cached=Decimal("0.2"))

SCHEMA = {"type": "object", "properties": {"code": {"type": "string", "minLength": 1}}, "required": ["code"]}

RUN = ToolSpec("run_python", "Runs a script.", SCHEMA)

QUESTION = UserMessage("Begin.")


def card(thinking: Thinking = "level", prices: TokenPrices | None = PRICES, most: int = 65_536) -> ModelCard:
    return ModelCard("gemini-a", "google", 1_000_000, most, thinking, prices)


def model(
    server: GeminiServer,
    of: ModelCard | None = None,
    key: Secret | None = KEY,
    stall_seconds: float = 10.0,
) -> GeminiModel:
    return GeminiModel(of or card(), key, server.base_url, stall_seconds)


def request(*messages: Message, agent: str = "E1") -> TurnRequest:
    return TurnRequest(agent, "Be brief.", (RUN,), messages or (QUESTION,))


async def pieces(asked: GeminiModel, of: TurnRequest | None = None) -> Sequence[Delta | Turn]:
    return [piece async for piece in asked.turn(of or request())]


async def turn(asked: GeminiModel, of: TurnRequest | None = None) -> Turn:
    *_, last = await pieces(asked, of)
    assert isinstance(last, Turn)
    return last


def one_turn(answer: Answer, **settings: Any) -> tuple[Turn, Exchange]:
    async def ask() -> tuple[Turn, Exchange]:
        async with GeminiServer(answer) as server:
            return await turn(model(server, **settings)), server.exchanges[0]

    return asyncio.run(ask())


def failure(answer: Answer, **settings: Any) -> ModelError:
    """The error of a turn, which the server is asked for exactly once."""

    async def ask() -> ModelError:
        async with GeminiServer(answer) as server:
            with pytest.raises(ModelError) as caught:
                await turn(model(server, **settings))
            assert len(server.exchanges) == 1, "the SDK asked again by itself"
            return caught.value

    return asyncio.run(ask())


def busy(answer: Answer, **settings: Any) -> ModelBusy:
    error = failure(answer, **settings)
    assert isinstance(error, ModelBusy)
    return error
