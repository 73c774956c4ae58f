"""A small HTTP/1.1 server on loopback: it records what it is asked and answers from a script.

The servers of the model providers are made from it. Each request takes the next answer of the script;
an answer is a coroutine that gets the exchange and may send, wait, cut the line or do nothing at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any, Self, TypeAlias
from urllib.parse import parse_qs, urlsplit

OPEN_SECONDS = 10.0
"""The longest that a test's server takes to start or to end."""


class Disconnected(Exception):
    """The client has hung up; what is left of the answer reaches nobody."""


class Exchange:
    """One request as it came, and the means to answer it.

    Attributes:
        method: ``GET`` or ``POST``.
        path: without the query.
        query: each parameter's values.
        headers: by name in small letters; of a repeated header the last one.
        body: as it came.
        connection: number of the connection that it came over, from 0.
        began_at: time of the server's loop when the request was read, seconds.
        disconnected_at: time of the server's loop when the client hung up before the answer's end,
            seconds; None where it did not.
        ended: set once the answer has ended, for whatever reason.
    """

    def __init__(
        self, head: bytes, body: bytes, transport: asyncio.Transport, connection: int, now: float
    ) -> None:
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        self.method, target, _ = first.split(" ", 2)
        split = urlsplit(target)
        self.path, self.query = split.path, parse_qs(split.query, keep_blank_values=True)
        pairs = (line.split(":", 1) for line in lines)
        self.headers = {name.strip().lower(): value.strip() for name, value in pairs}
        self.body = body
        self.connection = connection
        self.began_at = now
        self.disconnected_at: float | None = None
        self.disconnected = asyncio.Event()
        self.ended = asyncio.Event()
        self._transport = transport

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    async def respond(
        self,
        status: int,
        body: bytes | Mapping[str, Any] = b"",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer at once and whole; a mapping is sent as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = {} if isinstance(body, bytes) else {"content-type": "application/json"}
        await self._write(
            _head(status, {**kind, "content-length": str(len(content)), **(headers or {})}) + content
        )

    async def begin(self, headers: Mapping[str, str] | None = None, status: int = 200) -> None:
        """Begin an answer of unknown length, as server-sent events unless the headers say otherwise."""
        sent = {"content-type": "text/event-stream", "transfer-encoding": "chunked", **(headers or {})}
        await self._write(_head(status, sent))

    async def send(self, piece: bytes) -> None:
        """Send one piece of an answer that was begun, as a chunk of its own."""
        if piece:
            await self._write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")

    async def finish(self) -> None:
        """End an answer that was begun, as HTTP ends it."""
        await self._write(b"0\r\n\r\n")

    def cut(self) -> None:
        """Close the connection in the middle of the answer."""
        self._transport.close()

    async def stall(self) -> None:
        """Send nothing more and wait until the client hangs up."""
        await self.disconnected.wait()

    async def _write(self, content: bytes) -> None:
        if self.disconnected.is_set():
            raise Disconnected
        self._transport.write(content)
        # A turn of the loop lets the bytes go out alone, and lets a hang-up be seen.
        await asyncio.sleep(0)


Answer: TypeAlias = Callable[[Exchange], Awaitable[None]]


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Status", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class StreamingServer:
    """Listens on a free port of the loopback interface while it is entered.

    Args:
        answers: one for each request, in order.
        then: for every request after those; without it they get status 500.

    Attributes:
        exchanges: every request, in order of arrival.
    """

    def __init__(self, *answers: Answer, then: Answer | None = None) -> None:
        self.script = deque(answers)
        self.then = then
        self.exchanges: list[Exchange] = []
        self.port = 0
        self._arrived = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._transports: set[asyncio.Transport] = set()
        self._connections = 0

    @property
    def base_url(self) -> str:
        """Where it listens, e.g. ``http://127.0.0.1:40123``."""
        return f"http://127.0.0.1:{self.port}"

    async def answer(self, exchange: Exchange) -> None:
        """Answer one request; from the script unless a subclass knows better."""
        if self.script:
            await self.script.popleft()(exchange)
        elif self.then is not None:
            await self.then(exchange)
        else:
            await exchange.respond(500, {"error": {"message": "the script of this test's server is over"}})

    async def arrival(self, count: int = 1) -> Exchange:
        """Wait until so many requests have come, and give the last of them."""
        async with asyncio.timeout(OPEN_SECONDS), self._arrived:
            await self._arrived.wait_for(lambda: len(self.exchanges) >= count)
        return self.exchanges[count - 1]

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0)
        self._server = server
        self.port = server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for transport in list(self._transports):
            transport.abort()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @contextlib.contextmanager
    def in_background(self) -> Iterator[Self]:
        """Serve from a thread of its own, for tests whose client is another process."""
        ready, stop = threading.Event(), asyncio.Event()
        loops: list[asyncio.AbstractEventLoop] = []

        async def serve() -> None:
            async with self:
                loops.append(asyncio.get_running_loop())
                ready.set()
                await stop.wait()

        thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        thread.start()
        try:
            assert ready.wait(OPEN_SECONDS), "the test's server did not start"
            yield self
        finally:
            for loop in loops:
                loop.call_soon_threadsafe(stop.set)
            thread.join(OPEN_SECONDS)

    async def record(self, exchange: Exchange) -> None:
        """Keep a request and wake whoever waits for it."""
        async with self._arrived:
            self.exchanges.append(exchange)
            self._arrived.notify_all()


class _Connection(asyncio.Protocol):
    """One connection: its requests one after the other, each answered before the next is read."""

    def __init__(self, server: StreamingServer) -> None:
        self._of = server
        self._reader = asyncio.StreamReader(limit=2**26)
        self._current: Exchange | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._number = self._of._connections
        self._of._connections += 1
        self._of._transports.add(transport)
        task = asyncio.get_running_loop().create_task(self._serve())
        self._of._tasks.add(task)
        task.add_done_callback(self._of._tasks.discard)

    def data_received(self, data: bytes) -> None:
        self._reader.feed_data(data)

    def eof_received(self) -> bool:
        self._hang_up()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._of._transports.discard(self._transport)
        self._hang_up()

    def _hang_up(self) -> None:
        self._reader.feed_eof()
        exchange = self._current
        if exchange is not None and not exchange.disconnected.is_set():
            exchange.disconnected_at = asyncio.get_running_loop().time()
            exchange.disconnected.set()

    async def _serve(self) -> None:
        async for exchange in self._requests():
            self._current = exchange
            await self._of.record(exchange)
            try:
                await self._of.answer(exchange)
            except Disconnected:
                return
            finally:
                self._current = None
                exchange.ended.set()

    async def _requests(self) -> AsyncIterator[Exchange]:
        while True:
            try:
                head = await self._reader.readuntil(b"\r\n\r\n")
                lines = head.decode("latin-1").lower().split("\r\n")
                lengths = [line.split(":", 1)[1] for line in lines if line.startswith("content-length:")]
                body = await self._reader.readexactly(int(lengths[0]) if lengths else 0)
            except asyncio.IncompleteReadError:
                return
            now = asyncio.get_running_loop().time()
            yield Exchange(head, body, self._transport, self._number, now)
