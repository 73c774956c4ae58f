"""Finds rows that are in both the training and the test data, by their fingerprints."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from core.evidence.condition import canonical_level

TRAINING = {"train", "training", "fit"}
HELD_OUT = {"test", "val", "valid", "validation", "dev", "eval", "evaluation", "holdout", "heldout"}


_Condition: TypeAlias = frozenset[tuple[str, str]]


class SplitRows:
    """Row fingerprints by exec, condition and split.

    A split that is recorded again under the same condition is another fold: the second training rows
    belong to the second test rows, and not to the first. Test rows that have no training rows under
    their own condition belong to those of any condition that says more, or less, of the same.
    """

    def __init__(self) -> None:
        self._rows: dict[str, dict[_Condition, dict[str, list[set[str]]]]] = defaultdict(dict)
        self._sketches: set[str] = set()

    def add(self, exec_id: str, condition: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        """Take in the body of one ``data`` record.

        Args:
            exec_id: the exec.
            condition: factor levels in force, the seed among them.
            body: of the record.

        Raises:
            ValueError: it is not a name with a list of fingerprints.
        """
        name, rows = body.get("name"), body.get("rows")
        if not isinstance(name, str) or not isinstance(rows, list):
            raise ValueError("a data record needs a name and its rows")
        if not all(isinstance(row, str) and len(row) <= 64 for row in rows):
            raise ValueError("a row's fingerprint is not a short text")
        if body.get("sketch") is True:
            self._sketches.add(exec_id)
        levels = frozenset((factor, canonical_level(level)) for factor, level in condition.items())
        self._rows[exec_id].setdefault(levels, {}).setdefault(name[:80], []).append(set(rows))

    def overlaps(self) -> Iterator[tuple[str, str, int]]:
        """Each pair of a training and a held-out split with rows in common.

        Yields:
            Exec id, the finding in words, and 1 for each pair.
        """
        for exec_id, conditions in self._rows.items():
            least = "at least " if exec_id in self._sketches else ""
            for train, train_folds, test, test_folds in _pairs(conditions):
                for fitted, held_out in _folds(train_folds, test_folds):
                    if common := len(fitted & held_out):
                        share = f"{least}{common} of {len(held_out)}"
                        yield exec_id, f"{share} rows of {test!r} are also in {train!r}", 1


def _pairs(
    conditions: Mapping[_Condition, Mapping[str, list[set[str]]]],
) -> Iterator[tuple[str, list[set[str]], str, list[set[str]]]]:
    """Training splits, each with a held-out split that belongs to it, and the folds of both."""
    fitted = [
        (levels, name, splits[name])
        for levels, splits in conditions.items()
        for name in sorted(splits)
        if _role(name) == "train"
    ]
    fitted_themselves = {levels for levels, _, _ in fitted}
    for levels, splits in conditions.items():
        for test in sorted(name for name in splits if _role(name) == "test"):
            for others, train, folds in fitted:
                related = others == levels or (
                    levels not in fitted_themselves and (others < levels or levels < others)
                )
                if related:
                    yield train, folds, test, splits[test]


def _folds(train: list[set[str]], test: list[set[str]]) -> Iterator[tuple[set[str], set[str]]]:
    """Folds that belong together: one with each where there is only one, else in the order they came."""
    if len(train) == 1 or len(test) == 1:
        yield from ((fitted, held_out) for fitted in train for held_out in test)
    else:
        yield from zip(train, test, strict=False)


def _role(name: str) -> str:
    words = set(re.split(r"[^a-z]+", name.lower()))
    if words & HELD_OUT:
        return "test"
    return "train" if words & TRAINING else ""
