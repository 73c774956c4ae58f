"""A server on loopback that speaks Gemini's streaming API, well or badly, as a script says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from tests.fakes.streaming_server import Answer, Exchange, StreamingServer

Part: TypeAlias = dict[str, Any]

USAGE = {
    "promptTokenCount": 1000,
    "cachedContentTokenCount": 400,
    "candidatesTokenCount": 50,
    "thoughtsTokenCount": 150,
    "totalTokenCount": 1200,
}
"""What every complete answer is billed by, unless it says otherwise."""

SIGNATURE = "EqsBCqgB+/9yd2Vi//8gYnl0ZXM+Pz8="
"""As Google writes signatures: with the letters ``+`` and ``/``, which its SDK would change."""

MODELS = (
    {
        "name": "models/gemini-a",
        "displayName": "Gemini A",
        "inputTokenLimit": 1000000,
        "outputTokenLimit": 65536,
    },
    {"name": "models/gemini-b", "supportedGenerationMethods": ["generateContent", "countTokens"]},
    {"name": "models/embedding-c", "supportedGenerationMethods": ["embedContent"]},
)


class GeminiServer(StreamingServer):
    """Answers turns from its script, and lists ``MODELS`` to whoever asks for them."""

    async def answer(self, exchange: Exchange) -> None:
        """Answer one request."""
        if exchange.method == "GET" and not self.script:
            page = int(exchange.query.get("pageToken", ["0"])[0])
            size = int(exchange.query.get("pageSize", ["50"])[0])
            listed: dict[str, Any] = {"models": list(MODELS[page : page + size])}
            if page + size < len(MODELS):
                listed["nextPageToken"] = str(page + size)
            await exchange.respond(200, listed)
        else:
            await super().answer(exchange)

    @property
    def open_connections(self) -> int:
        """How many lines to it are open now."""
        return len(self._transports)

    @property
    def bodies(self) -> list[Any]:
        """The body of every request so far."""
        return [exchange.json() for exchange in self.exchanges]


def text(said: str, **more: Any) -> Part:
    """A piece of text."""
    return {"text": said, **more}


def thought(said: str, **more: Any) -> Part:
    """A piece of a thought."""
    return {"text": said, "thought": True, **more}


def call(name: str, identity: str | None = None, signature: str | None = None, **arguments: Any) -> Part:
    """A tool call."""
    own = {"id": identity} if identity is not None else {}
    part: Part = {"functionCall": {**own, "name": name, "args": arguments}}
    return {**part, "thoughtSignature": signature} if signature else part


def event(parts: Iterable[Part] = (), finish: str | None = None, **more: Any) -> dict[str, Any]:
    """One event of a stream."""
    candidate: dict[str, Any] = {"index": 0}
    if parts := list(parts):
        candidate["content"] = {"parts": parts, "role": "model"}
    if finish is not None:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "modelVersion": "gemini-a", "responseId": "r-1", **more}


def says(*parts: Part, finish: str | None = "STOP", usage: Mapping[str, Any] | None = USAGE) -> Answer:
    """A whole answer, a part an event; the reason to stop and the usage come with the last one."""
    events = [event([part]) for part in parts[:-1]]
    last = event(parts[-1:], finish)
    return streams([*events, {**last, "usageMetadata": dict(usage)} if usage is not None else last])


def streams(events: Iterable[Mapping[str, Any]]) -> Answer:
    """An answer of these events, which ends as HTTP ends it."""
    return sends(b"".join(framed(one) for one in events))


def sends(*pieces: bytes, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer of these bytes, each piece a chunk of its own, which ends as HTTP ends it."""

    async def answer(exchange: Exchange) -> None:
        await exchange.begin(headers)
        for piece in pieces:
            await exchange.send(piece)
        await exchange.finish()

    return answer


def framed(one: Mapping[str, Any]) -> bytes:
    """One event as Google frames it."""
    return b"data: " + json.dumps(one).encode() + b"\r\n\r\n"


def begins(*parts: Part, then: str, usage: Mapping[str, Any] | None = None) -> Answer:
    """An answer that does not come to its end.

    Args:
        parts: what comes.
        then: ``stall``: nothing more, on an open line; ``cut``: the line is cut in the middle of an event.
        usage: what its events say of the tokens used.
    """
    more: dict[str, Any] = {"usageMetadata": dict(usage)} if usage is not None else {}

    async def answer(exchange: Exchange) -> None:
        await exchange.begin()
        for part in parts:
            await exchange.send(framed(event([part], **more)))
        if then == "stall":
            await exchange.stall()
        else:
            await exchange.send(b'data: {"candidates": [{"content": {"parts": [{"te')
            # Bytes that are still on their way would be lost with the line.
            await asyncio.sleep(0.01)
            exchange.cut()

    return answer


def fails(
    status: int,
    message: str,
    name: str = "",
    details: Iterable[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """An error before anything is streamed, as Google words it."""
    body = fault(status, message, name, details)
    return lambda exchange: exchange.respond(status, body, headers)


def fault(
    code: int, message: str, name: str = "", details: Iterable[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """An error object, as it also comes inside a stream."""
    error: dict[str, Any] = {"code": code, "message": message, "status": name or "UNKNOWN"}
    return {"error": {**error, "details": list(details)} if details else error}


def reason(word: str) -> dict[str, Any]:
    """A detail that names the reason of an error."""
    kind = "type.googleapis.com/google.rpc.ErrorInfo"
    return {"@type": kind, "reason": word, "domain": "googleapis.com"}


def retry_in(delay: str) -> dict[str, Any]:
    """A detail that asks for a delay, e.g. ``36.4s``."""
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


def quota(identity: str) -> dict[str, Any]:
    """A detail that names the quota that is used up."""
    kind = "type.googleapis.com/google.rpc.QuotaFailure"
    return {"@type": kind, "violations": [{"quotaId": identity, "quotaValue": "20"}]}


RATE_LIMITED = fails(
    429,
    "You exceeded your current quota, please check your plan and billing details.",
    "RESOURCE_EXHAUSTED",
    [quota("GenerateRequestsPerMinutePerProjectPerModel"), retry_in("0.01s")],
)
OVERLOADED = fails(503, "The model is overloaded. Please try again later.", "UNAVAILABLE")
BAD_KEY = fails(
    400, "API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT", [reason("API_KEY_INVALID")]
)
NO_SUCH_MODEL = fails(404, "models/gemini-z is not found for API version v1beta", "NOT_FOUND")
TOO_LONG = fails(
    400,
    "The input token count (1200293) exceeds the maximum number of tokens allowed (1048576).",
    "INVALID_ARGUMENT",
)
BLOCKED_PROMPT = streams(
    [{"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 1000}}]
)
