"""Which model a name means, and what a run's money is counted with."""

from __future__ import annotations

from core.budget import Rates, flat, researcher_money
from core.config import RunSettings
from core.pricing import FREE, TokenPrices

SCRIPTED = "scripted:"


def prices_of(name: str, settings: RunSettings) -> TokenPrices | None:
    """What tokens of this model cost today; None where unknown."""
    return FREE if name.startswith(SCRIPTED) else None


def rates_of(settings: RunSettings) -> Rates:
    """What a run's experiments are priced with, by engine, console and commands alike."""
    return Rates(
        flat(settings.local_usd_per_hour),
        researcher_money(prices_of(settings.researcher_model, settings), settings.max_turns),
    )
