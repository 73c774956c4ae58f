"""How hypotheses are decided."""

from __future__ import annotations

import math
import random
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest

from core.evidence.judge import INCOMPLETE, judge
from core.evidence.statistics import of_pairs, widening
from core.experiment import Arm, Differs, Equivalent, InRange, Metric, Verdict
from core.record.records import Record
from tests.core.evidence.synthetic import (
    LOCKED,
    SEEDS,
    experiment,
    facts,
    hypothesis,
    ledger_of,
    record,
    results,
)

BAGGED = {"base": "tree", "arm": "bagged"}
SINGLE = {"base": "tree", "arm": "single"}


def around(mean: float, sd: float = 0.005, seed: int = 1, count: int = len(SEEDS)) -> list[float]:
    generator = random.Random(seed)
    return [generator.gauss(mean, sd) for _ in range(count)]


def verdict_of(treatment: list[float], baseline: list[float], **changes: Any) -> Verdict:
    plan = experiment(hypothesis(**changes))
    return judge(plan, LOCKED, ledger_of(results([(BAGGED, treatment), (SINGLE, baseline)])))


def test_an_interval_wholly_inside_the_criterion_supports() -> None:
    verdict = verdict_of(around(0.05), around(0.16, seed=2))
    assert verdict.outcome == "supported"
    assert verdict.interval is not None
    assert verdict.interval[1] < -0.02
    assert verdict.seeds == 10
    assert verdict.alpha == 0.05


def test_an_interval_wholly_outside_the_criterion_refutes() -> None:
    assert verdict_of(around(0.16), around(0.16, seed=2)).outcome == "refuted"


def test_an_interval_across_the_limit_is_inconclusive() -> None:
    assert verdict_of(around(0.138, 0.02), around(0.16, 0.02, seed=2)).outcome == "inconclusive"


def test_no_effect_is_supported_only_as_an_equivalence_with_a_margin() -> None:
    same = around(0.16)
    other = [v + 0.0001 * (-1) ** i for i, v in enumerate(same)]
    assert verdict_of(other, same, criterion=Equivalent(margin=0.005)).outcome == "supported"
    assert verdict_of(around(0.05), around(0.16), criterion=Equivalent(margin=0.005)).outcome == "refuted"


def test_a_range_judges_one_arm_by_its_mean() -> None:
    plan = experiment(hypothesis(baseline=None, criterion=InRange(low=0.04, high=0.06)))
    verdict = judge(plan, LOCKED, ledger_of(results([(BAGGED, around(0.05))])))
    assert verdict.outcome == "supported"
    assert verdict.p is None


def test_a_missing_seed_is_inconclusive_and_named() -> None:
    records = results([(BAGGED, around(0.05))])[:-2] + results([(SINGLE, around(0.16))])
    verdict = judge(experiment(), LOCKED, ledger_of(records))
    assert verdict.outcome == "inconclusive"
    assert INCOMPLETE in verdict.reason
    assert "'bagged trees' lacks seeds 8, 9" in verdict.reason
    assert verdict.effect is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_seed_that_is_not_finite_is_inconclusive_and_named(value: float) -> None:
    treatment = around(0.05)
    treatment[4] = value
    verdict = verdict_of(treatment, around(0.16))
    assert verdict.outcome == "inconclusive"
    assert "'bagged trees' is not finite for seed 4" in verdict.reason


def test_a_timeout_is_no_evidence() -> None:
    records = results([(BAGGED, around(0.05)), (SINGLE, around(0.16))])
    verdict = judge(experiment(), LOCKED, ledger_of(records, facts(ended="time", exit_code=None)))
    assert verdict.outcome == "inconclusive"
    assert any("did not finish (time)" in deviation for deviation in verdict.deviations)


def test_what_was_measured_before_the_lock_does_not_count() -> None:
    plan = experiment()
    ledger = ledger_of(results([(BAGGED, around(0.05)), (SINGLE, around(0.16))]))
    verdict = judge(plan, LOCKED + timedelta(hours=1), ledger)
    assert verdict.outcome == "inconclusive"
    assert any("older than the lock" in deviation for deviation in verdict.deviations)


