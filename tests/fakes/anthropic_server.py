"""A server that speaks Anthropic's Messages API on loopback, with a switch for everything that can go wrong.

It is as strict as the provider about what it is sent: a conversation that the provider would refuse is
refused here with status 400.
"""

from __future__ import annotations

import asyncio
import copy
import itertools
import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from tests.fakes.streaming_server import Answer, Exchange, StreamingServer

Json: TypeAlias = dict[str, Any]

KEY = "sk-ant-api03-a-key-for-tests-that-opens-nothing-0000"
"""The key that the server takes, in either header."""

USAGE: Json = {
    "input_tokens": 100,
    "cache_creation_input_tokens": 20,
    "cache_read_input_tokens": 300,
    "output_tokens": 50,
}

_SAID_LAST = ("stop_reason", "stop_sequence", "stop_details")

_numbers = itertools.count(1)


def text(words: str) -> Json:
    """A block of text."""
    return {"type": "text", "text": words}


def thinking(words: str, signature: str = "c2lnbmVk+/==") -> Json:
    """A block of signed thoughts."""
    return {"type": "thinking", "thinking": words, "signature": signature}


def redacted(data: str = "ZW5jcnlwdGVk") -> Json:
    """A block of thoughts that the provider shows to nobody."""
    return {"type": "redacted_thinking", "data": data}


def tool_use(name: str, call_id: str | None = None, /, **arguments: Any) -> Json:
    """A block that calls a tool."""
    return {
        "type": "tool_use",
        "id": call_id or f"toolu_{next(_numbers):04}",
        "name": name,
        "input": arguments,
    }


def message(*blocks: Json, stop: str | None = None, usage: Json | None = None, **fields: Any) -> Json:
    """A whole message, as the provider would send it at once; ``usage`` {} for none."""
    calls = any(block["type"] == "tool_use" for block in blocks)
    return {
        "id": f"msg_{next(_numbers):04}",
        "type": "message",
        "role": "assistant",
        "model": "claude-of-the-fake",
        "content": list(blocks),
        "stop_reason": stop or ("tool_use" if calls else "end_turn"),
        "stop_sequence": None,
        "usage": USAGE if usage is None else usage,
        **fields,
    }


def events_of(whole: Json, pieces: random.Random | None = None) -> list[Json]:
    """The events in which a message is streamed.

    Args:
        whole: the message.
        pieces: where to split texts; without it they come in pieces of ten characters.
    """
    usage = whole["usage"]
    start = {**whole, "content": [], "stop_reason": None, "stop_sequence": None}
    start["usage"] = {**usage, "output_tokens": 1} if usage else {}
    events: list[Json] = [{"type": "message_start", "message": start}, {"type": "ping"}]
    for index, block in enumerate(whole["content"]):
        opening, deltas = _opened(block, pieces)
        events.append({"type": "content_block_start", "index": index, "content_block": opening})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    ending: Json = {
        "type": "message_delta",
        "delta": {name: whole[name] for name in _SAID_LAST if name in whole},
    }
    if usage:
        ending["usage"] = {"output_tokens": usage["output_tokens"]}
    return [*events, ending, {"type": "message_stop"}]


def _opened(block: Json, pieces: random.Random | None) -> tuple[Json, list[Json]]:
    """A block as it begins, and the deltas that make it whole."""
    opening = copy.deepcopy(block)
    match block["type"]:
        case "text":
            opening["text"] = ""
            deltas = [{"type": "text_delta", "text": piece} for piece in _split(block["text"], pieces)]
        case "thinking":
            opening["thinking"] = opening["signature"] = ""
            deltas = [
                {"type": "thinking_delta", "thinking": piece} for piece in _split(block["thinking"], pieces)
            ]
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        case "tool_use":
            opening["input"] = {}
            written = json.dumps(block["input"]) if block["input"] else ""
            deltas = [
                {"type": "input_json_delta", "partial_json": piece}
                for piece in ["", *_split(written, pieces)]
            ]
        case _:
            deltas = []
    return opening, deltas


def _split(words: str, pieces: random.Random | None) -> list[str]:
    if pieces is None:
        return [words[at : at + 10] for at in range(0, len(words), 10)]
    cuts = sorted(pieces.randrange(len(words) + 1) for _ in range(pieces.randrange(6)))
    return [words[start:end] for start, end in itertools.pairwise([0, *cuts, len(words)])]


