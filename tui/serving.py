"""The console in a browser: textual-serve behind a token.

Whoever has the address with its token can approve experiments, so that it is made anew for each start
and is given out once, on the terminal that started this. The browser trades it for a cookie, which other
sites cannot send.
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import signal
import socket
from collections.abc import Callable
from http import HTTPStatus

import textual_serve.server
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

TOKEN_BYTES = 32

FORBIDDEN = "This address needs the token that 'fumehood serve' printed.\n"

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def free_port(host: str) -> int:
    """A port that nobody listens on.

    Raises:
        OSError: the address is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


class GuardedServer(textual_serve.server.Server):
    """Serves the console to whoever has the token.

    Args:
        command: starts a console, as a shell reads it.
        host: the address to listen on.
        port: the port to listen on.
        announce: told the address once somebody listens there.

    Attributes:
        token: what the browser has to show.
    """

    def __init__(self, command: str, host: str, port: int, announce: Callable[[str], None]) -> None:
        shown = f"[{host}]" if ":" in host else host
        super().__init__(command, host=host, port=port, title="fumehood", public_url=f"http://{shown}:{port}")
        self.token = secrets.token_urlsafe(TOKEN_BYTES)
        self._announce = announce

    @property
    def address(self) -> str:
        """What to open in a browser, the token included."""
        return f"{self.public_url}/?token={self.token}"

    @property
    def cookie(self) -> str:
        """The cookie's name; cookies are shared by all ports of a host."""
        return f"fumehood-{self.port}"

    async def application(self) -> web.Application:
        """The web application, every path of it behind the token."""
        app = await self._make_app()
        app.middlewares.append(self._guard())
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Say nothing: textual-serve would print an address without the token."""

    async def run(self) -> None:
        """Serve until interrupted.

        Raises:
            OSError: this address cannot be listened on.
        """
        runner = web.AppRunner(await self.application(), access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, self.host, self.port).start()
            interrupted = asyncio.Event()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(number, interrupted.set)
            self._announce(self.address)
            await interrupted.wait()
        finally:
            await runner.cleanup()

    def _guard(self) -> Middleware:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            if self._is_token(request.cookies.get(self.cookie)):
                self._refuse_other_origins(request)
                response = await handler(request)
                if not response.prepared:
                    response.headers.update(HEADERS)
                return response
            if request.path != "/" or not self._is_token(request.query.get("token")):
                raise web.HTTPForbidden(text=FORBIDDEN, headers=HEADERS)
            welcome = web.Response(status=HTTPStatus.SEE_OTHER, headers=HEADERS | {"Location": "/"})
            welcome.set_cookie(self.cookie, self.token, httponly=True, samesite="Strict", path="/")
            return welcome

        return guard

    def _is_token(self, shown: str | None) -> bool:
        return shown is not None and secrets.compare_digest(shown.encode(), self.token.encode())

    def _refuse_other_origins(self, request: web.Request) -> None:
        """A page of another port of this host is sent the cookie, too; it may not open a console."""
        origin = request.headers.get("Origin")
        if origin is not None and origin != self.public_url:
            raise web.HTTPForbidden(text="This page may not open a console.\n", headers=HEADERS)
