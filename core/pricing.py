"""What things cost, in USD. Unknown is ``None``, shown as ``?``, and never taken for nothing."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_UP, Decimal

from pydantic import BaseModel, ConfigDict

SECONDS_PER_HOUR = Decimal(3600)

MOST_USD = Decimal(1_000_000_000)
"""A cap above this is a slip of the finger."""


PER_MILLION = Decimal(1_000_000)


@dataclass(frozen=True)
class Tokens:
    """What a turn is billed by.

    Attributes:
        input: tokens read, those from and into the cache included.
        output: tokens written, thoughts included.
        cached: of the input, those read from the provider's cache.
        cache_written: of the input, those written into the provider's cache.
    """

    input: int = 0
    output: int = 0
    cached: int = 0
    cache_written: int = 0


@dataclass(frozen=True)
class TokenPrices:
    """What tokens of one model cost, USD per million.

    Attributes:
        input: of tokens read.
        output: of tokens written, thoughts included.
        cached: of tokens read from the cache; None for the same as ``input``.
        cache_written: of tokens written into the cache; None for the same as ``input``.
        long_above: the input above which every token of the turn costs as ``long`` says; None for never.
        long: what the tokens of such a turn cost.
    """

    input: Decimal
    output: Decimal
    cached: Decimal | None = None
    cache_written: Decimal | None = None
    long_above: int | None = None
    long: TokenPrices | None = None

    def cost(self, tokens: Tokens) -> Decimal:
        """What the tokens of one turn cost, USD."""
        if self.long is not None and self.long_above is not None and tokens.input > self.long_above:
            return self.long.cost(tokens)
        plain = max(0, tokens.input - tokens.cached - tokens.cache_written)
        cached = self.input if self.cached is None else self.cached
        written = self.input if self.cache_written is None else self.cache_written
        total = (
            plain * self.input
            + tokens.cached * cached
            + tokens.cache_written * written
            + tokens.output * self.output
        )
        return total / PER_MILLION


FREE = TokenPrices(Decimal(0), Decimal(0))


class Estimate(BaseModel):
    """What an experiment may cost, USD, before it runs."""

    model_config = ConfigDict(frozen=True)

    low: Decimal | None = None
    """If all goes quickly."""
    high: Decimal | None = None
    """If it takes as long as its proposer thinks it may."""
    maximum: Decimal | None = None
    """What it can never exceed; this is what is reserved and what an approval names."""


def dollars(amount: Decimal | None) -> str:
    """An amount for people: ``$3.18``, ``?`` where unknown, and a hair above zero never as zero."""
    if amount is None:
        return "?"
    if 0 < amount < Decimal("0.01"):
        return "<$0.01"
    return f"${amount.quantize(Decimal('0.01'))}"


def at_most_dollars(amount: Decimal | None) -> str:
    """An upper limit for people: rounded up to the cent, so that it is never passed."""
    if amount is None:
        return "≤ ?"
    return f"≤ ${amount.quantize(Decimal('0.01'), rounding=ROUND_UP)}"


def price_range(estimate: Estimate) -> str:
    """An estimate for people: ``$0.90 – $1.60, never more than $2.40``."""
    if estimate.maximum is None:
        return "unknown price"
    if estimate.maximum == 0:
        return "$0.00"
    likely = f"{dollars(estimate.low)} – {dollars(estimate.high)}, " if estimate.high is not None else ""
    return f"{likely}never more than {at_most_dollars(estimate.maximum).removeprefix('≤ ')}"
