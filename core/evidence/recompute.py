"""Recomputes a reported metric from raw predictions, where its name says what it is."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from core.evidence.measurement import Measurement
from core.record.records import Record

Formula: TypeAlias = Literal["error", "accuracy", "mse", "rmse", "mae"]

_SUFFIXES: tuple[tuple[str, Formula], ...] = (
    ("root_mean_squared_error", "rmse"),
    ("mean_squared_error", "mse"),
    ("mean_absolute_error", "mae"),
    ("misclassification_rate", "error"),
    ("error_rate", "error"),
    ("accuracy", "accuracy"),
    ("acc", "accuracy"),
    ("error", "error"),
    ("err", "error"),
    ("rmse", "rmse"),
    ("mse", "mse"),
    ("mae", "mae"),
)

_OTHER_METRICS = {
    "absolute", "balanced", "bias", "calibration", "estimation", "log", "macro", "mean", "median",
    "normalized", "per", "percentage", "quantile", "reconstruction", "relative", "squared", "standard", "std",
    "weighted",
}  # fmt: skip
"""Words before the suffix that make it another metric, such as ``balanced_accuracy``."""

_SPLITS = {
    "train": "train", "training": "train", "test": "test", "val": "val", "valid": "val",
    "validation": "val", "cv": "cv", "dev": "val",
}  # fmt: skip


@dataclass(frozen=True)
class Predictions:
    """Raw predictions of one condition, as recorded."""

    record_number: int
    split: str
    predicted: list[Any]
    truth: list[Any] | None


@dataclass(frozen=True)
class Comparison:
    """What recomputing a measurement gave."""

    agrees: bool
    text: str
    unreadable: bool = False


def kept_predictions(record: Record) -> Predictions:
    """Read a ``predictions`` record.

    Raises:
        ValueError: it has no list of predictions.
    """
    split, predicted, truth = (record.body.get(name) for name in ("split", "predicted", "truth"))
    if not isinstance(predicted, list) or not (truth is None or isinstance(truth, list)):
        raise ValueError("predictions are not a list")
    return Predictions(record.number, split if isinstance(split, str) else "", predicted, truth)


def compare(measurement: Measurement, predictions: Sequence[Predictions]) -> Comparison | None:
    """Compare a measurement with what its raw predictions give.

    Args:
        measurement: what the code reported.
        predictions: predictions of the same exec and condition.

    Returns:
        None where its name names no formula, or no predictions with truth are of its split.
    """
    formula = formula_of(measurement.name)
    matching = _of_split(measurement, [p for p in predictions if p.truth is not None])
    if formula is None or not matching or not math.isfinite(measurement.value):
        return None
    before = [p for p in matching if p.record_number < measurement.record_number]
    chosen = before[-1] if before else matching[0]
    assert chosen.truth is not None
    try:
        recomputed = _FORMULAS[formula](chosen.predicted, chosen.truth)
    except (ValueError, TypeError, OverflowError) as error:
        return Comparison(False, f"{measurement.name} cannot be recomputed: {error}"[:200], unreadable=True)
    if recomputed is None:
        return None
    scale = 100.0 if measurement.unit.lower() in {"%", "percent", "pct"} else 1.0
    agrees = _agree(measurement.value, scale * recomputed)
    given = f"its predictions give {scale * recomputed:.6g}"
    text = f"{measurement.name}: the code says {measurement.value:.6g}, {given}"
    return Comparison(agrees, text)


def formula_of(name: str) -> Formula | None:
    """The formula that a metric's name ends in; None where it names none that we know."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    for suffix, formula in _SUFFIXES:
        if plain == suffix or plain.endswith("_" + suffix):
            before = [word for word in plain.removesuffix(suffix).split("_") if word]
            special = any(word in _OTHER_METRICS or word.startswith("top") for word in before)
            return None if special else formula
    return None


def _of_split(measurement: Measurement, predictions: Sequence[Predictions]) -> list[Predictions]:
    named = {_SPLITS[word] for word in re.split(r"[^a-z]+", measurement.name.lower()) if word in _SPLITS}
    wanted = measurement.split or (named.pop() if len(named) == 1 else "")
    if not wanted:
        return list(predictions) if len({p.split for p in predictions}) == 1 else []
    return [p for p in predictions if p.split == wanted]


def _agree(reported: float, recomputed: float) -> bool:
    """Whether they are the same but for single precision or for rounding to what was reported."""
    if math.isclose(reported, recomputed, rel_tol=1e-5, abs_tol=1e-7):
        return True
    _, _, decimals = repr(reported).partition(".")
    return 3 <= len(decimals) <= 6 and math.isclose(
        reported, round(recomputed, len(decimals)), rel_tol=0, abs_tol=1e-9
    )


def _error(predicted: list[Any], truth: list[Any]) -> float | None:
    pairs = _pairs(predicted, truth)
    if any(isinstance(right, float) and not right.is_integer() for _, right in pairs):
        return None
    if any(isinstance(left, float) and not left.is_integer() for left, _ in pairs):
        return None
    return sum(bool(left != right) for left, right in pairs) / len(pairs)


def _accuracy(predicted: list[Any], truth: list[Any]) -> float | None:
    error = _error(predicted, truth)
    return None if error is None else 1.0 - error


def _mse(predicted: list[Any], truth: list[Any]) -> float:
    differences = _differences(predicted, truth)
    return math.fsum(d * d for d in differences) / len(differences)


def _rmse(predicted: list[Any], truth: list[Any]) -> float:
    return math.sqrt(_mse(predicted, truth))


def _mae(predicted: list[Any], truth: list[Any]) -> float:
    differences = _differences(predicted, truth)
    return math.fsum(map(abs, differences)) / len(differences)


_FORMULAS: dict[Formula, Callable[[list[Any], list[Any]], float | None]] = {
    "error": _error,
    "accuracy": _accuracy,
    "mse": _mse,
    "rmse": _rmse,
    "mae": _mae,
}


def _pairs(predicted: list[Any], truth: list[Any]) -> list[tuple[Any, Any]]:
    """Predictions with their truth; rows of scores become the place of the largest."""
    if len(predicted) != len(truth) or not truth:
        raise ValueError(f"{len(predicted)} predictions for {len(truth)} true values")
    return [
        (_largest(left) if isinstance(left, list) and not isinstance(right, list) else left, right)
        for left, right in zip(predicted, truth, strict=True)
    ]


def _largest(scores: list[Any]) -> int:
    if not scores:
        raise ValueError("a row of scores is empty")
    return max(range(len(scores)), key=scores.__getitem__)


def _differences(predicted: Any, truth: Any) -> list[float]:
    if isinstance(predicted, list) and isinstance(truth, list):
        if len(predicted) != len(truth) or not truth:
            raise ValueError(f"{len(predicted)} predictions for {len(truth)} true values")
        return [d for left, right in zip(predicted, truth, strict=True) for d in _differences(left, right)]
    if isinstance(predicted, list) and len(predicted) == 1:
        return _differences(predicted[0], truth)
    if not isinstance(predicted, int | float) or not isinstance(truth, int | float):
        raise ValueError("a prediction is not a number")
    return [float(predicted) - float(truth)]
