"""Folding is total: whatever a journal holds, in whatever order, there is a state."""

from __future__ import annotations

import copy
from dataclasses import fields
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.approval import next_event
from core.pricing import Estimate
from core.record import events as e
from core.record.events import EVENT_TYPES, Event
from core.record.fold import _HANDLERS, fold
from core.record.state import RunState
from tests.fakes.event_samples import BY_TYPE, any_event, likely_journals
from tests.fakes.specs import experiment, run_settings

disordered = st.lists(any_event, max_size=40)
journals = disordered | likely_journals()


def numbered(events: list[Event]) -> list[Event]:
    return [event.model_copy(update={"seq": seq}) for seq, event in enumerate(events, 1)]


def check_derived(state: RunState) -> None:
    """Everything that is computed from a state has a value."""
    assert state.spent_usd >= 0
    assert state.reserved_usd >= 0
    assert state.free_usd >= 0
    assert isinstance(state.isolation_accepted, bool)
    for experiment_state in state.experiments.values():
        assert experiment_state.held_usd >= 0
        request = state.live_request(experiment_state.id)
        assert request is None or not request.void
    assert all(request.waits for request in state.waiting)
    next_event(state, lambda _: Estimate(maximum=Decimal(1)))


@given(events=journals)
@settings(max_examples=300, deadline=None)
def test_any_list_of_events_folds_and_every_prefix_of_it(events: list[Event]) -> None:
    state = RunState()
    for event in numbered(events):
        fold([event], state)
        check_derived(state)


