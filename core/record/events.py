"""Every fact that a run's journal can hold.

An event is frozen, typed by ``type`` and named in the past tense. Events about what is about to be
done (``…Requested``, ``…Started``) are appended before it is done, so that a crash in between
leaves a trace that the next engine finds.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Field

from core.config import RunSettings
from core.experiment import Experiment, Verdict
from core.pricing import MOST_USD, Estimate
from core.record.works import Work

By: TypeAlias = Literal["engine", "human", "policy"]
RequestKind: TypeAlias = Literal["launch", "script", "question", "isolation"]
ExperimentOutcome: TypeAlias = Literal[
    "done", "rejected", "killed", "timed out", "out of turns", "out of budget", "gave up", "failed"
]
"""How an experiment ended. ``gave up``: its researcher called no tool or repeated an error;
``failed``: a model or a sandbox failed. Only a ``done`` experiment was carried out as planned."""
RunOutcome: TypeAlias = Literal["done", "killed", "failed"]


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


class UnknownEvent(Event):
    """An event from a newer fumehood: kept in the journal with all it says, skipped by the state."""

    model_config = ConfigDict(frozen=True, extra="allow")

    by: str = "engine"  # type: ignore[assignment]  # who knows who acts in a newer one


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


class EngineStopped(Event):
    """The engine ended in an orderly way. Without this event and without a lock, it died."""

    type: Literal["engine.stopped"] = "engine.stopped"
    reason: Literal["finished", "asked", "paused", "failed"]
    """``paused``: a model cannot be used until a human acts; nothing of the run is lost."""
    message: str = ""
    next_step: str = ""
    """What the human can do before the run is resumed."""
    sandboxes: Literal["left", "closed"] = "closed"


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


class RunEnded(Event):
    """The investigation is over."""

    type: Literal["run.ended"] = "run.ended"
    outcome: RunOutcome
    message: str = ""


class AgentStarted(Event):
    """An agent has its instructions. They never change, so that histories can be resent exactly."""

    type: Literal["agent.started"] = "agent.started"
    once: ClassVar[str | None] = "agent"
    agent: str
    """``orchestrator``, ``writer`` or an experiment's id."""
    model: str
    scripted: bool
    system: str
    tools: tuple[dict[str, Any], ...]
    """Names, descriptions and schemas as the model sees them."""
    prompt: str
    """The first message."""
    prompts_version: str


class TurnStarted(Event):
    """A model is asked for a turn."""

    type: Literal["turn.started"] = "turn.started"
    agent: str
    number: int
    """The agent's turns count from 1."""
    message_ids: tuple[str, ...] = ()
    """Messages of the human that arrive with this turn."""
    remark: str = ""
    """What the engine tells the agent with this turn."""
    reserved_usd: Decimal = Decimal(0)
    """Kept free of the cap until the turn's cost is known, USD; 0 inside an experiment that has a
    reservation, which covers it."""
    at_most_usd: Decimal | None = Decimal(0)
    """The most that it can be billed, USD; None where the price is unknown. This is what counts against
    the cap where nobody was there to learn what it was billed: its engine died, or it was cut off."""


class TurnRetried(Event):
    """A turn was not complete and is asked for again."""

    type: Literal["turn.retried"] = "turn.retried"
    agent: str
    number: int
    reason: str
    after_seconds: float
    cost_usd: Decimal | None = Decimal(0)
    """What the dropped attempt was billed as far as that is known, USD; None where it is unknown."""
    unsettled_usd: Decimal = Decimal(0)
    """What it may have been billed beyond that, at most, USD."""


class TurnFailed(Event):
    """A turn was not complete, and asking for it again cannot help now."""

    type: Literal["turn.failed"] = "turn.failed"
    agent: str
    number: int
    reason: str
    next_step: str = ""
    cost_usd: Decimal | None = Decimal(0)
    """What the dropped attempt was billed as far as that is known, USD; None where it is unknown."""
    unsettled_usd: Decimal = Decimal(0)
    """What it may have been billed beyond that, at most, USD."""
    pauses: bool
    """Whether the run pauses: no agent asks for a turn until a human acted and another engine began."""


class Call(BaseModel):
    """A tool call of a turn."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")
    id: str
    """Unique in the conversation."""
    name: str
    arguments: dict[str, Any]
    given_id: str | None = None
    """The provider's own id where it was not unique; the result is sent under it."""


class TurnFinished(Event):
    """A turn is complete; it is never paid again."""

    type: Literal["turn.finished"] = "turn.finished"
    agent: str
    number: int
    raw: dict[str, Any]
    """The provider's own message, resent exactly."""
    text: str
    thoughts: str
    calls: tuple[Call, ...]
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_written_tokens: int = 0
    stop: str = ""
    cost_usd: Decimal | None = None
    """USD; None where it is unknown, because the price is or because the provider did not count."""


class ToolAnswered(Event):
    """A tool call has its result."""

    type: Literal["tool.answered"] = "tool.answered"
    agent: str
    call_id: str
    text: str
    error: bool = False
    ends: bool = False
    """Whether the agent's work is done with it."""


class ResultsTold(Event):
    """The orchestrator is being told how these experiments ended."""

    type: Literal["results.told"] = "results.told"
    call_id: str
    experiment_ids: tuple[str, ...]


class AgentEnded(Event):
    """An agent will take no further turn."""

    type: Literal["agent.ended"] = "agent.ended"
    agent: str
    outcome: Literal["done", "gave up", "out of turns", "out of budget", "failed", "killed"]
    message: str = ""


