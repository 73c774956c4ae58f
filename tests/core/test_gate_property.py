"""The gate as a state machine: whatever happens in whatever order, nothing launches that must not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from core import approval
from core.experiment import Experiment
from core.pricing import Estimate
from core.record import events as e
from core.record.events import Event
from core.record.state import ExperimentState, RunState
from tests.core.launch_machine import Launches
from tests.core.launch_rules import Violation
from tests.fakes.specs import hypothesis


def test_nothing_launches_but_what_was_approved_at_its_price_within_the_cap() -> None:
    Launches.locks = Launches.reproductions = Launches.relocks = 0
    run_state_machine_as_test(
        Launches,
        settings=settings(
            max_examples=300,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert Launches.locks > 30, "the state machine hardly launches anything, so that it tests nothing"
    assert Launches.relocks > 5, "the state machine launches nothing again"
    assert Launches.reproductions > 10, "the state machine reproduces nothing"


# The test can fail: each of these gates is broken in one way, and the rules notice it.


def locks_on_any_approval(
    state: RunState, x: ExperimentState, price: Callable[[Experiment], Estimate]
) -> Event | None:
    """Takes an approval for good whatever happened since."""
    approvals = [
        request.decision
        for name in x.requests
        if (request := state.requests[name]).decision and request.decision.decision == "approve"
    ]
    if x.locked is None and x.open and approvals and x.stage == "waiting":
        return locked(x, approvals[0].decision_id, price)
    return sound_step(state, x, price)


def locks_at_whatever_price(
    state: RunState, x: ExperimentState, price: Callable[[Experiment], Estimate]
) -> Event | None:
    """Does not ask again when the price has changed."""
    request = state.live_request(x.id)
    assert request is not None
    assert request.decision is not None
    return locked(x, request.decision.decision_id, price)


def locks_what_was_rejected(
    state: RunState, x: ExperimentState, price: Callable[[Experiment], Estimate]
) -> Event | None:
    """Takes any decision for a yes."""
    request = state.live_request(x.id)
    if x.stage == "waiting" and request is not None and request.decision is not None:
        return locked(x, request.decision.decision_id, price)
    return sound_step(state, x, price)


def locks_without_a_decision(
    state: RunState, x: ExperimentState, price: Callable[[Experiment], Estimate]
) -> Event | None:
    """Does not wait."""
    return locked(x, "none", price) if x.stage == "waiting" else sound_step(state, x, price)


def forgets_kills(
    state: RunState, x: ExperimentState, price: Callable[[Experiment], Estimate]
) -> Event | None:
    """Does not look whether an experiment was killed."""
    kill, x.kill = x.kill, None
    try:
        return sound_step(state, x, price)
    finally:
        x.kill = kill


def forgets_pauses(
    state: RunState, x: ExperimentState, price: Callable[[Experiment], Estimate]
) -> Event | None:
    """Starts while launching is paused."""
    if x.stage == "queued" and not x.kill and state.isolation_accepted and approval._has_place(state):
        return e.ExperimentStarted(experiment_id=x.id)
    return sound_step(state, x, price)


def never_asks(state: RunState, x: ExperimentState, price: Callable[[Experiment], Estimate]) -> Event | None:
    """Waits without having asked."""
    return None if x.stage == "proposed" else sound_step(state, x, price)


def locked(
    x: ExperimentState, decision_id: str, price: Callable[[Experiment], Estimate]
) -> e.ExperimentLocked:
    return e.ExperimentLocked(
        experiment_id=x.id,
        decision_id=decision_id,
        sha256=x.spec.sha256,
        hypothesis_sha256=hypothesis().sha256,
        reserved_usd=price(x.spec).maximum,
    )


sound_step = approval._step

BROKEN: dict[str, tuple[str, Any]] = {
    "ignores the cap": ("core.approval.fits", lambda *_: True),
    "has a place for everyone": ("core.approval._has_place", lambda _: True),
    "approves by policy whatever it costs": ("core.approval.Policy.approves", lambda *_: True),
    "locks on any approval, void or not": ("core.approval._step", locks_on_any_approval),
    "locks at whatever price": ("core.approval._lock", locks_at_whatever_price),
    "locks what was rejected": ("core.approval._step", locks_what_was_rejected),
    "locks without a decision": ("core.approval._step", locks_without_a_decision),
    "forgets kills": ("core.approval._step", forgets_kills),
    "forgets pauses": ("core.approval._step", forgets_pauses),
    "launches anything in a reproduction": ("core.approval._is_due", lambda *_: True),
    "never asks": ("core.approval._step", never_asks),
    "accepts any isolation": (
        "core.record.state.RunState.isolation_accepted",
        property(lambda state: state.engine is not None),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_gate_that_is_broken_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*BROKEN[name])
    with pytest.raises(Violation):
        run_state_machine_as_test(
            Launches,
            settings=settings(
                max_examples=1500,
                stateful_step_count=40,
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.generate],
                print_blob=False,
                report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
            ),
        )
