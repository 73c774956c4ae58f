"""The rules of launching, checked against the raw events of a journal.

Nothing here uses the state, its folding or the gate: it is a second, plainer account of what a
decision is good for, so that a mistake in the first one shows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from core.experiment import Experiment
from core.record import events as e
from core.record.events import Event


class Violation(AssertionError):
    """Something was launched, or asked for, that must not be."""


def must(condition: bool, rule: str) -> None:
    if not condition:
        raise Violation(rule)


@dataclass
class Asked:
    """A request, and whether a decision about it is still good for anything."""

    event: e.ApprovalRequested
    void: bool = False
    decision: e.ApprovalDecided | None = None
    consumed: bool = False


@dataclass
class Planned:
    """An experiment as the raw events tell it."""

    spec: Experiment
    locked: e.ExperimentLocked | None = None
    started: bool = False
    killed: bool = False
    ended: bool = False
    spent: Decimal = Decimal(0)
    spent_before: Decimal = Decimal(0)
    measured: bool = False
    sandbox: bool = False

    @property
    def held(self) -> Decimal:
        if self.locked is None or self.ended:
            return Decimal(0)
        spent = self.spent - self.spent_before
        return max((self.locked.reserved_usd or Decimal(0)) - spent, Decimal(0))


@dataclass
class LaunchRules:
    """Takes events in order and raises ``Violation`` at the first that breaks a rule."""

    policy: str = "ask"
    max_parallel: int = 1
    cap: Decimal = Decimal(0)
    spent: Decimal = Decimal(0)
    cut_off: Decimal = Decimal(0)
    paused: bool = False
    over: bool = False
    stopping: bool = False
    isolated: bool = False
    accepted: bool = False
    ended: bool = False
    reproducing: bool = False
    planned: dict[str, Planned] = field(default_factory=dict)
    asked: dict[str, Asked] = field(default_factory=dict)
    turns: dict[str, Decimal] = field(default_factory=dict)
    locks: int = 0
    relocks: int = 0

    def take(self, event: Event) -> None:
        match event:
            case e.RunCreated():
                self.policy = event.settings.approve
                self.max_parallel = event.settings.max_parallel
                self.cap = event.settings.budget_usd
            case e.EngineStarted():
                self.stopping = False
                self.isolated = event.isolation != "process only" or self.accepted
                self.cut_off += sum(self.turns.values())
                self.turns.clear()
            case e.StopRequested():
                self.stopping = True
            case e.BudgetSet():
                self.cap = event.cap_usd
            case e.LaunchingPaused() | e.LaunchingContinued():
                self.paused = isinstance(event, e.LaunchingPaused)
            case e.KillRequested():
                self._kill(event)
            case e.RunEnded():
                self.over = self.ended = True
                for asked in self.asked.values():
                    asked.void = asked.void or asked.decision is None
            case e.ReproductionRequested():
                if self.ended and all(experiment.ended for experiment in self.planned.values()):
                    self.over = self.ended = False
                    self.reproducing = True
            case e.TurnStarted():
                self.cut_off += self.turns.get(event.agent, Decimal(0))
                self.turns[event.agent] = event.reserved_usd
            case e.TurnFinished() | e.TurnRetried():
                self.turns.pop(event.agent, None)
                self.spent += event.cost_usd or 0
            case e.ExperimentProposed():
                must(event.experiment.id not in self.planned, "an experiment's number is used twice")
                self.planned[event.experiment.id] = Planned(event.experiment)
            case e.ExperimentEdited():
                self._edit(event)
            case e.ApprovalRequested():
                self._ask(event)
            case e.ApprovalDecided():
                self._decide(event)
            case e.ExperimentLocked():
                self._lock(event)
            case e.ExperimentStarted():
                self._start(event)
            case e.SandboxOpened():
                self.planned[event.experiment_id].sandbox = True
            case e.SandboxClosed():
                self._pay(event)
            case e.SandboxFailed():
                self._ask_again(event)
            case e.ExperimentEnded():
                self.planned[event.experiment_id].ended = True
                self._void(event.experiment_id)

    def everything_that_waits_was_asked_for(self) -> None:
        """Once the gate has nothing to do, whatever is not launched waits for a request in the journal."""
        if self.over or self.stopping:
            return
        for experiment_id, experiment in self.planned.items():
            if experiment.ended or experiment.locked is not None or not self._is_wanted(experiment):
                continue
            waits = [
                asked
                for asked in self.asked.values()
                if asked.event.experiment_id == experiment_id and not asked.void and asked.decision is None
            ]
            must(len(waits) == 1, f"{experiment_id} waits for {len(waits)} requests")
            must(waits[0].event.subject == experiment.spec.sha256, f"{experiment_id} waits for what it was")

    def _kill(self, event: e.KillRequested) -> None:
        if event.experiment_id is None:
            self.over = True
        elif event.experiment_id in self.planned:
            self.planned[event.experiment_id].killed = True

    def _edit(self, event: e.ExperimentEdited) -> None:
        experiment = self.planned.get(event.experiment.id)
        if experiment is not None and experiment.measured:
            return  # only its machine may change then, and no edit here is about that
        if experiment is not None and experiment.locked is None and not experiment.ended:
            experiment.spec = event.experiment
            self._void(event.experiment.id)

    def _ask(self, event: e.ApprovalRequested) -> None:
        must(event.request_id not in self.asked, "a request's id is used twice")
        if event.kind == "launch":
            assert event.experiment_id is not None
            experiment = self.planned[event.experiment_id]
            must(event.subject == experiment.spec.sha256, "what is asked for is not what would run")
            must(experiment.locked is None, "a launch is asked for after the lock")
            must(event.estimate is not None, "a launch is asked for without its price")
            self._void(event.experiment_id)
        self.asked[event.request_id] = Asked(event)

    def _void(self, experiment_id: str) -> None:
        for asked in self.asked.values():
            if asked.event.experiment_id == experiment_id:
                asked.void = True

    def _decide(self, event: e.ApprovalDecided) -> None:
        must(event.by in ("human", "policy"), "neither a human nor the policy decided")
        asked = self.asked.get(event.request_id)
        if event.by == "policy" and asked is not None and asked.event.kind == "launch":
            self._check_policy(event, asked)
        if asked is None or asked.void or asked.decision is not None or asked.event.subject != event.subject:
            return
        if event.decision == "answer":
            return
        shown = asked.event.estimate
        if event.decision == "approve" and shown is not None and shown.maximum != event.maximum_usd:
            return
        asked.decision = event
        if asked.event.kind == "isolation" and event.decision == "approve":
            self.isolated = self.accepted = True

    def _check_policy(self, event: e.ApprovalDecided, asked: Asked) -> None:
        assert asked.event.experiment_id is not None
        experiment = self.planned[asked.event.experiment_id]
        must(not experiment.measured, "the policy approved a second launch of an experiment")
        maximum = asked.event.estimate.maximum if asked.event.estimate else None
        must(maximum is not None, "the policy approved an unknown price")
        assert maximum is not None
        allowed = {
            "auto": True,
            "cpu": experiment.spec.compute.gpu is None,
            "under:1.00": maximum <= 1,
        }
        must(allowed.get(self.policy, False), f"the policy {self.policy} does not allow this launch")
        must(event.maximum_usd == maximum, "the policy approved another price than was asked for")

    def _lock(self, event: e.ExperimentLocked) -> None:
        experiment = self.planned[event.experiment_id]
        self._may_go_on(experiment, "locked")
        must(experiment.locked is None, "an experiment is locked twice")
        used = [a for a in self.asked.values() if a.decision and a.decision.decision_id == event.decision_id]
        must(len(used) == 1, "a lock names a decision that was never made, or did not count")
        [asked] = used
        assert asked.decision is not None
        must(asked.decision.decision == "approve", "a rejected experiment is locked")
        must(not asked.consumed, "a decision is consumed twice")
        must(not asked.void, "a void decision is consumed")
        must(asked.event.experiment_id == event.experiment_id, "another experiment's approval is consumed")
        must(
            asked.decision.subject == event.sha256 == experiment.spec.sha256,
            "what is locked is not what was approved",
        )
        approved = asked.decision.maximum_usd
        must((approved is None) == (event.reserved_usd is None), "a price became known or unknown")
        must(approved is None or (event.reserved_usd or 0) <= approved, "more is reserved than was approved")
        held = sum(x.held for x in self.planned.values())
        committed = self.spent + self.cut_off + held + sum(self.turns.values())
        if event.reserved_usd is not None:
            must(committed + event.reserved_usd <= self.cap, "reserved + spent exceeds the cap")
        asked.consumed = True
        experiment.locked = event
        experiment.spent_before = experiment.spent
        self.locks += 1
        self.relocks += experiment.measured

    def _start(self, event: e.ExperimentStarted) -> None:
        experiment = self.planned[event.experiment_id]
        self._may_go_on(experiment, "started")
        must(experiment.locked is not None, "an experiment is started without a lock")
        must(not experiment.started, "an experiment is started twice")
        must(not self.paused, "an experiment is started while launching is paused")
        must(self.isolated, "an experiment is started with an isolation that nobody accepted")
        running = sum(x.started and not x.ended for x in self.planned.values())
        must(running < self.max_parallel, "more experiments run at once than may")
        experiment.started = True

    def _is_wanted(self, experiment: Planned) -> bool:
        """Once a run has ended, nothing but what repeats it without a hypothesis may still be launched."""
        spec = experiment.spec
        return not self.reproducing or (spec.repeats is not None and spec.hypothesis is None)

    def _may_go_on(self, experiment: Planned, done: str) -> None:
        must(self._is_wanted(experiment), f"an experiment is {done} in a reproduction that is none")
        must(not self.over, f"an experiment is {done} after the run was killed")
        must(not self.stopping, f"an experiment is {done} after the engine was asked to stop")
        must(not experiment.killed, f"a killed experiment is {done}")
        must(not experiment.ended, f"an experiment that has ended is {done}")

    def _ask_again(self, event: e.SandboxFailed) -> None:
        """What was approved is used up: another launch needs another approval."""
        experiment = self.planned[event.experiment_id]
        if event.then == "asked again" and experiment.started and not experiment.ended:
            experiment.locked = None
            experiment.started = False
            experiment.measured = True

    def _pay(self, event: e.SandboxClosed) -> None:
        experiment = self.planned[event.experiment_id]
        if experiment.sandbox:
            experiment.sandbox = False
            experiment.spent += event.cost_usd or 0
            self.spent += event.cost_usd or 0
