"""The one place that uses Google's SDK: asks for a stream and gives its events as they came over the wire.

The SDK's own objects lose what they do not know, in both directions, and write signatures in another
alphabet than the one they came in. Conversations have to go back unchanged, so events are taken from the
wire, and the request's body is set as a whole.

Importing this takes half a second: do it in a thread.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import ssl
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import httpx2
from google import genai
from google.genai import errors, types
from google.genai.client import DebugConfig

from core.errors import ModelBusy, ModelError, ModelUnusable
from core.keys.secret import Secret
from core.models.faults import NOT_SERVED, Address, no_connection, no_key_at_all, no_list, no_proxy
from core.models.gemini_faults import API, of_response
from core.models.gemini_wire import Tap

# It warns of variables in the environment that have no say here.
logging.getLogger("google_genai").setLevel(logging.ERROR)

API_VERSION = "v1beta"
"""The version that knows every model; aliases such as ``gemini-flash-latest`` exist in no other."""

CONNECT_SECONDS = 10.0

CLOSE_SECONDS = 1.0
"""How long a stream that is left may take to end, which it does at once; then its line is simply cut."""

KEY_HEADER = "x-goog-api-key"

NO_KEY = "none"
"""Stands where the SDK wants a key and there is none, or it would look for one itself."""


@dataclass(frozen=True)
class Endpoint:
    """Where and how Gemini is asked.

    Attributes:
        base_url: without a version.
        key: sent in a header; None where the server wants none.
        stall_seconds: how long a server may be silent before it is given up.
    """

    base_url: str
    key: Secret | None
    stall_seconds: float


class Connection:
    """A client for one request; when it is left, or its owner ends, the server sees it at once.

    The SDK keeps a stream open that its reader has left. So each request has an HTTP client of its own,
    which is closed as a whole; on a new connection that costs one more handshake a turn.

    Args:
        endpoint: where and how it asks.
        address: who is asked, for messages.

    Raises:
        ModelUnusable: the key or the address cannot be sent.
    """

    def __init__(self, endpoint: Endpoint, address: Address) -> None:
        _must_be_sendable(endpoint.key, address)
        self._endpoint = endpoint
        self._address = address
        self._events: deque[Mapping[str, Any]] = deque()
        self._timeout = httpx2.Timeout(endpoint.stall_seconds, connect=CONNECT_SECONDS)
        self._stream: AsyncIterator[object] | None = None
        self._tap: Tap | None = None
        self._owner: asyncio.Task[Any] | None = None
        self._closing: asyncio.Task[None] | None = None
        hooks: Mapping[str, list[Any]] = {
            "request": [self._before_sending],
            "response": [self._before_reading],
        }
        self._http = _http_client(address, self._timeout, hooks)
        self._client = _client(endpoint, self._http)

    async def __aenter__(self) -> Self:
        self._owner = asyncio.current_task()
        if self._owner is not None:
            # A generator whose reader was cancelled between two pieces is not told of it.
            self._owner.add_done_callback(self._abandon)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._owner is not None:
            self._owner.remove_done_callback(self._abandon)
        await asyncio.shield(self._close())

    async def events(self, body: Mapping[str, Any]) -> AsyncGenerator[Mapping[str, Any], None]:
        """Ask for one streamed answer and give its events, each as the JSON object that came.

        Args:
            body: the whole request.

        Raises:
            ModelError: what went wrong, typed.
        """
        config = types.GenerateContentConfig(
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
            # Otherwise the SDK asks again by itself after a cut, and parts come twice.
            automatic_continuation=False,
            http_options=types.HttpOptions(extra_body=dict(body)),
        )
        try:
            # The contents sent are those of the body; the SDK only wants to see some.
            self._stream = await self._client.aio.models.generate_content_stream(
                model=self._address.model, contents=[types.Content(parts=[])], config=config
            )
            while await self._advance():
                while self._events:
                    yield self._events.popleft()
        except _FAULTS as error:
            raise self._typed(error) from None

    async def models(self, page_size: int, *, first_page: bool = False) -> list[types.Model]:
        """The models that the server lists, or the first page of them.

        Raises:
            ModelError: what went wrong, typed.
        """
        try:
            async with asyncio.timeout(self._endpoint.stall_seconds):
                pager = await self._client.aio.models.list(config={"page_size": page_size})
                return list(pager.page) if first_page else [model async for model in pager]
        except errors.APIError as error:
            if not self._address.official and int(error.code) in NOT_SERVED:
                raise no_list(self._address) from None
            raise self._typed(error) from None
        except ValueError:  # what came is no list
            raise no_list(self._address) from None
        except _FAULTS as error:
            raise self._typed(error) from None

    async def _advance(self) -> bool:
        """Wait for the next event; False at the end of the stream."""
        assert self._stream is not None
        async with asyncio.timeout(self._endpoint.stall_seconds):
            return await anext(self._stream, None) is not None

    async def _before_sending(self, request: httpx2.Request) -> None:
        # The SDK overwrites the client's timeout with none.
        request.extensions["timeout"] = self._timeout.as_dict()
        if not self._endpoint.key:
            request.headers.pop(KEY_HEADER, None)

    async def _before_reading(self, response: httpx2.Response) -> None:
        """Put a tap on the answer; an error, which is no stream, is left alone."""
        if response.status_code == httpx2.codes.OK and response.request.method == "POST":
            if "html" in response.headers.get("content-type", ""):
                raise self._not_the_api()
            # The tap sees the text; what reads behind it must not decompress it again.
            answer = httpx2.Response(
                response.status_code,
                headers=response.headers,
                stream=response.stream,
                request=response.request,
            )
            response.headers.pop("content-encoding", None)
            response.stream = self._tap = Tap(answer, self._events, self._address)

    def _abandon(self, _: object) -> None:
        self._closing = asyncio.get_running_loop().create_task(self._close())

    async def _close(self) -> None:
        """End the stream where it is, from the inside out, then close the connection."""
        try:
            if self._stream is not None and self._tap is not None:
                # Closing the SDK's outermost generator would leave a dozen inner ones to the garbage
                # collector, which closes them in no order.
                self._tap.leave()
                async with asyncio.timeout(CLOSE_SECONDS):
                    async for _ in self._stream:
                        pass
        except (*_FAULTS, ModelError):
            pass  # nobody is left to hear of it
        finally:
            await self._http.aclose()

    def _typed(self, error: Exception) -> ModelError:
        """The same fault in the words of this program."""
        match error:
            case errors.APIError():
                headers = {name.lower(): value for name, value in error.response.headers.items()}
                return of_response(self._address, int(error.code), error.details, headers)
            case httpx2.ConnectError() | httpx2.ConnectTimeout() | httpx2.ProxyError():
                return no_connection(self._address, error)
            case TimeoutError() | httpx2.TimeoutException():
                seconds = f"{self._endpoint.stall_seconds:g}"
                return ModelBusy(f"{self._address.host} has sent nothing for {seconds} seconds")
            case httpx2.UnsupportedProtocol() | httpx2.InvalidURL():
                return ModelUnusable(f"nothing can be asked at {self._address.host}", self._address.check)
            case httpx2.HTTPError():
                return ModelBusy(f"the connection to {self._address.host} was cut")
        return self._not_the_api()

    def _not_the_api(self) -> ModelUnusable:
        return ModelUnusable(f"no {API} answers at {self._address.host}", self._address.check)


_FAULTS = (errors.APIError, httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, ValueError)
"""All that the SDK and its HTTP client raise; a ``ValueError`` where an answer is none of the API's."""


