"""What an experiment's code recorded, as the host holds it: plain frozen values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

Level: TypeAlias = Literal["reported", "recomputed", "reproduced"]
"""How far a measurement was checked: the code says so, the host recomputed it from raw
predictions, or the same code gave it again in a fresh sandbox."""

LEVELS: tuple[Level, ...] = ("reported", "recomputed", "reproduced")


@dataclass(frozen=True)
class ExecFacts:
    """What the host knows of an exec.

    Attributes:
        exec_id: its id.
        experiment_id: the experiment that it belongs to.
        code_sha256: hash of the script.
        started_at: when it was started, UTC.
        ended: why it ended, as the sandbox says it; None while it runs.
        exit_code: the script's own exit code; None where it did not end by itself.
        trial: nothing that it measured counts.
        again_of: the exec whose script it runs again to see whether that gives the same; empty for any
            other. What it measures is compared, and stands for nothing by itself.
    """

    exec_id: str
    experiment_id: str
    code_sha256: str
    started_at: datetime
    ended: str | None = None
    exit_code: int | None = None
    trial: bool = False
    again_of: str = ""

    @property
    def clean(self) -> bool:
        """Whether the script ran to its end and said that all went well."""
        return self.ended == "finished" and self.exit_code == 0

    @property
    def doubt(self) -> str:
        """Why nothing that it measured counts; empty where it does."""
        if self.trial:
            return "measured in a trial"
        if self.ended is None:
            return "its exec is still running"
        if self.ended != "finished":
            return f"its exec did not finish ({self.ended})"
        return "" if self.exit_code == 0 else f"its exec ended with exit code {self.exit_code}"


@dataclass(frozen=True)
class Measurement:
    """One number that experiment code recorded.

    Attributes:
        id: ``<exec id>.<record number>``; never changes.
        exec_id: the exec that recorded it.
        experiment_id: the experiment that the exec belongs to.
        record_number: position among the exec's records, from 1.
        line: the line of experiment code; 0 where unknown.
        name: the metric's name.
        value: the number; may be NaN or infinite.
        unit: its unit as the code gave it.
        split: the data split as the code gave it; empty where it did not.
        condition: factor levels in force, without the seed.
        seed: the seed in force; None where there was none.
        at: when the host took it in, UTC.
        level: how far it was checked.
        chain: head of the exec's hash chain after this record.
        doubt: why it does not count; empty where it does.
    """

    id: str
    exec_id: str
    experiment_id: str
    record_number: int
    line: int
    name: str
    value: float
    unit: str
    split: str
    condition: Mapping[str, Any]
    seed: int | str | None
    at: datetime
    level: Level
    chain: str
    doubt: str = ""

    @property
    def usable(self) -> bool:
        """Whether it counts as evidence."""
        return not self.doubt


@dataclass(frozen=True)
class Config:
    """Settings that code recorded, under the condition in force."""

    exec_id: str
    experiment_id: str
    line: int
    condition: Mapping[str, Any]
    seed: int | str | None
    values: Mapping[str, Any]
    usable: bool


@dataclass(frozen=True)
class LogPoint:
    """Values at one step of a series, under the condition in force."""

    exec_id: str
    experiment_id: str
    line: int
    condition: Mapping[str, Any]
    seed: int | str | None
    step: float
    values: Mapping[str, float]
    usable: bool


@dataclass(frozen=True)
class Artifact:
    """A file that code left behind."""

    exec_id: str
    experiment_id: str
    name: str
    file: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class Figure:
    """A figure that code drew, with the data of its lines as the code gave them."""

    exec_id: str
    experiment_id: str
    name: str
    caption: str
    series: tuple[Mapping[str, Any], ...]


FlagKind: TypeAlias = Literal[
    "recompute mismatch",
    "train/test overlap",
    "unreadable record",
    "exec did not end cleanly",
    "non-finite value",
    "unknown exec",
    "several values",
    "unreadable predictions",
    "units differ",
    "code check",
]


@dataclass(frozen=True)
class Flag:
    """Something that looks wrong in what an exec recorded.

    Attributes:
        kind: what.
        exec_id: the exec.
        experiment_id: the experiment; empty where the exec is unknown.
        line: the line of experiment code where it first happened; 0 where unknown.
        text: the first case in words, bounded.
        count: how often it happened in this exec.
    """

    kind: FlagKind
    exec_id: str
    experiment_id: str
    line: int
    text: str
    count: int = 1


@dataclass(frozen=True)
class Key:
    """One name for a set of measurements: a metric under one condition, over seeds.

    Attributes:
        name: the key, such as ``test_error.digits.tree.bagged``.
        metric: the metric's name as recorded.
        split: the data split as recorded.
        unit: the unit as recorded.
        levels: the factors that tell this key from others of its metric, with their levels.
        condition: the whole condition without the seed.
        measurements: one for each seed, the first that was recorded.
    """

    name: str
    metric: str
    split: str
    unit: str
    levels: Mapping[str, Any]
    condition: Mapping[str, Any]
    measurements: tuple[Measurement, ...]

    @property
    def values(self) -> list[float]:
        """The values, one a seed."""
        return [m.value for m in self.measurements]

    @property
    def level(self) -> Level:
        """The weakest level among the measurements."""
        return weakest(self.measurements)


def weakest(measurements: Iterable[Measurement]) -> Level:
    """The weakest level among measurements; ``reported`` for none."""
    return min((m.level for m in measurements), key=LEVELS.index, default="reported")
