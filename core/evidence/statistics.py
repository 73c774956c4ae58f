"""Intervals, probabilities and visible effects, all by scipy, which is imported only when asked."""

from __future__ import annotations

import math
import statistics
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

EXACT_SEEDS = 14
"""Up to this many pairs every one of the ``2**n`` sign flips is counted."""

RESAMPLES = 9_999
"""Random sign flips beyond that, from a fixed seed."""

POWER = 0.8
"""The chance with which a visible effect would show."""


@dataclass(frozen=True)
class Estimate:
    """An effect and how well it is known.

    Attributes:
        effect: the estimate, in the metric's unit.
        low: lower end of the interval.
        high: upper end of the interval.
        p: two-sided probability of an effect at least this large if there were none; None
            where there is no such question.
        visible_effect: the smallest effect that shows in four of five such experiments.
        constant: every replicate gave the same number, so that the interval is a point.
    """

    effect: float
    low: float
    high: float
    p: float | None
    visible_effect: float | None
    constant: bool


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean; NaN for none."""
    return math.fsum(values) / len(values) if values else math.nan


def standard_deviation(values: Sequence[float]) -> float:
    """The sample standard deviation; NaN for fewer than two values."""
    return statistics.stdev(values) if len(values) > 1 else math.nan


def widening(replicates: int, test_fraction: float) -> float:
    """How much wider an interval is where seeds re-split one data set.

    Nadeau & Bengio (2003), Inference for the generalization error, Machine Learning 52:239-281:
    the variance ``1/n`` becomes ``1/n + test/train``.

    Args:
        replicates: number of seeds.
        test_fraction: share of the data held out; 0 for independent replicates.
    """
    return math.sqrt(1 + replicates * test_fraction / (1 - test_fraction))


def of_mean(values: Sequence[float], alpha: float, widen: float = 1.0) -> Estimate:
    """A mean with its Student interval at ``1 - alpha``."""
    return _student(values, alpha, widen, None)


def of_pairs(differences: Sequence[float], alpha: float, widen: float = 1.0) -> Estimate:
    """The mean of paired differences, with a sign-flip p.

    Where replicates are correlated (``widen`` above 1) flipping signs is not valid; p then comes
    from the widened t statistic.
    """
    p = _sign_flip(differences) if widen == 1.0 else _t_test(differences, widen)
    return _student(differences, alpha, widen, p)


def of_groups(
    treatment: Sequence[float], baseline: Sequence[float], alpha: float, widen: float = 1.0
) -> Estimate:
    """Welch's interval for the difference of two means, unpaired."""
    from scipy import stats

    effect = mean(treatment) - mean(baseline)
    if _same(treatment) and _same(baseline):
        return Estimate(effect, effect, effect, None, None, constant=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        test = stats.ttest_ind(treatment, baseline, equal_var=False)
        interval = test.confidence_interval(1 - alpha)
    half = widen * (float(interval.high) - float(interval.low)) / 2
    freedom = float(test.df)
    error = (
        widen * abs(effect / float(test.statistic)) if test.statistic else half / _quantile(alpha, freedom)
    )
    p = float(2 * stats.t.sf(abs(effect) / error, freedom))
    visible = error * (_quantile(alpha, freedom) + float(stats.t.ppf(POWER, freedom)))
    return Estimate(effect, effect - half, effect + half, p, visible, constant=False)


def _student(values: Sequence[float], alpha: float, widen: float, p: float | None) -> Estimate:
    from scipy import stats

    effect = mean(values)
    if _same(values):
        return Estimate(effect, effect, effect, p, None, constant=True)
    freedom = len(values) - 1
    error = widen * standard_deviation(values) / math.sqrt(len(values))
    half = error * _quantile(alpha, freedom)
    visible = error * (_quantile(alpha, freedom) + float(stats.t.ppf(POWER, freedom)))
    return Estimate(effect, effect - half, effect + half, p, visible, constant=False)


def _quantile(alpha: float, freedom: float) -> float:
    from scipy import stats

    return float(stats.t.ppf(1 - alpha / 2, freedom))


def _sign_flip(differences: Sequence[float]) -> float:
    from scipy import stats

    few = len(differences) <= EXACT_SEEDS
    test = stats.permutation_test(
        (list(differences), [0.0] * len(differences)),
        lambda left, right, axis: (left - right).mean(axis=axis),
        permutation_type="samples",
        n_resamples=2**EXACT_SEEDS if few else RESAMPLES,
        batch=1024,
        vectorized=True,
        rng=0,
    )
    return float(test.pvalue)


def _t_test(differences: Sequence[float], widen: float) -> float | None:
    from scipy import stats

    if _same(differences):
        return None
    error = widen * standard_deviation(differences) / math.sqrt(len(differences))
    return float(2 * stats.t.sf(abs(mean(differences)) / error, len(differences) - 1))


def _same(values: Sequence[float]) -> bool:
    """Whether values differ by no more than rounding."""
    largest = max(map(abs, values))
    return max(values) - min(values) <= 1e-12 * largest
