"""What a human may decide, and the words in which the rest is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core import decisions
from core.errors import DecisionError
from core.pricing import Estimate
from core.record import events as e
from core.record.events import Event
from core.record.fold import fold
from core.record.state import RunState
from tests.fakes.event_samples import likely_journals
from tests.fakes.specs import experiment, run_settings

CREATED = e.RunCreated(run_id="the-run", question="?", settings=run_settings(), version="0")
SPEC = experiment(1)
PROPOSED = e.ExperimentProposed(experiment=SPEC, call_id="c1")
LAUNCH = e.ApprovalRequested(
    request_id="E1.1",
    kind="launch",
    experiment_id="E1",
    subject=SPEC.sha256,
    title="Experiment 1",
    estimate=Estimate(maximum=Decimal("2.40")),
)
QUESTION = e.ApprovalRequested(
    request_id="question:orchestrator-1-0", kind="question", experiment_id=None, subject="q", title="asks"
)
SCRIPT = e.ApprovalRequested(
    request_id="script:E1-1-0", kind="script", experiment_id="E1", subject="s", title="a script"
)
ISOLATION = e.ApprovalRequested(
    request_id="isolation", kind="isolation", experiment_id=None, subject="i", title="no isolation?"
)


def state_of(*events: Event) -> RunState:
    return fold([CREATED, *events])


def launched(state: RunState) -> RunState:
    """The state once its launch was approved, locked and started."""
    (decided,) = decisions.approve(state, "E1")
    locked = e.ExperimentLocked(
        experiment_id="E1",
        decision_id=decided.decision_id,
        sha256=SPEC.sha256,
        hypothesis_sha256=None,
        reserved_usd=Decimal("2.40"),
    )
    return fold([decided, locked, e.ExperimentStarted(experiment_id="E1")], state)


def ended(outcome: e.ExperimentOutcome = "done") -> e.ExperimentEnded:
    return e.ExperimentEnded(experiment_id="E1", outcome=outcome)


def test_an_approval_names_exactly_the_specification_and_the_price_that_were_shown() -> None:
    (decided,) = decisions.approve(state_of(PROPOSED, LAUNCH), "e1")
    assert (decided.by, decided.subject, decided.maximum_usd) == ("human", SPEC.sha256, Decimal("2.40"))


def test_an_approval_makes_the_experiment_approved_and_counts_once() -> None:
    state = state_of(PROPOSED, LAUNCH)
    (decided,) = decisions.approve(state, "E1")
    assert fold([decided, decided], state).experiments["E1"].stage == "approved"


def test_every_decision_has_an_id_of_its_own() -> None:
    state = state_of(PROPOSED, LAUNCH)
    assert decisions.approve(state, "E1")[0].decision_id != decisions.approve(state, "E1")[0].decision_id


def test_all_approves_launches_and_scripts_but_neither_questions_nor_missing_isolation() -> None:
    decided = decisions.approve(state_of(PROPOSED, LAUNCH, QUESTION, SCRIPT, ISOLATION), "all")
    assert [one.request_id for one in decided] == ["E1.1", "script:E1-1-0"]


def test_running_without_isolation_is_approved_by_its_own_name() -> None:
    (decided,) = decisions.approve(state_of(ISOLATION), "isolation")
    assert decided.decision == "approve"


def test_a_part_of_a_name_is_enough_where_it_fits_one_request() -> None:
    (decided,) = decisions.approve(state_of(PROPOSED, SCRIPT, QUESTION), "E1-1-0")
    assert decided.request_id == "script:E1-1-0"


def test_an_answer_carries_its_text() -> None:
    (decided,) = decisions.answer(state_of(QUESTION), QUESTION.request_id, "  both  ")
    assert (decided.decision, decided.note) == ("answer", "both")


def test_a_rejection_carries_its_reason() -> None:
    (decided,) = decisions.reject(state_of(PROPOSED, LAUNCH), "E1", "too dear")
    assert (decided.decision, decided.note) == ("reject", "too dear")


def test_a_decision_that_the_policy_was_quicker_to_make_says_who_made_it() -> None:
    state = state_of(PROPOSED, LAUNCH)
    (decided,) = decisions.approve(state, "E1")
    fold([decided.model_copy(update={"by": "policy"})], state)
    with pytest.raises(DecisionError, match="E1 was approved already by policy at 20"):
        decisions.approve(state, "E1")


def test_an_edit_replaces_the_specification_and_voids_its_approval() -> None:
    state = state_of(PROPOSED, LAUNCH)
    fold(decisions.approve(state, "E1"), state)
    (edited,) = decisions.edit(state, "E1", {"compute.timeout_seconds": 600, "title": "Shorter"})
    fold([edited], state)
    spec = state.experiments["E1"].spec
    assert (spec.title, spec.compute.timeout_seconds, spec.alpha) == ("Shorter", 600, SPEC.alpha)
    assert state.live_request("E1") is None


def test_an_edit_may_replace_a_whole_part() -> None:
    (edited,) = decisions.edit(state_of(PROPOSED), "E1", {"compute": {"cpus": 2}, "hypothesis": None})
    assert (edited.experiment.compute.cpus, edited.experiment.hypothesis) == (2, None)


def test_a_later_edit_of_the_changes_does_not_reach_the_event() -> None:
    seeds = [3, 4, 5]
    (edited,) = decisions.edit(state_of(PROPOSED), "E1", {"hypothesis.seeds": seeds})
    seeds.append(6)
    assert edited.experiment.hypothesis is not None
    assert edited.experiment.hypothesis.seeds == (3, 4, 5)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"alpha": 0.5}, "'alpha' cannot be edited"),
        ({"id": "E7"}, "'id' cannot be edited"),
        ({"round": 3}, "'round' cannot be edited"),
        ({"repeats": "E1"}, "'repeats' cannot be edited"),
        ({"compute.timeout_seconds": -1}, "compute.timeout_seconds"),
        ({"compute.colour": "red"}, "compute.colour"),
        ({"nonsense.place": 1}, "there is no 'nonsense.place' to edit"),
        ({"hypothesis.seeds": [1, 1]}, "a seed is named twice"),
        ({"compute.packages": ["torch @ https://example.org/x"]}, "names an address"),
        ({"title": SPEC.title}, "nothing in E1 would change"),
        ({}, "nothing in E1 would change"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused_in_clear_words(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(DecisionError) as refused:
        decisions.edit(state_of(PROPOSED), "E1", changes)
    assert words in refused.value.message
    assert "\n" not in str(refused.value)


def test_what_is_locked_cannot_be_edited_any_more() -> None:
    with pytest.raises(DecisionError, match="E1 is locked"):
        decisions.edit(launched(state_of(PROPOSED, LAUNCH)), "E1", {"title": "Other"})


def test_a_cap_below_what_is_bound_is_refused_with_the_figure() -> None:
    state = launched(state_of(PROPOSED, LAUNCH))
    with pytest.raises(DecisionError, match=r"\$0\.00 is spent and \$2\.40 reserved"):
        decisions.budget(state, Decimal(1))
    assert fold(decisions.budget(state, Decimal("2.40")), state).cap_usd == Decimal("2.40")


@pytest.mark.parametrize("cap", [Decimal(-1), Decimal("NaN"), Decimal("Infinity")])
def test_a_cap_that_is_no_amount_is_refused(cap: Decimal) -> None:
    with pytest.raises(DecisionError, match="a cap cannot be"):
        decisions.budget(state_of(), cap)


def test_pausing_and_continuing_alternate() -> None:
    state = state_of()
    with pytest.raises(DecisionError, match="not paused"):
        decisions.go_on(state)
    fold(decisions.pause(state), state)
    with pytest.raises(DecisionError, match="paused already"):
        decisions.pause(state)
    assert not fold(decisions.go_on(state), state).paused


def test_a_message_reaches_agents_that_do_not_exist_yet_but_none_that_has_ended() -> None:
    state = state_of(PROPOSED)
    assert decisions.tell(state, "Orchestrator", "go")[0].agent == "orchestrator"
    assert decisions.tell(state, "e1", "go")[0].agent == "E1"
    fold([ended()], state)
    with pytest.raises(DecisionError, match="E1 has ended"):
        decisions.tell(state, "E1", "go")
    with pytest.raises(DecisionError, match="there is no experiment 'nobody'"):
        decisions.tell(state, "nobody", "go")


def test_more_seeds_need_an_experiment_that_was_carried_out() -> None:
    state = launched(state_of(PROPOSED, LAUNCH))
    with pytest.raises(DecisionError, match="has not ended"):
        decisions.seeds(state, "E1", 10)
    fold([ended()], state)
    (asked,) = decisions.seeds(state, "E1", 10)
    assert (asked.experiment_id, asked.count) == ("E1", 10)
    with pytest.raises(DecisionError, match="1 seeds are not between"):
        decisions.seeds(state, "E1", 1)


def test_seeds_of_an_experiment_that_was_cut_off_are_refused() -> None:
    with pytest.raises(DecisionError, match=r"not carried out \(killed\)"):
        decisions.seeds(state_of(PROPOSED, ended("killed")), "E1", 10)


def test_killing_what_is_being_killed_is_refused() -> None:
    state = state_of(PROPOSED)
    fold(decisions.kill(state, "E1", "bad idea"), state)
    with pytest.raises(DecisionError, match="E1 is being killed already"):
        decisions.kill(state, "E1", "")
    fold(decisions.kill(state, None, ""), state)
    with pytest.raises(DecisionError, match="the run is being killed already"):
        decisions.kill(state, None, "")


@pytest.mark.parametrize(
    ("decide", "words"),
    [
        (lambda state: decisions.approve(state, "E9"), "nothing called 'E9' waits"),
        (lambda state: decisions.approve(state, QUESTION.request_id), "a yes does not answer it"),
        (lambda state: decisions.reject(state, QUESTION.request_id, "no"), "answered and not rejected"),
        (lambda state: decisions.answer(state, "E1", "yes"), "is not a question"),
        (lambda state: decisions.answer(state, QUESTION.request_id, " "), "the answer is empty"),
        (lambda state: decisions.answer(state, QUESTION.request_id, "x" * 9000), "9,000 characters"),
        (lambda state: decisions.tell(state, "writer", ""), "the message is empty"),
        (lambda state: decisions.seeds(state, "E9", 5), "there is no experiment 'E9'"),
        (lambda state: decisions.approve(state, ""), "nothing called '' waits"),
    ],
)
def test_what_does_not_wait_is_refused_in_clear_words(
    decide: Callable[[RunState], Sequence[Event]], words: str
) -> None:
    with pytest.raises(DecisionError) as refused:
        decide(state_of(PROPOSED, LAUNCH, QUESTION))
    assert words in refused.value.message
    assert refused.value.next_step


@pytest.mark.parametrize(
    "decide",
    [
        lambda state: decisions.approve(state, "E1"),
        lambda state: decisions.approve(state, "all"),
        lambda state: decisions.reject(state, "E1", ""),
        lambda state: decisions.edit(state, "E1", {"title": "x"}),
        lambda state: decisions.kill(state, None, ""),
        decisions.pause,
        lambda state: decisions.tell(state, "orchestrator", "hello"),
        lambda state: decisions.seeds(state, "E1", 5),
        lambda state: decisions.budget(state, Decimal(5)),
        lambda state: decisions.stop(state, close_sandboxes=False),
    ],
)
def test_nothing_can_be_decided_about_a_run_that_has_ended(
    decide: Callable[[RunState], Sequence[Event]],
) -> None:
    with pytest.raises(DecisionError, match="the run has ended: done"):
        decide(state_of(PROPOSED, LAUNCH, e.RunEnded(outcome="done")))


@settings(deadline=None)
@given(likely_journals(), st.sampled_from(["E1", "E2", "all", "isolation", "E1.2", "question", "", "E1-"]))
def test_whatever_a_journal_holds_a_decision_is_events_or_one_clear_refusal(
    events: list[Event], name: str
) -> None:
    state = fold([CREATED, *events])
    for decide in (
        lambda: decisions.approve(state, name),
        lambda: decisions.reject(state, name, "no"),
        lambda: decisions.answer(state, name, "yes"),
        lambda: decisions.edit(state, name, {"title": "Another title"}),
        lambda: decisions.kill(state, name, ""),
        lambda: decisions.tell(state, name, "hello"),
        lambda: decisions.seeds(state, name, 5),
    ):
        try:
            assert decide()
        except DecisionError as refused:
            assert refused.next_step  # noqa: PT017 - either is right


@st.composite
def journals_with_something_waiting(draw: st.DrawFn) -> list[Event]:
    """Events of a run that goes on, with requests that wait unless what comes behind them decides them."""
    others = [event for event in draw(likely_journals()) if not isinstance(event, e.RunEnded)]
    place = draw(st.integers(0, len(others)))
    return [PROPOSED, *others[:place], LAUNCH, SCRIPT, *others[place:]]


@settings(deadline=None)
@given(journals_with_something_waiting(), st.sampled_from(["E1", "script", "all"]))
def test_an_approval_that_is_given_out_always_counts(events: list[Event], name: str) -> None:
    state = fold([CREATED, *events])
    try:
        decided = decisions.approve(state, name)
    except DecisionError:
        assume(False)  # too many of these, and there is no test
        raise
    fold(decided, state)
    assert all(state.requests[one.request_id].decision is one for one in decided)
