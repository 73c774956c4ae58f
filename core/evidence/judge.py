"""The judge: what an experiment's own measurements say about its hypothesis.

The rule was fixed and locked before anything ran. The whole interval inside the criterion is
supported, wholly outside is refuted, anything else is inconclusive; so is every plan that was not
carried out in full.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.evidence.condition import canonical, in_words, same_level
from core.evidence.keys import same_value, seed_order
from core.evidence.ledger import Ledger
from core.evidence.measurement import Measurement
from core.evidence.statistics import Estimate, of_groups, of_mean, of_pairs, widening
from core.experiment import Arm, Experiment, Hypothesis, Verdict, bounds

INCOMPLETE = "the planned runs are not complete"


@dataclass
class ArmEvidence:
    """What counts for one arm, and what does not and why.

    Attributes:
        arm: the arm.
        used: the measurement of each planned seed that has one.
        missing: planned seeds without one.
        not_finite: planned seeds whose value is no finite number.
        deviations: departures from the plan, in words.
        obstacle: why the arm cannot be judged at all; empty where it can.
    """

    arm: Arm
    used: dict[int, Measurement] = field(default_factory=dict)
    missing: list[int] = field(default_factory=list)
    not_finite: list[int] = field(default_factory=list)
    deviations: list[str] = field(default_factory=list)
    obstacle: str = ""

    @property
    def gap(self) -> str:
        """What keeps the arm from being complete, in words; empty where nothing does."""
        if self.obstacle:
            return self.obstacle
        gaps = [f"lacks {_seeds(self.missing)}"] if self.missing else []
        gaps += [f"is not finite for {_seeds(self.not_finite)}"] if self.not_finite else []
        return f"'{self.arm.label}' {' and '.join(gaps)}" if gaps else ""


def judge(experiment: Experiment, locked_at: datetime, ledger: Ledger) -> Verdict:
    """Decide an experiment's hypothesis from its measurements alone.

    Args:
        experiment: with a hypothesis; explorations have no verdict.
        locked_at: when the hypothesis was locked, UTC; what was measured before does not count.
        ledger: everything that the run recorded.

    Returns:
        The verdict, with the reason and every departure from the plan.
    """
    hypothesis = experiment.hypothesis
    assert hypothesis is not None, "an exploration has no verdict"
    arms = arms_of(experiment.id, hypothesis, locked_at, ledger)
    deviations = [deviation for arm in arms for deviation in arm.deviations]
    gaps = [arm.gap for arm in arms if arm.gap]
    if gaps:
        complete = all(arm.obstacle for arm in arms if arm.gap)
        reason = "; ".join(gaps) if complete else f"{INCOMPLETE}: {'; '.join(gaps)}"
        return Verdict(
            outcome="inconclusive",
            reason=reason,
            alpha=experiment.alpha,
            seeds=min(len(arm.used) for arm in arms),
            deviations=tuple(deviations),
        )
    values = [[arm.used[seed].value for seed in hypothesis.seeds] for arm in arms]
    estimate = _estimate(hypothesis, values, experiment.alpha)
    deviations += _constant(hypothesis, arms, values, estimate)
    return _verdict(hypothesis, estimate, experiment.alpha, deviations)


def arms_of(
    experiment_id: str, hypothesis: Hypothesis, locked_at: datetime | None, ledger: Ledger
) -> list[ArmEvidence]:
    """The evidence for each arm of a hypothesis: the treatment, then the baseline if there is one."""
    own = [m for m in ledger.of(experiment_id) if m.name == hypothesis.metric.name]
    arms = (
        [hypothesis.treatment] if hypothesis.baseline is None else [hypothesis.treatment, hypothesis.baseline]
    )
    return [_arm_evidence(arm, hypothesis, locked_at, own) for arm in arms]


def _arm_evidence(
    arm: Arm, hypothesis: Hypothesis, locked_at: datetime | None, own: Sequence[Measurement]
) -> ArmEvidence:
    found = ArmEvidence(arm)
    matching = [m for m in own if _matches(m, arm)]
    counted = _counted(found, matching, locked_at)
    counted = _of_split(found, counted, hypothesis)
    planned = [m for m in counted if m.seed in set(hypothesis.seeds) and isinstance(m.seed, int)]
    unplanned = sorted({m.seed for m in counted} - set(hypothesis.seeds), key=seed_order)
    if unplanned:
        found.deviations.append(f"'{arm.label}' has {_seeds(unplanned)}, which were not planned: not used")
    _use_first(found, planned)
    _refuse_mixtures(found, planned, hypothesis)
    found.missing = [seed for seed in sorted(hypothesis.seeds) if seed not in found.used]
    found.not_finite = [s for s, m in sorted(found.used.items()) if not math.isfinite(m.value)]
    return found


def _matches(measurement: Measurement, arm: Arm) -> bool:
    return all(
        factor in measurement.condition and same_level(measurement.condition[factor], level)
        for factor, level in arm.where.items()
    )


def _counted(
    found: ArmEvidence, matching: Iterable[Measurement], locked_at: datetime | None
) -> list[Measurement]:
    counted: list[Measurement] = []
    doubts: dict[str, int] = defaultdict(int)
    early = 0
    for m in matching:
        if m.doubt:
            doubts[m.doubt] += 1
        elif locked_at is not None and m.at < locked_at:
            early += 1
        else:
            counted.append(m)
    label = found.arm.label
    if early:
        found.deviations.append(f"{_many(early)} of '{label}' older than the lock: not used")
    for doubt, count in sorted(doubts.items()):
        if doubt != "measured in a trial":
            found.deviations.append(f"{_many(count)} of '{label}' not used: {doubt}")
    return counted


def _of_split(
    found: ArmEvidence, measurements: list[Measurement], hypothesis: Hypothesis
) -> list[Measurement]:
    """What was measured on the planned split, or on no stated one."""
    wanted = hypothesis.metric.split
    if not wanted:
        return measurements
    exact = [m for m in measurements if m.split == wanted]
    unstated = [m for m in measurements if not m.split]
    if not exact and unstated:
        found.deviations.append(f"'{found.arm.label}' does not say that it was measured on {wanted}")
        return unstated
    return exact


def _use_first(found: ArmEvidence, planned: Iterable[Measurement]) -> None:
    differing: set[int] = set()
    for m in planned:
        assert isinstance(m.seed, int)
        first = found.used.setdefault(m.seed, m)
        if not same_value(first.value, m.value):
            differing.add(m.seed)
    if differing:
        text = f"'{found.arm.label}' has several values for {_seeds(sorted(differing))}: the first is used"
        found.deviations.append(text)


def _refuse_mixtures(found: ArmEvidence, planned: Sequence[Measurement], hypothesis: Hypothesis) -> None:
    """An arm must pick one condition in one unit, or its mean mixes different things."""
    places = {(m.split, canonical(m.condition)): m for m in planned}
    label = found.arm.label
    if len(places) > 1:
        examples = " and ".join(sorted(in_words(m.condition) for m in places.values())[:2])
        found.obstacle = f"'{label}' matches {len(places)} conditions, such as {examples}"
    units = {m.unit for m in planned if m.unit} | ({hypothesis.metric.unit} - {""})
    if len(units) > 1:
        found.obstacle = f"'{label}' is in other units than planned: {', '.join(sorted(units))}"


def _estimate(hypothesis: Hypothesis, values: list[list[float]], alpha: float) -> Estimate:
    resplit = hypothesis.replicates == "resplit"
    widen = widening(len(hypothesis.seeds), hypothesis.test_fraction) if resplit else 1.0
    if len(values) == 1:
        return of_mean(values[0], alpha, widen)
    if hypothesis.paired:
        differences = [left - right for left, right in zip(*values, strict=True)]
        return of_pairs(differences, alpha, widen)
    return of_groups(values[0], values[1], alpha, widen)


def _constant(
    hypothesis: Hypothesis, arms: list[ArmEvidence], values: list[list[float]], estimate: Estimate
) -> list[str]:
    notes = [
        f"every seed gave the same value for '{arm.arm.label}': the seed changes nothing there"
        for arm, of_arm in zip(arms, values, strict=True)
        if len(set(of_arm)) == 1
    ]
    if estimate.constant and not notes and hypothesis.baseline is not None:
        notes.append("every seed gave the same difference: the interval is a point")
    return notes


def _number(value: float) -> str:
    """A number for people, with a true minus and ∞."""
    return f"{value:.4g}".replace("inf", "∞").replace("-", "−")


def _verdict(hypothesis: Hypothesis, estimate: Estimate, alpha: float, deviations: list[str]) -> Verdict:
    low, high = bounds(hypothesis.criterion)
    interval = f"the {100 * (1 - alpha):.4g}% interval [{_number(estimate.low)}, {_number(estimate.high)}]"
    criterion = f"the criterion ({_number(low)} to {_number(high)})"
    if estimate.low > low and estimate.high < high:
        outcome, reason = "supported", f"{interval} lies wholly inside {criterion}"
    elif estimate.high <= low or estimate.low >= high:
        outcome, reason = "refuted", f"{interval} lies wholly outside {criterion}"
    else:
        outcome, reason = "inconclusive", f"{interval} lies partly inside {criterion}"
    return Verdict.model_validate(
        {
            "outcome": outcome,
            "reason": reason,
            "effect": estimate.effect,
            "interval": (estimate.low, estimate.high),
            "p": estimate.p,
            "alpha": alpha,
            "seeds": len(hypothesis.seeds),
            "visible_effect": estimate.visible_effect,
            "deviations": tuple(deviations),
        }
    )


def _seeds(seeds: Sequence[int | str | None]) -> str:
    named = ", ".join("no seed" if seed is None else str(seed) for seed in seeds[:12])
    more = f" and {len(seeds) - 12} more" if len(seeds) > 12 else ""
    return f"seed {named}" if len(seeds) == 1 else f"seeds {named}{more}"


def _many(count: int) -> str:
    return "a measurement" if count == 1 else f"{count} measurements"
