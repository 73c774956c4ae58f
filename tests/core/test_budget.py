"""What an experiment may cost, whether it fits, and how amounts are said."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.budget import Rates, estimate, fits, flat, sandbox_cost
from core.experiment import Compute
from core.pricing import Estimate, at_most_dollars, dollars, price_range
from core.record.events import BudgetSet, ExperimentEnded
from core.record.live import LiveRun
from tests.fakes.launching import lock
from tests.fakes.specs import experiment

RATES = Rates(flat(Decimal("3.60")), Estimate(low=Decimal("0.2"), high=Decimal("0.8"), maximum=Decimal(2)))


def test_the_maximum_is_the_whole_time_limit_and_every_turn() -> None:
    priced = estimate(experiment(compute=Compute(timeout_seconds=1000)), RATES)
    assert (priced.low, priced.high, priced.maximum) == (None, None, Decimal(3))


def test_what_is_likely_lies_between_half_and_twice_the_expected_time() -> None:
    priced = estimate(experiment(compute=Compute(timeout_seconds=1000, expected_seconds=200)), RATES)
    assert (priced.low, priced.high, priced.maximum) == (Decimal("0.3"), Decimal("1.2"), Decimal(3))


@given(timeout=st.integers(10, 86_400), expected=st.integers(1, 86_400))
def test_nothing_likely_is_above_the_maximum(timeout: int, expected: int) -> None:
    compute = Compute(timeout_seconds=timeout, expected_seconds=expected)
    priced = estimate(experiment(compute=compute), RATES)
    assert priced.low is not None
    assert priced.high is not None
    assert priced.maximum is not None
    assert 0 < priced.low <= priced.high <= priced.maximum


@pytest.mark.parametrize(
    "rates",
    [
        Rates(flat(None), Estimate(maximum=Decimal(1))),
        Rates(flat(Decimal(1)), Estimate()),
        Rates(flat(None), Estimate()),
    ],
)
def test_where_any_price_is_unknown_the_whole_is_unknown(rates: Rates) -> None:
    assert estimate(experiment(), rates) == Estimate()


def test_a_repeat_has_no_turns_to_pay_even_where_their_price_is_unknown() -> None:
    repeat = experiment(2, repeats="E1", compute=Compute(timeout_seconds=1000))
    assert estimate(repeat, Rates(flat(Decimal("3.60")), Estimate())).maximum == Decimal(1)


def test_the_cost_of_a_sandbox_is_known_only_with_its_price() -> None:
    assert sandbox_cost(Decimal("3.60"), 0.5) == Decimal("0.0005")
    assert sandbox_cost(None, 0.5) is None


def test_what_exactly_fills_the_cap_fits_and_a_cent_more_does_not(live: LiveRun) -> None:
    live.record(BudgetSet(cap_usd=Decimal(3)))
    lock(live, 1, Decimal(1))
    assert fits(live.state, Decimal(2))
    assert not fits(live.state, Decimal("2.01"))
    live.record(ExperimentEnded(experiment_id="E1", outcome="done"))
    assert fits(live.state, Decimal(3))


def test_below_what_is_committed_not_even_what_is_free_of_charge_fits(live: LiveRun) -> None:
    lock(live, 1, Decimal(1))
    live.record(BudgetSet(cap_usd=Decimal("0.50")))
    assert not fits(live.state, Decimal(0))
    assert live.state.free_usd == 0


@pytest.mark.parametrize(
    ("amount", "text", "at_most"),
    [
        (None, "?", "≤ ?"),
        (Decimal(0), "$0.00", "≤ $0.00"),
        (Decimal("0.0001"), "<$0.01", "≤ $0.01"),
        (Decimal("3.181"), "$3.18", "≤ $3.19"),
        (Decimal("1234.5"), "$1234.50", "≤ $1234.50"),
    ],
)
def test_amounts_are_said_so_that_a_limit_is_never_passed(
    amount: Decimal | None, text: str, at_most: str
) -> None:
    assert dollars(amount) == text
    assert at_most_dollars(amount) == at_most


def test_a_price_is_said_as_what_is_likely_and_what_is_never_passed() -> None:
    likely = Estimate(low=Decimal("0.9"), high=Decimal("1.6"), maximum=Decimal("2.391"))
    assert price_range(likely) == "$0.90 – $1.60, never more than $2.40"
    assert price_range(Estimate(maximum=Decimal(2))) == "never more than $2.00"
    assert price_range(Estimate(maximum=Decimal(0))) == "$0.00"
    assert price_range(Estimate()) == "unknown price"
