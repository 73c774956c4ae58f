"""What is wrong when Gemini does not answer, in one line for people, with what they can do about it.

Source of the codes and reasons: Google, "Troubleshooting guide" and "Rate limits" of the Gemini API, read on
2026-11-23, and errors that people published.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from core.errors import ContextFull, ModelBusy, ModelError, ModelRejected, ModelUnusable
from core.keys.redaction import redacted
from core.models.vendors import VENDORS

VENDOR = VENDORS["google"]
SET_KEY = f"Set another with 'fumehood keys set {VENDOR.key_name}'."
LIST_MODELS = "'fumehood models --live' lists those that it knows; choose one with --model."
CHECK_ADDRESS = "Check the base URL of 'google' in the configuration or in --base-url."
CHECK_BILLING = "See to the plan and billing of the key's project at aistudio.google.com, then resume."
DAILY_QUOTA = (
    "It is renewed at midnight Pacific time; until then use another model, or a key with a larger quota."
)

LONGEST_QUOTE = 200
"""How much of a server's own words is shown, characters."""

_TOO_LONG = re.compile(
    r"input token count|maximum number of tokens|payload size exceeds|context (window|length|size)", re.I
)
"""How Google and gateways say that a conversation is too long; it has no code of its own."""

_BAD_KEY = re.compile(r"api[ _]key (not valid|not found|expired|invalid)|valid api key", re.I)

_NO_PLAN = re.compile(
    r"\blimit: 0(?![.\d])|\bbilling (account|to be enabled)|prepay|credits? (is|are) deplet", re.I
)
"""How Google says that the key's plan holds nothing of what was asked for; waiting does not help."""

_TRY_AGAIN = frozenset({408, 409, 425, 429, 499})


@dataclass(frozen=True)
class Address:
    """Who is asked.

    Attributes:
        base_url: as it was given.
        model: the model that is asked for; empty where none is.
    """

    base_url: str
    model: str = ""

    @property
    def official(self) -> bool:
        """Whether Google itself is asked."""
        return urlsplit(self.base_url).hostname == urlsplit(VENDOR.url).hostname

    @property
    def loopback(self) -> bool:
        """Whether it is this machine."""
        host = urlsplit(self.base_url).hostname or ""
        return host in {"localhost", "::1"} or host.startswith("127.")

    @property
    def host(self) -> str:
        """Who is asked, for people, without anything secret that an address can hold."""
        if self.official:
            return "Google"
        return urlsplit(self.base_url).netloc.rpartition("@")[2] or "the server"


def of_response(address: Address, status: int, body: Any, headers: Mapping[str, str]) -> ModelError:
    """The error that a response, or an error inside a stream, means.

    Args:
        address: who gave it.
        status: the HTTP status, or the code of the error inside the stream.
        body: what it says, parsed where it was JSON.
        headers: of the response, by name in small letters.
    """
    error = _error_in(body)
    said = quoted(error.get("message"))
    because = f": {said}" if said else ""
    details = [detail for detail in error.get("details") or () if isinstance(detail, dict)]
    reasons = {str(detail.get("reason")) for detail in details}
    host = address.host
    if status == 401 or reasons & {"API_KEY_INVALID", "API_KEY_EXPIRED"} or _BAD_KEY.search(said):
        return ModelUnusable(f"{host} refused the key{because}", SET_KEY)
    if status == 402 or (status == 429 and _NO_PLAN.search(str(error.get("message")))):
        return ModelUnusable(f"the key's plan at {host} does not pay for this{because}", CHECK_BILLING)
    if status == 403 or (status == 400 and error.get("status") == "FAILED_PRECONDITION"):
        return ModelUnusable(f"{host} does not serve this key{because}", _next_after_forbidden(reasons))
    if status == 404:
        return _not_found(address, said)
    if status == 413 or (status == 400 and _TOO_LONG.search(said)):
        return ContextFull(
            f"the conversation is longer than {address.model or 'the model'} can read{because}"
        )
    if status in _TRY_AGAIN or status >= 500:
        return _busy(host, status, because, details, headers)
    if 300 <= status < 400:
        return ModelUnusable(f"{host} sends its callers elsewhere (status {status})", CHECK_ADDRESS)
    return ModelRejected(f"{host} refused the request (status {status}){because}")


def no_connection(address: Address, cause: BaseException) -> ModelBusy:
    """Nobody could be asked."""
    said = quoted(str(cause))
    if address.official:
        step = "Check the network; where a proxy is needed, set HTTPS_PROXY."
    else:
        step = f"Check that the server runs. {CHECK_ADDRESS}"
    return ModelBusy(f"cannot connect to {address.host}{f': {said}' if said else ''}", next_step=step)


def quoted(text: object) -> str:
    """A server's own words as one short line without control characters and keys."""
    if not isinstance(text, str):
        return ""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    line = redacted(line).rstrip(".")
    return line if len(line) <= LONGEST_QUOTE else f"{line[:LONGEST_QUOTE]}…"


def _error_in(body: Any) -> Mapping[str, Any]:
    """The error object of a body, in whichever of the usual places it is; empty where there is none."""
    if isinstance(body, list) and body:
        body = body[0]
    if not isinstance(body, dict):
        return {}
    error = body.get("error", body)
    if isinstance(error, str):
        return {"message": error}
    return error if isinstance(error, dict) else {}


def _next_after_forbidden(reasons: set[str]) -> str:
    if "BILLING_DISABLED" in reasons:
        return CHECK_BILLING
    return f"Check the key's project at aistudio.google.com. {SET_KEY}"


def _not_found(address: Address, said: str) -> ModelUnusable:
    if address.model and said:
        return ModelUnusable(f"{address.host} knows no model {address.model!r}: {said}", LIST_MODELS)
    return ModelUnusable(f"no Gemini API answers at {address.host} (status 404)", CHECK_ADDRESS)


def _busy(
    host: str, status: int, because: str, details: list[dict[str, Any]], headers: Mapping[str, str]
) -> ModelBusy:
    delay = _retry_info(details)
    if delay is None:
        delay = _retry_after(headers)
    if status != 429:
        what = "is overloaded" if status == 503 else "failed"
        return ModelBusy(f"{host} {what} (status {status}){because}", delay)
    if any("PerDay" in quota for quota in _violated_quotas(details)):
        return ModelBusy(
            f"today's quota of this key at {host} is used up{because}", delay, next_step=DAILY_QUOTA
        )
    return ModelBusy(f"{host} limits how fast it is asked (status 429){because}", delay)


def _violated_quotas(details: list[dict[str, Any]]) -> list[str]:
    return [
        str(violation.get("quotaId"))
        for detail in details
        for violation in detail.get("violations") or ()
        if isinstance(violation, dict)
    ]


def _retry_info(details: list[dict[str, Any]]) -> float | None:
    """The delay in ``google.rpc.RetryInfo``, such as ``36.4s``, seconds."""
    for detail in details:
        if str(detail.get("@type")).endswith("google.rpc.RetryInfo"):
            return _seconds(str(detail.get("retryDelay")).removesuffix("s"))
    return None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """The delay in ``Retry-After``, a number of seconds or a date, seconds."""
    text = headers.get("retry-after", "")
    seconds = _seconds(text)
    if seconds is not None or not text:
        return seconds
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError):
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
