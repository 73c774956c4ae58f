"""What the ledger makes of records."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.evidence.ledger import Ledger
from core.record.records import Record, chain_start, read_record
from tests.core.evidence.synthetic import LOCKED, SEEDS, facts, ledger_of, record, results

TREE = {"base": "tree", "arm": "bagged"}
SINGLE = {"base": "tree", "arm": "single"}


def flagged(ledger: Ledger) -> set[str]:
    return {flag.kind for flag in ledger.flags}


def test_a_measurement_keeps_its_exec_line_seed_and_chain() -> None:
    ledger = ledger_of(results([(TREE, [0.05])], seeds=[3]))
    measurement = ledger.measurements[0]
    assert measurement.id == "E1-x1.1"
    assert (measurement.exec_id, measurement.line, measurement.seed) == ("E1-x1", 12, 3)
    assert measurement.condition == TREE
    assert measurement.chain
    assert measurement.usable


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ended": "time", "exit_code": None}, "time"),
        ({"ended": "killed", "exit_code": None}, "killed"),
        ({"exit_code": 1}, "exit code 1"),
        ({"ended": None, "exit_code": None}, "still running"),
        ({"trial": True}, "trial"),
    ],
)
def test_only_execs_that_finished_well_and_were_no_trial_count(changes: dict[str, Any], reason: str) -> None:
    ledger = ledger_of(results([(TREE, [0.05] * 10)]), facts(**changes))
    assert not any(m.usable for m in ledger.measurements)
    assert reason in ledger.measurements[0].doubt
    assert not ledger.keys


def test_an_exec_that_did_not_end_cleanly_is_flagged() -> None:
    assert flagged(ledger_of([], facts(ended="time", exit_code=None))) == {"exec did not end cleanly"}


def test_records_of_an_exec_that_nobody_started_do_not_count() -> None:
    ledger = ledger_of(results([(TREE, [0.05])], exec_id="E9-x1", seeds=[0]))
    assert not ledger.measurements
    assert flagged(ledger) == {"unknown exec"}


def test_values_that_are_not_finite_are_kept_and_flagged() -> None:
    ledger = ledger_of([record("result", {"name": "loss", "value": "nan"}, condition={"seed": 1})])
    assert math.isnan(ledger.measurements[0].value)
    assert flagged(ledger) == {"non-finite value"}


def test_of_several_values_for_one_seed_the_first_is_used_and_the_rest_flagged() -> None:
    ledger = ledger_of(results([(TREE, [0.05]), (TREE, [0.01])], seeds=[0]))
    key = ledger.keys["test_error"]
    assert key.values == [0.05]
    assert flagged(ledger) == {"several values"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": 3, "value": 0.5},
        {"name": "x" * 1000, "value": 0.5},
        {"name": "x", "value": "0.5"},
        {"name": "x", "value": True},
        {"name": "x", "value": None},
        {"name": "x", "value": 10**400},
        {"name": "x", "value": [1]},
    ],
)
def test_a_result_of_the_wrong_shape_is_a_flag_and_no_measurement(body: dict[str, Any]) -> None:
    ledger = ledger_of([record("result", body)])
    assert not ledger.measurements
    assert flagged(ledger) == {"unreadable record"}


def test_a_million_broken_lines_of_one_exec_are_one_flag() -> None:
    ledger = ledger_of([record("unreadable", {"text": "x"}, number=n) for n in range(1, 1001)])
    assert [flag.count for flag in ledger.flags] == [1000]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
kinds = st.sampled_from(
    [
        "result",
        "config",
        "log",
        "data",
        "predictions",
        "figure",
        "artifact",
        "condition",
        "note",
        "end",
        "new",
    ]
)
fields = st.sampled_from(
    [
        "name",
        "value",
        "unit",
        "split",
        "values",
        "step",
        "rows",
        "predicted",
        "truth",
        "series",
        "bytes",
        "file",
    ]
)


results_of_any_value = st.tuples(
    st.just("result"),
    st.fixed_dictionaries(
        {"name": st.sampled_from(["loss", "error"]), "value": st.floats() | st.integers() | anything},
        optional={"unit": anything, "split": anything, "step": anything},
    ),
    st.dictionaries(st.sampled_from(["seed", "arm"]), anything),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(kinds, st.dictionaries(fields, anything), st.dictionaries(st.text(max_size=5), anything))
        | results_of_any_value
    )
)
def test_no_record_of_any_shape_breaks_the_ledger(
    bodies: list[tuple[str, dict[str, Any], dict[str, Any]]],
) -> None:
    records = [record(k, b, condition=c, number=n) for n, (k, b, c) in enumerate(bodies, 1)]
    ledger = ledger_of(records)
    assert len(ledger.measurements) <= sum(record.kind in ("result", "predictions") for record in records)
    infinite = any(not math.isfinite(measurement.value) for measurement in ledger.measurements)
    assert infinite == ("non-finite value" in flagged(ledger))
    usable = {measurement.id for measurement in ledger.measurements if measurement.usable}
    counted = [measurement.id for key in ledger.keys.values() for measurement in key.measurements]
    assert len(counted) == len(set(counted) & usable)
    assert all(key.measurements for key in ledger.keys.values())
    assert bool(counted) == bool(usable)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=8))
def test_no_bytes_break_the_ledger(lines: list[bytes]) -> None:
    records: list[Record] = []
    head = chain_start("E1-x1", "c" * 64)
    for number, raw in enumerate(lines, 1):
        records.append(read_record(raw, exec_id="E1-x1", number=number, at=LOCKED, previous=head))
        head = records[-1].chain
    ledger = ledger_of(records)
    assert not ledger.measurements
    assert flagged(ledger) == ({"unreadable record"} if lines else set())


# Recomputing


def predictions(predicted: list[Any], truth: list[Any] | None, **more: Any) -> Record:
    body = {"split": "test", "predicted": predicted, "truth": truth, **more}
    return record("predictions", body, condition={**TREE, "seed": 0}, number=1)


def reported(name: str, value: float, **more: Any) -> Record:
    body = {"name": name, "value": value, "split": "test", **more}
    return record("result", body, condition={**TREE, "seed": 0}, number=2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("test_error", 0.25),
        ("error_rate", 0.25),
        ("accuracy", 0.75),
        ("val_acc", 0.75),
        ("mse", 0.25),
        ("test_rmse", 0.5),
        ("mae", 0.25),
        ("mean_squared_error", 0.25),
    ],
)
def test_a_metric_that_its_predictions_give_again_is_recomputed(name: str, value: float) -> None:
    ledger = ledger_of([predictions([1, 0, 1, 1], [1, 0, 1, 0]), reported(name, value)])
    assert ledger.measurements[0].level == "recomputed"


def test_a_metric_that_its_predictions_contradict_does_not_count() -> None:
    ledger = ledger_of([predictions([1, 0, 1, 1], [1, 0, 1, 0]), reported("test_error", 0.01)])
    assert not ledger.measurements[0].usable
    assert flagged(ledger) == {"recompute mismatch"}
    assert "0.25" in ledger.flags[0].text


def test_a_value_in_percent_is_recomputed_in_percent() -> None:
    ledger = ledger_of([predictions([1, 0, 1, 1], [1, 0, 1, 0]), reported("accuracy", 75.0, unit="percent")])
    assert ledger.measurements[0].level == "recomputed"


def test_a_rounded_value_agrees_with_its_predictions() -> None:
    ledger = ledger_of([predictions([1, 1, 1], [1, 1, 0]), reported("test_error", 0.3333)])
    assert ledger.measurements[0].level == "recomputed"


@pytest.mark.parametrize("name", ["balanced_accuracy", "top5_acc", "standard_error", "auc", "f1"])
def test_a_metric_that_only_sounds_alike_is_left_as_reported(name: str) -> None:
    ledger = ledger_of([predictions([1, 0, 1, 1], [1, 0, 1, 0]), reported(name, 0.9)])
    assert ledger.measurements[0].level == "reported"
    assert ledger.measurements[0].usable


def test_predictions_of_another_split_say_nothing() -> None:
    ledger = ledger_of([predictions([1, 0], [0, 1], split="train"), reported("test_error", 0.1)])
    assert ledger.measurements[0].level == "reported"


def test_rows_of_scores_are_read_as_their_largest() -> None:
    ledger = ledger_of([predictions([[0.1, 0.9], [0.8, 0.2]], [1, 0]), reported("accuracy", 1.0)])
    assert ledger.measurements[0].level == "recomputed"


def test_predictions_that_do_not_fit_their_truth_are_flagged_and_nothing_is_recomputed() -> None:
    ledger = ledger_of([predictions([1, 0, 1], [1]), reported("test_error", 0.1)])
    assert ledger.measurements[0].level == "reported"
    assert flagged(ledger) == {"unreadable predictions"}


def test_what_the_same_code_gives_again_in_another_experiment_is_reproduced() -> None:
    once, again = results([(TREE, [0.05] * 10)]), results([(TREE, [0.05] * 10)], exec_id="E2-x1")
    ledger = ledger_of(once + again, facts("E1-x1"), facts("E2-x1"))
    assert {m.level for m in ledger.measurements} == {"reproduced"}
    other = ledger_of(once + again, facts("E1-x1"), facts("E2-x1", code="d" * 64))
    assert {m.level for m in other.measurements} == {"reported"}


# Train and test


def rows(name: str, fingerprints: Any, **more: Any) -> Record:
    return record("data", {"name": name, "rows": fingerprints, **more}, condition={"seed": 0})


def test_rows_in_both_train_and_test_are_flagged_with_their_count() -> None:
    ledger = ledger_of([rows("train", ["a" * 16, "b" * 16]), rows("test", ["b" * 16, "c" * 16])])
    assert flagged(ledger) == {"train/test overlap"}
    assert "1 of 2 rows" in ledger.flags[0].text


def test_an_overlap_of_sketches_is_a_lower_limit() -> None:
    ledger = ledger_of([rows("train", ["a"], sketch=True), rows("test", ["a"], sketch=True)])
    assert "at least 1" in ledger.flags[0].text


def test_splits_without_common_rows_are_not_flagged() -> None:
    assert not ledger_of([rows("train", ["a"]), rows("test", ["b"]), rows("all", ["a", "b"])]).flags


def test_splits_of_different_seeds_may_share_rows() -> None:
    train = record("data", {"name": "train", "rows": ["a"]}, condition={"seed": 0})
    test = record("data", {"name": "test", "rows": ["a"]}, condition={"seed": 1}, number=2)
    assert not ledger_of([train, test]).flags


def split(name: str, fingerprints: list[str], number: int, **condition: Any) -> Record:
    return record("data", {"name": name, "rows": fingerprints}, condition=condition, number=number)


def test_folds_that_are_recorded_one_after_another_do_not_overlap_with_each_other() -> None:
    folds = [
        split("train", ["b", "c"], 1, seed=0),
        split("test", ["a"], 2, seed=0),
        split("train", ["a", "c"], 3, seed=0),
        split("test", ["b"], 4, seed=0),
    ]
    assert not ledger_of(folds).flags
    leak = [*folds, split("train", ["a", "b"], 5, seed=0), split("test", ["a", "b", "c"], 6, seed=0)]
    assert "2 of 3 rows" in ledger_of(leak).flags[0].text


def test_test_rows_recorded_once_are_compared_with_the_training_rows_of_every_condition() -> None:
    test = split("test", ["a", "z"], 1)
    trains = [split("train", rows, 2 + seed, arm="x", seed=seed) for seed, rows in enumerate((["b"], ["a"]))]
    [flag] = ledger_of([test, *trains]).flags
    assert (flag.kind, flag.count) == ("train/test overlap", 1)
    assert "1 of 2 rows of 'test' are also in 'train'" in flag.text


def test_a_split_made_anew_for_each_seed_belongs_to_its_own_training_rows_alone() -> None:
    first = [split("train", ["a", "b"], 1)]
    anew = [split("train", ["b", "c"], 2, seed=0), split("test", ["a"], 3, seed=0)]
    assert not ledger_of(first + anew).flags


# Keys


def test_a_key_names_the_metric_and_the_factors_that_vary() -> None:
    cells = [({"data": "digits", **TREE}, [0.1] * 10), ({"data": "digits", **SINGLE}, [0.2] * 10)]
    ledger = ledger_of(results(cells))
    assert list(ledger.keys) == ["test_error.bagged", "test_error.single"]
    assert ledger.keys["test_error.single"].measurements[3].seed == 3


def test_the_same_condition_with_other_seeds_in_another_experiment_pools() -> None:
    first = results([(TREE, [0.1] * 10)])
    second = results([(TREE, [0.2] * 10)], exec_id="E2-x1", seeds=range(10, 20))
    ledger = ledger_of(first + second, facts("E1-x1"), facts("E2-x1"))
    assert list(ledger.keys) == ["test_error"]
    assert len(ledger.keys["test_error"].measurements) == 20


def test_one_condition_that_means_different_things_in_two_experiments_is_told_apart() -> None:
    first = results([(TREE, [0.1] * 10)])
    second = results([(TREE, [0.2] * 10)], exec_id="E2-x1")
    ledger = ledger_of(first + second, facts("E1-x1"), facts("E2-x1"))
    assert list(ledger.keys) == ["test_error.E1", "test_error.E2"]


def test_other_settings_under_the_same_condition_tell_experiments_apart() -> None:
    first = results([(TREE, [0.1] * 10)])
    second = results([(TREE, [0.2] * 10)], exec_id="E2-x1", seeds=range(10, 20))
    configs = [
        record("config", {"values": {"dataset": name}}, condition=TREE, number=90, exec_id=exec_id)
        for name, exec_id in (("digits", "E1-x1"), ("wine", "E2-x1"))
    ]
    ledger = ledger_of([*first, *second, *configs], facts("E1-x1"), facts("E2-x1"))
    assert list(ledger.keys) == ["test_error.E1", "test_error.E2"]


def test_levels_that_look_alike_still_have_keys_of_their_own() -> None:
    cells = [
        ({"m": level}, [0.1]) for level in ("a b", "a_b", "a-b", 1, "n1", True, "lambda", "été", 0.5, -0.5)
    ]
    ledger = ledger_of(results(cells, seeds=[0]))
    assert len(ledger.keys) == len(cells)
    assert all(name.replace(".", "").isidentifier() for name in ledger.keys)


def test_keys_are_the_same_in_whatever_order_levels_were_measured() -> None:
    cells = [({"m": level}, [0.1] * len(SEEDS)) for level in ("a b", "a_b", "c")]
    forwards, backwards = ledger_of(results(cells)), ledger_of(results(cells[::-1]))
    assert {k: key.condition for k, key in forwards.keys.items()} == {
        k: key.condition for k, key in backwards.keys.items()
    }
