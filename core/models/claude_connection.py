"""One request to Claude over the vendor's own SDK, with every way in which it can fail named."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from core.errors import ModelBusy, ModelError, ModelUnusable
from core.keys.secret import Secret
from core.models.claude_faults import not_the_api, of_response
from core.models.faults import NOT_SERVED, Address, no_connection, no_key_at_all, no_list, no_proxy
from core.models.vendors import VENDORS

if TYPE_CHECKING:
    import httpx2
    from anthropic import AsyncAnthropic

CONNECT_SECONDS = 10.0
SEND_SECONDS = 30.0
STALL_SECONDS = 300.0
"""How long a server may be silent in the middle of an answer before it is taken for dead."""

PINGS_ONLY = 4
"""How many times as long it may show by pings alone that it is alive."""

NO_KEY = "none"
"""Sent where no key is needed: the SDK fails without one, and servers that need none do not look."""

GATEWAY_VERSION = "2023-06-01"
"""The version of the API that every server besides Anthropic's own knows."""

NO_ADDRESS = "the base URL of Claude is no http address"

_LOGGERS = ("anthropic", "httpx2", "httpcore2")


class ClaudeConnection:
    """The way to a server that speaks the Messages API.

    Each request has a connection of its own, which is closed with it. So nothing is left open behind a
    cancelled turn, and no turn meets a connection that has died since the last one.

    Args:
        key: what opens the door; None or empty where the server wants none.
        base_url: where the server is, with or without ``/v1``.
        model: the model that is asked for, for messages; empty where none is.
        stall_seconds: the longest silence within an answer, seconds.
    """

    def __init__(
        self, key: Secret | None, base_url: str, model: str = "", stall_seconds: float = STALL_SECONDS
    ) -> None:
        base_url = base_url.rstrip("/").removesuffix("/v1")
        self.address = Address(VENDORS["anthropic"], base_url, model, keyed=bool(key))
        self._key = key
        self._stall_seconds = stall_seconds
        self._tls: ssl.SSLContext | None = None
        """The certificates that are trusted; reading them takes 20 ms, so they are kept."""

    @contextlib.asynccontextmanager
    async def events(self, body: bytes) -> AsyncIterator[AsyncIterator[Mapping[str, Any]]]:
        """Ask for a message, and give the events of its stream as the provider's own JSON.

        Leaving the context closes the connection.

        Raises:
            ModelError: whatever happened, typed.
        """
        async with self._client() as client:
            from anthropic import AsyncStream

            stream = await client.post(
                "/v1/messages", cast_to=object, content=body, stream=True, stream_cls=AsyncStream[object]
            )
            kind = stream.response.headers.get("content-type", "").partition(";")[0]
            if kind in {"text/html", "application/json"}:
                raise not_the_api(self.address, kind)
            async with contextlib.aclosing(self._events(stream.response)) as events:
                yield events

    async def get(self, path: str, query: Mapping[str, object]) -> Any:
        """Ask for something that is not streamed.

        Returns:
            The answer as JSON.

        Raises:
            ModelError: whatever happened, typed; ``ModelRejected`` where the server has no such thing.
        """
        async with self._client() as client:
            import anthropic
            import httpx2

            try:
                response = await client.get(path, cast_to=httpx2.Response, options={"params": query})
                return response.json()
            except anthropic.APIStatusError as error:
                if self.address.official or error.status_code not in NOT_SERVED:
                    raise
                raise no_list(self.address) from None
            except ValueError:
                raise no_list(self.address) from None

    async def _events(self, response: httpx2.Response) -> AsyncGenerator[Mapping[str, Any], None]:
        from anthropic import AsyncStream

        # The SDK's own events go through its data types, which fill in, convert and warn; and it drops
        # those that have no "event:" line, as some servers send them.
        raw = cast("AsyncGenerator[Any, None]", AsyncStream.raw_events(response))
        loop = asyncio.get_running_loop()
        patience = self._stall_seconds * PINGS_ONLY
        until = loop.time() + patience
        async with contextlib.aclosing(raw):
            while True:
                # Silence ends the read; this ends an answer that is nothing but signs of life.
                async with asyncio.timeout_at(until):
                    received = await anext(raw, None)
                if received is None:
                    return
                event = _event(received.data)
                if received.event == "error" or event.get("type") == "error":
                    raise of_response(self.address, 200, received.data, {}, streaming=True)
                if event and event.get("type") != "ping":
                    until = loop.time() + patience
                    yield event

    @contextlib.asynccontextmanager
    async def _client(self) -> AsyncIterator[AsyncAnthropic]:
        """The SDK's client for one request; what goes wrong with it comes out typed."""
        key = self._usable_key()
        # In a thread: importing takes a second, and reading certificates 20 ms, in which the engine's
        # loop could neither follow other agents nor show that it is alive.
        client = await asyncio.to_thread(self._make_client, key)
        import anthropic
        import httpx2

        try:
            async with client:
                yield client
        except anthropic.APIStatusError as error:
            response = error.response
            raise of_response(
                self.address, response.status_code, response.text, dict(response.headers)
            ) from None
        except anthropic.APIConnectionError as error:
            raise self._unreached(error.__cause__) from None
        except httpx2.TimeoutException:
            raise self._stalled() from None
        except TimeoutError:
            seconds = self._stall_seconds * PINGS_ONLY
            raise ModelBusy(f"{self.address.host} sent nothing but signs of life for {seconds:g} s") from None
        except UnicodeDecodeError:
            raise ModelBusy(f"{self.address.host} sent something that is no text") from None
        except httpx2.HTTPError:
            raise ModelBusy(
                f"the connection to {self.address.host} broke in the middle of the answer"
            ) from None

    def _usable_key(self) -> str:
        """The key as it is sent.

        Raises:
            ModelUnusable: there is none where one is needed, or it cannot be one.
        """
        key = self._key.reveal().strip() if self._key is not None else ""
        if not key and self.address.official:
            raise ModelUnusable("there is no key for Anthropic", VENDORS["anthropic"].key_next_step)
        if not key.isascii() or not key.isprintable() or " " in key:
            raise no_key_at_all(self.address)
        if not self.address.usable:
            raise ModelUnusable(NO_ADDRESS, self.address.check)
        return key or NO_KEY

    def _make_client(self, key: str) -> AsyncAnthropic:
        with _silence():
            import anthropic  # only where Claude is used, and never on the loop
            import httpx2

        timeout = httpx2.Timeout(SEND_SECONDS, connect=CONNECT_SECONDS, read=self._stall_seconds)
        # The environment's proxies and certificates count, but no proxy leads to this machine; the SDK's
        # own client would not be told so.
        of_client = httpx2.AsyncClient if self.address.loopback else anthropic.DefaultAsyncHttpxClient
        try:
            # A key goes to the address that was chosen and to no other.
            self._tls = self._tls or httpx2.create_ssl_context(trust_env=not self.address.loopback)
            http_client = of_client(
                timeout=timeout,
                follow_redirects=False,
                trust_env=not self.address.loopback,
                verify=self._tls,
            )
        except (ImportError, ValueError, httpx2.InvalidURL) as error:
            raise no_proxy(error) from None
        try:
            client = anthropic.AsyncAnthropic(
                api_key=key,
                base_url=self.address.base_url,
                max_retries=0,
                open_telemetry=False,
                timeout=timeout,
                http_client=http_client,
            )
        except httpx2.InvalidURL:
            raise ModelUnusable(NO_ADDRESS, self.address.check) from None
        # The SDK puts headers from the environment here, which may even hold another key. Anthropic takes
        # the key as the SDK sends it; of other servers some know only the old header and the old version.
        client._custom_headers = (
            {} if self.address.official else {"x-api-key": key, "anthropic-version": GATEWAY_VERSION}
        )
        return client

    def _unreached(self, cause: BaseException | None) -> ModelError:
        import httpx2

        match cause:
            case httpx2.ConnectError() | httpx2.ConnectTimeout() | httpx2.ProxyError():
                return no_connection(self.address, cause)
            case httpx2.TimeoutException():
                return self._stalled()
        return ModelBusy(f"{self.address.host} closed the connection before it answered")

    def _stalled(self) -> ModelBusy:
        return ModelBusy(f"{self.address.host} sent nothing more for {self._stall_seconds:g} s")


def _event(data: str) -> Mapping[str, Any]:
    """An event's data; empty where it has none that means something.

    Raises:
        ModelBusy: it is not JSON.
    """
    if not data or data == "[DONE]":
        return {}
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        raise ModelBusy("the answer's stream holds something that is not JSON") from None
    return event if isinstance(event, dict) else {}


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Import the SDK without its log: with ANTHROPIC_LOG it would print requests into the terminal."""
    root = logging.getLogger()
    before = list(root.handlers)
    yield
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for handler in root.handlers[:]:
        if handler not in before:
            root.removeHandler(handler)
