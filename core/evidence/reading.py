"""Reads records into measurements. Bodies are untrusted: what is malformed becomes a flag."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.evidence.condition import canonical, in_words, split_seed
from core.evidence.keys import same_value
from core.evidence.measurement import (
    Artifact,
    Config,
    ExecFacts,
    Figure,
    Flag,
    FlagKind,
    LogPoint,
    Measurement,
)
from core.evidence.overlap import SplitRows
from core.evidence.recompute import Predictions, compare, kept_predictions
from core.evidence.reproduction import same_number
from core.record.records import Record

LONGEST_NAME = 120
"""Characters of a metric's, setting's or file's name; a longer one is no name."""

LONGEST_TEXT = 200
"""Characters of a flag's text."""

_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "+inf": math.inf, "-inf": -math.inf}


class Malformed(ValueError):
    """A record's body is not what its kind says."""


class Reader:
    """Takes records one by one and holds what they say."""

    def __init__(self, execs: Mapping[str, ExecFacts]) -> None:
        self._execs = execs
        self._measurements: list[Measurement] = []
        self._predictions: dict[tuple[str, str], list[Predictions]] = defaultdict(list)
        self._rows = SplitRows()
        self._flags: dict[tuple[FlagKind, str], Flag] = {}
        self.configs: list[Config] = []
        self.logs: list[LogPoint] = []
        self.figures: list[Figure] = []
        self.artifacts: list[Artifact] = []

    def take(self, record: Record) -> None:
        """Read one record; never raises for what is in it."""
        facts = self._execs.get(record.exec_id)
        if facts is None:
            self._flag("unknown exec", record, "a record of an exec that the host did not start")
            return
        if facts.again_of and record.kind not in ("result", "predictions"):
            return  # its curves, files and settings would only double those of the first time
        try:
            self._read(record, facts)
        except (Malformed, ValueError, TypeError, OverflowError, RecursionError) as error:
            self._flag("unreadable record", record, f"{record.kind}: {error}")

    def _read(self, record: Record, facts: ExecFacts) -> None:
        match record.kind:
            case "result":
                self._measurements.append(self._measurement(record, facts))
            case "config":
                self._read_config(record, facts)
            case "log":
                self._read_log(record, facts)
            case "data":
                factors, seed = split_seed(record.condition)
                levels = factors if seed is None else {**factors, "seed": seed}
                self._rows.add(facts.exec_id, levels, record.body)
            case "predictions":
                self._predictions[_place(record)].append(kept_predictions(record))
            case "figure":
                self.figures.append(_figure(record, facts))
            case "artifact":
                self.artifacts.append(_artifact(record, facts))
            case "unreadable":
                raise Malformed(str(record.body.get("text", ""))[:LONGEST_TEXT])
            case _:
                pass

    def measurements_checked(self) -> tuple[Measurement, ...]:
        """Every measurement, compared with raw predictions and with other execs."""
        checked = [self._recomputed(m) for m in self._measurements]
        for m in checked:
            if not math.isfinite(m.value) and not self._execs[m.exec_id].again_of:
                self._flag_exec("non-finite value", m.exec_id, m.line, f"{m.name} is {m.value}")
        self._flag_several(checked)
        return tuple(_reproduced(checked, self._execs))

    def flags_found(self) -> tuple[Flag, ...]:
        """What looks wrong, in the order of execs."""
        for exec_id, text, count in self._rows.overlaps():
            self._flag_exec("train/test overlap", exec_id, 0, text, count)
        for exec_id, facts in self._execs.items():
            if not facts.clean and facts.ended is not None:
                ended = replace(facts, trial=False).doubt.removeprefix("its exec ")
                self._flag_exec("exec did not end cleanly", exec_id, 0, f"it {ended}")
        order = {exec_id: position for position, exec_id in enumerate(self._execs)}
        return tuple(
            sorted(self._flags.values(), key=lambda f: (order.get(f.exec_id, len(order)), f.exec_id, f.kind))
        )

    def _measurement(self, record: Record, facts: ExecFacts) -> Measurement:
        factors, seed = split_seed(record.condition)
        return Measurement(
            id=f"{record.exec_id}.{record.number}",
            exec_id=record.exec_id,
            experiment_id=facts.experiment_id,
            record_number=record.number,
            line=record.line,
            name=_name(record.body.get("name")),
            value=number(record.body.get("value")),
            unit=_short(record.body.get("unit")),
            split=_short(record.body.get("split")),
            condition=factors,
            seed=seed,
            at=record.at,
            level="reported",
            chain=record.chain,
            doubt=facts.doubt,
        )

    def _read_config(self, record: Record, facts: ExecFacts) -> None:
        factors, seed = split_seed(record.condition)
        self.configs.append(
            Config(
                exec_id=record.exec_id,
                experiment_id=facts.experiment_id,
                line=record.line,
                condition=factors,
                seed=seed,
                values=_flat(_mapping(record.body.get("values"))),
                usable=not facts.doubt,
            )
        )

    def _read_log(self, record: Record, facts: ExecFacts) -> None:
        factors, seed = split_seed(record.condition)
        values = {_name(name): number(value) for name, value in _mapping(record.body.get("values")).items()}
        self.logs.append(
            LogPoint(
                exec_id=record.exec_id,
                experiment_id=facts.experiment_id,
                line=record.line,
                condition=factors,
                seed=seed,
                step=number(record.body.get("step")),
                values=values,
                usable=not facts.doubt,
            )
        )

    def _recomputed(self, measurement: Measurement) -> Measurement:
        condition = canonical({**measurement.condition, "seed": measurement.seed})
        outcome = compare(measurement, self._predictions.get((measurement.exec_id, condition), ()))
        if outcome is None:
            return measurement
        if outcome.unreadable:
            self._flag_exec("unreadable predictions", measurement.exec_id, measurement.line, outcome.text)
            return measurement
        if outcome.agrees:
            return replace(measurement, level="recomputed")
        self._flag_exec("recompute mismatch", measurement.exec_id, measurement.line, outcome.text)
        return replace(measurement, doubt=measurement.doubt or outcome.text)

    def _flag_several(self, measurements: list[Measurement]) -> None:
        first: dict[tuple[str, str, str, str, Any], Measurement] = {}
        for m in measurements:
            if not m.usable or self._execs[m.exec_id].again_of:
                continue
            identity = (m.experiment_id, m.name, m.split, canonical(m.condition), m.seed)
            used = first.setdefault(identity, m)
            if not same_value(used.value, m.value):
                text = f"{m.name} at {in_words(m.condition)}, seed {m.seed}: the first value is used"
                self._flag_exec("several values", m.exec_id, m.line, text)
            if used.unit != m.unit:
                text = f"{m.name} is recorded in {used.unit!r} and in {m.unit!r}"
                self._flag_exec("units differ", m.exec_id, m.line, text)

    def _flag(self, kind: FlagKind, record: Record, text: str) -> None:
        self._flag_exec(kind, record.exec_id, record.line, text)

    def _flag_exec(self, kind: FlagKind, exec_id: str, line: int, text: str, count: int = 1) -> None:
        known = self._flags.get((kind, exec_id))
        if known is not None:
            self._flags[kind, exec_id] = replace(known, count=known.count + count)
            return
        facts = self._execs.get(exec_id)
        experiment_id = facts.experiment_id if facts else ""
        self._flags[kind, exec_id] = Flag(kind, exec_id, experiment_id, line, text[:LONGEST_TEXT], count)


