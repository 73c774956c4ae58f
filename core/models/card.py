"""What has to be known of a model to use it: whose it is, how much it reads, what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from core.config import Provider, Thinking
from core.pricing import TokenPrices

__all__ = ["ModelCard", "PriceChange", "Provider", "Thinking"]


@dataclass(frozen=True)
class PriceChange:
    """Prices that are known to hold from a day on.

    Attributes:
        day: the first day, in UTC.
        prices: what tokens cost from then on.
    """

    day: date
    prices: TokenPrices


@dataclass(frozen=True)
class ModelCard:
    """A model as fumehood knows it.

    Attributes:
        id: what its provider calls it.
        provider: whose API it speaks.
        context_tokens: the most that it can read and write in one turn.
        max_output_tokens: the most that we let it write in one turn, thoughts included.
        thinking: how it is asked to think.
        prices: what its tokens cost on the day the card was made; None where unknown.
        prices_as_of: where and when the prices were read, e.g. ``genai-prices 0.2.3``; empty where unknown.
        price_changes: what is known of later days, in their order; an engine may outlive a price.
    """

    id: str
    provider: Provider
    context_tokens: int
    max_output_tokens: int
    thinking: Thinking
    prices: TokenPrices | None
    prices_as_of: str = ""
    price_changes: tuple[PriceChange, ...] = ()

    @property
    def prices_now(self) -> TokenPrices | None:
        """What its tokens cost at this moment; None where unknown."""
        today = datetime.now(UTC).date()
        return next(
            (change.prices for change in reversed(self.price_changes) if change.day <= today), self.prices
        )
