"""What is wrong when Gemini does not answer, in one line for people, with what they can do about it.

Source of the codes and reasons: Google, "Troubleshooting guide" and "Rate limits" of the Gemini API, read on
2026-11-23, and errors that people published.
"""

from __future__ import annotations

import re
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
    seconds_in,
)

API = "Gemini API"
CHECK_BILLING = "See to the plan and billing of the key's project at aistudio.google.com, then resume."
CHECK_PROJECT = "Check the key's project at aistudio.google.com."
DAILY_QUOTA = "It is renewed at midnight Pacific time: resume then, or set a key with a larger quota."

_TOO_LONG = re.compile(
    r"input token count|maximum number of tokens|payload size exceeds|context (window|length|size)", re.I
)
"""How Google and gateways say that a conversation is too long; it has no code of its own."""

_BAD_KEY = re.compile(r"api[ _]key (not valid|not found|expired|invalid)|valid api key", re.I)

_NO_PLAN = re.compile(
    r"\blimit: 0(?![.\d])|\bbilling (account|to be enabled)|prepay|credits? (is|are) deplet", re.I
)
"""How Google says that the key's plan holds nothing of what was asked for; waiting does not help."""


def of_response(address: Address, status: int, body: Any, headers: Mapping[str, str]) -> ModelError:
    """The error that a response, or an error inside a stream, means.

    Args:
        address: who gave it.
        status: the HTTP status, or the code of the error inside the stream.
        body: what it says, parsed where it was JSON.
        headers: of the response, by name in small letters.
    """
    error = error_in(body)
    said = quoted(error.get("message"))
    because = f": {said}" if said else ""
    details = [detail for detail in error.get("details") or () if isinstance(detail, dict)]
    reasons = {str(detail.get("reason")) for detail in details}
    host = address.host
    if status == 401 or reasons & {"API_KEY_INVALID", "API_KEY_EXPIRED"} or _BAD_KEY.search(said):
        return key_refused(address, because)
    if status == 402 or (status == 429 and _NO_PLAN.search(str(error.get("message")))):
        return ModelUnusable(f"the key's plan at {host} does not pay for this{because}", CHECK_BILLING)
    if status == 403 or (status == 400 and error.get("status") == "FAILED_PRECONDITION"):
        step = CHECK_BILLING if "BILLING_DISABLED" in reasons else f"{CHECK_PROJECT} {address.set_key}"
        return ModelUnusable(f"{host} does not serve this key{because}", step)
    if status == 404:
        return not_found(address, API, said)
    if status == 413 or (status == 400 and _TOO_LONG.search(said)):
        return ContextFull(
            f"the conversation is longer than {address.model or 'the model'} can read{because}", ANOTHER_MODEL
        )
    if status in TRY_AGAIN or status >= 500:
        return _busy(host, status, because, details, headers)
    if 300 <= status < 400:
        return elsewhere(address, status)
    return request_refused(address, status, because)


def _busy(
    host: str, status: int, because: str, details: list[dict[str, Any]], headers: Mapping[str, str]
) -> ModelBusy | ModelUnusable:
    delay = _retry_info(details)
    if delay is None:
        delay = asked_delay(headers)
    if status != 429:
        what = "is overloaded" if status == 503 else "failed"
        return ModelBusy(f"{host} {what} (status {status}){because}", delay)
    if any("PerDay" in quota for quota in _violated_quotas(details)):
        # The delay that comes with it is that of another quota, and far too short.
        return ModelUnusable(f"today's quota of this key at {host} is used up{because}", DAILY_QUOTA)
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
            return seconds_in(str(detail.get("retryDelay")).removesuffix("s"))
    return None
