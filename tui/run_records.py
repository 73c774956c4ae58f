"""What scripts recorded, as the console draws it: curves and results, read as they are taken in.

Records were written by experiment code, so nothing in them is trusted: what has the wrong shape is
passed over here, and named by the ledger.
"""

from __future__ import annotations

import asyncio
import json
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from core.experiment import Hypothesis
from core.record.folder import RunFolder
from core.record.journal import Journal
from core.record.records import Record
from tui.safe_text import one_line

SLICE_RECORDS = 250
"""Records that are read before keys are answered again; a few milliseconds."""

FEWEST_SECONDS = 1.0
"""Between two readings of one exec."""

MOST_SERIES = 64
MOST_POINTS = 50_000
"""Of one curve; a longer one keeps every second point, again and again."""

LABEL_CHARACTERS = 40
LARGEST = 1e300
"""Beyond it, sums and differences are infinite."""


@dataclass
class Curve:
    """Values over steps, of all seeds together, in the order they came."""

    xs: array[float] = field(default_factory=lambda: array("d"))
    ys: array[float] = field(default_factory=lambda: array("d"))
    _every: int = 1
    _seen: int = 0

    def add(self, x: float, y: float) -> None:
        """Take a point, unless the curve is so long that only some are kept."""
        self._seen += 1
        if self._seen % self._every:
            return
        self.xs.append(x)
        self.ys.append(y)
        if len(self.xs) > MOST_POINTS:
            self.xs, self.ys = self.xs[1::2], self.ys[1::2]
            self._every *= 2


@dataclass
class ExecRecords:
    """What one script recorded.

    Attributes:
        read: how many of its records were read.
        curves: logged values by metric and condition.
        results: results by name and condition, each with its seed; the number of the result in
            its condition where it has none.
        conditions: factor levels by the key of a condition.
    """

    read: int = 0
    curves: dict[str, dict[str, Curve]] = field(default_factory=dict)
    results: dict[str, dict[str, dict[float, float]]] = field(default_factory=dict)
    conditions: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """Take in one record."""
        if record.kind == "log":
            self._take_log(record)
        elif record.kind == "result":
            self._take_result(record)

    def _take_log(self, record: Record) -> None:
        step, values = number(record.body.get("step")), record.body.get("values")
        if step is None or not isinstance(values, dict):
            return
        key = self._key(record.condition)
        for name, value in values.items():
            y = number(value)
            if y is not None and (curves := _room(self.curves, name)) is not None:
                curve = curves.get(key)
                if curve is None and len(curves) < MOST_SERIES:
                    curve = curves[key] = Curve()
                if curve is not None:
                    curve.add(step, y)

    def _take_result(self, record: Record) -> None:
        value, name = number(record.body.get("value")), record.body.get("name")
        if value is None or not isinstance(name, str):
            return
        key = self._key(record.condition)
        split = record.body.get("split")
        named = f"{name} ({split})" if isinstance(split, str) and split else name
        if (arms := _room(self.results, named)) is None or (key not in arms and len(arms) >= MOST_SERIES):
            return
        arm = arms.setdefault(key, {})
        seed = number(record.condition.get("seed"))
        arm[float(len(arm)) if seed is None else seed] = value

    def _key(self, condition: Mapping[str, Any]) -> str:
        levels = {name: level for name, level in condition.items() if name != "seed"}
        key = json.dumps(levels, sort_keys=True)
        if len(self.conditions) < MOST_SERIES:
            self.conditions.setdefault(key, levels)
        return key


class RunRecords:
    """What the scripts of a run recorded, as far as anybody looked at it.

    It reads through a connection of its own: a reading that is under way holds on to how the journal
    looked when it began, and must not hold back what the run's feed sees.

    Args:
        folder: the run.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._journal: Journal | None = None
        self._execs: dict[str, ExecRecords] = {}
        self._rest_until: dict[str, float] = {}
        self._reading = asyncio.Lock()
        self._closed = False

    def of(self, exec_id: str) -> ExecRecords:
        """What is known of an exec's records by now."""
        return self._execs.setdefault(exec_id, ExecRecords())

    def may_read(self, exec_id: str) -> bool:
        """Whether it rested long enough since it was read."""
        return monotonic() >= self._rest_until.get(exec_id, 0.0)

    async def catch_up(self, exec_id: str) -> None:
        """Read what an exec recorded since.

        Raises:
            JournalError: the journal cannot be read.
        """
        async with self._reading:
            if self._is_closed():
                return
            self._journal = self._journal or self._folder.journal()
            known = self.of(exec_id)
            for count, record in enumerate(self._journal.records(exec_id, after=known.read), start=1):
                known.read = record.number
                known.take(record)
                if count % SLICE_RECORDS == 0:
                    await asyncio.sleep(0)
                    if self._is_closed():
                        return
            self._rest_until[exec_id] = monotonic() + FEWEST_SECONDS

    def _is_closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Let go of the journal; what is being read is dropped."""
        self._closed = True
        if self._journal is not None:
            self._journal.close()
            self._journal = None


def _room(series: dict[str, dict[str, Any]], name: Any) -> dict[str, Any] | None:
    """The series of a metric; None where there are too many metrics already."""
    if not isinstance(name, str) or (name not in series and len(series) >= MOST_SERIES):
        return None
    return series.setdefault(name, {})


def number(value: Any) -> float | None:
    """A finite number of a size that can be drawn and averaged, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        real = float(value)
    except OverflowError:
        return None
    return real if abs(real) <= LARGEST else None


def arm_label(hypothesis: Hypothesis | None, condition: Mapping[str, Any]) -> str:
    """What people call a condition: the arm that it belongs to, else its factor levels."""
    if hypothesis is not None:
        for arm in filter(None, (hypothesis.treatment, hypothesis.baseline)):
            if all(condition.get(name) == level for name, level in arm.where.items()):
                return one_line(arm.label, LABEL_CHARACTERS)
    levels = " ".join(f"{name}={level}" for name, level in condition.items())
    return one_line(levels, LABEL_CHARACTERS) or "all"
