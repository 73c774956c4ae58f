"""What is wrong when Claude does not answer, in one line for people, with what they can do about it.

Source of the codes: Anthropic, "Errors", read on 2026-11-23; of servers that speak the same API: what they
were seen to send.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

from core.errors import ContextFull, ModelBusy, ModelError, ModelRejected, ModelUnusable
from core.keys.redaction import redacted
from core.models.vendors import VENDORS

KEY_NAME = VENDORS["anthropic"].key_name
OFFICIAL_HOST = urlsplit(VENDORS["anthropic"].url).hostname
SET_KEY = f"Set another with 'fumehood keys set {KEY_NAME}'."
LIST_MODELS = "'fumehood models' lists those that are known."
CHECK_ADDRESS = "Check the base URL of 'anthropic' in the configuration or in --base-url."

LONGEST_QUOTE = 200
"""How much of a server's own words is shown, characters."""

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

_TRY_AGAIN = frozenset({408, 409, 425, 429})


@dataclass(frozen=True)
class Address:
    """Where Claude is asked.

    Attributes:
        base_url: as it was given.
        model: the model that is asked for; empty where none is.
    """

    base_url: str
    model: str = ""

    @property
    def scheme(self) -> str:
        """How it is spoken to."""
        return self._split.scheme

    @property
    def hostname(self) -> str:
        """The machine's name or number; empty where the base URL has none."""
        return self._split.hostname or ""

    @property
    def official(self) -> bool:
        """Whether Anthropic itself is asked."""
        return self.hostname == OFFICIAL_HOST

    @property
    def loopback(self) -> bool:
        """Whether it is this machine."""
        return self.hostname in {"localhost", "::1"} or self.hostname.startswith("127.")

    @property
    def host(self) -> str:
        """Who is asked, for people, without anything secret that an address can hold."""
        return "Anthropic" if self.official else self._split.netloc.rpartition("@")[2] or "the server"

    @property
    def _split(self) -> SplitResult:
        try:
            return urlsplit(self.base_url)
        except ValueError:
            return urlsplit("")


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
    error = _error_in(body)
    kind = str(error.get("type") or "")
    if streaming:
        status = STATUS_OF_TYPE.get(kind, 500)
    said = _quoted(error.get("message"))
    words = json.dumps(error).lower()
    because = f": {said}" if said else ""
    host, model = address.host, address.model or "the model"
    if status == 402 or kind == "billing_error" or (_names(words, _NO_CREDIT) and 400 <= status < 500):
        return ModelUnusable(
            f"{host} wants to be paid before it answers{because}", "Add credit to the account, then resume."
        )
    if status == 401 or kind == "authentication_error":
        return ModelUnusable(f"{host} refused the key{because}", SET_KEY)
    if status == 403:
        what = f" for {address.model}" if address.model else ""
        return ModelUnusable(f"{host} does not allow this key{what}{because}", SET_KEY)
    if status == 404:
        return _not_found(address, said)
    if status == 413:
        return ContextFull(f"the conversation is larger than {host} takes{because}")
    if status == 400 and _names(words, _TOO_LONG):
        return ContextFull(f"the conversation is longer than {model} can read{because}")
    if status in _TRY_AGAIN or status >= 500:
        return ModelBusy(f"{_busy(host, status)}{because}", asked_delay(headers))
    if 300 <= status < 400:
        return ModelUnusable(f"{host} sends its callers elsewhere (status {status})", CHECK_ADDRESS)
    return ModelRejected(f"{host} refused the request (status {status}){because}")


def not_the_api(address: Address, kind: str) -> ModelUnusable:
    """Something else than the Messages API answered."""
    return ModelUnusable(f"{address.host} answered with {kind or 'something else'}, no stream", CHECK_ADDRESS)


def no_client(cause: Exception) -> ModelUnusable:
    """The environment names a proxy that cannot be used."""
    return ModelUnusable(
        f"the proxy in the environment cannot be used: {_quoted(str(cause))}",
        "Set HTTPS_PROXY to an http address, or unset it, and ALL_PROXY too.",
    )


def no_connection(address: Address, cause: BaseException | None) -> ModelBusy:
    """Nobody could be asked."""
    said = _quoted(str(cause)) if cause is not None else ""
    if address.official:
        return ModelBusy(
            f"cannot connect to Anthropic{f': {said}' if said else ''}",
            next_step="Check the network; where a proxy is needed, set HTTPS_PROXY.",
        )
    return ModelBusy(
        f"cannot connect to {address.host}{f': {said}' if said else ''}",
        next_step=f"Check that the server runs. {CHECK_ADDRESS}",
    )


def asked_delay(headers: Mapping[str, str]) -> float | None:
    """The delay that a server asked for, seconds; None where it named none that can be read."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    text = headers.get("retry-after", "")
    seconds = _number(text)
    if seconds is not None:
        return max(0.0, seconds)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError):
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _busy(host: str, status: int) -> str:
    match status:
        case 429:
            return f"{host} limits how fast it is asked (status 429)"
        case 529 | 503:
            return f"{host} is overloaded (status {status})"
    return f"{host} failed (status {status})"


def _not_found(address: Address, said: str) -> ModelUnusable:
    if address.model and said:
        return ModelUnusable(f"{address.host} knows no model {address.model!r}: {said}", LIST_MODELS)
    return ModelUnusable(f"no Messages API answers at {address.host} (status 404)", CHECK_ADDRESS)


def _error_in(body: str) -> Mapping[str, Any]:
    """The error object of a body, in whichever of the usual places it is; empty where there is none."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(content, dict):
        return {}
    error = content.get("error", content)
    if isinstance(error, dict):
        return error
    return {"message": error} if isinstance(error, str) else {}


def _quoted(text: object) -> str:
    """A server's own words as one short line without control characters and keys."""
    if not isinstance(text, str):
        return ""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    line = redacted(line).rstrip(".")
    return line if len(line) <= LONGEST_QUOTE else f"{line[:LONGEST_QUOTE]}…"


def _names(text: str, phrases: tuple[str, ...]) -> bool:
    return any(phrase in text for phrase in phrases)