def test_seeds_that_were_not_planned_are_reported_and_not_used() -> None:
    planned = results([(BAGGED, around(0.05)), (SINGLE, around(0.16))])
    more = results([(BAGGED, [-100.0] * 5)], exec_id="E1-x2", seeds=range(50, 55))
    verdict = judge(experiment(), LOCKED, ledger_of(planned + more, facts("E1-x1"), facts("E1-x2")))
    assert verdict.effect is not None
    assert verdict.effect > -1
    assert any("50, 51, 52, 53, 54" in deviation for deviation in verdict.deviations)


def test_measurements_of_another_experiment_are_not_used() -> None:
    records = results([(BAGGED, around(0.05)), (SINGLE, around(0.16))], exec_id="E2-x1")
    assert judge(experiment(), LOCKED, ledger_of(records, facts("E2-x1"))).outcome == "inconclusive"


def test_a_second_value_for_a_seed_is_a_departure_and_the_first_is_used() -> None:
    first = results([(BAGGED, around(0.05)), (SINGLE, around(0.16))])
    again = results([(BAGGED, [0.0] * 10)], exec_id="E1-x2")
    verdict = judge(experiment(), LOCKED, ledger_of(first + again, facts("E1-x1"), facts("E1-x2")))
    assert verdict.effect == pytest.approx(-0.11, abs=0.01)
    assert any("several values" in deviation for deviation in verdict.deviations)


def test_an_arm_that_matches_several_conditions_is_not_judged() -> None:
    cells = [({**BAGGED, "depth": d}, around(0.05)) for d in (1, 2)] + [(SINGLE, around(0.16))]
    verdict = judge(experiment(), LOCKED, ledger_of(results(cells)))
    assert verdict.outcome == "inconclusive"
    assert "matches 2 conditions" in verdict.reason


def test_another_unit_than_planned_is_not_judged() -> None:
    records = results([(BAGGED, around(5.0)), (SINGLE, around(16.0))], unit="percent")
    verdict = judge(experiment(), LOCKED, ledger_of(records))
    assert verdict.outcome == "inconclusive"
    assert "units" in verdict.reason


def test_another_split_than_planned_does_not_count() -> None:
    records = results([(BAGGED, around(0.05)), (SINGLE, around(0.16))], split="train")
    assert INCOMPLETE in judge(experiment(), LOCKED, ledger_of(records)).reason


def test_a_split_that_the_code_did_not_state_counts_and_is_a_departure() -> None:
    records = results([(BAGGED, around(0.05)), (SINGLE, around(0.16))], split="")
    verdict = judge(experiment(), LOCKED, ledger_of(records))
    assert verdict.outcome == "supported"
    assert any("does not say" in deviation for deviation in verdict.deviations)


def test_seeds_that_resplit_one_data_set_widen_the_interval_by_nadeau_and_bengio() -> None:
    treatment, baseline = around(0.05), around(0.16, seed=2)
    plain = verdict_of(treatment, baseline)
    wide = verdict_of(treatment, baseline, replicates="resplit", test_fraction=0.3)
    assert plain.interval is not None
    assert wide.interval is not None
    ratio = (wide.interval[1] - wide.interval[0]) / (plain.interval[1] - plain.interval[0])
    assert ratio == pytest.approx(widening(10, 0.3)) == pytest.approx(2.3, abs=0.01)
    assert wide.p is not None
    assert plain.p is not None
    assert wide.effect == plain.effect


def test_a_smaller_share_of_the_error_budget_widens_the_interval() -> None:
    ledger = ledger_of(results([(BAGGED, around(0.05)), (SINGLE, around(0.16, seed=2))]))
    wide, narrow = (judge(experiment(alpha=a), LOCKED, ledger).interval for a in (0.0125, 0.05))
    assert wide is not None
    assert narrow is not None
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_unpaired_arms_are_compared_by_welch() -> None:
    from scipy import stats

    treatment, baseline = around(0.05), around(0.16, 0.02, seed=2)
    verdict = verdict_of(treatment, baseline, paired=False)
    test = stats.ttest_ind(treatment, baseline, equal_var=False)
    interval = test.confidence_interval(0.95)
    assert verdict.interval == pytest.approx((interval.low, interval.high))
    assert verdict.p == pytest.approx(test.pvalue)


