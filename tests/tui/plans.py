"""Events of runs that commands are tried on."""

from __future__ import annotations

from decimal import Decimal

from core.experiment import Experiment, Verdict
from core.pricing import Estimate
from core.record import events as e
from core.record.events import Event
from tests.fakes.specs import experiment

SPEC = experiment(1, title="Bagged trees")

ENGINE = e.EngineStarted(pid=1, host="here", isolation="namespaces")
PROPOSED = e.ExperimentProposed(experiment=SPEC, call_id="c1")


def requested(spec: Experiment = SPEC, number: int = 1, maximum: str = "2.40") -> e.ApprovalRequested:
    """The launch request of a specification."""
    return e.ApprovalRequested(
        request_id=f"{spec.id}.{number}",
        kind="launch",
        experiment_id=spec.id,
        subject=spec.sha256,
        title=spec.title,
        estimate=Estimate(low=Decimal("0.90"), high=Decimal("1.60"), maximum=Decimal(maximum)),
    )


WAITING: tuple[Event, ...] = (ENGINE, PROPOSED, requested())

QUESTION = e.ApprovalRequested(
    request_id="question:orchestrator-1-0",
    kind="question",
    experiment_id=None,
    subject="q",
    title="orchestrator asks",
    detail="Digits or faces?",
)

APPROVED = e.ApprovalDecided(
    by="policy",
    decision_id="policy:E1.1",
    request_id="E1.1",
    subject=SPEC.sha256,
    decision="approve",
    maximum_usd=Decimal("2.40"),
    note="policy auto",
)

LAUNCHED: tuple[Event, ...] = (
    *WAITING,
    APPROVED,
    e.ExperimentLocked(
        experiment_id="E1",
        decision_id="policy:E1.1",
        sha256=SPEC.sha256,
        hypothesis_sha256="a" * 64,
        reserved_usd=Decimal("2.40"),
    ),
    e.ExperimentStarted(experiment_id="E1"),
    e.SandboxRequested(experiment_id="E1", name="E1", provider="local"),
    e.SandboxOpened(experiment_id="E1", sandbox_id="E1", isolation="namespaces", usd_per_hour=Decimal(0)),
)

SCRIPT = e.ExecRequested(
    exec_id="E1-1",
    experiment_id="E1",
    call_id="c2",
    code="print(1)",
    code_sha256="0" * 64,
    purpose="both arms",
)
SCRIPT_ENDED = e.ExecEnded(exec_id="E1-1", end="finished", exit_code=0, seconds=1.5)

SUPPORTED = Verdict(
    outcome="supported", reason="it lies inside", effect=-0.104, interval=(-0.12, -0.088), seeds=3, alpha=0.05
)

ENDED: tuple[Event, ...] = (
    *LAUNCHED,
    SCRIPT,
    SCRIPT_ENDED,
    e.FindingRecorded(experiment_id="E1", call_id="c3", text="Bagged trees err less."),
    e.SandboxClosed(experiment_id="E1", sandbox_id="E1", seconds=60, cost_usd=Decimal("1.21")),
    e.ExperimentEnded(experiment_id="E1", outcome="done"),
    e.VerdictReached(experiment_id="E1", verdict=SUPPORTED),
    e.PaperRefused(call_id="c4", problems=("line 3: 15.9 is no measurement",)),
    e.PaperPublished(path="paper/paper.md", sha256="0" * 64, numbers=34, struck=0),
    e.RunEnded(outcome="done"),
    e.EngineStopped(reason="finished"),
)