class ExperimentProposed(Event):
    """An experiment has its place in the plan."""

    type: Literal["experiment.proposed"] = "experiment.proposed"
    experiment: Experiment
    call_id: str
    """The tool call, or the request for more seeds or a reproduction, that it came from."""


class ExperimentEdited(Event):
    """The human changed a specification before it was approved."""

    type: Literal["experiment.edited"] = "experiment.edited"
    once: ClassVar[str | None] = "edit_id"
    by: By = "human"
    edit_id: str
    experiment: Experiment


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


class ExperimentLocked(Event):
    """An approval was used: the hypothesis is fixed and the money reserved."""

    type: Literal["experiment.locked"] = "experiment.locked"
    once: ClassVar[str | None] = "decision_id"
    experiment_id: str
    decision_id: str
    sha256: str
    """The specification's."""
    hypothesis_sha256: str | None
    reserved_usd: Decimal | None
    """USD; None where a human approved an unknown price."""


class ExperimentStarted(Event):
    """A locked experiment has one of the places of those that run at once."""

    type: Literal["experiment.started"] = "experiment.started"
    experiment_id: str


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


class ExecRequested(Event):
    """A script is about to be started."""

    type: Literal["exec.requested"] = "exec.requested"
    once: ClassVar[str | None] = "exec_id"
    exec_id: str
    experiment_id: str
    call_id: str
    """The tool call that it runs for."""
    code: str
    code_sha256: str
    purpose: str = ""
    trial: bool = False


class ExecEnded(Event):
    """A script ended, by itself or not; everything it printed and recorded is in."""

    type: Literal["exec.ended"] = "exec.ended"
    once: ClassVar[str | None] = "exec_id"
    exec_id: str
    end: str
    """Why: see ``core.sandbox.base.ExecEnd``."""
    exit_code: int | None
    seconds: float
    peak_memory_bytes: int = 0
    output_bytes: int = 0


class RecordsTaken(Event):
    """Records of an exec were taken in; appended together with the records themselves."""

    type: Literal["records.taken"] = "records.taken"
    exec_id: str
    offset: int
    """Bytes of the exec's records that are in, from its first."""
    records: int
    """Records of the exec that are in."""
    chain: str
    """Head of the exec's hash chain."""
    results: tuple[tuple[str, float | str], ...] = ()
    """Names and values of results among the new records, at most the last 20."""


class FindingRecorded(Event):
    """A researcher learned something worth a sentence."""

    type: Literal["finding.recorded"] = "finding.recorded"
    once: ClassVar[str | None] = "finding_id"
    experiment_id: str
    call_id: str
    text: str

    @property
    def finding_id(self) -> str:
        """The tool call that it came from; call ids are unique only within a conversation."""
        return f"{self.experiment_id}:{self.call_id}"


class ExperimentEnded(Event):
    """An experiment is over."""

    type: Literal["experiment.ended"] = "experiment.ended"
    once: ClassVar[str | None] = "experiment_id"
    experiment_id: str
    outcome: ExperimentOutcome
    message: str = ""


class VerdictReached(Event):
    """The measurements were judged."""

    type: Literal["verdict.reached"] = "verdict.reached"
    once: ClassVar[str | None] = "experiment_id"
    experiment_id: str
    verdict: Verdict


class PaperRefused(Event):
    """A draft has something in it that no measurement supports; the writer is told."""

    type: Literal["paper.refused"] = "paper.refused"
    once: ClassVar[str | None] = "call_id"
    call_id: str
    problems: tuple[str, ...]


class PaperPublished(Event):
    """The paper is in the run's folder, in every form that could be made."""

    type: Literal["paper.published"] = "paper.published"
    path: str
    """Relative to the run's folder."""
    sha256: str
    numbers: int
    """Numbers bound to measurements."""
    struck: int
    """Numbers struck because nothing supports them; above 0 the paper is a draft."""
    pdf: str = ""
    """The PDF, relative to the run's folder; empty where there is none."""
    pages: int = 0
    """Pages of the PDF."""
    no_pdf: str = ""
    """Why there is no PDF, in one sentence; empty where there is one, and where none was made yet."""


class LiteratureSearched(Event):
    """An agent asked the literature sources; an answer without works is a fact, too."""

    type: Literal["literature.searched"] = "literature.searched"
    once: ClassVar[str | None] = "search_id"
    agent: str
    call_id: str
    query: str
    works: dict[str, Work] = Field(default_factory=dict)
    """What was found, by the key that it is cited with in this run, best first."""
    answered: tuple[str, ...] = ()
    """Sources that answered; without any, nothing is known about what there is."""
    troubles: tuple[str, ...] = ()
    """What went wrong, one sentence for each source."""

    @property
    def search_id(self) -> str:
        """The tool call that it came from; call ids are unique only within a conversation."""
        return f"{self.agent}:{self.call_id}"


class CitationVerified(Event):
    """A work that a search returned was looked up again and is there: it may be cited."""

    type: Literal["citation.verified"] = "citation.verified"
    once: ClassVar[str | None] = "citation_id"
    key: str
    """What it is cited with."""
    work: Work
    """As its identifier resolves; the reference is made from this alone."""
    passage: str
    """The words of its abstract or title that what is claimed rests on."""
    resolved_by: str
    """Who resolved the identifier, such as ``Crossref``."""

    @property
    def citation_id(self) -> str:
        """The work and the passage: a work can be cited for more than one of its sentences."""
        return f"{self.key}:{self.passage}"


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
