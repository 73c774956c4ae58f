"""One message of Claude, put together from the events of its stream.

It is made of the provider's own JSON and nothing else, so that a block that is sent back equals the
block that came, fields and kinds of blocks that are unknown here included. A message that is not whole
is never given out.

Source of the format: Anthropic, "Streaming Messages", read on 2026-11-23.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from core.errors import ModelBusy
from core.models.base import Delta
from core.pricing import Tokens

_GROWING_FIELDS = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "signature",
    "input_json_delta": "partial_json",
}
"""Which field of a delta, by the delta's type, is a further piece of the block's field of that name."""


class MessageStream:
    """The message that a stream has brought so far.

    Attributes:
        ended: whether the provider said that the message is complete.
        written_bytes: how much text and how many arguments of calls came, bytes.
    """

    def __init__(self) -> None:
        self.ended = False
        self.written_bytes = 0
        self._head: dict[str, Any] | None = None
        self._usage: dict[str, Any] = {}
        self._blocks: dict[int, _Block] = {}

    @property
    def begun(self) -> bool:
        """Whether anything came that the provider may bill."""
        return self._head is not None

    @property
    def stop_reason(self) -> str:
        """Why the model stopped, in the provider's word; empty where that has not come."""
        reason = (self._head or {}).get("stop_reason")
        return reason if isinstance(reason, str) else ""

    @property
    def stop_details(self) -> Mapping[str, Any]:
        """What the provider adds to the reason; empty where it adds nothing."""
        details = (self._head or {}).get("stop_details")
        return details if isinstance(details, dict) else {}

    def take(self, event: Mapping[str, Any]) -> Delta | None:
        """Add one event, and give what of it can be shown.

        Raises:
            ModelBusy: the event does not fit what came before it.
        """
        match event.get("type"):
            case "message_start":
                self._begin(event)
            case "content_block_start":
                return self._begin_block(event)
            case "content_block_delta":
                return self._grow_block(event)
            case "content_block_stop":
                self._block(event).complete = True
            case "message_delta":
                self._change(event)
            case "message_stop":
                self.ended = True
        # Events of other types may come at any time and are for others.
        return None

    def message(self) -> dict[str, Any]:
        """The whole message, as the provider would have sent it at once.

        Raises:
            ModelBusy: it is not whole, or the arguments of a call are no JSON object.
        """
        if self._head is None or not self.ended:
            raise ModelBusy("the answer ended before it was complete")
        if not self.stop_reason:
            raise ModelBusy("the answer ended without saying why")
        if not all(block.complete for block in self._blocks.values()):
            raise ModelBusy("a part of the answer never ended")
        content = [block.whole() for block in self._blocks.values()]
        return {**self._head, "content": content, "usage": self._usage}

    def tokens(self) -> Tokens | None:
        """What the message is billed by, as counted so far; None where the provider did not count."""
        counted = {name: count for name, count in self._usage.items() if type(count) is int and count >= 0}
        if "input_tokens" not in counted or "output_tokens" not in counted:
            return None
        written = counted.get("cache_creation_input_tokens", 0)
        cached = counted.get("cache_read_input_tokens", 0)
        return Tokens(counted["input_tokens"] + written + cached, counted["output_tokens"], cached, written)

    def _begin(self, event: Mapping[str, Any]) -> None:
        head = event.get("message")
        if self._head is not None or not isinstance(head, dict):
            _malformed()
        self._head = dict(head)
        self._count(head.get("usage"))

    def _begin_block(self, event: Mapping[str, Any]) -> Delta | None:
        block, index = event.get("content_block"), event.get("index")
        if self._head is None or not isinstance(index, int) or not isinstance(block, dict):
            _malformed()
        if index in self._blocks:
            _malformed()
        self._blocks[index] = _Block(block)
        match block.get("type"):
            case "tool_use":
                return Delta("call", str(block.get("name")))
            case "text" | "thinking" as kind if text := block.get(kind):
                return self._shown("thought" if kind == "thinking" else "text", text)
        return None

    def _grow_block(self, event: Mapping[str, Any]) -> Delta | None:
        delta, block = event.get("delta"), self._block(event)
        if not isinstance(delta, dict) or block.complete:
            _malformed()
        kind = delta.get("type")
        if kind == "citations_delta":
            block.cite(delta.get("citation"))
            return None
        field = _GROWING_FIELDS.get(str(kind))
        if field is None:
            block.merge(delta)
            return None
        text = delta.get(field)
        if not isinstance(text, str):
            _malformed()
        block.grow(field, text)
        match field:
            case "text":
                return self._shown("text", text)
            case "thinking":
                return self._shown("thought", text)
            case "partial_json":
                self.written_bytes += len(text.encode(errors="replace"))
        return None

    def _shown(self, kind: Any, text: Any) -> Delta | None:
        if not isinstance(text, str):
            _malformed()
        self.written_bytes += len(text.encode(errors="replace"))
        return Delta(kind, text) if text else None

    def _block(self, event: Mapping[str, Any]) -> _Block:
        index = event.get("index")
        block = self._blocks.get(index) if isinstance(index, int) else None
        return block if block is not None else _malformed()

    def _change(self, event: Mapping[str, Any]) -> None:
        change = event.get("delta")
        if self._head is None or not isinstance(change, dict):
            _malformed()
        self._head.update(change)
        self._count(event.get("usage"))

    def _count(self, usage: object) -> None:
        """Counts are of the whole message so far; a count that is left out stays as it was."""
        if isinstance(usage, dict):
            self._usage.update({name: count for name, count in usage.items() if count is not None})


class _Block:
    """One block of a message, and the pieces of it that came."""

    def __init__(self, block: dict[str, Any]) -> None:
        self.complete = False
        self._block = dict(block)
        self._pieces: dict[str, list[str]] = {}

    def grow(self, field: str, piece: str) -> None:
        """Add a piece to the end of a field."""
        self._pieces.setdefault(field, []).append(piece)

    def cite(self, citation: object) -> None:
        """Add a source of a text."""
        self._block["citations"] = [*(self._block.get("citations") or []), citation]

    def merge(self, delta: Mapping[str, Any]) -> None:
        """Add a delta of an unknown type, in the way of those that are known: text grows, the rest is set."""
        for field, value in delta.items():
            if field == "type":
                continue
            if isinstance(value, str):
                self.grow(field, value)
            else:
                self._block[field] = value

    def whole(self) -> dict[str, Any]:
        """The block as the provider would have sent it at once."""
        block = dict(self._block)
        for field, pieces in self._pieces.items():
            text = "".join(pieces)
            if field != "partial_json":
                first = block.get(field)
                block[field] = (first if isinstance(first, str) else "") + text
            elif text:
                block["input"] = _arguments(text)
        if block.get("type") == "tool_use" and not _is_call(block):
            raise ModelBusy("a tool call in the answer is malformed")
        return block


def _is_call(block: Mapping[str, Any]) -> bool:
    names = (block.get("id"), block.get("name"))
    return all(isinstance(name, str) and name for name in names) and isinstance(block.get("input"), dict)


def _arguments(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError):
        raise ModelBusy("the arguments of a tool call are not JSON") from None


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number in JSON")


def _malformed() -> NoReturn:
    raise ModelBusy("the answer's stream is malformed")
