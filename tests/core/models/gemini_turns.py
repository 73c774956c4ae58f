"""What the tests of Gemini ask, and how they ask it: through the real SDK, over a real socket."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from core.keys.secret import Secret
from core.models.base import Delta, Message, ToolSpec, Turn, TurnRequest, UserMessage
from core.models.card import ModelCard, Thinking
from core.models.gemini import GeminiModel
from core.pricing import TokenPrices
from tests.fakes.gemini_server import GeminiServer

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
