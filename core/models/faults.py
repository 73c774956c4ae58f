"""What the faults of all providers have in common: who was asked, what they said, and what people can do.

Which status and which words mean what is each provider's own: see ``claude_faults`` and ``gemini_faults``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

from core.errors import ModelBusy, ModelRejected, ModelUnusable
from core.keys.names import KEY_NAMES
from core.keys.redaction import redacted
from core.models.vendors import Vendor

LIST_MODELS = "'fumehood models --live' lists what is served; begin a run with one of those."
CHECK_PROXY = "Set HTTPS_PROXY to an http address, or unset it, and ALL_PROXY too."
OTHER_WORDS = "Begin a run with the question in other words, or with another model."
SMALLER_STEPS = "Tell the agent to take smaller steps, then resume; or begin a run with another model."
ANOTHER_MODEL = "Resume to ask once more; if that is refused, too, begin a run with another model."

LONGEST_QUOTE = 200
"""How much of a server's own words is shown, characters."""

TRY_AGAIN = frozenset({408, 409, 425, 429, 499})
"""Statuses below 500 after which the same request can succeed."""

NOT_SERVED = frozenset({404, 405, 501})
"""How a gateway says that it has no list of models."""


@dataclass(frozen=True)
class Address:
    """Who is asked.

    Attributes:
        vendor: whose API is spoken.
        base_url: where, as it was given.
        model: the model that is asked for; empty where none is.
        keyed: whether a key is sent.
    """

    vendor: Vendor
    base_url: str
    model: str = ""
    keyed: bool = True

    @property
    def usable(self) -> bool:
        """Whether it is an address at all."""
        return self._split.scheme in {"http", "https"} and bool(self.hostname)

    @property
    def hostname(self) -> str:
        """The machine's name or number; empty where the base URL has none."""
        return self._split.hostname or ""

    @property
    def official(self) -> bool:
        """Whether the vendor itself is asked."""
        return self.vendor.serves(self.base_url)

    @property
    def loopback(self) -> bool:
        """Whether it is this machine."""
        return self.hostname in {"localhost", "::1"} or self.hostname.startswith("127.")

    @property
    def host(self) -> str:
        """Who is asked, for people, without anything secret that an address can hold."""
        if self.official:
            return KEY_NAMES[self.vendor.key_name].provider
        return self._split.netloc.rpartition("@")[2] or "the server"

    @property
    def check(self) -> str:
        """What to do where the wrong server is asked."""
        return f"Check the base URL of '{self.vendor.provider}' in the configuration or in --base-url."

    @property
    def set_key(self) -> str:
        """How to give it another key; only the vendor itself can say whether it takes one beforehand."""
        unchecked = "" if self.official else " --no-check"
        return f"Set another with 'fumehood keys set {self.vendor.key_name}{unchecked}'."

    @property
    def _split(self) -> SplitResult:
        try:
            return urlsplit(self.base_url)
        except ValueError:
            return urlsplit("")


def key_refused(address: Address, because: str) -> ModelUnusable:
    """The key does not open the door, or there was none to try."""
    if address.keyed:
        return ModelUnusable(f"{address.host} refused the key{because}", address.set_key)
    return ModelUnusable(
        f"{address.host} wants a key, and {address.vendor.key_name} is missing",
        address.set_key.replace("another", "it"),
    )


def no_key_at_all(address: Address) -> ModelUnusable:
    """What is kept as the key cannot be one."""
    return ModelUnusable(f"what is kept as {address.vendor.key_name} cannot be a key", address.set_key)


def not_found(address: Address, api: str, said: str) -> ModelUnusable:
    """There is no such model, or no such API.

    Args:
        address: who was asked.
        api: what its API is called.
        said: the server's own words; empty where it has none, as servers of something else.
    """
    if address.model and said:
        return ModelUnusable(f"{address.host} knows no model {address.model!r}: {said}", LIST_MODELS)
    return ModelUnusable(f"no {api} answers at {address.host} (status 404)", address.check)


def elsewhere(address: Address, status: int) -> ModelUnusable:
    """The server names another one; a key goes to the address that was chosen and to no other."""
    return ModelUnusable(f"{address.host} sends its callers elsewhere (status {status})", address.check)


def request_refused(address: Address, status: int, because: str) -> ModelRejected:
    """The server does not want this request, for a reason that has no name here."""
    return ModelRejected(f"{address.host} refused the request (status {status}){because}", ANOTHER_MODEL)


def no_connection(address: Address, cause: BaseException) -> ModelBusy:
    """Nobody could be asked."""
    said = quoted(str(cause))
    if address.official:
        step = "Check the network; where a proxy is needed, set HTTPS_PROXY."
    else:
        step = f"Check that the server runs. {address.check}"
    return ModelBusy(f"cannot connect to {address.host}{f': {said}' if said else ''}", next_step=step)


def no_proxy(cause: Exception) -> ModelUnusable:
    """The environment names a proxy that cannot be used."""
    return ModelUnusable(f"the proxy in the environment cannot be used: {quoted(str(cause))}", CHECK_PROXY)


def no_list(address: Address) -> ModelRejected:
    """The server does not say which models it has, so that a key cannot be tried for nothing."""
    return ModelRejected(f"{address.host} has no list of models to ask for", address.check)


def error_in(body: Any) -> Mapping[str, Any]:
    """The error object of a body, in whichever of the usual places it is; empty where there is none.

    Args:
        body: parsed where it was JSON.
    """
    if isinstance(body, list) and body:
        body = body[0]
    if not isinstance(body, dict):
        return {}
    error = body.get("error", body)
    if isinstance(error, str):
        return {"message": error}
    return error if isinstance(error, dict) else {}


def asked_delay(headers: Mapping[str, str]) -> float | None:
    """The delay in ``Retry-After``, seconds; None where there is none that can be read.

    Args:
        headers: of a response, by name in small letters.
    """
    milliseconds = seconds_in(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after", "")
    seconds = seconds_in(text)
    if seconds is not None:
        return seconds
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError):
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def seconds_in(text: str) -> float | None:
    """A number of seconds, never below zero; None where the text is no number."""
    try:
        seconds = float(text)
    except ValueError:
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def quoted(text: object) -> str:
    """A server's own words as one short line without control characters and keys."""
    if not isinstance(text, str):
        return ""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    line = redacted(line).rstrip(".")
    return line if len(line) <= LONGEST_QUOTE else f"{line[:LONGEST_QUOTE]}…"