def wire(event: Json, *, named: bool = True) -> bytes:
    """An event as it goes over the wire; ``named`` for the line that says its type."""
    name = f"event: {event['type']}\n" if named else ""
    return f"{name}data: {json.dumps(event, ensure_ascii=False)}\n\n".encode()


def error(kind: str, words: str) -> Json:
    """An error as the provider writes it."""
    return {"type": "error", "error": {"type": kind, "message": words}, "request_id": "req_0001"}


# Answers -----------------------------------------------------------------------------------------------


def says(*blocks: Json, stop: str | None = None, usage: Json | None = None, **fields: Any) -> Answer:
    """A complete message of these blocks."""
    return streams(*events_of(message(*blocks, stop=stop, usage=usage, **fields)))


def thinks(of: Callable[[Json], Sequence[Json]]) -> Answer:
    """A complete message of the blocks that a function makes of the request."""

    async def answer(exchange: Exchange) -> None:
        await says(*of(exchange.json()))(exchange)

    return answer


def streams(
    *events: Json,
    named: bool = True,
    chunk_bytes: Callable[[], int] | None = None,
    pause_seconds: float = 0,
) -> Answer:
    """These events and a clean end.

    Args:
        events: the events.
        named: whether each says its type in a line of its own.
        chunk_bytes: how long the next piece on the wire is; without it each event is one.
        pause_seconds: between two pieces.
    """

    async def answer(exchange: Exchange) -> None:
        await exchange.begin()
        written = [wire(event, named=named) for event in events]
        if chunk_bytes is not None:
            written = list(_rechunked(b"".join(written), chunk_bytes))
        for piece in written:
            await exchange.send(piece)
            if pause_seconds:
                await asyncio.sleep(pause_seconds)
        await exchange.finish()

    return answer


def _rechunked(content: bytes, chunk_bytes: Callable[[], int]) -> list[bytes]:
    pieces = []
    while content:
        size = max(1, chunk_bytes())
        pieces.append(content[:size])
        content = content[size:]
    return pieces


def cuts_call(name: str, written: str, stop: str = "max_tokens") -> Answer:
    """A call whose arguments end where the answer's limit was, in a stream that ends in good order.

    Args:
        name: the tool.
        written: the arguments as far as they came.
        stop: the reason to stop that the provider gives.
    """
    opening, *ending = [
        event
        for event in events_of(message(tool_use(name), stop=stop))
        if event["type"] not in {"ping", "content_block_delta"}
    ]
    delta = {"type": "input_json_delta", "partial_json": written}
    return streams(
        opening, ending[0], {"type": "content_block_delta", "index": 0, "delta": delta}, *ending[1:]
    )


