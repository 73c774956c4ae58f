"""What an experiment may cost, and whether it fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from core.experiment import Compute, Experiment
from core.pricing import SECONDS_PER_HOUR, Estimate, TokenPrices, Tokens
from core.record.events import now
from core.record.state import ExperimentState, RunState

NO_MONEY = Estimate(low=Decimal(0), high=Decimal(0), maximum=Decimal(0))

SandboxPrice: TypeAlias = Callable[[Compute], Decimal | None]
"""What an open sandbox of this make costs, USD per hour; None where unknown."""

USUAL_TURN = Tokens(input=30_000, output=2_500, cached=24_000, cache_written=4_000)
"""A researcher's turn in the middle of its work."""

FEW_TURNS, MANY_TURNS = 6, 25
"""Between these many turns most researchers are done."""


@dataclass(frozen=True)
class Rates:
    """Prices that estimates are made with.

    Attributes:
        sandbox: price of an open sandbox.
        researcher: what a researcher's turns may cost, USD; its maximum is what it is given to spend.
    """

    sandbox: SandboxPrice
    researcher: Estimate


def flat(usd_per_hour: Decimal | None) -> SandboxPrice:
    """The same price for every sandbox."""
    return lambda compute: usd_per_hour


def researcher_money(prices: TokenPrices | None, max_turns: int) -> Estimate:
    """What a researcher's turns may cost, USD; nothing is known without prices.

    Turns are taken as usual ones. The maximum is an allowance, not a guess: a researcher that has not
    enough of it left for its next turn at its dearest ends with ``out of budget``.
    """
    if prices is None:
        return Estimate()
    usual = prices.cost(USUAL_TURN)
    return Estimate(
        low=usual * min(FEW_TURNS, max_turns),
        high=usual * min(MANY_TURNS, max_turns),
        maximum=usual * max_turns,
    )


def sandbox_cost(usd_per_hour: Decimal | None, seconds: float) -> Decimal | None:
    """What an open sandbox costs, USD; None where the price is unknown."""
    if usd_per_hour is None:
        return None
    return usd_per_hour * Decimal(str(seconds)) / SECONDS_PER_HOUR


def seconds_left(experiment: ExperimentState) -> float:
    """How much of its approved time an experiment has left, over all its sandboxes; seconds."""
    used = experiment.sandbox_seconds - experiment.earlier_seconds
    if experiment.sandbox is not None:
        used += (now() - experiment.sandbox.at).total_seconds()
    return experiment.spec.compute.timeout_seconds - used


def open_at_most(experiment: ExperimentState) -> float:
    """How long a sandbox that is opened now, or is open now, lasts at most from its beginning, in seconds."""
    used = experiment.sandbox_seconds - experiment.earlier_seconds
    return max(0.0, experiment.spec.compute.timeout_seconds - used)


def allowance(experiment: ExperimentState) -> Decimal:
    """What a researcher's turns may still cost, USD: never what its open sandbox may yet come to."""
    sandbox = experiment.sandbox
    if sandbox is None:
        return experiment.held_usd
    rest = sandbox_cost(sandbox.usd_per_hour, open_at_most(experiment)) or Decimal(0)
    return max(experiment.held_usd - rest, Decimal(0))


def estimate(experiment: Experiment, rates: Rates) -> Estimate:
    """The price of an experiment before it runs.

    The maximum is the sandbox for its whole time limit and all that its researcher may spend. Between
    half and twice the expected time is called likely; where nobody said what to expect, only the
    maximum is known.
    """
    compute = experiment.compute
    researcher = NO_MONEY if experiment.repeats else rates.researcher
    whole = sandbox_cost(rates.sandbox(compute), compute.timeout_seconds)
    if whole is None or researcher.maximum is None:
        return Estimate()
    maximum = whole + researcher.maximum
    if compute.expected_seconds is None or researcher.low is None or researcher.high is None:
        return Estimate(maximum=maximum)
    share = Decimal(compute.expected_seconds) / compute.timeout_seconds
    low, high = min(share / 2, Decimal(1)), min(share * 2, Decimal(1))
    return Estimate(low=whole * low + researcher.low, high=whole * high + researcher.high, maximum=maximum)


def fits(state: RunState, maximum_usd: Decimal | None) -> bool:
    """Whether something of this price can be reserved without passing the cap.

    An unknown price fits: only a human can have approved it, and it was shown as unknown.
    """
    return maximum_usd is None or state.committed_usd + maximum_usd <= state.cap_usd
