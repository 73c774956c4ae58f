"""Which class reads which event of a journal, and what becomes of an event that none knows."""

from __future__ import annotations

from typing import TypeAlias, get_args

from pydantic import ConfigDict

from core.record.events.agents import (
    AgentEnded,
    AgentStarted,
    ResultsTold,
    ToolAnswered,
    TurnFailed,
    TurnFinished,
    TurnRetried,
    TurnStarted,
)
from core.record.events.approvals import ApprovalDecided, ApprovalRequested
from core.record.events.base import Event
from core.record.events.execs import ExecEnded, ExecRequested, RecordsTaken
from core.record.events.experiments import (
    ExperimentEdited,
    ExperimentEnded,
    ExperimentLocked,
    ExperimentProposed,
    ExperimentStarted,
    FindingRecorded,
    VerdictReached,
)
from core.record.events.literature import CitationVerified, LiteratureSearched
from core.record.events.paper import PaperPublished, PaperRefused
from core.record.events.run import EngineStarted, EngineStopped, PricesTaken, RunCreated, RunEnded
from core.record.events.sandboxes import (
    SandboxBilled,
    SandboxClosed,
    SandboxFailed,
    SandboxOpened,
    SandboxProgressed,
    SandboxReaped,
    SandboxRequested,
)
from core.record.events.steering import (
    BudgetSet,
    DataAdded,
    KillRequested,
    LaunchingContinued,
    LaunchingPaused,
    MessageSent,
    ReproductionRequested,
    RunRenamed,
    SeedsRequested,
    StopRequested,
)


class UnknownEvent(Event):
    """An event from a newer fumehood: kept in the journal with all it says, skipped by the state."""

    model_config = ConfigDict(frozen=True, extra="allow")

    by: str = "engine"  # type: ignore[assignment]  # who knows who acts in a newer one


AnyEvent: TypeAlias = (
    RunCreated
    | EngineStarted
    | EngineStopped
    | StopRequested
    | KillRequested
    | PricesTaken
    | LaunchingPaused
    | LaunchingContinued
    | BudgetSet
    | MessageSent
    | DataAdded
    | SeedsRequested
    | ReproductionRequested
    | RunRenamed
    | RunEnded
    | AgentStarted
    | TurnStarted
    | TurnRetried
    | TurnFailed
    | TurnFinished
    | ToolAnswered
    | ResultsTold
    | AgentEnded
    | ExperimentProposed
    | ExperimentEdited
    | ApprovalRequested
    | ApprovalDecided
    | ExperimentLocked
    | ExperimentStarted
    | SandboxRequested
    | SandboxProgressed
    | SandboxOpened
    | SandboxClosed
    | SandboxFailed
    | SandboxReaped
    | SandboxBilled
    | ExecRequested
    | ExecEnded
    | RecordsTaken
    | FindingRecorded
    | ExperimentEnded
    | VerdictReached
    | PaperRefused
    | PaperPublished
    | LiteratureSearched
    | CitationVerified
)


EVENT_TYPES: dict[str, type[Event]] = {
    event.model_fields["type"].default: event for event in get_args(AnyEvent)
}
"""Event classes by their ``type``."""
