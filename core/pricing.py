"""What things cost, in USD. Unknown is ``None``, shown as ``?``, and never taken for nothing."""

from __future__ import annotations

from decimal import ROUND_UP, Decimal

from pydantic import BaseModel, ConfigDict

SECONDS_PER_HOUR = Decimal(3600)

MOST_USD = Decimal(1_000_000_000)
"""A cap above this is a slip of the finger."""


class Estimate(BaseModel):
    """What an experiment may cost, USD, before it runs."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

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
