"""Finds rows that are in both the training and the test data, by their fingerprints."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

TRAINING = {"train", "training", "fit"}
HELD_OUT = {"test", "val", "valid", "validation", "dev", "holdout", "heldout"}


class SplitRows:
    """Row fingerprints by exec, condition and split."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(dict)
        self._sketches: set[str] = set()

    def add(self, exec_id: str, condition: str, body: Mapping[str, Any]) -> None:
        """Take in the body of one ``data`` record.

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
        self._rows[exec_id, condition].setdefault(name[:80], set()).update(rows)

    def overlaps(self) -> Iterator[tuple[str, str, int]]:
        """Each pair of a training and a held-out split with rows in common.

        Yields:
            Exec id, the finding in words, and 1 for each pair.
        """
        for (exec_id, _), splits in self._rows.items():
            for train in sorted(name for name in splits if _role(name) == "train"):
                for test in sorted(name for name in splits if _role(name) == "test"):
                    common = len(splits[train] & splits[test])
                    if common:
                        least = "at least " if exec_id in self._sketches else ""
                        share = f"{least}{common} of {len(splits[test])}"
                        yield exec_id, f"{share} rows of {test!r} are also in {train!r}", 1


def _role(name: str) -> str:
    words = set(re.split(r"[^a-z]+", name.lower()))
    if words & HELD_OUT:
        return "test"
    return "train" if words & TRAINING else ""
