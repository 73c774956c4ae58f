"""Events about what waits for a decision, and about decisions."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Literal, TypeAlias

from core.pricing import Estimate
from core.record.events.base import Event

RequestKind: TypeAlias = Literal["launch", "script", "question", "isolation"]


class ApprovalRequested(Event):
    """Something waits for a decision."""

    type: Literal["approval.requested"] = "approval.requested"
    once: ClassVar[str | None] = "request_id"
    request_id: str
    kind: RequestKind
    experiment_id: str | None
    subject: str
    """SHA-256 of exactly what is decided about: a specification, a script, a question."""
    title: str
    detail: str = ""
    """The script, the question, or why it is asked again."""
    estimate: Estimate | None = None
    """For a launch: its price."""


class ApprovalDecided(Event):
    """A decision about one request. The first one counts, and only for the subject it names."""

    type: Literal["approval.decided"] = "approval.decided"
    once: ClassVar[str | None] = "decision_id"
    by: Literal["human", "policy"]
    decision_id: str
    request_id: str
    subject: str
    decision: Literal["approve", "reject", "answer"]
    maximum_usd: Decimal | None = None
    """For a launch: the highest price that was shown, USD."""
    note: str = ""
    """Why it was rejected, or the answer."""
