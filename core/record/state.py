"""State: what a run looks like now. ``core.record.fold``, and nothing else, makes and changes it.

The console, the commands, the engine and the paper all read this state, so that they cannot
disagree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal, TypeAlias

from core.config import RunSettings
from core.experiment import Experiment, Verdict
from core.pricing import Tokens
from core.record import events as e
from core.record.works import Work

Stage: TypeAlias = Literal["proposed", "waiting", "approved", "queued", "running", "ended"]
"""``waiting`` for a decision, ``approved`` but not yet locked, ``queued`` for a free place."""


@dataclass
class Request:
    """An approval request and its one decision.

    Attributes:
        asked: the request.
        decision: the decision that counts; None while it waits.
        void: whether what it asks about has changed, so that no decision can count any more.
    """

    asked: e.ApprovalRequested
    decision: e.ApprovalDecided | None = None
    void: bool = False

    @property
    def waits(self) -> bool:
        """Whether a decision would count."""
        return self.decision is None and not self.void


@dataclass
class Exec:
    """One script.

    Attributes:
        asked: the script.
        ended: how it ended; None while it runs.
        void: whether it was run again from the beginning, with all that it measured.
        records: records taken in.
        records_offset: bytes of records taken in.
        chain: head of its hash chain; empty before the first record.
        results: the latest results it recorded, name and value.
    """

    asked: e.ExecRequested
    ended: e.ExecEnded | None = None
    void: bool = False
    records: int = 0
    records_offset: int = 0
    chain: str = ""
    results: tuple[tuple[str, float | str], ...] = ()

    @property
    def by_itself(self) -> bool:
        """Whether it ended by itself, however well."""
        return self.ended is not None and self.ended.end == "finished" and not self.void

    @property
    def counts(self) -> bool:
        """Whether what it measured counts: it is no trial, and ended by itself and well."""
        return (
            not self.asked.trial and self.by_itself and self.ended is not None and self.ended.exit_code == 0
        )


@dataclass
class ExperimentState:
    """One experiment.

    Attributes:
        spec: what it is now; edits replace it until it is locked.
        stage: how far it is.
        proposed_by: the tool call, or the request for seeds or a reproduction, that it came from.
        requests: ids of its launch requests, oldest first.
        locked: the approval that was used; None before, and while it is asked for again.
        locked_at: when it was locked first, which is when its hypothesis was fixed.
        again: why its launch is asked for again; empty usually.
        sandbox_name: the name that a sandbox was requested under last.
        sandbox: the open sandbox; None before and after.
        requested: sandboxes that were requested, each under a name of its own.
        closings: its sandboxes that are gone, oldest first.
        failures: faults of its sandboxes since it was locked or a script ended by itself, oldest first.
        bills: what its closed sandboxes cost, by id, USD: by our own reckoning until their provider said.
        billed: ids of those whose provider said.
        sandbox_seconds: how long its closed sandboxes were open, in seconds.
        sandbox_cost_usd: what closed sandboxes cost; None where a price was unknown.
        model_cost_usd: what its researcher's turns cost; None where a price was unknown.
        booked_usd: the sum of all its costs that are known, USD.
        earlier_seconds: what of ``sandbox_seconds`` was used under approvals before the present one.
        earlier_usd: what of its costs came up under approvals before the present one, USD.
        unsettled_usd: what turns that did not come whole may have been billed beyond that, at most, USD.
        execs: ids of its scripts, oldest first.
        findings: what its researcher learned, oldest first.
        outcome: how it ended; None before.
        verdict: what its measurements say; None before, and for explorations.
        told: whether the orchestrator knows how it ended.
    """

    spec: Experiment
    proposed_at: datetime
    proposed_by: str
    stage: Stage = "proposed"
    requests: list[str] = field(default_factory=list)
    kill: e.KillRequested | None = None
    locked: e.ExperimentLocked | None = None
    locked_at: datetime | None = None
    again: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    sandbox_name: str | None = None
    sandbox: e.SandboxOpened | None = None
    requested: int = 0
    closings: list[e.SandboxClosed] = field(default_factory=list)
    failures: list[e.SandboxFailed] = field(default_factory=list)
    bills: dict[str, Decimal | None] = field(default_factory=dict)
    billed: set[str] = field(default_factory=set)
    progress: str = ""
    sandbox_seconds: float = 0.0
    sandbox_cost_usd: Decimal | None = Decimal(0)
    model_cost_usd: Decimal | None = Decimal(0)
    booked_usd: Decimal = Decimal(0)
    unsettled_usd: Decimal = Decimal(0)
    earlier_seconds: float = 0.0
    earlier_usd: Decimal = Decimal(0)
    execs: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    outcome: e.ExperimentOutcome | None = None
    message: str = ""
    verdict: Verdict | None = None
    told: bool = False

    @property
    def id(self) -> str:
        """Its place in the plan: ``E1``, then ``E2`` and so on."""
        return self.spec.id

    @property
    def cost_usd(self) -> Decimal | None:
        """What it has cost so far, the open sandbox left out; None where a price was unknown."""
        if self.sandbox_cost_usd is None or self.model_cost_usd is None:
            return None
        return self.sandbox_cost_usd + self.model_cost_usd

    @property
    def awaited_name(self) -> str | None:
        """The name of a sandbox that was requested and has not been opened; None where there is none."""
        waits = self.sandbox is None and self.requested > len(self.closings)
        return self.sandbox_name if waits else None

    @property
    def held_usd(self) -> Decimal:
        """What it still keeps of the cap beyond what is booked as spent or unsettled, USD.

        An experiment that has ended keeps it for as long as its sandbox may still be there.
        """
        if self.locked is None or (self.outcome is not None and self.sandbox is None):
            return Decimal(0)
        booked = self.booked_usd + self.unsettled_usd - self.earlier_usd
        return max((self.locked.reserved_usd or Decimal(0)) - booked, Decimal(0))

    @property
    def reserved(self) -> bool:
        """Whether money was reserved for it; not where a human approved an unknown price."""
        return self.locked is not None and self.locked.reserved_usd is not None

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.outcome is None


@dataclass
class AgentBill:
    """What an agent's turns came to.

    Attributes:
        tokens: of its complete turns.
        spent_usd: what was billed, as far as prices are known, USD.
        unsettled_usd: what turns that did not come whole may have been billed beyond that, at most, USD.
        unknown_costs: how many turns and attempts could not be priced.
    """

    tokens: Tokens = field(default_factory=Tokens)
    spent_usd: Decimal = Decimal(0)
    unsettled_usd: Decimal = Decimal(0)
    unknown_costs: int = 0


@dataclass
class AgentState:
    """One agent and its whole conversation.

    Attributes:
        started: its instructions.
        asked: its turns as they were asked for; retries of a number replace the earlier one.
        turns: its complete turns, oldest first.
        answers: results of its tool calls, by call id.
        ended: how it ended; None before.
        under_way: the attempt at a turn that a model is working on now; None between turns.
        retry: why the turn now asked for was not complete, while its next attempt waits.
        bill: what its turns came to.
    """

    started: e.AgentStarted
    asked: dict[int, e.TurnStarted] = field(default_factory=dict)
    turns: list[e.TurnFinished] = field(default_factory=list)
    answers: dict[str, e.ToolAnswered] = field(default_factory=dict)
    ended: e.AgentEnded | None = None
    under_way: e.TurnStarted | None = None
    retry: e.TurnRetried | None = None
    bill: AgentBill = field(default_factory=AgentBill)


@dataclass
class RunState:
    """What a run looks like now.

    Attributes:
        seq: the last event that is in.
        renamed: the title that the human gave it last; None where it never got one.
        cap_usd: the hard cap, USD.
        spent_usd: what is booked as spent, USD; open sandboxes are not in it but held.
        unsettled_usd: what turns that did not come whole may have been billed beyond that, at most,
            USD. Nobody could learn it, so it is not called spent, and is kept of the cap.
        unknown_costs: how many costs could not be priced; above 0, more was spent than ``spent_usd``.
        concluded: how it ended the first time; a reproduction does not change that.
        reproduction: the wish for a reproduction that is being carried out; None usually.
        prices: what sandboxes cost, as their provider said last; None where it was not asked.
        blocked: why no model is asked until a human acted and another engine began; None usually.
        data: files that the human gave the run, by name.
        tellings: experiments whose end the orchestrator was told of, by the call that told it.
        searches: searches of the literature, by the call that asked for them.
        works: what they found, by the key that it is cited with.
        citations: works that may be cited, by key, with each passage that they were verified for.
        reaped: sandboxes of the run that nobody needed and that were ended, by id.
        stray_bills: what those cost for which no experiment is known, by id, USD, as their provider said.
        turn_reserves: what turns outside experiments that are under way may cost, USD, by agent.
    """

    seq: int = 0
    created: e.RunCreated | None = None
    renamed: e.RunRenamed | None = None
    engine: e.EngineStarted | None = None
    engine_stopped: e.EngineStopped | None = None
    engines: int = 0
    stop: e.StopRequested | None = None
    kill: e.KillRequested | None = None
    ended: e.RunEnded | None = None
    concluded: e.RunEnded | None = None
    reproduction: e.ReproductionRequested | None = None
    paused: bool = False
    prices: e.PricesTaken | None = None
    blocked: e.TurnFailed | None = None
    cap_usd: Decimal = Decimal(0)
    spent_usd: Decimal = Decimal(0)
    unsettled_usd: Decimal = Decimal(0)
    unknown_costs: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    experiments: dict[str, ExperimentState] = field(default_factory=dict)
    requests: dict[str, Request] = field(default_factory=dict)
    seeds: dict[str, e.SeedsRequested] = field(default_factory=dict)
    execs: dict[str, Exec] = field(default_factory=dict)
    agents: dict[str, AgentState] = field(default_factory=dict)
    messages: list[e.MessageSent] = field(default_factory=list)
    data: dict[str, e.DataAdded] = field(default_factory=dict)
    refusals: list[e.PaperRefused] = field(default_factory=list)
    paper: e.PaperPublished | None = None
    tellings: dict[str, tuple[str, ...]] = field(default_factory=dict)
    searches: dict[str, e.LiteratureSearched] = field(default_factory=dict)
    works: dict[str, Work] = field(default_factory=dict)
    citations: dict[str, list[e.CitationVerified]] = field(default_factory=dict)
    reaped: dict[str, e.SandboxReaped] = field(default_factory=dict)
    stray_bills: dict[str, Decimal] = field(default_factory=dict)
    last_at: datetime | None = None
    turn_reserves: dict[str, Decimal] = field(default_factory=dict)

    @property
    def settings(self) -> RunSettings:
        """What was fixed when the run was created; only for a journal that begins properly."""
        assert self.created is not None
        return self.created.settings

    @property
    def title(self) -> str:
        """What people call it: the title they gave it, else its question; empty before it has one."""
        if self.renamed is not None:
            return self.renamed.title
        return self.created.question if self.created else ""

    @property
    def next_experiment_id(self) -> str:
        """The id of the experiment that is proposed next."""
        return f"E{len(self.experiments) + 1}"

    @property
    def reserved_usd(self) -> Decimal:
        """What locked experiments and turns under way keep of the cap beyond what is spent, USD."""
        experiments = (experiment.held_usd for experiment in self.experiments.values())
        return sum(experiments, sum(self.turn_reserves.values(), Decimal(0)))

    @property
    def free_usd(self) -> Decimal:
        """What of the cap is neither spent, unsettled nor reserved, USD; never below zero."""
        return max(self.cap_usd - self.committed_usd, Decimal(0))

    @property
    def committed_usd(self) -> Decimal:
        """What is spent, may have been spent and is reserved, USD."""
        return self.spent_usd + self.unsettled_usd + self.reserved_usd

    @property
    def isolation_accepted(self) -> bool:
        """Whether scripts may run with the isolation that the engine found."""
        if self.engine is None or self.engine.isolation != "process only":
            return self.engine is not None
        return any(
            request.asked.kind == "isolation" and request.decision and request.decision.decision == "approve"
            for request in self.requests.values()
        )

    @property
    def waiting(self) -> list[Request]:
        """Everything that waits for a decision, oldest first."""
        return [request for request in self.requests.values() if request.waits]

    def live_request(self, experiment_id: str) -> Request | None:
        """The launch request of an experiment that is decided or still waits; None if void or none."""
        experiment = self.experiments[experiment_id]
        request = self.requests[experiment.requests[-1]] if experiment.requests else None
        return None if request is None or request.void else request

    def in_stage(self, *stages: Stage) -> list[ExperimentState]:
        """Experiments in any of these stages, in the order of the plan."""
        return [experiment for experiment in self.experiments.values() if experiment.stage in stages]
