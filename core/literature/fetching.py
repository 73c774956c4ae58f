"""Asking a source: out of the cache or over the network, in its turn, in bounded time, or a typed error."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from core.errors import KeysError, SourceFailed
from core.keys.secret import Secret
from core.literature.cache import MISSING, Cache, Kept
from core.literature.pacing import Pacing
from core.literature.sources import Question, Source

if TYPE_CHECKING:
    import httpx2

CONNECT_SECONDS = 5.0
REQUEST_SECONDS = 10.0
"""The longest that one request may take, from its first byte to its last."""

ATTEMPTS = 3
LONGEST_WAIT_SECONDS = 10.0
"""What a source may ask us to wait within one look-up; when it asks for more, it is left alone instead."""

LONGEST_LEFT_ALONE_SECONDS = 900.0
LEFT_ALONE_SECONDS = 30.0
"""How long a source that failed is not asked again, so that a dead one costs its time once."""

MOST_BYTES = 4 * 1024 * 1024
"""Of an answer; a larger one is none of those that were asked for."""

MOST_REDIRECTS = 3

_OK = 200
_BUSY = frozenset({429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NO_KEY = frozenset({401, 403, 409})
_LATER = "Go on without it, or try again later."
_LOGGERS = ("httpx2", "httpcore2")

ReadT = TypeVar("ReadT")

FindKey: TypeAlias = Callable[[str], Awaitable[Secret | None]]
"""Gives a key by its name; None where there is none."""


@dataclass(frozen=True)
class Answer(Generic[ReadT]):
    """What a source said.

    Attributes:
        value: what was read from it; None where it says that there is no such thing.
        stale_from: when it came, if it is from the cache because the source failed; None else.
        trouble: why the source failed then; empty else.
    """

    value: ReadT | None
    stale_from: datetime | None = None
    trouble: str = ""


@dataclass(frozen=True)
class _Reply:
    """One reply over the network."""

    status: int
    text: str
    kind: str
    after_seconds: float | None
    location: str


class Fetcher:
    """Asks sources.

    Args:
        cache: what they answered before.
        pacing: whose turn it is; one for all agents of an engine.
        find_key: where keys come from; asked once for each, and only when its source is.
    """

    def __init__(self, cache: Cache, pacing: Pacing, find_key: FindKey) -> None:
        self._cache = cache
        self._pacing = pacing
        self._find_key = find_key
        self._keys: dict[str, Secret | None] = {}
        self._tls: ssl.SSLContext | None = None

    async def get(self, question: Question, read: Callable[[str], ReadT], by: float) -> Answer[ReadT]:
        """Ask something, unless the answer is known.

        Args:
            question: what is asked.
            read: makes something of the answer's text; raises ``ValueError`` where it is no such answer.
            by: the time on the pacing's clock at which nobody waits any more.

        Raises:
            SourceFailed: the source gave no such answer, and none is kept from before.
        """
        kept = await self._cache.get(question.url)
        if kept is not None and kept.fresh:
            with contextlib.suppress(ValueError):  # by another version of this program
                return Answer(_read_kept(kept, read))
        try:
            return Answer(await self._ask(question, read, by))
        except SourceFailed as failure:
            if kept is None:
                raise
            try:
                value = _read_kept(kept, read)
            except ValueError:
                raise failure from None
            return Answer(value, datetime.fromtimestamp(kept.at, UTC), failure.message)

    async def _ask(self, question: Question, read: Callable[[str], ReadT], by: float) -> ReadT | None:
        source = question.source
        trouble = f"{source.name} did not answer"
        for attempt in range(ATTEMPTS):
            reply = None
            async with self._pacing.turn(source, by):
                try:
                    async with asyncio.timeout(max(0.0, min(REQUEST_SECONDS, by - self._pacing.clock()))):
                        reply = await self._request(question)
                except TimeoutError:
                    trouble = f"{source.name} did not answer in time"
                except _Unreached as error:
                    trouble = f"{source.name} {error}"
            if reply is None:
                break
            if reply.status in _BUSY:
                trouble = f"{source.name} is busy (status {reply.status})"
                wait = 2.0**attempt if reply.after_seconds is None else reply.after_seconds
                self._pacing.leave_alone(source, min(wait, LONGEST_LEFT_ALONE_SECONDS))
                if wait > LONGEST_WAIT_SECONDS or attempt == ATTEMPTS - 1:
                    break
                continue
            return await self._read(question, reply, read)
        self._pacing.leave_alone(source, LEFT_ALONE_SECONDS)
        raise SourceFailed(trouble, _LATER)

    async def _read(self, question: Question, reply: _Reply, read: Callable[[str], ReadT]) -> ReadT | None:
        """What a reply says; it is kept only once it was found to be what was asked for."""
        source = question.source
        if reply.status == MISSING:
            await self._cache.put(question.url, reply.status, "")
            return None
        if reply.status in _NO_KEY:
            self._pacing.leave_alone(source, LEFT_ALONE_SECONDS)
            hint = f"Set {source.key_name} with 'fumehood keys'." if source.key_name else _LATER
            raise SourceFailed(f"{source.name} does not let us in (status {reply.status})", hint)
        if reply.status != _OK:
            raise SourceFailed(f"{source.name} answered with status {reply.status}", _LATER)
        try:
            value = read(reply.text)
        except ValueError:
            self._pacing.leave_alone(source, LEFT_ALONE_SECONDS)
            kind = reply.kind if reply.kind.replace("/", "").isalnum() else "unknown"
            raise SourceFailed(
                f"{source.name} sent something that is no answer of its ({kind})", _LATER
            ) from None
        await self._cache.put(question.url, reply.status, reply.text)
        return value

    async def _request(self, question: Question) -> _Reply:
        """One request, with the redirects that stay at its source.

        Raises:
            _Unreached: there is no reply; the message says why and holds no address.
        """
        # In a thread: importing takes 70 ms and reading certificates 20 ms, in which no agent could stream.
        client = await asyncio.to_thread(self._make_client, question.source)
        import httpx2

        # The key is put in here and nowhere else, so no address that anybody sees or keeps has it.
        url = httpx2.URL(question.url)
        if secret := await self._key_of(question.source):
            url = url.copy_add_param(question.source.key_parameter, secret.reveal())
        try:
            async with client:
                for _ in range(MOST_REDIRECTS + 1):
                    reply = await _stream(client, url)
                    if reply.status not in _REDIRECTS:
                        return reply
                    to = url.join(reply.location)
                    if (to.scheme, to.netloc) != (url.scheme, url.netloc):
                        raise _Unreached("led us to another server")
                    url = to
                raise _Unreached("led us in a circle")
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, ssl.SSLError, UnicodeError) as error:
            raise _Unreached(_in_words(error)) from None

    async def _key_of(self, source: Source) -> Secret | None:
        """The key that a source is told; it does without where there is none that can be read."""
        if not source.takes_key:
            return None
        if source.key_name not in self._keys:
            try:
                self._keys[source.key_name] = await self._find_key(source.key_name)
            except KeysError:
                return None
        return self._keys[source.key_name]

    def _make_client(self, source: Source) -> httpx2.AsyncClient:
        import httpx2

        for name in _LOGGERS:  # they log addresses, and one of those holds a key
            logging.getLogger(name).setLevel(logging.CRITICAL)
        if self._tls is None:
            self._tls = httpx2.create_ssl_context(trust_env=True)
        return httpx2.AsyncClient(
            timeout=httpx2.Timeout(REQUEST_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
            trust_env=not source.local,  # a proxy of the environment's leads to no server on this machine
            verify=self._tls,
            headers={"user-agent": f"fumehood/{version('fumehood')}", "accept-encoding": "identity"},
        )


class _Unreached(Exception):
    """There is no reply; the message goes on after the source's name."""


