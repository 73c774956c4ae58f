"""Policies as people type them, and what the gate does where the state machine does not look closely."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.approval import NOBODY_IS_HERE, Policy, next_event, script_needs_a_yes
from core.experiment import MAX_TITLE_CHARACTERS, Experiment
from core.pricing import Estimate
from core.record.events import (
    ApprovalDecided,
    ApprovalRequested,
    BudgetSet,
    EngineStarted,
    Event,
    ExperimentEnded,
    ExperimentLocked,
    ExperimentProposed,
    ExperimentStarted,
    KillRequested,
    LaunchingPaused,
    RunCreated,
    RunEnded,
    SeedsRequested,
    StopRequested,
)
from core.record.fold import fold
from core.record.live import LiveRun
from core.record.state import RunState
from core.repeats import MORE_SEEDS
from tests.fakes.launching import lock
from tests.fakes.specs import experiment, run_settings

ONE = Estimate(maximum=Decimal(1))


def one_dollar(_: Experiment) -> Estimate:
    return ONE


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("ask", Policy("ask")),
        (" auto\n", Policy("auto")),
        ("cpu", Policy("cpu")),
        ("under:0.50", Policy("under", Decimal("0.50"))),
        ("under: $2", Policy("under", Decimal(2))),
        ("under:0", Policy("under", Decimal(0))),
    ],
)
def test_a_policy_is_read_as_people_type_it(text: str, policy: Policy) -> None:
    assert Policy.parse(text) == Policy.read(text) == policy


@pytest.mark.parametrize(
    "text",
    ["", "yes", "AUTO", "auto:1", "cpu:yes", "under", "under:", "under:-1", "under:NaN", "under:sNaN",
     "under:Infinity", "under:1,50", "under:a lot", "automatic", "ask auto", "auto;ask"],
)  # fmt: skip
def test_what_cannot_be_read_means_ask(text: str) -> None:
    assert Policy.parse(text) is None
    assert Policy.read(text) == Policy("ask")


@given(
    text=st.text(max_size=12)
    | st.text(max_size=12).map(lambda limit: f"under:{limit}")
    | st.decimals().map(lambda limit: f"under:{limit}")
    | st.sampled_from(["auto", "cpu", "ask"])
)
def test_no_text_whatever_makes_a_policy_that_approves_an_unknown_price(text: str) -> None:
    policy = Policy.read(text)
    assert not policy.approves(experiment(), None)
    assert not policy.approves(experiment(), Estimate(low=Decimal(0), high=Decimal(0)))


def test_policies_approve_what_they_say() -> None:
    free, dear = Estimate(maximum=Decimal(0)), Estimate(maximum=Decimal("2.01"))
    plain, gpu = experiment(), experiment(gpu="H100")
    approves = {
        name: [Policy.read(name).approves(spec, price) for spec in (plain, gpu) for price in (free, dear)]
        for name in ("ask", "auto", "cpu", "under:2.01", "under:2")
    }
    assert approves == {
        "ask": [False] * 4,
        "auto": [True] * 4,
        "cpu": [True, True, False, False],
        "under:2.01": [True] * 4,
        "under:2": [True, False, True, False],
    }


def run(*events: Event, isolation: str = "namespaces", **settings: object) -> RunState:
    begin: list[Event] = [
        RunCreated(run_id="r", question="?", settings=run_settings(**settings), version="0"),
        EngineStarted(pid=1, host="h", isolation=isolation, isolation_advice="Install bubblewrap."),
    ]
    return fold([event.model_copy(update={"seq": seq}) for seq, event in enumerate([*begin, *events], 1)])


def settle(state: RunState, limit: int = 50) -> list[Event]:
    """What the gate does until it waits."""
    done: list[Event] = []
    while (event := next_event(state, one_dollar)) is not None:
        done.append(event)
        fold([event.model_copy(update={"seq": state.seq + 1})], state)
        assert len(done) < limit
    return done


def yes(request: ApprovalRequested) -> ApprovalDecided:
    return ApprovalDecided(
        by="human",
        decision_id=f"yes-{request.request_id}",
        request_id=request.request_id,
        subject=request.subject,
        decision="approve",
        maximum_usd=request.estimate.maximum if request.estimate else None,
    )


def proposed(number: int = 1) -> ExperimentProposed:
    return ExperimentProposed(experiment=experiment(number), call_id="c")


def test_an_empty_journal_and_a_run_that_is_over_have_no_next_event() -> None:
    assert next_event(RunState(), one_dollar) is None
    for last in (KillRequested(), StopRequested(), RunEnded(outcome="done")):
        assert next_event(run(proposed(), last), one_dollar) is None


def test_a_launch_is_asked_for_with_its_price_and_waits() -> None:
    [request] = settle(run(proposed()))
    assert isinstance(request, ApprovalRequested)
    assert (request.subject, request.estimate) == (experiment().sha256, ONE)


def test_an_approval_that_no_longer_fits_the_cap_is_asked_for_again_with_the_sums() -> None:
    state = run(proposed(), budget_usd=10)
    [first] = settle(state)
    assert isinstance(first, ApprovalRequested)
    fold([BudgetSet(seq=9, cap_usd=Decimal("0.50")), yes(first)], state)
    [again] = settle(state)
    assert isinstance(again, ApprovalRequested)
    assert "needs ≤ $1.00 and $0.50 of $0.50 is free" in again.detail
    assert state.requests[first.request_id].void


@pytest.mark.parametrize(("now", "holds"), [("0.99", True), ("1.00", True), ("1.01", False), (None, False)])
def test_an_approval_holds_for_its_price_or_less_and_is_asked_for_again_above_it(
    now: str | None, holds: bool
) -> None:
    state = run(proposed(), budget_usd=10)
    [request] = settle(state)
    assert isinstance(request, ApprovalRequested)
    fold([yes(request).model_copy(update={"seq": 9})], state)
    price = Estimate(maximum=None if now is None else Decimal(now))
    event = next_event(state, lambda spec: price)
    if holds:
        assert isinstance(event, ExperimentLocked)
        assert event.reserved_usd == price.maximum
    else:
        assert isinstance(event, ApprovalRequested)
        assert (event.estimate, event.detail) == (price, "The price has changed since it was approved.")


def test_a_policy_approves_locks_and_starts_only_what_fits_and_the_rest_when_there_is_room() -> None:
    state = run(proposed(1), proposed(2), budget_usd=1, approve="auto", max_parallel=2)
    events = settle(state)
    assert [type(event) for event in events].count(ExperimentStarted) == 1
    assert [x.stage for x in state.experiments.values()] == ["running", "waiting"]
    fold([BudgetSet(seq=99, cap_usd=Decimal(2))], state)
    settle(state)
    assert [x.stage for x in state.experiments.values()] == ["running", "running"]


def test_a_question_is_answered_by_an_unattended_policy_only() -> None:
    question = ApprovalRequested(
        request_id="q", kind="question", experiment_id=None, subject="s", title="orchestrator asks"
    )
    assert settle(run(question)) == []
    [answer] = settle(run(question, approve="auto"))
    assert isinstance(answer, ApprovalDecided)
    assert (answer.decision, answer.note, answer.by) == ("answer", NOBODY_IS_HERE, "policy")


def test_a_script_is_never_approved_by_a_policy() -> None:
    script = ApprovalRequested(request_id="s", kind="script", experiment_id=None, subject="s", title="t")
    assert settle(run(script, approve="auto")) == []


def test_without_isolation_nothing_starts_until_a_human_accepts_that_once() -> None:
    state = run(proposed(), isolation="process only", approve="auto")
    asked = [event for event in settle(state) if isinstance(event, ApprovalRequested)]
    isolation = next(event for event in asked if event.kind == "isolation")
    assert "can read your files" in isolation.title
    assert isolation.detail == "Install bubblewrap."
    assert state.experiments["E1"].stage == "queued"
    fold([yes(isolation).model_copy(update={"seq": 50})], state)
    assert [type(event) for event in settle(state)] == [ExperimentStarted]


def test_isolation_accepted_beforehand_is_accepted_in_the_journal() -> None:
    state = run(isolation="process only", accept_process_only=True)
    _, accepted = settle(state)
    assert isinstance(accepted, ApprovalDecided)
    assert (accepted.by, accepted.decision) == ("policy", "approve")
    assert state.isolation_accepted


@pytest.mark.parametrize(
    ("isolation", "setting", "needed"),
    [
        ("namespaces", None, False),
        ("process only", None, True),
        ("process only", False, False),
        ("namespaces", True, True),
    ],
)
def test_every_script_needs_a_yes_where_isolation_is_weak_or_the_human_wants_it(
    isolation: str, setting: bool | None, needed: bool
) -> None:
    assert script_needs_a_yes(run(isolation=isolation, confirm_scripts=setting)) is needed


def test_a_killed_experiment_ends_before_it_runs_and_frees_its_money() -> None:
    state = run(proposed(), LaunchingPaused(), approve="auto")
    settle(state)
    assert state.experiments["E1"].stage == "queued"
    assert state.reserved_usd == 1
    fold([KillRequested(seq=50, experiment_id="E1", note="Too dear.")], state)
    [ended] = settle(state)
    assert isinstance(ended, ExperimentEnded)
    assert (ended.outcome, ended.message) == ("killed", "Too dear.")
    assert state.reserved_usd == 0


def test_more_seeds_are_an_experiment_of_their_own_with_seeds_nobody_used(live: LiveRun) -> None:
    lock(live, 1)
    live.record(
        ExperimentEnded(experiment_id="E1", outcome="done"),
        SeedsRequested(request_id="s1", experiment_id="E1", count=3),
        SeedsRequested(request_id="s2", experiment_id="E1", count=2),
    )
    live.record(*settle(live.state))
    second, third = (live.state.experiments[name].spec for name in ("E2", "E3"))
    assert (second.repeats, third.repeats) == ("E1", "E1")
    assert second.hypothesis is not None
    assert third.hypothesis is not None
    assert (second.hypothesis.seeds, third.hypothesis.seeds) == ((3, 4, 5), (6, 7))
    assert live.state.experiments["E2"].stage == "waiting"


def test_a_long_title_still_has_room_for_saying_that_it_is_a_repeat(live: LiveRun) -> None:
    spec = experiment(title="x" * MAX_TITLE_CHARACTERS)
    live.record(
        ExperimentProposed(experiment=spec, call_id="c"),
        ExperimentEnded(experiment_id="E1", outcome="done"),
        SeedsRequested(request_id="s1", experiment_id="E1", count=3),
    )
    event = next_event(live.state, one_dollar)
    assert event is not None
    live.record(event)
    assert live.state.experiments["E2"].spec.title.endswith(MORE_SEEDS)


def test_a_lock_names_the_decision_and_both_hashes() -> None:
    state = run(proposed(), approve="auto")
    [lock_event] = [event for event in settle(state) if isinstance(event, ExperimentLocked)]
    spec = experiment()
    assert spec.hypothesis is not None
    assert (lock_event.sha256, lock_event.hypothesis_sha256) == (spec.sha256, spec.hypothesis.sha256)
    assert (lock_event.decision_id, lock_event.reserved_usd) == ("policy:E1.1", Decimal(1))
