"""A turn of Gemini that nobody reads any more ends at the server too, which would else go on generating."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from core.errors import ModelBusy
from core.models.base import Delta, Turn
from core.models.gemini import GeminiModel
from tests.core.models.gemini_turns import model, request, turn
from tests.fakes.gemini_server import GeminiServer, begins, event, framed, says, text
from tests.fakes.streaming_server import Exchange

DEADLINE_SECONDS = 5.0

STALLS = begins(text("Well"), then="stall")


async def silent(exchange: Exchange) -> None:
    await exchange.stall()


async def endless(exchange: Exchange) -> None:
    await exchange.begin()
    while not exchange.disconnected.is_set():
        await exchange.send(framed(event([text("more ")])))


def seen_by_server(answer: Any, leave: Callable[[GeminiModel, GeminiServer], Awaitable[None]]) -> Exchange:
    """Begin a turn and leave it; the exchange, once the server has seen that."""

    complaints: list[dict[str, Any]] = []

    async def ask() -> Exchange:
        asyncio.get_running_loop().set_exception_handler(lambda _, complaint: complaints.append(complaint))
        async with GeminiServer(answer) as server:
            await leave(model(server), server)
            async with asyncio.timeout(DEADLINE_SECONDS):
                await server.exchanges[0].disconnected.wait()
            gc.collect()
            return server.exchanges[0]

    exchange = asyncio.run(ask())
    assert complaints == []
    return exchange


async def cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("answer", [STALLS, silent, endless])
def test_cancelling_a_reader_that_waits_for_the_next_piece_ends_the_request(answer: Any) -> None:
    async def leave(asked: GeminiModel, server: GeminiServer) -> None:
        reader = asyncio.create_task(turn(asked))
        await server.arrival()
        await asyncio.sleep(0.01)  # so that in some runs the answer has begun
        await cancelled(reader)

    assert seen_by_server(answer, leave).disconnected_at is not None


def test_cancelling_a_reader_between_two_pieces_ends_the_request_although_it_holds_the_stream() -> None:
    held: list[Any] = []

    async def leave(asked: GeminiModel, server: GeminiServer) -> None:
        reading = asyncio.Event()

        async def read() -> None:
            stream = asked.turn(request())
            held.append(stream)
            async for _ in stream:
                reading.set()
                await asyncio.Event().wait()

        reader = asyncio.create_task(read())
        await reading.wait()
        await cancelled(reader)

    assert seen_by_server(STALLS, leave).disconnected_at is not None
    assert held


def test_a_reader_that_breaks_off_ends_the_request() -> None:
    async def leave(asked: GeminiModel, server: GeminiServer) -> None:
        async for piece in asked.turn(request()):
            assert piece == Delta("text", "Well")
            break

    assert seen_by_server(STALLS, leave).disconnected_at is not None


def test_a_reader_that_fails_ends_the_request() -> None:
    async def leave(asked: GeminiModel, server: GeminiServer) -> None:
        async def read() -> None:
            async for _ in asked.turn(request()):
                raise LookupError

        with pytest.raises(LookupError):
            await read()

    assert seen_by_server(STALLS, leave).disconnected_at is not None


@pytest.mark.parametrize("answer", [STALLS, endless])
def test_closing_a_stream_ends_the_request(answer: Any) -> None:
    async def leave(asked: GeminiModel, server: GeminiServer) -> None:
        stream: Any = asked.turn(request())
        await anext(stream)
        await stream.aclose()

    assert seen_by_server(answer, leave).disconnected_at is not None


def test_a_stalled_turn_that_is_given_up_ends_the_request() -> None:
    async def ask() -> Exchange:
        async with GeminiServer(STALLS) as server:
            with pytest.raises(ModelBusy, match="has sent nothing"):
                await turn(model(server, stall_seconds=0.05))
            async with asyncio.timeout(DEADLINE_SECONDS):
                await server.exchanges[0].disconnected.wait()
            return server.exchanges[0]

    assert asyncio.run(ask()).disconnected_at is not None


def test_nothing_is_left_open_or_running_behind_turns_however_they_end() -> None:
    async def ask() -> int:
        async with GeminiServer(says(text("Yes.")), STALLS, STALLS, says(text("Yes."))) as server:
            asked = model(server)
            await turn(asked)
            stream: Any = asked.turn(request())
            await anext(stream)
            await stream.aclose()
            reader = asyncio.create_task(turn(asked))
            await server.arrival(3)
            await cancelled(reader)
            await turn(asked)
            async with asyncio.timeout(DEADLINE_SECONDS):
                while server.open_connections or len(asyncio.all_tasks()) > 1:
                    gc.collect()
                    await asyncio.sleep(0.01)
            return len({exchange.connection for exchange in server.exchanges})

    assert asyncio.run(ask()) == 4


def test_eight_agents_can_think_with_one_model_at_once() -> None:
    async def ask() -> list[Turn]:
        async with GeminiServer(then=says(text("Yes."))) as server:
            asked = model(server)
            return await asyncio.gather(*(turn(asked, request(agent=f"E{n}")) for n in range(8)))

    assert [said.text for said in asyncio.run(ask())] == ["Yes."] * 8


def test_a_model_serves_one_event_loop_after_another() -> None:
    servers: list[GeminiModel] = []

    async def ask() -> str:
        async with GeminiServer(says(text("Yes."))) as server:
            asked = model(server)
            if servers:
                servers[0]._base_url = server.base_url
            else:
                servers.append(asked)
            return (await turn(servers[0])).text

    assert [asyncio.run(ask()), asyncio.run(ask())] == ["Yes.", "Yes."]