@given(events=likely_journals(), data=st.data())
@settings(max_examples=150, deadline=None)
def test_shuffled_and_repeated_events_fold(events: list[Event], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(events + events[: len(events) // 2]))
    check_derived(fold(numbered(list(shuffled))))


@given(events=journals, cut=st.integers(0, 40))
@settings(max_examples=150, deadline=None)
def test_folding_on_gives_what_folding_at_once_gives(events: list[Event], cut: int) -> None:
    events = numbered(events)
    at_once = fold(events)
    in_two = fold(events[cut:], copy.deepcopy(fold(events[:cut])))
    for field in fields(RunState):
        assert getattr(in_two, field.name) == getattr(at_once, field.name), field.name


def test_every_event_type_has_a_handler_and_a_sample() -> None:
    assert set(_HANDLERS) == set(EVENT_TYPES.values()) == set(BY_TYPE)


def test_an_unknown_event_changes_nothing_but_the_place() -> None:
    state = fold([e.UnknownEvent(type="moon.landed", seq=5)])
    assert state.seq == 5
    assert state == fold([], RunState(seq=5, last_at=state.last_at))


def begun(*events: Event) -> RunState:
    """A run with experiment E1 whose launch is asked for at $2, and then these events."""
    spec = experiment()
    return fold(
        numbered(
            [
                e.RunCreated(run_id="r", question="?", settings=run_settings(budget_usd=10), version="0"),
                e.ExperimentProposed(experiment=spec, call_id="c"),
                e.ApprovalRequested(
                    request_id="E1.1",
                    kind="launch",
                    experiment_id="E1",
                    subject=spec.sha256,
                    title="t",
                    estimate=Estimate(maximum=Decimal(2)),
                ),
                *events,
            ]
        )
    )


def decision(**changes: object) -> e.ApprovalDecided:
    fields_of = {
        "by": "human",
        "decision_id": "d1",
        "request_id": "E1.1",
        "subject": experiment().sha256,
        "decision": "approve",
        "maximum_usd": Decimal(2),
    }
    return e.ApprovalDecided.model_validate(fields_of | changes)


def locked(reserved_usd: Decimal | None = Decimal(2)) -> e.ExperimentLocked:
    return e.ExperimentLocked(
        experiment_id="E1",
        decision_id="d1",
        sha256=experiment().sha256,
        hypothesis_sha256=None,
        reserved_usd=reserved_usd,
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"subject": "0" * 64},
        {"maximum_usd": Decimal(3)},
        {"maximum_usd": Decimal(1)},
        {"maximum_usd": None},
        {"request_id": "E1.7"},
        {"decision": "answer"},
    ],
    ids=lambda wrong: next(iter(wrong)) + " " + str(next(iter(wrong.values())))[:4],
)
def test_a_decision_that_is_not_about_what_was_shown_does_not_count(wrong: dict[str, object]) -> None:
    state = begun(decision(**wrong))
    assert state.experiments["E1"].stage == "waiting"
    assert [request.asked.request_id for request in state.waiting] == ["E1.1"]
    assert begun(decision(**wrong), decision(decision_id="d2")).experiments["E1"].stage == "approved"


def test_the_first_of_two_decisions_counts() -> None:
    state = begun(decision(decision="reject"), decision(decision_id="d2"))
    request = state.requests["E1.1"].decision
    assert request is not None
    assert request.decision == "reject"


def test_nothing_waits_in_a_run_that_has_ended() -> None:
    asked = e.ApprovalRequested(
        request_id="isolation", kind="isolation", experiment_id=None, subject="i", title="Without isolation?"
    )
    state = begun(asked)
    assert state.waiting
    fold([e.RunEnded(outcome="done", seq=99)], state)
    assert not state.waiting


def test_an_edit_voids_the_approval_it_overtakes() -> None:
    edited = experiment(title="Another")
    state = begun(decision(), e.ExperimentEdited(edit_id="x", experiment=edited))
    assert state.experiments["E1"].stage == "proposed"
    assert state.requests["E1.1"].void
    assert state.live_request("E1") is None


def test_an_edit_after_the_lock_changes_nothing() -> None:
    edited = experiment(title="Another")
    state = begun(decision(), locked(), e.ExperimentEdited(edit_id="x", experiment=edited))
    assert state.experiments["E1"].spec == experiment()


def test_a_lock_reserves_and_costs_wear_the_reservation_off_until_the_end_frees_it() -> None:
    opened = e.SandboxOpened(
        experiment_id="E1", sandbox_id="s", isolation="namespaces", usd_per_hour=Decimal(1)
    )
    closed = e.SandboxClosed(experiment_id="E1", sandbox_id="s", seconds=1800, cost_usd=Decimal("0.5"))
    state = begun(decision(), locked(), opened, closed)
    assert (state.spent_usd, state.reserved_usd, state.free_usd) == (
        Decimal("0.5"),
        Decimal("1.5"),
        Decimal(8),
    )
    state = begun(decision(), locked(), opened, closed, e.ExperimentEnded(experiment_id="E1", outcome="done"))
    assert (state.spent_usd, state.reserved_usd, state.free_usd) == (
        Decimal("0.5"),
        Decimal(0),
        Decimal("9.5"),
    )


def test_an_unknown_cost_is_counted_and_makes_the_total_unknown() -> None:
    opened = e.SandboxOpened(experiment_id="E1", sandbox_id="s", isolation="none", usd_per_hour=None)
    closed = e.SandboxClosed(experiment_id="E1", sandbox_id="s", seconds=1, cost_usd=None)
    state = begun(decision(), locked(), opened, closed)
    assert state.unknown_costs == 1
    assert state.experiments["E1"].cost_usd is None
    assert state.reserved_usd == Decimal(2)


def test_a_price_kept_for_a_turn_is_given_back_when_the_turn_or_the_engine_is_over() -> None:
    agent = e.AgentStarted(
        agent="orchestrator", model="m", scripted=True, system="", tools=(), prompt="", prompts_version="1"
    )
    asked = e.TurnStarted(agent="orchestrator", number=1, reserved_usd=Decimal(1))
    finished = e.TurnFinished(
        agent="orchestrator", number=1, raw={}, text="", thoughts="", calls=(), cost_usd=Decimal("0.25")
    )
    engine = e.EngineStarted(pid=1, host="h", isolation="namespaces")
    assert begun(agent, asked).reserved_usd == Decimal(1)
    assert begun(agent, asked, finished).reserved_usd == Decimal(0)
    assert begun(agent, asked, finished).spent_usd == Decimal("0.25")
    assert begun(agent, asked, engine).reserved_usd == Decimal(0)


def test_a_turn_is_paid_once_even_if_it_is_in_twice() -> None:
    agent = e.AgentStarted(
        agent="orchestrator", model="m", scripted=True, system="", tools=(), prompt="", prompts_version="1"
    )
    finished = e.TurnFinished(
        agent="orchestrator", number=1, raw={}, text="", thoughts="", calls=(), cost_usd=Decimal(1)
    )
    assert begun(agent, finished, finished).spent_usd == Decimal(1)
