"""The four sources of the literature on loopback, each scripted by itself or dead."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from core.keys.secret import Secret
from core.literature.cache import Cache
from core.literature.literature import Literature
from core.literature.pacing import Pacing
from core.literature.sources import Sources
from tests.fakes.literature_replies import (
    ARXIV_ERROR,
    arxiv_entry,
    arxiv_feed,
    crossref_work,
    handle,
    openalex_search,
    openalex_work,
)
from tests.fakes.streaming_server import Answer, Exchange, StreamingServer

Route: TypeAlias = Callable[[Exchange], Awaitable[None]]

NOW = 1_795_430_400.0
"""2026-11-23, seconds since the epoch."""


def sends(
    text: str,
    status: int = 200,
    kind: str = "application/json; charset=utf-8",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """An answer that is there at once."""

    async def answer(exchange: Exchange) -> None:
        await exchange.respond(status, text.encode(), {"content-type": kind, **(headers or {})})

    return answer


async def hangs(exchange: Exchange) -> None:
    """Take the request and say nothing."""
    await exchange.stall()


async def drips(exchange: Exchange) -> None:
    """Say a little from time to time, and never all of it."""
    await exchange.begin({"content-type": "application/json"})
    while not exchange.disconnected.is_set():
        await exchange.send(b" ")
        await asyncio.sleep(0.01)


BREIMAN = sends(openalex_search(openalex_work()))
BELKIN = sends(arxiv_feed(arxiv_entry()), kind="application/atom+xml; charset=utf-8")
NOTHING = sends(openalex_search())
NO_ENTRY = sends(arxiv_feed(), kind="application/atom+xml")
ARXIV_SAYS_ERROR = sends(ARXIV_ERROR, kind="application/atom+xml")
OF_CROSSREF = sends(crossref_work())
UNKNOWN = sends("Resource not found.", 404, "text/plain")
EXISTS = sends(handle("10.1007/bf00058655"))


@dataclass
class Clock:
    """A clock that goes on only when somebody sleeps.

    Attributes:
        now: its time, seconds.
        slept: every sleep, seconds.
    """

    now: float = 1_000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        """The time."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let time go by at once."""
        self.slept.append(round(seconds, 3))
        self.now += seconds
        await asyncio.sleep(0)


@dataclass
class Literary:
    """The literature over the four servers.

    Attributes:
        literature: what is tested.
        openalex: its server; a dead source has one that nobody reaches.
        arxiv: the same.
        crossref: the same.
        doi: the same.
        clock: what pacing goes by.
        wall: the time that the cache goes by, seconds since the epoch; a list of one.
    """

    literature: Literature
    openalex: StreamingServer
    arxiv: StreamingServer
    crossref: StreamingServer
    doi: StreamingServer
    clock: Clock
    wall: list[float]

    @property
    def asked(self) -> list[str]:
        """Every request: the server's name and the path."""
        servers = {"openalex": self.openalex, "arxiv": self.arxiv, "crossref": self.crossref, "doi": self.doi}
        return [f"{name} {each.path}" for name, server in servers.items() for each in server.exchanges]


@contextlib.asynccontextmanager
async def literary(
    *,
    openalex: Answer | list[Answer] | None = BREIMAN,
    arxiv: Answer | list[Answer] | None = BELKIN,
    crossref: Answer | list[Answer] | None = OF_CROSSREF,
    doi: Answer | list[Answer] | None = EXISTS,
    key: Secret | None = None,
    cache: Path | None = None,
    seconds: float = 20.0,
) -> AsyncIterator[Literary]:
    """The four sources: each answers the same for ever, or as a list says, or is dead (None)."""
    clock, wall = Clock(), [NOW]
    async with contextlib.AsyncExitStack() as stack:
        servers = {}
        for name, answers in (("openalex", openalex), ("arxiv", arxiv), ("crossref", crossref), ("doi", doi)):
            server = StreamingServer(*answers) if isinstance(answers, list) else StreamingServer(then=answers)
            if answers is None:
                server.port = unused_port()
            else:
                await stack.enter_async_context(server)
            servers[name] = server
        usual = Sources()
        sources = Sources(
            **{name: replace(getattr(usual, name), base_url=servers[name].base_url) for name in servers}
        )

        async def find_key(name: str) -> Secret | None:
            assert name == "OPENALEX_API_KEY"
            return key

        literature = Literature(
            sources, find_key, Cache(cache, lambda: wall[0]), Pacing(clock, clock.sleep), seconds
        )
        yield Literary(literature, **servers, clock=clock, wall=wall)


def unused_port() -> int:
    """A port of the loopback interface on which nobody listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port
