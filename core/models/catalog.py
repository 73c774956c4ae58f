"""The models that fumehood knows: how much they read and write, and how they are asked to think.

As of 2026-11-23. Any other id can be used, too; what is assumed of one is in ``assumed_model``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from core.models.card import Provider, Thinking

LONGEST_ANSWER_TOKENS = 32_000
"""The most that a turn may write, thoughts included, whatever its model could.

Half of what the smallest of the known models can: enough for a whole paper with long thoughts, and it
bounds what a single turn can cost.
"""

ADAPTIVE_SINCE = (4, 6)
"""From this Claude on, the model decides how long it thinks; before, it is told a number of tokens."""

LEVELS_SINCE = 3
"""From this Gemini on, thinking is asked for by a word; 2.5 takes a number of tokens."""


@dataclass(frozen=True)
class KnownModel:
    """A model of a vendor.

    Attributes:
        id: what its vendor calls it.
        provider: whose API it speaks.
        context_tokens: the most that it can read and write in one turn.
        max_output_tokens: the most that we let it write in one turn, thoughts included.
        thinking: how it is asked to think.
        gone: that its vendor serves it no longer.
    """

    id: str
    provider: Provider
    context_tokens: int
    max_output_tokens: int
    thinking: Thinking
    gone: bool = False


def _claude(name: str, context_tokens: int = 1_000_000, thinking: Thinking = "adaptive") -> KnownModel:
    return KnownModel(f"claude-{name}", "anthropic", context_tokens, LONGEST_ANSWER_TOKENS, thinking)


def _gemini(name: str, thinking: Thinking = "level", *, gone: bool = False) -> KnownModel:
    return KnownModel(f"gemini-{name}", "google", 1_048_576, LONGEST_ANSWER_TOKENS, thinking, gone)


KNOWN: tuple[KnownModel, ...] = (
    _claude("opus-5-5"),
    _claude("sonnet-5-5"),
    _claude("haiku-5-5"),
    _claude("fable-5-2"),
    _claude("fable-5-1"),
    _claude("mythos-5-2"),
    _claude("opus-5"),
    _claude("sonnet-5"),
    _claude("opus-4-8"),
    _claude("opus-4-7"),
    _claude("opus-4-6"),
    _claude("sonnet-4-6"),
    _claude("opus-4-5", 200_000, "budget"),
    _claude("sonnet-4-5", 200_000, "budget"),
    _claude("haiku-4-5", 200_000, "budget"),
    _gemini("4-argon"),
    _gemini("4-carbon"),
    _gemini("4-hydrogen"),
    _gemini("3.8-flash"),
    _gemini("3.7-flash"),
    _gemini("3.6-flash"),
    _gemini("3.5-flash"),
    _gemini("3.5-flash-lite"),
    _gemini("3.1-pro-preview"),
    _gemini("3.1-flash-lite"),
    _gemini("3-pro-preview", gone=True),
    _gemini("2.5-pro", "budget"),
    _gemini("2.5-flash", "budget"),
    _gemini("2.5-flash-lite", "budget"),
)
"""From the vendors' pages on their models, read on 2026-11-23; the best of each vendor first."""

Role = Literal["model", "researcher_model", "writer_model"]
"""A role as ``RunSettings`` names it; ``model`` is the orchestrator's."""

USUAL: Mapping[Provider, Mapping[Role, str]] = {
    "anthropic": {
        "model": "claude-opus-5-5",
        "researcher_model": "claude-sonnet-5-5",
        "writer_model": "claude-opus-5-5",
    },
    "google": {
        "model": "gemini-4-argon",
        "researcher_model": "gemini-3.8-flash",
        "writer_model": "gemini-4-argon",
    },
}
"""Who thinks where nobody is named.

Judgement where there is little to read: the plan and the paper. Researchers take most of the turns, at
half the price or less.
"""


def known_model(provider: Provider, model_id: str) -> KnownModel | None:
    """What is known of a model; of one with a date behind its name, what is known of that name."""
    plain = re.sub(r"-(\d{8}|\d{4}-\d{2}-\d{2}|latest)$", "", model_id)
    return next(
        (known for known in KNOWN if known.provider == provider and known.id in (model_id, plain)), None
    )


def assumed_model(provider: Provider, model_id: str, *, by_vendor: bool) -> KnownModel:
    """What is taken for granted of a model that the catalogue lacks.

    Args:
        provider: whose API it speaks.
        model_id: what its server calls it.
        by_vendor: whether the vendor serves it, and not somebody else.
    """
    if not by_vendor:
        return KnownModel(model_id, provider, 131_072, 16_000, "none")
    if provider == "google":
        return KnownModel(model_id, provider, 1_048_576, LONGEST_ANSWER_TOKENS, _gemini_thinking(model_id))
    thinking = _claude_thinking(model_id)
    context_tokens = 1_000_000 if thinking == "adaptive" else 200_000
    longest = LONGEST_ANSWER_TOKENS if thinking != "none" else 4_096
    return KnownModel(model_id, provider, context_tokens, longest, thinking)


def _claude_thinking(model_id: str) -> Thinking:
    """By the version in a name: ``claude-opus-4-7``, or as until 2025 ``claude-3-7-sonnet``."""
    found = re.match(r"claude-(?:[a-z]+-)?(\d)(?:[-.](\d)(?!\d))?", model_id)
    if found is None:
        return "adaptive"
    version = (int(found[1]), int(found[2] or 0))
    if version >= ADAPTIVE_SINCE:
        return "adaptive"
    return "budget" if version >= (3, 7) else "none"


def _gemini_thinking(model_id: str) -> Thinking:
    """By the version in a name; names such as ``gemini-flash-latest`` mean a new one."""
    found = re.match(r"gemini-(\d)(?:\.(\d))?", model_id)
    if found is None or int(found[1]) >= LEVELS_SINCE:
        return "level"
    return "budget" if (int(found[1]), int(found[2] or 0)) >= (2, 5) else "none"
