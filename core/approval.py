"""The gate: nothing launches without a decision about exactly that specification at that price.

``next_event`` is a pure function of the state. The engine appends what it returns only if the
journal has not grown meanwhile, and asks again; so the same gate drives a fresh run, a resumed one
and the property tests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Literal

from core.budget import fits
from core.experiment import Experiment
from core.pricing import Estimate, at_most_dollars, dollars
from core.record.events import (
    AgentEnded,
    ApprovalDecided,
    ApprovalRequested,
    Event,
    ExperimentEnded,
    ExperimentLocked,
    ExperimentStarted,
)
from core.record.state import ExperimentState, Request, RunState
from core.repeats import next_repeat


@dataclass(frozen=True)
class Policy:
    """What may be approved without a human.

    Attributes:
        kind: ``ask`` for nothing, ``auto`` for every launch with a known price, ``cpu`` for those
            without a GPU, ``under`` for those that can never cost more than ``limit_usd``.
        limit_usd: for ``under``.
    """

    kind: Literal["ask", "auto", "cpu", "under"]
    limit_usd: Decimal | None = None

    @classmethod
    def read(cls, text: str) -> Policy:
        """Read a policy as people type it; whatever cannot be read means ``ask``."""
        return cls.parse(text) or cls("ask")

    @classmethod
    def parse(cls, text: str) -> Policy | None:
        """Read ``ask``, ``auto``, ``cpu`` or ``under:0.50``; None where it is none of these."""
        kind, _, limit = text.strip().partition(":")
        if kind in ("ask", "auto", "cpu") and not limit:
            return cls(kind)  # type: ignore[arg-type]  # one of the three literals
        if kind != "under":
            return None
        try:
            limit_usd = Decimal(limit.strip().removeprefix("$"))
        except InvalidOperation:
            return None
        return cls("under", limit_usd) if limit_usd.is_finite() and limit_usd >= 0 else None

    @property
    def unattended(self) -> bool:
        """Whether runs under it go on without a human."""
        return self.kind != "ask"

    def approves(self, experiment: Experiment, price: Estimate | None) -> bool:
        """Whether it approves a launch. An unknown price is never approved."""
        if price is None or price.maximum is None:
            return False
        match self.kind:
            case "auto":
                return True
            case "cpu":
                return experiment.compute.gpu is None
            case "under":
                return self.limit_usd is not None and price.maximum <= self.limit_usd
        return False


NOBODY_IS_HERE = "Nobody is here: decide yourself, and say what you assumed."
"""What ``ask_human`` is answered under an unattended policy."""


def next_event(state: RunState, price: Callable[[Experiment], Estimate]) -> Event | None:
    """The next thing that the gate has to make a fact; None where it waits for someone.

    Args:
        state: the run as it is now.
        price: what an experiment may cost.
    """
    if state.created is None or state.ended is not None or state.kill is not None or state.stop is not None:
        return None
    return (
        _next_isolation(state)
        or next((event for event in map(_unattended(state), state.waiting) if event), None)
        or next_repeat(state)
        or next(
            (
                event
                for event in (_step(state, x, price) for x in state.experiments.values() if _is_due(state, x))
                if event
            ),
            None,
        )
    )


def _is_due(state: RunState, experiment: ExperimentState) -> bool:
    """Whether it may be launched at all: a run that had ended goes on for a reproduction and nothing else."""
    return state.reproduction is None or experiment.spec.reproduces is not None


def script_needs_a_yes(state: RunState) -> bool:
    """Whether every single script waits for a human."""
    if state.settings.confirm_scripts is not None:
        return state.settings.confirm_scripts
    return state.engine is not None and state.engine.isolation == "process only"


def subject_of(text: str) -> str:
    """What a decision about a script or a question names: the SHA-256 of its text."""
    return sha256(text.encode()).hexdigest()


def _step(
    state: RunState, experiment: ExperimentState, price: Callable[[Experiment], Estimate]
) -> Event | None:
    """The next step of one experiment on its way to being launched."""
    if experiment.open and experiment.stage != "running" and _isolation_refused(state):
        return ExperimentEnded(
            experiment_id=experiment.id,
            outcome="rejected",
            message="running without isolation was not accepted",
        )
    if experiment.kill and experiment.stage != "running" and experiment.open:
        return ExperimentEnded(
            experiment_id=experiment.id,
            outcome="killed",
            message=experiment.kill.note or "killed before it ran",
        )
    match experiment.stage:
        case "proposed":
            return _request(experiment, price(experiment.spec), experiment.again)
        case "waiting":
            return _refusal(state, experiment)
        case "approved":
            return _lock(state, experiment, price)
        case "queued" if not state.paused and state.isolation_accepted and _has_place(state):
            return ExperimentStarted(experiment_id=experiment.id)
        case "ended":
            return _last_word(state, experiment)
    return None


def _last_word(state: RunState, experiment: ExperimentState) -> AgentEnded | None:
    """The end of a researcher whose experiment ended while its launch was asked for again."""
    agent = state.agents.get(experiment.id)
    if agent is None or agent.ended is not None:
        return None
    outcome: Literal["killed", "failed"] = "killed" if experiment.outcome == "killed" else "failed"
    return AgentEnded(
        agent=experiment.id, outcome=outcome, message=experiment.message or experiment.outcome or ""
    )


def _request(experiment: ExperimentState, price: Estimate, detail: str) -> ApprovalRequested:
    return ApprovalRequested(
        request_id=f"{experiment.id}.{len(experiment.requests) + 1}",
        kind="launch",
        experiment_id=experiment.id,
        subject=experiment.spec.sha256,
        title=experiment.spec.title,
        detail=detail,
        estimate=price,
    )


def _refusal(state: RunState, experiment: ExperimentState) -> Event | None:
    """A rejected launch ends its experiment; the reason reaches the orchestrator with it."""
    request = state.live_request(experiment.id)
    if request is None or request.decision is None or request.decision.decision != "reject":
        return None
    return ExperimentEnded(experiment_id=experiment.id, outcome="rejected", message=request.decision.note)


def _lock(
    state: RunState, experiment: ExperimentState, price: Callable[[Experiment], Estimate]
) -> Event | None:
    """Use an approval, if it is still about this specification and this price, and fits the cap."""
    request = state.live_request(experiment.id)
    current = price(experiment.spec)
    if request is None or request.decision is None or request.asked.subject != experiment.spec.sha256:
        return _request(experiment, current, experiment.again)
    maximum = current.maximum
    approved = request.decision.maximum_usd
    if (maximum is None) != (approved is None) or (
        maximum is not None and approved is not None and maximum > approved
    ):
        return _request(experiment, current, "The price has changed since it was approved.")
    if not fits(state, maximum):
        return _request(
            experiment,
            current,
            f"Approved, but it does not fit: it needs {at_most_dollars(maximum)} and"
            f" {dollars(state.free_usd)} of {dollars(state.cap_usd)} is free."
            " Raise the cap, edit it or reject it.",
        )
    hypothesis = experiment.spec.hypothesis
    return ExperimentLocked(
        experiment_id=experiment.id,
        decision_id=request.decision.decision_id,
        sha256=experiment.spec.sha256,
        hypothesis_sha256=hypothesis.sha256 if hypothesis else None,
        reserved_usd=maximum,
    )


def _has_place(state: RunState) -> bool:
    return len(state.in_stage("running")) < state.settings.max_parallel


def _unattended(state: RunState) -> Callable[[Request], Event | None]:
    """What the policy decides about a waiting request, if anything."""
    policy = Policy.read(state.settings.approve)

    def decide(request: Request) -> Event | None:
        asked = request.asked
        match asked.kind:
            case "launch" if asked.experiment_id:
                experiment = state.experiments[asked.experiment_id]
                price = asked.estimate
                # What was approved once and could not be carried out is asked of a human.
                first = experiment.locked_at is None
                approved = first and policy.approves(experiment.spec, price)
                if approved and price is not None and fits(state, price.maximum):
                    return _decision(request, "approve", f"policy {state.settings.approve}")
            case "isolation" if state.settings.accept_process_only:
                return _decision(request, "approve", "accepted when the run was started")
            case "question" if policy.unattended:
                return _decision(request, "answer", NOBODY_IS_HERE)
        return None

    return decide


def _decision(request: Request, decision: Literal["approve", "answer"], note: str) -> ApprovalDecided:
    estimate = request.asked.estimate
    return ApprovalDecided(
        by="policy",
        decision_id=f"policy:{request.asked.request_id}",
        request_id=request.asked.request_id,
        subject=request.asked.subject,
        decision=decision,
        maximum_usd=estimate.maximum if estimate else None,
        note=note,
    )


def _next_isolation(state: RunState) -> Event | None:
    """Running without isolation waits for a human, once per run."""
    if state.engine is None or state.isolation_accepted:
        return None
    if any(request.asked.kind == "isolation" for request in state.requests.values()):
        return None
    text = "process only: this code can read your files and keys"
    return ApprovalRequested(
        request_id="isolation",
        kind="isolation",
        experiment_id=None,
        subject=subject_of(text),
        title=f"Run without isolation ({text})?",
        detail=state.engine.isolation_advice,
    )


def _isolation_refused(state: RunState) -> bool:
    request = state.requests.get("isolation")
    decision = request.decision if request else None
    return decision is not None and decision.decision == "reject" and not state.isolation_accepted
