"""Every fact that a run's journal can hold.

An event is frozen, typed by ``type`` and named in the past tense. Events about what is about to be
done (``…Requested``, ``…Started``) are appended before it is done, so that a crash in between
leaves a trace that the next engine finds.
"""

from core.record.events.agents import (
    AgentEnded,
    AgentStarted,
    Call,
    ResultsTold,
    ToolAnswered,
    TurnFailed,
    TurnFinished,
    TurnRetried,
    TurnStarted,
)
from core.record.events.approvals import ApprovalDecided, ApprovalRequested, RequestKind
from core.record.events.base import By, Event, now
from core.record.events.execs import ExecEnded, ExecRequested, RecordsTaken
from core.record.events.experiments import (
    ExperimentEdited,
    ExperimentEnded,
    ExperimentLocked,
    ExperimentOutcome,
    ExperimentProposed,
    ExperimentStarted,
    FindingRecorded,
    VerdictReached,
)
from core.record.events.literature import CitationVerified, LiteratureSearched
from core.record.events.paper import PaperPublished, PaperRefused
from core.record.events.run import EngineStarted, EngineStopped, PricesTaken, RunCreated, RunEnded, RunOutcome
from core.record.events.sandboxes import (
    SandboxBilled,
    SandboxClosed,
    SandboxFailed,
    SandboxOpened,
    SandboxProgressed,
    SandboxReaped,
    SandboxRequested,
)
from core.record.events.schema import EVENT_TYPES, AnyEvent, UnknownEvent
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

__all__ = [
    "EVENT_TYPES",
    "AgentEnded",
    "AgentStarted",
    "AnyEvent",
    "ApprovalDecided",
    "ApprovalRequested",
    "BudgetSet",
    "By",
    "Call",
    "CitationVerified",
    "DataAdded",
    "EngineStarted",
    "EngineStopped",
    "Event",
    "ExecEnded",
    "ExecRequested",
    "ExperimentEdited",
    "ExperimentEnded",
    "ExperimentLocked",
    "ExperimentOutcome",
    "ExperimentProposed",
    "ExperimentStarted",
    "FindingRecorded",
    "KillRequested",
    "LaunchingContinued",
    "LaunchingPaused",
    "LiteratureSearched",
    "MessageSent",
    "PaperPublished",
    "PaperRefused",
    "PricesTaken",
    "RecordsTaken",
    "ReproductionRequested",
    "RequestKind",
    "ResultsTold",
    "RunCreated",
    "RunEnded",
    "RunOutcome",
    "RunRenamed",
    "SandboxBilled",
    "SandboxClosed",
    "SandboxFailed",
    "SandboxOpened",
    "SandboxProgressed",
    "SandboxReaped",
    "SandboxRequested",
    "SeedsRequested",
    "StopRequested",
    "ToolAnswered",
    "TurnFailed",
    "TurnFinished",
    "TurnRetried",
    "TurnStarted",
    "UnknownEvent",
    "VerdictReached",
    "now",
]
