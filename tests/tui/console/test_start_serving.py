"""The console in a browser: nobody gets in without the token."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import WSServerHandshakeError, web
from aiohttp.test_utils import TestClient, TestServer
from textual_serve.app_service import AppService

from tests.tui.conftest import DEADLINE_SECONDS, Home
from tui.serving import GuardedServer, free_port, is_loopback

Client = TestClient[web.Request, web.Application]

PATHS = ("/", "/ws", "/static/js/textual.js", "/static/", "/download/1", "/nothing", "/?token=", "/?token=x")


def served(play: Callable[[GuardedServer, Client], Awaitable[None]], command: str = "true") -> None:
    """Serve a command on loopback while a test plays the browser."""

    async def run() -> None:
        port = free_port("127.0.0.1")
        server = GuardedServer(command, "127.0.0.1", port, lambda address: None)
        async with TestClient(TestServer(await server.application(), port=port)) as client:
            await asyncio.wait_for(play(server, client), DEADLINE_SECONDS)

    asyncio.run(run())


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_nothing_is_served(path: str) -> None:
    async def play(server: GuardedServer, client: Client) -> None:
        response = await client.get(path, allow_redirects=False)
        assert response.status == 403
        assert "token" in await response.text()
        assert server.token not in await response.text()

    served(play)


def test_without_the_token_no_console_is_started(tmp_path: Path) -> None:
    async def play(server: GuardedServer, client: Client) -> None:
        with pytest.raises(WSServerHandshakeError) as refused:
            await client.ws_connect(f"/ws?token={server.token}")
        assert refused.value.status == 403

    served(play, f"touch {tmp_path / 'started'}")
    assert not (tmp_path / "started").exists()


def test_the_address_is_traded_for_a_cookie_that_opens_the_console() -> None:
    async def play(server: GuardedServer, client: Client) -> None:
        welcome = await client.get(f"/?token={server.token}", allow_redirects=False)
        assert welcome.status == 303
        assert welcome.headers["Location"] == "/"  # the token stays neither in the address bar nor in logs
        cookie = welcome.cookies[server.cookie]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Strict"
        page = await client.get("/")
        assert page.status == 200
        assert page.headers["X-Frame-Options"] == "DENY"
        assert server.token not in await page.text()
        assert (await client.get("/static/js/textual.js")).status == 200

    served(play)


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[Process]:
    """What textual-serve starts; it leaves closing the pipes to the garbage collector."""
    started: list[Process] = []
    really = AppService._open_app_process

    async def remember(service: AppService, width: int = 80, height: int = 24) -> Process:
        started.append(await really(service, width, height))
        return started[-1]

    monkeypatch.setattr(AppService, "_open_app_process", remember)
    return started


def test_a_console_is_started_for_whoever_has_the_cookie(tmp_path: Path, processes: list[Process]) -> None:
    started = tmp_path / "started"

    async def play(server: GuardedServer, client: Client) -> None:
        await client.get(f"/?token={server.token}")
        async with client.ws_connect("/ws", origin=server.public_url):
            while not processes:  # noqa: ASYNC110 - nobody tells when it was started
                await asyncio.sleep(0.02)
            await processes[0].wait()
        processes[0]._transport.close()  # type: ignore[attr-defined]

    served(play, f"touch {started}")
    assert started.exists()


def test_a_page_of_another_origin_cannot_use_the_cookie(tmp_path: Path) -> None:
    async def play(server: GuardedServer, client: Client) -> None:
        await client.get(f"/?token={server.token}")
        with pytest.raises(WSServerHandshakeError) as refused:
            await client.ws_connect("/ws", origin="http://127.0.0.1:1")
        assert refused.value.status == 403

    served(play, f"touch {tmp_path / 'started'}")
    assert not (tmp_path / "started").exists()


def test_each_start_has_a_token_of_its_own() -> None:
    first, second = (GuardedServer("true", "127.0.0.1", 1, print) for _ in range(2))
    assert first.token != second.token
    assert len(first.token) >= 40


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.4", False),
        ("example.org", False),
    ],
)
def test_only_loopback_needs_no_warning(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.fixture
def not_serving(monkeypatch: pytest.MonkeyPatch) -> None:
    """Announce, and do not stay."""

    async def announce(server: GuardedServer) -> None:
        server._announce(server.address)

    monkeypatch.setattr(GuardedServer, "run", announce)


@pytest.mark.usefixtures("not_serving")
def test_serving_says_where_and_warns_beyond_loopback(home: Home) -> None:
    here = home.type("serve", "--port", "8765").stdout
    assert "http://127.0.0.1:8765/?token=" in here
    assert "Warning" not in here
    beyond = home.type("serve", "--host", "0.0.0.0", "--port", "8765").stdout
    assert beyond.startswith("Warning: 0.0.0.0 can be reached from other machines")


def test_a_port_in_use_is_one_line(home: Home) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        result = home.type("serve", "--port", str(taken.getsockname()[1]))
    assert result.exit_code == 2
    assert "something listens there already" in result.stderr