def number(value: Any) -> float:
    """A recorded number; ``"nan"``, ``"inf"`` and ``"-inf"`` stand for themselves.

    Raises:
        Malformed: it is not a number.
    """
    if isinstance(value, str) and value.lower() in _NOT_FINITE:
        return _NOT_FINITE[value.lower()]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Malformed("a value is not a number")
    return float(value)


def _reproduced(measurements: list[Measurement], execs: Mapping[str, ExecFacts]) -> list[Measurement]:
    """Raise what the same code gave again in another experiment, so in another sandbox."""
    given: dict[tuple[Any, ...], list[Measurement]] = defaultdict(list)
    for m in measurements:
        if m.usable and math.isfinite(m.value):
            given[_thing(m, execs)].append(m)

    def elsewhere(m: Measurement) -> bool:
        return any(
            other.experiment_id != m.experiment_id and same_number(m.value, other.value)
            for other in given[_thing(m, execs)]
        )

    return [
        replace(m, level="reproduced") if m.usable and math.isfinite(m.value) and elsewhere(m) else m
        for m in measurements
    ]


def _thing(m: Measurement, execs: Mapping[str, ExecFacts]) -> tuple[Any, ...]:
    return execs[m.exec_id].code_sha256, m.name, m.split, canonical(m.condition), m.seed


def _place(record: Record) -> tuple[str, str]:
    factors, seed = split_seed(record.condition)
    return record.exec_id, canonical({**factors, "seed": seed})


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Malformed("its values are not an object")
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_NAME:
        raise Malformed("a name is missing or too long")
    return value.strip()


def _short(value: Any) -> str:
    return value.strip()[:24] if isinstance(value, str) else ""


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Settings without nesting: ``{"optimizer": {"lr": 1}}`` becomes ``{"optimizer_lr": 1}``."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{_name(name)}_")
        else:
            flat[prefix + _name(name)] = value
    return flat


def _figure(record: Record, facts: ExecFacts) -> Figure:
    series = record.body.get("series")
    if not isinstance(series, list) or not all(isinstance(line, dict) for line in series):
        raise Malformed("its series are not a list of objects")
    caption = record.body.get("caption")
    return Figure(
        exec_id=record.exec_id,
        experiment_id=facts.experiment_id,
        name=_name(record.body.get("name")),
        caption=caption[:1000] if isinstance(caption, str) else "",
        series=tuple(series),
    )


def _artifact(record: Record, facts: ExecFacts) -> Artifact:
    size = record.body.get("bytes")
    return Artifact(
        exec_id=record.exec_id,
        experiment_id=facts.experiment_id,
        name=_name(record.body.get("name")),
        file=_name(record.body.get("file")),
        sha256=_name(record.body.get("sha256")),
        size_bytes=size if isinstance(size, int) and not isinstance(size, bool) else 0,
    )
