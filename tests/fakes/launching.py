"""Bringing experiments of a run to where a test begins, by the events that really lead there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from core.pricing import Estimate
from core.record.events import (
    ApprovalDecided,
    ApprovalRequested,
    ExperimentLocked,
    ExperimentProposed,
    ExperimentStarted,
)
from core.record.live import LiveRun
from tests.fakes.specs import experiment


def lock(live: LiveRun, number: int, reserved_usd: Decimal | None = Decimal(1), **changes: Any) -> None:
    """Propose, approve, lock and start the experiment with this number."""
    spec = experiment(number, **changes)
    name, request, decision = spec.id, f"{spec.id}.1", f"yes-{spec.id}"
    estimate = Estimate(maximum=reserved_usd)
    live.record(
        ExperimentProposed(experiment=spec, call_id=f"call-{name}"),
        ApprovalRequested(
            request_id=request,
            kind="launch",
            experiment_id=name,
            subject=spec.sha256,
            title=spec.title,
            estimate=estimate,
        ),
        ApprovalDecided(
            by="human",
            decision_id=decision,
            request_id=request,
            subject=spec.sha256,
            decision="approve",
            maximum_usd=reserved_usd,
        ),
        ExperimentLocked(
            experiment_id=name,
            decision_id=decision,
            sha256=spec.sha256,
            hypothesis_sha256=spec.hypothesis.sha256 if spec.hypothesis else None,
            reserved_usd=reserved_usd,
        ),
        ExperimentStarted(experiment_id=name),
    )
