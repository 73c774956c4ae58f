"""What vendors charge for tokens, by day: from the ``genai-prices`` package, and for what it lacks from here.

The package is imported only when a price is asked for. That takes some tens of milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING

from core.models.card import PriceChange, Provider
from core.pricing import TokenPrices

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, TieredPrices

OWN_TABLE_AS_OF = "ai.google.dev, 2026-11-23"
"""Where and when the prices below were read."""


@dataclass(frozen=True)
class Prices:
    """What tokens of one model cost.

    Attributes:
        today: on the day that was asked for; None where unknown.
        as_of: where the prices come from; empty where unknown.
        changes: what is known of later days, in their order.
    """

    today: TokenPrices | None = None
    as_of: str = ""
    changes: tuple[PriceChange, ...] = ()


def _usd(input_usd: str, output_usd: str, cached_usd: str | None = None) -> TokenPrices:
    cached = None if cached_usd is None else Decimal(cached_usd)
    return TokenPrices(Decimal(input_usd), Decimal(output_usd), cached)


OWN_TABLE: Mapping[tuple[Provider, str], tuple[PriceChange, ...]] = {
    ("google", "gemini-4-carbon"): (
        PriceChange(date(2026, 11, 10), _usd("2", "10", "0.10")),
        PriceChange(date(2026, 12, 1), _usd("4", "20", "0.20")),
    ),
    ("google", "gemini-4-hydrogen"): (PriceChange(date(2026, 11, 10), _usd("1.5", "7.5")),),
}
"""Models that ``genai-prices`` lacks, with the days from which their prices hold."""


def prices_on(provider: Provider, model_id: str, day: date) -> Prices:
    """What the vendor charges for a model's tokens.

    Args:
        provider: the vendor.
        model_id: what it calls the model.
        day: the day, in UTC.
    """
    from genai_prices import __version__
    from genai_prices.data import providers

    vendor = next((one for one in providers if one.id == provider), None)
    model = vendor.find_model(model_id) if vendor is not None else None
    if model is not None:
        days = sorted({start for start in _starts(model) if start > day})
        changes = ((later, _read(model.get_prices(_noon(later)))) for later in days)
        return Prices(
            _read(model.get_prices(_noon(day))),
            f"genai-prices {__version__}",
            tuple(PriceChange(later, prices) for later, prices in changes if prices is not None),
        )
    if (own := OWN_TABLE.get((provider, model_id))) is None:
        return Prices()
    begun = [change.prices for change in own if change.day <= day]
    return Prices(
        begun[-1] if begun else None, OWN_TABLE_AS_OF, tuple(change for change in own if change.day > day)
    )


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def _starts(model: ModelInfo) -> list[date]:
    """The days on which prices of a model begin."""
    from genai_prices.types import StartDateConstraint

    if not isinstance(model.prices, list):
        return []
    constraints = [conditional.constraint for conditional in model.prices]
    return [one.start_date for one in constraints if isinstance(one, StartDateConstraint)]


def _read(price: ModelPrice) -> TokenPrices | None:
    """The package's prices as ours; None where it knows the model but not what it costs.

    A long prompt can make every token of a turn dearer: then the package has tiers, and we one price
    inside another. Cache writes are those of the cache that keeps for five minutes, the one we use.
    """
    from genai_prices.types import TieredPrices

    amounts = (price.input_mtok, price.output_mtok, price.cache_read_mtok, price.cache_write_mtok)
    starts = {tier.start for amount in amounts if isinstance(amount, TieredPrices) for tier in amount.tiers}
    read: TokenPrices | None = None
    above: int | None = None
    for start in (*sorted(starts, reverse=True), 0):
        input_usd, output_usd, cached, written = (_beyond(amount, start) for amount in amounts)
        if input_usd is None or output_usd is None:
            return None
        read = TokenPrices(input_usd, output_usd, cached, written, above, read)
        above = start
    return read


def _beyond(amount: Decimal | TieredPrices | None, start: int) -> Decimal | None:
    """The price of one kind of token in a turn that reads more than ``start`` tokens."""
    if amount is None or isinstance(amount, Decimal):
        return amount
    return next((tier.price for tier in reversed(amount.tiers) if start >= tier.start), amount.base)
