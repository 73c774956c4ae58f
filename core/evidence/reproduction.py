"""Compares what a fresh sandbox measured with what was measured first."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from core.evidence import statistics
from core.evidence.condition import canonical
from core.evidence.measurement import ExecFacts, Measurement

Comparison: TypeAlias = Literal["same", "within its seeds' spread", "different", "not measured again"]

COMPARISONS: tuple[Comparison, ...] = (
    "same",
    "within its seeds' spread",
    "different",
    "not measured again",
)

_Thing: TypeAlias = tuple[str, str, str, str]
"""What was measured: metric, split, condition, seed."""


@dataclass(frozen=True)
class Compared:
    """A measurement beside the one that a fresh sandbox gave.

    Attributes:
        first: the measurement of the run.
        again: what the same script gave again; None where it did not.
        spread: standard deviation of the first values over seeds; None for fewer than two.
        outcome: how the two stand to each other.
    """

    first: Measurement
    again: Measurement | None
    spread: float | None
    outcome: Comparison


def same_number(first: float, again: float) -> bool:
    """Whether two runs of the same code gave the same: equal but for the order of summation.

    Machines add in different orders, which changes the last few of 16 digits and nothing else.
    """
    if math.isnan(first) or math.isnan(again):
        return math.isnan(first) and math.isnan(again)
    return math.isclose(first, again, rel_tol=1e-9, abs_tol=1e-12)


def compare_again(
    measurements: Iterable[Measurement], execs: Mapping[str, ExecFacts]
) -> tuple[Compared, ...]:
    """Compare every measurement that counts and whose script was run again.

    Args:
        measurements: of the run, reproductions among them.
        execs: by exec id. Where a script was run again more than once, the latest time counts.

    Returns:
        In the order in which they were measured first.
    """
    latest = {facts.again_of: facts.exec_id for facts in execs.values() if facts.again_of}
    by_exec: dict[str, dict[_Thing, list[Measurement]]] = defaultdict(lambda: defaultdict(list))
    over_seeds: dict[tuple[str, ...], list[float]] = defaultdict(list)
    firsts: list[Measurement] = []
    for measurement in measurements:
        if measurement.usable:
            by_exec[measurement.exec_id][_thing(measurement)].append(measurement)
            if measurement.exec_id in latest:
                firsts.append(measurement)
                over_seeds[_arm(measurement)].append(measurement.value)
    found = []
    for first in firsts:
        # A script may measure the same thing several times; then the first is compared with the first.
        place = by_exec[first.exec_id][_thing(first)].index(first)
        agains = by_exec[latest[first.exec_id]].get(_thing(first), [])
        again = agains[place] if place < len(agains) else None
        found.append(_compared(first, again, _spread(over_seeds[_arm(first)])))
    return tuple(found)


def _compared(first: Measurement, again: Measurement | None, spread: float | None) -> Compared:
    if again is None:
        return Compared(first, None, spread, "not measured again")
    if same_number(first.value, again.value):
        return Compared(first, again, spread, "same")
    near = spread is not None and abs(again.value - first.value) <= spread
    return Compared(first, again, spread, "within its seeds' spread" if near else "different")


def _thing(m: Measurement) -> _Thing:
    return m.name, m.split, canonical(m.condition), repr(m.seed)


def _arm(m: Measurement) -> tuple[str, ...]:
    return m.experiment_id, m.name, m.split, canonical(m.condition)


def _spread(values: list[float]) -> float | None:
    finite = [value for value in values if math.isfinite(value)]
    return statistics.standard_deviation(finite) if len(finite) > 1 else None
