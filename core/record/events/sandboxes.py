"""Events about sandboxes: opened, failed, closed, billed."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from core.record.events.base import Event


class SandboxRequested(Event):
    """A sandbox is about to be opened under a name."""

    type: Literal["sandbox.requested"] = "sandbox.requested"
    experiment_id: str
    name: str
    provider: str


class SandboxProgressed(Event):
    """A line about the sandbox being made ready, such as a package being installed."""

    type: Literal["sandbox.progressed"] = "sandbox.progressed"
    experiment_id: str
    line: str


class SandboxOpened(Event):
    """The sandbox is there."""

    type: Literal["sandbox.opened"] = "sandbox.opened"
    experiment_id: str
    sandbox_id: str
    isolation: str
    usd_per_hour: Decimal | None


class SandboxClosed(Event):
    """The sandbox is gone."""

    type: Literal["sandbox.closed"] = "sandbox.closed"
    experiment_id: str
    sandbox_id: str
    seconds: float
    cost_usd: Decimal | None


class SandboxFailed(Event):
    """A sandbox failed, could not be had or could not be closed: never a script's doing, never evidence."""

    type: Literal["sandbox.failed"] = "sandbox.failed"
    experiment_id: str
    fault: str
    """What was wrong: see ``core.errors.SandboxFault``."""
    message: str
    then: Literal["tried again", "asked again", "ended", "closed again"]
    """What the run does next: try again to have a sandbox, ask the human whether to launch it again, end
    the experiment, or try again to close the sandbox."""
    after_seconds: float = 0.0
    """How long until then."""


class SandboxReaped(Event):
    """A sandbox of this run that nobody needs was still there, and was ended."""

    type: Literal["sandbox.reaped"] = "sandbox.reaped"
    sandbox_id: str
    name: str
    """The name it was opened under."""
    experiment_id: str | None
    """The experiment that it was for; None where the journal does not know it."""
    reason: str


class SandboxBilled(Event):
    """The provider said what a sandbox that is gone has cost: that counts instead of our own reckoning."""

    type: Literal["sandbox.billed"] = "sandbox.billed"
    sandbox_id: str
    experiment_id: str | None
    """The experiment that it was for; None where the journal does not know it."""
    cost_usd: Decimal
