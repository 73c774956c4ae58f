"""What an experiment may cost, and whether it fits."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.experiment import Experiment
from core.pricing import SECONDS_PER_HOUR, Estimate
from core.record.state import RunState


@dataclass(frozen=True)
class Rates:
    """Prices that estimates are made with.

    Attributes:
        sandbox_usd_per_hour: price of an open sandbox; None where unknown.
        turn_usd: the most that one turn of a researcher can cost, USD; None where unknown.
        max_turns: turns that a researcher may take.
    """

    sandbox_usd_per_hour: Decimal | None
    turn_usd: Decimal | None
    max_turns: int


def sandbox_cost(usd_per_hour: Decimal | None, seconds: float) -> Decimal | None:
    """What an open sandbox costs, USD; None where the price is unknown."""
    if usd_per_hour is None:
        return None
    return usd_per_hour * Decimal(str(seconds)) / SECONDS_PER_HOUR


def estimate(experiment: Experiment, rates: Rates) -> Estimate:
    """The price of an experiment before it runs.

    The maximum is the sandbox for its whole time limit and a full-priced turn each time its
    researcher may take one. Between half and twice the expected time is called likely; where nobody
    said what to expect, only the maximum is known.
    """
    compute = experiment.compute
    turns = Decimal(0) if experiment.repeats else _times(rates.turn_usd, rates.max_turns)
    whole = sandbox_cost(rates.sandbox_usd_per_hour, compute.timeout_seconds)
    if whole is None or turns is None:
        return Estimate()
    maximum = whole + turns
    if compute.expected_seconds is None:
        return Estimate(maximum=maximum)
    share = Decimal(compute.expected_seconds) / compute.timeout_seconds
    low, high = min(share / 2, Decimal(1)), min(share * 2, Decimal(1))
    return Estimate(low=maximum * low, high=maximum * high, maximum=maximum)


def fits(state: RunState, maximum_usd: Decimal | None) -> bool:
    """Whether something of this price can be reserved without passing the cap.

    An unknown price fits: only a human can have approved it, and it was shown as unknown.
    """
    return maximum_usd is None or state.spent_usd + state.reserved_usd + maximum_usd <= state.cap_usd


def _times(price: Decimal | None, count: int) -> Decimal | None:
    return None if price is None else price * count
