"""The catalogue: every model that people may name, and what is assumed of those it lacks."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from core.models.card import ModelCard, PriceChange, Thinking
from core.models.catalog import KNOWN, USUAL, assumed_model, known_model
from core.models.prices import prices_on
from core.models.vendors import vendor_of
from core.pricing import TokenPrices, Tokens

TODAY = date(2026, 11, 23)


def usd(*amounts: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, amounts))


def paid(model_id: str, day: date = TODAY) -> TokenPrices:
    """What a known model costs."""
    vendor = vendor_of(model_id)
    assert vendor is not None
    prices = prices_on(vendor.provider, model_id, day).today
    assert prices is not None
    return prices


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.id)
def test_every_known_model_has_a_vendor_a_price_and_room_to_read(known: object) -> None:
    model = next(one for one in KNOWN if one is known)
    vendor = vendor_of(model.id)
    assert vendor is not None
    assert vendor.provider == model.provider
    prices = paid(model.id)
    assert 0 < prices.input < prices.output
    assert model.max_output_tokens < model.context_tokens / 2


def test_the_usual_models_are_known_and_served() -> None:
    names = {name for roles in USUAL.values() for name in roles.values()}
    assert names <= {known.id for known in KNOWN if not known.gone}


@pytest.mark.parametrize("name", ["gemini-3-pro-preview", "claude-opus-4-5"])
def test_both_names_of_the_reference_system_are_known(name: str) -> None:
    assert name in {known.id for known in KNOWN}


@pytest.mark.parametrize(
    ("name", "prices"),
    [
        ("claude-fable-5-1", ("10", "50", "0.25")),
        ("claude-opus-5-5", ("4", "20", "0.20")),
        ("claude-sonnet-5-5", ("2", "10", "0.10")),
        ("claude-haiku-5-5", ("0.10", "0.50", "0.01")),
        ("claude-opus-5", ("5", "25", "0.50")),
        ("claude-haiku-4-5", ("1", "5", "0.10")),
        ("gemini-4-argon", ("2", "10", "0.10")),
        ("gemini-4-carbon", ("2", "10", "0.10")),
        ("gemini-3.8-flash", ("0.75", "3.75", "0.075")),
    ],
)
def test_prices_are_those_that_were_read_on_the_vendors_pages(name: str, prices: tuple[str, ...]) -> None:
    found = paid(name)
    assert (found.input, found.output, found.cached) == usd(*prices)


@pytest.mark.parametrize("name", ["gemini-4-hydrogen", "gemini-3.5-flash-lite"])
def test_a_model_whose_cache_price_nobody_named_is_no_cheaper_from_the_cache(name: str) -> None:
    prices = paid(name)
    cached = prices.cost(Tokens(input=1_000_000, cached=1_000_000))
    assert cached == (prices.input if prices.cached is None else prices.cached)


def test_what_claude_writes_into_the_cache_costs_a_quarter_more() -> None:
    for known in KNOWN:
        if known.provider == "anthropic":
            prices = paid(known.id)
            assert prices.cache_written == prices.input * Decimal("1.25")


@pytest.mark.parametrize("name", ["gemini-4-argon", "gemini-4-carbon"])
def test_a_price_holds_until_its_day_and_then_another_does(name: str) -> None:
    last, first = paid(name, date(2026, 11, 30)), paid(name, date(2026, 12, 1))
    assert (last.input, last.output, last.cached) == usd("2", "10", "0.10")
    assert (first.input, first.output, first.cached) == usd("4", "20", "0.20")
    (change,) = prices_on("google", name, TODAY).changes
    assert change == PriceChange(date(2026, 12, 1), first)
    assert prices_on("google", name, date(2026, 12, 1)).changes == ()


def test_flash_doubles_with_the_new_year() -> None:
    assert paid("gemini-3.8-flash", date(2026, 12, 31)).input == Decimal("0.75")
    assert paid("gemini-3.8-flash", date(2027, 1, 1)).input == Decimal("1.5")


def test_a_long_prompt_makes_every_token_of_the_turn_dearer() -> None:
    haiku = paid("claude-haiku-5-5")
    assert haiku.cost(Tokens(input=100_000, output=1000)) == Decimal("0.0105")
    assert haiku.cost(Tokens(input=100_001, output=1000)) == Decimal("0.0525005")
    assert haiku.cost(Tokens(input=200_000, cached=200_000)) == Decimal("0.01")


@pytest.mark.parametrize("name", ["claude-banana", "gemini-9-quark"])
def test_a_model_that_nobody_priced_has_no_price(name: str) -> None:
    vendor = vendor_of(name)
    assert vendor is not None
    assert prices_on(vendor.provider, name, TODAY).today is None


def test_a_price_of_our_own_table_is_unknown_before_its_first_day() -> None:
    assert prices_on("google", "gemini-4-carbon", date(2026, 1, 1)).today is None


def test_a_dated_name_is_the_model_that_it_dates() -> None:
    dated = known_model("anthropic", "claude-opus-4-5-20251101")
    assert dated is not None
    assert dated.thinking == "budget"
    assert known_model("google", "claude-opus-4-5") is None
    assert paid("claude-opus-4-5-20251101") == paid("claude-opus-4-5")


@pytest.mark.parametrize(
    ("name", "thinking"),
    [
        ("claude-3-5-sonnet-20241022", "none"),
        ("claude-3-7-sonnet-20250219", "budget"),
        ("claude-opus-4-20250514", "budget"),
        ("claude-opus-4-1", "budget"),
        ("claude-haiku-4-6", "adaptive"),
        ("claude-opus-5", "adaptive"),
        ("claude-opus-6-1-20270101", "adaptive"),
        ("claude-something-new", "adaptive"),
        ("gemini-2.0-flash", "none"),
        ("gemini-2.5-flash-preview-09-2025", "budget"),
        ("gemini-3-flash-preview", "level"),
        ("gemini-5-neon", "level"),
        ("gemini-flash-latest", "level"),
    ],
)
def test_of_a_name_that_is_not_known_its_generation_says_how_it_thinks(name: str, thinking: Thinking) -> None:
    vendor = vendor_of(name)
    assert vendor is not None
    assert assumed_model(vendor.provider, name, by_vendor=True).thinking == thinking


def test_of_what_somebody_else_serves_nothing_is_asked_that_it_may_not_have() -> None:
    assert assumed_model("anthropic", "qwen3-coder", by_vendor=False).thinking == "none"


def test_a_card_changes_its_price_on_the_day() -> None:
    then, now = TokenPrices(Decimal(2), Decimal(10)), TokenPrices(Decimal(4), Decimal(20))

    def card(day: date) -> ModelCard:
        return ModelCard("m", "google", 1000, 100, "level", then, "", (PriceChange(day, now),))

    assert card(date(2000, 1, 1)).prices_now == now
    assert card(date(9999, 1, 1)).prices_now == then
    assert ModelCard("m", "google", 1000, 100, "level", None).prices_now is None
