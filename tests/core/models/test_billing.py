"""What attempts at a turn cost: alike for both providers, and never beyond what was said beforehand."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ModelBusy, ModelError
from core.keys.secret import Secret
from core.models.base import Model, TurnRequest, UserMessage
from core.models.billing import Bill, Received, bill_of, price_at_most
from core.models.card import ModelCard
from core.models.claude import ClaudeModel
from core.models.gemini import GeminiModel
from core.pricing import FREE, TokenPrices, Tokens
from tests.fakes import anthropic_server, gemini_server
from tests.fakes.anthropic_server import AnthropicServer
from tests.fakes.gemini_server import GeminiServer
from tests.fakes.streaming_server import Exchange, StreamingServer

PRICES = TokenPrices(Decimal(1_000_000), Decimal(10_000_000), cached=Decimal(100_000))
"""A dollar for a token that is read, and ten for one that is written."""


def card(prices: TokenPrices | None = PRICES, most: int = 1000) -> ModelCard:
    return ModelCard("m", "anthropic", 100_000, most, "none", prices)


def received(tokens: Tokens | None, written: int = 0, *, begun: bool = True, whole: bool = False) -> Received:
    return Received(tokens, written, begun, whole)


@pytest.mark.parametrize(
    ("what", "bill"),
    [
        (received(None, begun=False), Bill(Decimal(0))),
        (received(Tokens(7, 3), 9000, whole=True), Bill(Decimal(37))),
        (received(Tokens(7, 3), 0), Bill(Decimal(37), Decimal(9_970))),
        (received(Tokens(7, 3), 30), Bill(Decimal(107), Decimal(9_900))),
        (received(Tokens(7, 3, cached=7), 31), Bill(Decimal("110.7"), Decimal(9_890))),
        (received(Tokens(7, 2000), 0), Bill(Decimal(20_007), Decimal(0))),
        (received(None, 30), Bill(None)),
        (received(None, 30, whole=True), Bill(None)),
    ],
)
def test_an_attempt_is_booked_by_what_was_counted_and_what_came(what: Received, bill: Bill) -> None:
    assert bill_of(card(), what) == bill


@pytest.mark.parametrize("tokens", [None, Tokens(7, 3)])
@pytest.mark.parametrize("whole", [True, False])
def test_without_a_price_the_cost_is_unknown_and_of_a_free_model_it_is_nothing(
    tokens: Tokens | None, whole: bool
) -> None:
    assert bill_of(card(None), received(tokens, 30, whole=whole)) == Bill(None)
    assert bill_of(card(FREE), received(tokens, 30, whole=whole)) == Bill(Decimal(0))


@given(
    request_bytes=st.integers(0, 200_000),
    share=st.floats(0, 1),
    cached=st.floats(0, 1),
    output=st.integers(0, 1000),
    written=st.integers(0, 3000),
)
def test_no_attempt_costs_more_than_was_kept_for_it(
    request_bytes: int, share: float, cached: float, output: int, written: int
) -> None:
    read = int(min(request_bytes, 100_000) * share)
    hit = int(read * cached)
    at_most = price_at_most(card(), request_bytes)
    assert at_most is not None
    for tokens in (Tokens(read, output, hit), Tokens(read, output, cache_written=hit)):
        for whole in (True, False):
            bill = bill_of(card(), received(tokens, written, whole=whole))
            assert bill.cost_usd is not None
            assert bill.unsettled_usd >= 0
            assert bill.cost_usd + bill.unsettled_usd <= at_most


# Both providers


def claude_that_is_cut(events: int) -> StreamingServer:
    """A server that counts 420 tokens of input and sends so many events of a long answer."""
    whole = anthropic_server.events_of(anthropic_server.message(anthropic_server.text("word " * 30)))

    async def answer(exchange: Exchange) -> None:
        await exchange.begin()
        for event in whole[:events]:
            await exchange.send(anthropic_server.wire(event))
        exchange.cut()

    return AnthropicServer(answer, key=None)


def gemini_that_is_cut(events: int) -> StreamingServer:
    """The same of the other provider."""
    usage = {"promptTokenCount": 420, "cachedContentTokenCount": 300}
    parts = [gemini_server.text("word " * 2) for _ in range(events - 1)]
    return GeminiServer(gemini_server.begins(*parts, then="cut", usage=usage))


def price_and_failure(server: StreamingServer, vendor: str) -> tuple[Decimal | None, ModelError]:
    async def ask() -> tuple[Decimal | None, ModelError]:
        async with server:
            model: Model = (
                ClaudeModel(card(), Secret("k"), server.base_url)
                if vendor == "anthropic"
                else GeminiModel(card(), Secret("k"), server.base_url)
            )
            request = TurnRequest("E1", "Be brief.", (), (UserMessage("Begin. " * 100),))
            with pytest.raises(ModelBusy) as raised:
                async for _ in model.turn(request):
                    pass
            return model.turn_price(request), raised.value

    return asyncio.run(ask())


@settings(max_examples=10, deadline=None)
@given(events=st.integers(3, 12))
def test_a_stream_that_is_cut_anywhere_costs_alike_and_never_more_than_was_kept(events: int) -> None:
    for server, vendor in (
        (claude_that_is_cut(events), "anthropic"),
        (gemini_that_is_cut(events), "google"),
    ):
        price, error = price_and_failure(server, vendor)
        assert price is not None
        assert error.cost_usd is not None
        most = error.cost_usd + error.unsettled_usd
        assert Decimal(150) < error.cost_usd < 150 + 20 + 10 * 50, vendor
        assert most > 10_000, "it may have written and thought up to its longest answer"
        assert most <= price
