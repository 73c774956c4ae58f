"""The evidence of a paper, read back from its file: what every number in it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import RunError

MOST_BYTES = 200_000_000
"""A file larger than this is no evidence of ours."""


class Number(BaseModel):
    """A bound number; see ``core.evidence.bound.BoundNumber``."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    expression: str
    format: str = ""
    text: str
    value: Any = None
    n: int = 0
    level: str = ""
    measurement_ids: tuple[str, ...] = ()
    places: tuple[tuple[str, int], ...] = ()
    note: str = ""


class Measured(BaseModel):
    """A measurement; see ``core.evidence.measurement.Measurement``. NaN and infinities are text."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    exec_id: str
    line: int = 0
    name: str
    value: float | str
    unit: str = ""
    split: str = ""
    condition: Mapping[str, Any] = Field(default_factory=dict)
    seed: int | str | None = None
    level: str = ""
    doubt: str = ""


class Struck(BaseModel):
    """Something in a draft that nothing supports; see ``core.evidence.bound.Problem``."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    excerpt: str
    reason: str
    alternative: str = ""


class Cited(BaseModel):
    """A work that the paper cites; see ``core.evidence.references.Reference``."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: str
    text: str
    doi: str = ""
    url: str = ""
    passages: tuple[str, ...] = ()
    resolved_by: str = ""


class PaperEvidence(BaseModel):
    """Everything that a paper's numbers rest on."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    numbers: tuple[Number, ...] = ()
    measurements: tuple[Measured, ...] = ()
    struck: tuple[Struck, ...] = ()
    references: tuple[Cited, ...] = ()

    @cached_property
    def by_key(self) -> Mapping[str, Cited]:
        """Cited works by key."""
        return {cited.key: cited for cited in self.references}

    @cached_property
    def by_id(self) -> Mapping[str, Number]:
        """Bound numbers by id."""
        return {number.id: number for number in self.numbers}

    @cached_property
    def _measured(self) -> Mapping[str, Measured]:
        return {measured.id: measured for measured in self.measurements}

    def behind(self, number: Number) -> list[Measured]:
        """The measurements that a number rests on."""
        return [self._measured[name] for name in number.measurement_ids if name in self._measured]


def read_evidence(path: Path) -> PaperEvidence:
    """Read ``evidence.json``.

    Raises:
        RunError: it is not there, or not readable as evidence.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise RunError(f"{path.name} is larger than any evidence", f"Look into {path.parent}.")
        return PaperEvidence.model_validate_json(path.read_bytes())
    except OSError as error:
        raise RunError(
            f"the paper's evidence cannot be read: {error.strerror}", f"Look into {path.parent}."
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise RunError(
            f"the paper's evidence is damaged: {where}: {first['msg']}", f"Look into {path.parent}."
        ) from None
