"""What every event has."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

By: TypeAlias = Literal["engine", "human", "policy"]


def now() -> datetime:
    """The time of an event, UTC."""
    return datetime.now(UTC)


class Event(BaseModel):
    """One fact."""

    # Experiments may well measure NaN or infinity; as JSON's null they could not be read back.
    # Built when first used, because the console has to be on the screen at once.
    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="constants", defer_build=True)

    type: str
    seq: int = 0
    """Its place in the journal, from 1; assigned by the journal."""
    at: datetime = Field(default_factory=now)
    """When it became a fact, UTC."""
    by: By = "engine"
    """Who made it a fact."""

    once: ClassVar[str | None] = None
    """The field whose value makes appending it twice the same as once; None where there is none."""