def _http_client(
    address: Address, timeout: httpx2.Timeout, hooks: Mapping[str, list[Any]]
) -> httpx2.AsyncClient:
    """A client that the environment tells about proxies, and of the rest nothing."""
    try:
        return httpx2.AsyncClient(
            verify=_tls(),
            timeout=timeout,
            event_hooks=hooks,
            # A key goes to the address that was chosen and to no other; no proxy leads to this machine.
            follow_redirects=False,
            trust_env=not address.loopback,
        )
    except (ImportError, ValueError) as error:
        raise no_proxy(error) from None


def _client(endpoint: Endpoint, http: httpx2.AsyncClient) -> genai.Client:
    """The SDK's client, told everything that it would otherwise look for in the environment."""
    try:
        return genai.Client(
            api_key=_sent(endpoint.key),
            enterprise=False,
            debug_config=DebugConfig(client_mode=None, replays_directory=None, replay_id=None),
            http_options=types.HttpOptions(
                base_url=endpoint.base_url,
                api_version=API_VERSION,
                # With a client of its own the SDK would use aiohttp wherever that is installed.
                httpx_async_client=http,
                client_args={"verify": _tls()},
                async_client_args={"ssl": _tls()},
            ),
        )
    except ImportError as error:
        raise ModelUnusable(
            f"Google's SDK cannot be used: {error}", "Unset GOOGLE_GENAI_HTTP_CLIENT, then resume."
        ) from None


def _must_be_sendable(key: Secret | None, address: Address) -> None:
    value = _sent(key)
    if not (value.isascii() and value.isprintable()) or " " in value or value.startswith("auth_tokens/"):
        raise no_key_at_all(address)


def _sent(key: Secret | None) -> str:
    return (key.reveal().strip() if key else "") or NO_KEY


@functools.cache
def _tls() -> ssl.SSLContext:
    """Whom to trust; made once, since reading the certificates takes 50 ms."""
    return httpx2.create_ssl_context()


@functools.cache
def warm_up() -> None:
    """Do now what the SDK does at its first use, 80 ms in all, so that no loop waits for it."""
    _client(Endpoint("http://127.0.0.1", None, 1.0), httpx2.AsyncClient(verify=_tls()))
    types.GenerateContentResponse.model_validate({})
    types.GenerateContentConfig(http_options=types.HttpOptions(extra_body={}))