async def _stream(client: httpx2.AsyncClient, url: httpx2.URL) -> _Reply:
    """Read a reply, but no more of it than an answer can have."""
    body = bytearray()
    async with client.stream("GET", url) as response:
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MOST_BYTES:
                raise _Unreached(f"sent more than {MOST_BYTES // 1024**2} MiB")
        headers = response.headers
        return _Reply(
            status=response.status_code,
            text=body.decode("utf-8", "replace"),
            kind=headers.get("content-type", "").partition(";")[0].strip().lower()[:60],
            after_seconds=retry_after(headers.get("retry-after", ""), datetime.now(UTC)),
            location=headers.get("location", ""),
        )


def retry_after(header: str, now: datetime) -> float | None:
    """The delay that a header asks for, in seconds or as a date (RFC 9110, section 10.2.3).

    Args:
        header: its value; empty where there is none.
        now: UTC.

    Returns:
        Seconds from now, none below zero; None where there is nothing that can be read.
    """
    value = header.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())


def _read_kept(kept: Kept, read: Callable[[str], ReadT]) -> ReadT | None:
    return None if kept.status == MISSING else read(kept.text)


def _in_words(error: Exception) -> str:
    import httpx2

    if isinstance(error, httpx2.ConnectTimeout | httpx2.ConnectError):
        return "cannot be reached"
    if isinstance(error, httpx2.TimeoutException):
        return "did not answer in time"
    return "broke off its answer"
