"""Events by which the human steers a run; decisions on requests are in ``approvals``."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from core.pricing import MOST_USD
from core.record.events.base import By, Event


class StopRequested(Event):
    """The human wants the engine to end; the run can be resumed."""

    type: Literal["stop.requested"] = "stop.requested"
    by: By = "human"
    close_sandboxes: bool = False


class KillRequested(Event):
    """The human wants an experiment, or the run, to end for good."""

    type: Literal["kill.requested"] = "kill.requested"
    by: By = "human"
    experiment_id: str | None = None
    """None for the whole run."""
    note: str = ""


class LaunchingPaused(Event):
    """Nothing new starts; what runs goes on."""

    type: Literal["launching.paused"] = "launching.paused"
    by: By = "human"


class LaunchingContinued(Event):
    """Approved experiments start again."""

    type: Literal["launching.continued"] = "launching.continued"
    by: By = "human"


class BudgetSet(Event):
    """The human raised or lowered the cap."""

    type: Literal["budget.set"] = "budget.set"
    by: By = "human"
    cap_usd: Decimal = Field(ge=0, le=MOST_USD)


class MessageSent(Event):
    """The human tells an agent something; it arrives at that agent's next turn."""

    type: Literal["message.sent"] = "message.sent"
    once: ClassVar[str | None] = "message_id"
    by: By = "human"
    message_id: str
    agent: str
    text: str


class DataAdded(Event):
    """The human gave the run a file, which every sandbox of it sees and none can change."""

    type: Literal["data.added"] = "data.added"
    once: ClassVar[str | None] = "name"
    by: By = "human"
    name: str
    """What it is called in ``/data``."""
    sha256: str
    """Of its content."""
    size_bytes: int = Field(ge=0)


class SeedsRequested(Event):
    """The human wants an experiment's scripts run again with more seeds."""

    type: Literal["seeds.requested"] = "seeds.requested"
    once: ClassVar[str | None] = "request_id"
    by: By = "human"
    request_id: str
    experiment_id: str
    count: int = Field(ge=2, le=1000)


class ReproductionRequested(Event):
    """The human wants the scripts of a run that has ended run again, to see whether they give the same.

    The run goes on for that alone, and ends as it ended before.
    """

    type: Literal["reproduction.requested"] = "reproduction.requested"
    once: ClassVar[str | None] = "request_id"
    by: By = "human"
    request_id: str


class RunRenamed(Event):
    """The human gave the run a title; the question stays what it is."""

    type: Literal["run.renamed"] = "run.renamed"
    by: By = "human"
    title: str
