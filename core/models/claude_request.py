"""What Claude is sent: the same conversation always gives the same request, and only ever a longer one.

Source of the format: Anthropic, "Messages", read on 2026-11-23.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from core.models.base import Message, ModelMessage, TurnRequest, UserMessage
from core.models.card import ModelCard

LEAST_THINKING_TOKENS = 1024
"""The smallest budget for thinking that the API takes."""

EMPTY = "(empty)"
"""Stands for a result without any text, which the API does not take of a failed call."""


def request_body(card: ModelCard, request: TurnRequest) -> dict[str, Any]:
    """The request for one streamed turn."""
    body: dict[str, Any] = {
        "model": card.id,
        "max_tokens": card.max_output_tokens,
        "messages": [sent for message in request.messages if (sent := _message(message))],
        "stream": True,
        # One mark for the whole request: the API puts it behind the newest message by itself.
        "cache_control": {"type": "ephemeral"},
        **_thinking(card),
    }
    if request.system:
        body["system"] = request.system
    if request.tools:
        body["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": dict(tool.schema)}
            for tool in request.tools
        ]
    return body


def encoded(body: Mapping[str, Any]) -> bytes:
    """A request as it goes over the wire."""
    # Half of a surrogate pair is no text and would keep the whole request from being sent.
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _thinking(card: ModelCard) -> dict[str, Any]:
    match card.thinking:
        case "adaptive":
            # Without "display" the newest models show nothing of what they think.
            return {
                "thinking": {"type": "adaptive", "display": "summarized"},
                "output_config": {"effort": "high"},
            }
        case "budget" if card.max_output_tokens > LEAST_THINKING_TOKENS:
            # Thoughts count as output: half of it is left for the answer.
            budget = max(LEAST_THINKING_TOKENS, card.max_output_tokens // 2)
            return {"thinking": {"type": "enabled", "budget_tokens": budget}}
    return {}


def _message(message: Message) -> dict[str, Any] | None:
    if isinstance(message, ModelMessage):
        content = [block for block in message.raw["content"] if not _is_blank(block)]
        # Of the message only these two are taken back; one without content is refused, so it is left out.
        return {"role": "assistant", "content": content} if content else None
    return {"role": "user", "content": _said(message)}


def _is_blank(block: Mapping[str, Any]) -> bool:
    """Whether a block is a text without text, which the API gives at times but never takes back."""
    return block.get("type") == "text" and not str(block.get("text") or "").strip()


def _said(message: UserMessage) -> list[dict[str, Any]]:
    """All results of a turn in one message, and before any text, as the API wants them."""
    blocks: list[dict[str, Any]] = [
        {
            "type": "tool_result",
            "tool_use_id": result.call_id,
            "content": result.text if result.text.strip() else EMPTY,
            **({"is_error": True} if result.error else {}),
        }
        for result in message.results
    ]
    if message.text.strip():
        blocks.append({"type": "text", "text": message.text})
    return blocks or [{"type": "text", "text": EMPTY}]
