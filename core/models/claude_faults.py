"""What is wrong when Claude does not answer, in one line for people, with what they can do about it.

Source of the codes: Anthropic, "Errors", read on 2026-11-23; of servers that speak the same API: what they
were seen to send.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from core.errors import ContextFull, ModelBusy, ModelError, ModelUnusable
from core.models.faults import (
    ANOTHER_MODEL,
    TRY_AGAIN,
    Address,
    asked_delay,
    elsewhere,
    error_in,
    key_refused,
    not_found,
    quoted,
    request_refused,
)

API = "Messages API"

STATUS_OF_TYPE = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""An error inside a stream comes with status 200; its type says what it is."""

_TOO_LONG = (
    "prompt is too long",
    "exceed context limit",
    "context window",
    "context length",
    "context size",
)
"""How Anthropic, vLLM and llama.cpp say that a conversation is too long; it has no type of its own."""

_NO_CREDIT = ("credit balance", "usage limits", "spend limit", "spend_limit", "organization_on_hold")
"""How an account says that it pays for no more."""


def of_response(
    address: Address, status: int, body: str, headers: Mapping[str, str], *, streaming: bool = False
) -> ModelError:
    """The error that a response means.

    Args:
        address: who gave it.
        status: its status; 200 of an error inside a stream.
        body: what it says, JSON or not.
        headers: of the response, by name in small letters.
        streaming: whether the answer had begun.
    """
    error = error_in(_parsed(body))
    kind = str(error.get("type") or "")
    if streaming:
        status = STATUS_OF_TYPE.get(kind, 500)
    said = quoted(error.get("message"))
    words = json.dumps(error).lower()
    because = f": {said}" if said else ""
    host, model = address.host, address.model or "the model"
    if status == 402 or kind == "billing_error" or (_names(words, _NO_CREDIT) and 400 <= status < 500):
        return ModelUnusable(
            f"{host} wants to be paid before it answers{because}", "Add credit to the account, then resume."
        )
    if status == 401 or kind == "authentication_error":
        return key_refused(address, because)
    if status == 403:
        what = f" for {address.model}" if address.model else ""
        return ModelUnusable(f"{host} does not allow this key{what}{because}", address.set_key)
    if status == 404:
        return not_found(address, API, said)
    if status == 413:
        return ContextFull(f"the conversation is larger than {host} takes{because}", ANOTHER_MODEL)
    if status == 400 and _names(words, _TOO_LONG):
        return ContextFull(f"the conversation is longer than {model} can read{because}", ANOTHER_MODEL)
    if status in TRY_AGAIN or status >= 500:
        return ModelBusy(f"{_busy(host, status)}{because}", asked_delay(headers))
    if 300 <= status < 400:
        return elsewhere(address, status)
    return request_refused(address, status, because)


def not_the_api(address: Address, kind: str) -> ModelUnusable:
    """Something else than the Messages API answered."""
    return ModelUnusable(f"{address.host} answered with {kind or 'something else'}, no stream", address.check)


def _busy(host: str, status: int) -> str:
    match status:
        case 429:
            return f"{host} limits how fast it is asked (status 429)"
        case 529 | 503:
            return f"{host} is overloaded (status {status})"
    return f"{host} failed (status {status})"


def _parsed(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _names(text: str, phrases: tuple[str, ...]) -> bool:
    return any(phrase in text for phrase in phrases)
