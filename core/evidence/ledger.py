"""The ledger: every measurement of a run, whether it counts, and what looks wrong about it.

It is built from records that experiment code wrote, so nothing in them is trusted: a body of the
wrong shape becomes a flag, never an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from core.evidence.keys import name_measurements
from core.evidence.measurement import (
    Artifact,
    Config,
    ExecFacts,
    Figure,
    Flag,
    Key,
    LogPoint,
    Measurement,
)
from core.evidence.reading import Reader
from core.record.records import Record

__all__ = ["Artifact", "Config", "ExecFacts", "Figure", "Flag", "Key", "Ledger", "LogPoint", "Measurement"]


@dataclass(frozen=True)
class Ledger:
    """Everything that a run's execs recorded, read once.

    Attributes:
        execs: facts by exec id.
        measurements: every measurement in the order of the records, usable or not.
        configs: recorded settings.
        logs: recorded series.
        figures: recorded figures.
        artifacts: recorded files.
        flags: what looks wrong.
    """

    execs: Mapping[str, ExecFacts]
    measurements: tuple[Measurement, ...] = ()
    configs: tuple[Config, ...] = ()
    logs: tuple[LogPoint, ...] = ()
    figures: tuple[Figure, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    flags: tuple[Flag, ...] = ()

    @classmethod
    def from_records(cls, records: Iterable[Record], execs: Mapping[str, ExecFacts]) -> Ledger:
        """Read records into a ledger.

        Args:
            records: each exec's records in the order of their numbers.
            execs: what the host knows of each exec; records of others are flagged and not used.
        """
        reader = Reader(execs)
        for record in records:
            reader.take(record)
        return cls(
            execs=dict(execs),
            measurements=reader.measurements_checked(),
            configs=tuple(reader.configs),
            logs=tuple(reader.logs),
            figures=tuple(reader.figures),
            artifacts=tuple(reader.artifacts),
            flags=reader.flags_found(),
        )

    @cached_property
    def keys(self) -> Mapping[str, Key]:
        """The names by which a paper may speak of measurements, in alphabetical order."""
        first = [m for m in self.measurements if not self._again(m)]
        return name_measurements(first, self.configs)

    def of(self, experiment_id: str) -> tuple[Measurement, ...]:
        """The measurements of one experiment."""
        return tuple(m for m in self.measurements if m.experiment_id == experiment_id)

    def _again(self, measurement: Measurement) -> bool:
        facts = self.execs.get(measurement.exec_id)
        return facts is not None and bool(facts.again_of)
