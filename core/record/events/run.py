"""Events about the run as a whole and the engine that drives it."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, TypeAlias

from core.config import RunSettings
from core.record.events.base import By, Event

RunOutcome: TypeAlias = Literal["done", "killed", "failed"]


class RunCreated(Event):
    """A research question is under investigation."""

    type: Literal["run.created"] = "run.created"
    by: By = "human"
    run_id: str
    question: str
    settings: RunSettings
    version: str
    """The fumehood that created it."""


class EngineStarted(Event):
    """An engine drives the run."""

    type: Literal["engine.started"] = "engine.started"
    pid: int
    host: str
    isolation: str
    """How far scripts are kept from the user; found by trying."""
    isolation_advice: str = ""
    """What the user can do for better isolation."""
    taken_at: int | None = None
    """The journal's last event before the engine took the run: a stop that is asked for later is asked of it.
    None in journals from before this was kept: there every stop was asked of an earlier engine."""


class EngineStopped(Event):
    """The engine ended in an orderly way. Without this event and without a lock, it died."""

    type: Literal["engine.stopped"] = "engine.stopped"
    reason: Literal["finished", "asked", "paused", "failed"]
    """``paused``: a model cannot be used until a human acts; nothing of the run is lost."""
    message: str = ""
    next_step: str = ""
    """What the human can do before the run is resumed."""
    sandboxes: Literal["left", "closed"] = "closed"


class PricesTaken(Event):
    """What sandboxes cost was learned of their provider: whatever is priced from now on is priced with it."""

    type: Literal["prices.taken"] = "prices.taken"
    gpus: dict[str, Decimal]
    """USD per hour for one GPU, by name."""
    cpu: Decimal
    """USD per hour for one core."""
    memory: Decimal
    """USD per hour for one GiB."""
    source: str
    """Where they are from and of when, for people."""


class RunEnded(Event):
    """The investigation is over."""

    type: Literal["run.ended"] = "run.ended"
    outcome: RunOutcome
    message: str = ""
