"""A turn of Claude that is left: its connection ends at once, and turns at once do not mix."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import cast

import pytest

from core.models.base import (
    Delta,
    Turn,
    UserMessage,
)
from tests.core.models.claude_turns import (
    claude,
    request,
    take,
    with_server,
)
from tests.fakes.anthropic_server import (
    AnthropicServer,
    Json,
    breaks,
    silent,
    text,
    thinks,
)
from tests.fakes.streaming_server import Exchange

HANG_UP_SECONDS = 0.1
"""How soon a server has to see that nobody listens any more."""


async def seconds_to_hang_up(exchange: Exchange, began: float) -> float:
    async with asyncio.timeout(5):
        await exchange.disconnected.wait()
    assert exchange.disconnected_at is not None
    return exchange.disconnected_at - began


def test_cancelling_a_turn_that_streams_closes_the_connection_at_once() -> None:
    async def cancel(server: AnthropicServer) -> None:
        model = claude(server)
        streaming = asyncio.Event()

        async def consume() -> None:
            async for _ in model.turn(request()):
                streaming.set()

        task = asyncio.create_task(consume())
        await streaming.wait()
        began = asyncio.get_running_loop().time()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await seconds_to_hang_up(server.exchanges[0], began) < HANG_UP_SECONDS

    with_server(AnthropicServer(breaks("stall")), cancel)


def test_cancelling_a_turn_that_nothing_came_of_yet_closes_the_connection_at_once() -> None:
    async def cancel(server: AnthropicServer) -> None:
        task = asyncio.create_task(take(claude(server), request()))
        exchange = await server.arrival()
        began = asyncio.get_running_loop().time()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await seconds_to_hang_up(exchange, began) < HANG_UP_SECONDS

    with_server(AnthropicServer(silent), cancel)


def test_closing_a_turn_that_streams_closes_the_connection_at_once() -> None:
    async def close(server: AnthropicServer) -> None:
        stream = cast("AsyncGenerator[Delta | Turn, None]", claude(server).turn(request()))
        assert await anext(stream) == Delta("text", "The answer")
        began = asyncio.get_running_loop().time()
        await stream.aclose()
        assert await seconds_to_hang_up(server.exchanges[0], began) < HANG_UP_SECONDS

    with_server(AnthropicServer(breaks("stall")), close)


def test_the_connection_ends_with_the_turn_whatever_the_server_still_sends() -> None:
    async def ask(server: AnthropicServer) -> None:
        _, turn = await take(claude(server), request())
        assert turn.text == "ok"
        await seconds_to_hang_up(server.exchanges[0], 0)

    with_server(AnthropicServer(breaks("stall", text("ok"), after="message_stop")), ask)


def test_turns_at_once_do_not_mix() -> None:
    def echo(body: Json) -> list[Json]:
        return [text(body["messages"][0]["content"][0]["text"])]

    async def ask(server: AnthropicServer) -> list[str]:
        model = claude(server)
        asked = [request(UserMessage(f"number {number} " * 50)) for number in range(8)]
        turns = await asyncio.gather(*(take(model, it) for it in asked))
        return [turn.text for _, turn in turns]

    assert with_server(AnthropicServer(then=thinks(echo)), ask) == [f"number {it} " * 50 for it in range(8)]
