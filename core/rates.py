"""What a run's experiments are priced with: by engine, console and commands alike."""

from __future__ import annotations

from core.budget import Rates, SandboxPrice, flat, researcher_money
from core.config import RunSettings
from core.models.choice import prices_of
from core.record.events import PricesTaken
from core.record.state import RunState
from core.sandbox.machines import MODAL
from core.sandbox.modal.prices import TABLE, Prices


def rates_of(state: RunState) -> Rates:
    """What the experiments of a run are priced with now.

    Args:
        state: the run; its journal says what was learned of prices.
    """
    settings = state.settings
    researcher = prices_of(settings.researcher_model, settings)
    return Rates(_sandbox_price(settings, state.prices), researcher_money(researcher, settings.max_turns))


def prices_in_words(state: RunState) -> str:
    """Where the prices of a run's sandboxes are from and of when; empty where the user said them."""
    if state.settings.sandbox != MODAL:
        return ""
    return state.prices.source if state.prices else TABLE.source


def gpu_price_in_words(gpu: str) -> str:
    """What a GPU at Modal costs per hour by the dated table, for a run that is still to come.

    Args:
        gpu: as it was typed.

    Returns:
        The price with its source and date; empty where Modal has no such GPU.
    """
    price = TABLE.gpu_in_words(gpu)
    return f"{price}; {TABLE.source}, without cores and memory" if price else ""


def gpu_offer_in_words(state: RunState, gpu: str | None) -> str:
    """What a GPU's name may turn out to be, with the prices; empty where the name says it all.

    Args:
        state: the run; its journal says what was learned of prices.
        gpu: as it was asked for.
    """
    if state.settings.sandbox != MODAL or gpu is None:
        return ""
    return _modal_prices(state.prices).offer_in_words(gpu)


def prices_taken(prices: Prices) -> PricesTaken:
    """Prices as the journal keeps them."""
    return PricesTaken(gpus=dict(prices.gpus), cpu=prices.cpu, memory=prices.memory, source=prices.source)


def _sandbox_price(settings: RunSettings, taken: PricesTaken | None) -> SandboxPrice:
    if settings.sandbox != MODAL:
        return flat(settings.local_usd_per_hour)
    return _modal_prices(taken).usd_per_hour


def _modal_prices(taken: PricesTaken | None) -> Prices:
    return Prices(taken.gpus, taken.cpu, taken.memory, taken.source) if taken else TABLE
