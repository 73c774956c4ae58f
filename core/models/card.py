"""What has to be known of a model to use it: whose it is, how much it reads, what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from core.pricing import TokenPrices

Provider: TypeAlias = Literal["anthropic", "google"]

Thinking: TypeAlias = Literal["adaptive", "budget", "level", "none"]
"""How a model is asked to think.

``adaptive`` (Claude): it decides, and ``effort`` says how hard. ``budget``: a number of tokens. ``level``
(Gemini): a word. ``none``: nothing is asked for.
"""


@dataclass(frozen=True)
class ModelCard:
    """A model as fumehood knows it.

    Attributes:
        id: what its provider calls it.
        provider: whose API it speaks.
        context_tokens: the most that it can read and write in one turn.
        max_output_tokens: the most that we let it write in one turn, thoughts included.
        thinking: how it is asked to think.
        prices: what its tokens cost today; None where unknown.
        prices_as_of: where and when the prices were read, e.g. ``genai-prices 0.2.3``; empty where unknown.
    """

    id: str
    provider: Provider
    context_tokens: int
    max_output_tokens: int
    thinking: Thinking
    prices: TokenPrices | None
    prices_as_of: str = ""