def test_the_paired_interval_is_student_s() -> None:
    from scipy import stats

    treatment, baseline = around(0.05), around(0.16, seed=2)
    interval = stats.ttest_rel(treatment, baseline).confidence_interval(0.95)
    assert verdict_of(treatment, baseline).interval == pytest.approx((interval.low, interval.high))


@pytest.mark.parametrize(("seeds", "smallest"), [(5, 0.0625), (6, 0.03125), (8, 0.0078125)])
def test_the_smallest_sign_flip_p_is_known(seeds: int, smallest: float) -> None:
    assert of_pairs([1.0 + 0.01 * i for i in range(seeds)], 0.05).p == pytest.approx(smallest)


def test_the_sign_flip_p_of_many_seeds_is_the_same_every_time() -> None:
    values = around(0.1, 1.0, count=40)
    assert of_pairs(values, 0.05).p == of_pairs(values, 0.05).p


def test_a_constant_difference_gives_a_point_and_says_so() -> None:
    baseline = [0.125 * i for i in range(10)]
    verdict = verdict_of([b - 0.0625 for b in baseline], baseline)
    assert verdict.interval == (-0.0625, -0.0625)
    assert verdict.outcome == "supported"
    assert any("the interval is a point" in deviation for deviation in verdict.deviations)


def test_a_seed_that_changes_nothing_is_a_departure() -> None:
    verdict = verdict_of([0.05] * 10, [0.16] * 10)
    assert verdict.outcome == "supported"
    assert sum("the seed changes nothing" in deviation for deviation in verdict.deviations) == 2


def test_two_arms_without_any_difference_refute_that_they_differ() -> None:
    same = around(0.16)
    verdict = verdict_of(same, same, criterion=Differs(direction="less"))
    assert verdict.outcome == "refuted"
    assert verdict.p == 1.0


def test_the_visible_effect_shrinks_with_the_noise() -> None:
    loud = verdict_of(around(0.05, 0.05), around(0.16, 0.05, seed=2)).visible_effect
    quiet = verdict_of(around(0.05, 0.005), around(0.16, 0.005, seed=2)).visible_effect
    assert loud is not None
    assert quiet is not None
    assert quiet < loud


def test_factor_levels_match_whether_written_as_whole_or_decimal_numbers() -> None:
    where = ({"depth": 1}, {"depth": 2.0})
    plan = experiment(
        hypothesis(treatment=Arm(label="a", where=where[0]), baseline=Arm(label="b", where=where[1]))
    )
    records = results([({"depth": 1.0}, around(0.05)), ({"depth": 2}, around(0.16))])
    assert judge(plan, LOCKED, ledger_of(records)).outcome == "supported"


def test_a_truth_value_is_not_the_number_one() -> None:
    plan = experiment(
        hypothesis(
            metric=Metric(name="test_error"),
            treatment=Arm(label="on", where={"bag": True}),
            baseline=Arm(label="off", where={"bag": False}),
        )
    )
    records = results([({"bag": 1}, around(0.05)), ({"bag": 0}, around(0.16))])
    assert judge(plan, LOCKED, ledger_of(records)).outcome == "inconclusive"


def test_seeds_recorded_as_text_are_not_the_planned_ones() -> None:
    def texted(source: Record) -> Record:
        condition = {**source.condition, "seed": str(source.condition["seed"])}
        return record("result", source.body, condition=condition, number=source.number)

    records = [texted(r) for r in results([(BAGGED, around(0.05)), (SINGLE, around(0.16))])]
    assert judge(experiment(), LOCKED, ledger_of(records)).outcome == "inconclusive"


def test_scipy_is_not_imported_to_say_that_seeds_are_missing() -> None:
    code = (
        "import sys\n"
        "from core.evidence.judge import judge\n"
        "from tests.core.evidence.synthetic import *\n"
        "assert judge(experiment(), LOCKED, ledger_of([])).outcome == 'inconclusive'\n"
        "assert not [m for m in sys.modules if m.split('.')[0] in ('scipy', 'numpy')]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
