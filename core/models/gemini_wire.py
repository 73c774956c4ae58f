"""What comes over the wire while Gemini answers: server-sent events, taken as they are."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

import httpx2

from core.errors import ModelBusy
from core.models.faults import Address

OTHER_FIELDS = (b":", b"event:", b"id:", b"retry:")
"""What lines of an event begin with that hold no data."""


class Tap(httpx2.AsyncByteStream):
    """Takes the events of an answer from the wire before the SDK reads them.

    The SDK's own reading is of no use: it drops fields, prints warnings about words that it does not know
    and fails on kinds that it does not know. So it gets an empty event for each one that came, and errors,
    which it raises, as they are.

    Args:
        answer: what came.
        events: where the events go.
        address: who answers, for messages.
    """

    def __init__(self, answer: httpx2.Response, events: deque[Mapping[str, Any]], address: Address) -> None:
        self._answer = answer
        self._events = events
        self._address = address
        self._left = False

    def leave(self) -> None:
        """Let the answer end here for the SDK, whatever is still to come."""
        self._left = True

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async with aclosing(_messages(self._answer)) as messages:
            async for text in messages:
                event = self._parsed(text)
                if "error" in event:
                    error = {"error": _with_code(event["error"])}
                    yield b"data: " + json.dumps(error).encode() + b"\n\n"
                else:
                    self._events.append(event)
                    yield b"data: {}\n\n"
                if self._left:
                    return

    async def aclose(self) -> None:
        """Close the answer, and with it its connection."""
        await self._answer.aclose()

    def _parsed(self, text: bytes) -> dict[str, Any]:
        try:
            event = json.loads(text, parse_constant=_no_number)
        except (ValueError, RecursionError):
            event = None
        if isinstance(event, list) and len(event) == 1:
            event = event[0]
        if not isinstance(event, dict):
            raise ModelBusy(f"{self._address.host} sent an answer that is broken off or garbled")
        return event


async def _messages(answer: httpx2.Response) -> AsyncGenerator[bytes, None]:
    """The data of each server-sent event; of an answer that is none, all of it at its end.

    Source: WHATWG HTML, "Server-sent events", 9.2.6. Google sends no other field than ``data``.
    """
    rest, data, other = b"", list[bytes](), list[bytes]()
    async with aclosing(answer.aiter_bytes()) as pieces:
        async for piece in pieces:
            *lines, rest = (rest + piece).split(b"\n")
            for line in (line.rstrip(b"\r") for line in lines):
                if line.startswith(b"data:"):
                    data.append(line.removeprefix(b"data:"))
                elif line and not line.startswith(OTHER_FIELDS):
                    other.append(line)
                elif not line and data:
                    yield b"\n".join(data)
                    data.clear()
    if rest.startswith(b"data:"):
        data.append(rest.removeprefix(b"data:"))
    elif not rest.startswith(OTHER_FIELDS):
        other.append(rest)
    for left in (data, other):
        if any(line.strip() for line in left):
            yield b"\n".join(left)


def _no_number(word: str) -> None:
    """Refuse ``NaN`` and the infinities, which Python reads and JSON does not have."""
    raise ValueError(word)


def _with_code(error: Any) -> dict[str, Any]:
    """An error as the SDK can raise it: an object with a number."""
    if not isinstance(error, dict):
        return {"code": 500, "message": str(error)}
    return error if isinstance(error.get("code"), int) else {**error, "code": 500}
