"""Gathers the events of one streamed answer of Gemini into one message, complete or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from core.errors import ModelBusy, ModelRefused, ModelRejected, ModelUnusable
from core.models.base import Delta
from core.models.faults import OTHER_WORDS
from core.models.gemini_request import function_calls
from core.pricing import Tokens

REFUSALS = frozenset(
    {
        "BLOCKLIST",
        "ESCALATION",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "IMAGE_SAFETY",
        "LANGUAGE",
        "MODEL_ARMOR",
        "PROHIBITED_CONTENT",
        "RECITATION",
        "SAFETY",
        "SPII",
    }
)
"""Stop reasons by which the model, or a filter before it, declines."""

MISTAKES = frozenset(
    {
        "FINISH_REASON_UNSPECIFIED",
        "MALFORMED_FUNCTION_CALL",
        "MALFORMED_RESPONSE",
        "OTHER",
        "TOO_MANY_TOOL_CALLS",
        "UNEXPECTED_TOOL_CALL",
    }
)
"""Stop reasons of answers that went wrong by chance; another attempt can go well."""

CUT = frozenset({"MAX_TOKENS", "CONTINUATION"})
"""Stop reasons of answers that are longer than they may be."""

MERGEABLE = frozenset({"text", "thought"})
"""A part with any other key, a signature above all, stays a part of its own."""


class Answer:
    """One answer while it streams.

    Args:
        name: the model, for messages.

    Attributes:
        stop: why the answer ended, in Google's word; empty while it has not.
        written_bytes: how much text and how many arguments of calls came, bytes.
    """

    def __init__(self, name: str) -> None:
        self.stop = ""
        self.written_bytes = 0
        self._usage: dict[str, Any] = {}
        self._name = name
        self._parts: list[dict[str, Any]] = []
        self._beside_parts: dict[str, Any] = {}
        self._stop_message = ""
        self._blocked = ""

    def take(self, event: Mapping[str, Any]) -> Iterator[Delta]:
        """Add one event, and give what it shows of the answer."""
        self._usage |= _mapping(event.get("usageMetadata"))
        feedback = _mapping(event.get("promptFeedback"))
        self._blocked = str(feedback.get("blockReason") or self._blocked)
        candidates = event.get("candidates")
        if not isinstance(candidates, list) or not candidates:
            return
        candidate = _mapping(candidates[0])
        content = _mapping(candidate.get("content"))
        self._beside_parts |= {key: value for key, value in content.items() if key != "parts"}
        self.stop = str(candidate.get("finishReason") or self.stop)
        self._stop_message = str(candidate.get("finishMessage") or self._stop_message)
        for part in content.get("parts") or ():
            if isinstance(part, dict):
                self._add(part)
                yield from _deltas(part)

    def raw(self) -> dict[str, Any]:
        """The message as it is kept and sent again: parts as they came, unsigned text in one piece."""
        return {"role": "model", **self._beside_parts, "parts": self._parts}

    def text(self, *, thoughts: bool) -> str:
        """What is said, or what is thought aloud, for people."""
        return "".join(_text(part) for part in self._parts if bool(part.get("thought")) is thoughts)

    @property
    def begun(self) -> bool:
        """Whether anything came that Google may bill."""
        return bool(self._parts or self._usage)

    @property
    def ended(self) -> bool:
        """Whether Google said that this is all."""
        return bool(self.stop or self._blocked)

    def tokens(self) -> Tokens | None:
        """What the answer is billed by, as counted so far; None where Google did not count."""
        prompt = self._count("promptTokenCount")
        said, thought = self._count("candidatesTokenCount"), self._count("thoughtsTokenCount")
        # A count of nothing is left out.
        if prompt is None or (self.ended and self.written_bytes and said is None and thought is None):
            return None
        return Tokens(
            input=prompt + (self._count("toolUsePromptTokenCount") or 0),
            output=(said or 0) + (thought or 0),
            cached=self._count("cachedContentTokenCount") or 0,
        )

    def require_complete(self) -> None:
        """See that the answer is whole and can be acted upon.

        Raises:
            ModelBusy: it is not, and another attempt can be.
            ModelRefused: the model or a filter declined.
            ModelRejected: another attempt would end the same way.
        """
        if not self.stop:
            if self._blocked:
                raise ModelRefused(f"Google blocked the prompt ({self._blocked})", OTHER_WORDS)
            raise ModelBusy(f"{self._name} ended its stream in the middle of an answer")
        if self.stop != "STOP":
            raise self._stopped()
        if not all(_runnable(call) for call in function_calls(self.raw())):
            raise ModelBusy(f"{self._name} wrote a tool call that cannot be read")
        if not function_calls(self.raw()) and not self.text(thoughts=False).strip():
            raise ModelBusy(f"{self._name} gave an empty answer")

    def _stopped(self) -> ModelBusy | ModelRefused | ModelRejected:
        """What it means that the answer ended for another reason than being finished."""
        reason = f"{self.stop}: {self._stop_message[:300]}" if self._stop_message else self.stop
        if self.stop in REFUSALS:
            return ModelRefused(f"{self._name} declined to answer ({reason})", OTHER_WORDS)
        if self.stop in MISTAKES:
            return ModelBusy(f"{self._name} gave no usable answer ({reason})")
        if self.stop == "PUP_LIMITED_DISABLED":
            return ModelUnusable(
                f"Google has limited this account ({reason})", "See the account's messages from Google."
            )
        return ModelRejected(f"{self._name} stopped for a reason that is not its end ({reason})")

    def _add(self, part: dict[str, Any]) -> None:
        """Append a part; text that nothing is attached to goes on where the text before it ended."""
        self.written_bytes += _written_bytes(part)
        if not _is_plain(part):
            self._parts.append(part)
        elif self._parts and _is_plain(last := self._parts[-1]) and _same_flag(last, part):
            last["text"] += part["text"]
        elif part["text"]:
            # The API refuses an empty text that comes back to it, and nothing is lost with it.
            self._parts.append(dict(part))

    def _count(self, name: str) -> int | None:
        count = self._usage.get(name)
        return count if type(count) is int and count >= 0 else None


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(part: Mapping[str, Any]) -> str:
    return text if isinstance(text := part.get("text"), str) else ""


def _written_bytes(part: Mapping[str, Any]) -> int:
    call = part.get("functionCall")
    written = _text(part) + (json.dumps(call, ensure_ascii=False) if call is not None else "")
    return len(written.encode(errors="replace"))


def _is_plain(part: Mapping[str, Any]) -> bool:
    return part.keys() <= MERGEABLE and isinstance(part.get("text"), str)


def _same_flag(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.get("thought") == other.get("thought")


def _runnable(call: Any) -> bool:
    """Whether a call is whole: a name, and arguments that are an object."""
    return (
        isinstance(call, dict)
        and isinstance(call.get("name"), str)
        and bool(call["name"])
        and isinstance(call.get("args", {}), dict)
        and not call.get("willContinue")
        and "partialArgs" not in call
    )


def _deltas(part: Mapping[str, Any]) -> Iterator[Delta]:
    if text := _text(part):
        yield Delta("thought" if part.get("thought") else "text", text)
    if name := _mapping(part.get("functionCall")).get("name"):
        yield Delta("call", str(name))