def refuses(
    status: int,
    kind: str = "invalid_request_error",
    words: str = "no",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Answer:
    """An error before any stream; with another body than the provider's where one is given."""

    async def answer(exchange: Exchange) -> None:
        await exchange.respond(status, error(kind, words) if body is None else body, headers)

    return answer


Break: TypeAlias = Literal["cut", "end", "stall", "pings", "garbage", "error", "bad bytes"]


def breaks(
    how: Break,
    *blocks: Json,
    after: str = "content_block_delta",
    error_type: str = "",
    error_words: str = "so it says",
) -> Answer:
    """The beginning of a message of these blocks, and then what goes wrong.

    Args:
        how: ``cut`` closes the connection, ``end`` ends the stream in good order, ``stall`` sends nothing
            more, ``pings`` sends nothing but signs of life, ``garbage`` sends what is not JSON, ``error``
            sends an error within the stream, ``bad bytes`` sends what is no text.
        blocks: of the message.
        after: the type of the last event that is sent; empty for none at all.
        error_type: of the error.
        error_words: of the error.
    """
    events = events_of(message(*(blocks or (text("The answer begins well"),))))
    last = max((at for at, event in enumerate(events) if event["type"] == after), default=-1)

    async def answer(exchange: Exchange) -> None:
        await exchange.begin()
        for event in events[: last + 1]:
            await exchange.send(wire(event))
        match how:
            case "cut":
                # What was written goes out before the connection is closed.
                exchange.cut()
                return
            case "stall":
                await exchange.stall()
                return
            case "pings":
                while True:
                    await exchange.send(wire({"type": "ping"}))
                    await asyncio.sleep(0.01)
            case "garbage":
                await exchange.send(b'event: content_block_delta\ndata: {"type": "content_block_del\n\n')
            case "bad bytes":
                await exchange.send(b"event: content_block_delta\ndata: \xff\xfe\n\n")
            case "error":
                await exchange.send(wire(error(error_type, error_words)))
        await exchange.finish()

    return answer


async def silent(exchange: Exchange) -> None:
    """No answer at all, not even headers."""
    await exchange.stall()


async def hangs_up(exchange: Exchange) -> None:
    """The connection is closed without an answer."""
    exchange.cut()


# The server ----------------------------------------------------------------------------------------------


class AnthropicServer(StreamingServer):
    """The provider's API.

    Args:
        answers: to the requests for messages, in order.
        then: to every later one.
        models: what it lists, in pages of two; None where it has no list.
        key: the key that it takes, in either header; None for any, as local servers do.
    """

    def __init__(
        self,
        *answers: Answer,
        then: Answer | None = None,
        models: Sequence[Json] | None = (),
        key: str | None = KEY,
    ) -> None:
        super().__init__(*answers, then=then)
        self.models = models
        self.key = key

    @property
    def bodies(self) -> list[Any]:
        """What was sent in every request for a message, as JSON."""
        return [exchange.json() for exchange in self.exchanges if exchange.path == "/v1/messages"]

    async def answer(self, exchange: Exchange) -> None:
        """Answer as the provider does."""
        keys = {exchange.headers.get("authorization"), exchange.headers.get("x-api-key")}
        if self.key is not None and not keys & {f"Bearer {self.key}", self.key}:
            await refuses(401, "authentication_error", "invalid bearer token")(exchange)
        elif exchange.path == "/v1/models" and self.models is not None:
            await exchange.respond(200, _page(self.models, exchange))
        elif exchange.method != "POST" or exchange.path != "/v1/messages":
            await exchange.respond(404, b"404 page not found")
        elif complaint := complaint_about(exchange.json()):
            await refuses(400, "invalid_request_error", complaint)(exchange)
        else:
            await super().answer(exchange)


def _page(models: Sequence[Json], exchange: Exchange) -> Json:
    ids = [model["id"] for model in models]
    after = exchange.query.get("after_id")
    begin = ids.index(after[0]) + 1 if after else 0
    page = list(models[begin : begin + 2])
    return {
        "data": page,
        "has_more": begin + 2 < len(ids),
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
    }


def complaint_about(body: Json) -> str:
    """What the provider would refuse in a request; empty where there is nothing."""
    if not body.get("stream") or body.get("max_tokens", 0) < 1 or not body.get("messages"):
        return "stream, max_tokens and messages are wanted"
    thinks_by = body.get("thinking", {})
    if thinks_by.get("type") == "enabled" and not 1024 <= thinks_by["budget_tokens"] < body["max_tokens"]:
        return "thinking.budget_tokens: at least 1024, and less than max_tokens"
    if body["messages"][0]["role"] != "user" or body["messages"][-1]["role"] != "user":
        return "the first and the last message are the user's"
    open_calls: list[str] = []
    for number, sent in enumerate(body["messages"]):
        if set(sent) != {"role", "content"}:
            return f"messages.{number}: extra inputs are not permitted"
        if not sent["content"]:
            return f"messages.{number}: content must be non-empty"
        if any(block["type"] == "text" and not block["text"].strip() for block in sent["content"]):
            return "messages: text content blocks must be non-empty"
        results = [block["tool_use_id"] for block in sent["content"] if block["type"] == "tool_result"]
        if results != open_calls:
            return f"messages.{number}: tool_use ids were found without tool_result blocks after them"
        kinds = [block["type"] for block in sent["content"]]
        if sent["role"] == "user" and kinds != sorted(kinds, key=lambda kind: kind != "tool_result"):
            return f"messages.{number}: tool_result blocks come first"
        if any(block["type"] == "thinking" and not block["signature"] for block in sent["content"]):
            return f"messages.{number}: thinking without a signature"
        open_calls = [block["id"] for block in sent["content"] if block["type"] == "tool_use"]
    return ""
