"""Deciding and steering from any terminal: what is appended, and what the human reads."""

from __future__ import annotations

import sys
from decimal import Decimal

import pytest

from core.record import events as e
from tests.fakes.specs import experiment
from tests.tui.conftest import Home, refusal
from tests.tui.plans import ENDED, ENGINE, LAUNCHED, PROPOSED, QUESTION, WAITING, requested

RESUME = "The engine is not running: this counts once you start it with 'fumehood resume"


@pytest.mark.parametrize("words", [("E1",), ("e1",), ("E1.1",), ("--all",)])
def test_approve_names_the_price_that_was_accepted(home: Home, words: tuple[str, ...]) -> None:
    folder = home.run_with(*WAITING)
    run = () if words[0].startswith("--") or "." not in words[0] else (folder.run_id,)
    result = home.type("approve", *run, *words)
    assert result.exit_code == 0, result.output
    assert "approved E1  Bagged trees, ≤ $2.40" in result.stdout
    decision = folder.state().requests["E1.1"].decision
    assert decision is not None
    assert (decision.by, decision.maximum_usd) == ("human", Decimal("2.40"))


def test_a_decision_without_a_run_is_about_the_one_that_an_engine_drives(home: Home) -> None:
    driven = home.run_with(*WAITING)
    other = home.run_with(*WAITING)
    with driven.locked():
        assert home.type("approve", "E1").exit_code == 0
    assert driven.state().requests["E1.1"].decision is not None
    assert other.state().requests["E1.1"].decision is None


@pytest.mark.parametrize("words", [("approve", "E1"), ("kill", "E1", "--yes"), ("pause",), ("stop",)])
def test_with_several_runs_under_way_the_one_that_is_meant_must_be_named(
    home: Home, words: tuple[str, ...]
) -> None:
    first, second = home.run_with(*WAITING), home.run_with(*WAITING)
    before = first.state().seq, second.state().seq
    with first.locked(), second.locked():
        said = refusal(home.type(*words))
    assert "2 runs are under way" in said
    assert first.run_id in said
    assert (first.state().seq, second.state().seq) == before


def test_several_are_approved_in_one_go_or_none(home: Home) -> None:
    second = experiment(2)
    folder = home.run_with(*WAITING, e.ExperimentProposed(experiment=second, call_id="c1"), requested(second))
    assert "nothing called 'E7' waits" in refusal(home.type("approve", "E1", "E7"))
    assert len(folder.state().waiting) == 2
    assert home.type("approve", "E1", "E2").exit_code == 0
    assert folder.state().waiting == []


def test_an_approval_beyond_what_is_free_says_how_to_raise_the_cap(home: Home) -> None:
    folder = home.run_with(*WAITING, budget_usd=Decimal("2.39"))
    said = home.type("approve", "E1").stdout
    assert "more than the $2.39 of $2.39 that is free" in said
    assert f"fumehood budget {folder.run_id} USD" in said


def test_a_decision_without_an_engine_says_that_it_counts_later(home: Home) -> None:
    folder = home.run_with(*WAITING)
    assert RESUME in home.type("approve", "E1").stdout
    folder = home.run_with(*WAITING)
    with folder.locked():
        assert RESUME not in home.type("approve", folder.run_id, "E1").stdout


def test_what_still_waits_is_named_after_a_decision(home: Home) -> None:
    home.run_with(*WAITING, QUESTION)
    assert "Still waiting: question:orchestrator-1-0." in home.type("approve", "--all").stdout


def test_reject_keeps_the_note(home: Home) -> None:
    folder = home.run_with(*WAITING)
    assert home.type("reject", "E1", "--note", "too dear").exit_code == 0
    decision = folder.state().requests["E1.1"].decision
    assert decision is not None
    assert (decision.decision, decision.note) == ("reject", "too dear")


def test_answer_reaches_the_question(home: Home) -> None:
    folder = home.run_with(ENGINE, QUESTION)
    assert home.type("answer", folder.run_id, "orchestrator-1-0", "digits").exit_code == 0
    decision = folder.state().requests[QUESTION.request_id].decision
    assert decision is not None
    assert decision.note == "digits"


def test_edit_prints_what_differs_and_the_new_price(home: Home) -> None:
    folder = home.run_with(*WAITING, local_usd_per_hour=Decimal(6))
    result = home.type("edit", "E1", "--set", "compute.timeout_seconds=600", "--set", "title=Shorter")
    assert result.exit_code == 0, result.output
    assert "compute.timeout_seconds: 1800 → 600" in result.stdout
    assert 'title: "Bagged trees" → "Shorter"' in result.stdout
    assert "never more than $1.00" in result.stdout
    assert folder.state().experiments["E1"].spec.compute.timeout_seconds == 600


def test_edit_opens_the_proposal_in_the_editor(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home.run_with(*WAITING)
    editor_that(home, monkeypatch, "text.replace('Bagged trees', 'Forests')")
    result = home.type("edit", "E1", "--editor")
    assert result.exit_code == 0, result.output
    assert folder.state().experiments["E1"].spec.title == "Forests"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("text", "nothing was saved"),
        ("'{' + text", "is not JSON"),
        ("'[]'", "is not a JSON object"),
        ("'{}'", "title, why is missing"),
        ('text.replace(\'"plan"\', \'"alpha": 0.5, "plan"\')', "'alpha' cannot be edited"),
    ],
)
def test_an_edit_that_does_not_fit_changes_nothing(
    home: Home, monkeypatch: pytest.MonkeyPatch, change: str, words: str
) -> None:
    folder = home.run_with(*WAITING)
    editor_that(home, monkeypatch, change)
    assert words in refusal(home.type("edit", "E1", "--editor"))
    assert folder.state().live_request("E1") is not None


def test_kill_without_a_terminal_needs_yes(home: Home) -> None:
    folder = home.run_with(*LAUNCHED)
    assert "--yes" in refusal(home.type("kill", folder.run_id))
    assert folder.state().kill is None
    assert home.type("kill", folder.run_id, "--yes", "--note", "enough").exit_code == 0
    kill = folder.state().kill
    assert kill is not None
    assert kill.note == "enough"


def test_kill_of_a_whole_run_needs_its_name(home: Home) -> None:
    home.run_with(*LAUNCHED)
    assert "say what to kill" in refusal(home.type("kill", "--yes"))


def test_kill_of_an_experiment_leaves_the_run_alone(home: Home) -> None:
    folder = home.run_with(*LAUNCHED)
    assert home.type("kill", "E1", "--yes").exit_code == 0
    assert folder.state().kill is None
    assert folder.state().experiments["E1"].kill is not None


def test_pause_continue_tell_and_budget_are_appended(home: Home) -> None:
    folder = home.run_with(*WAITING)
    assert home.type("pause").exit_code == 0
    assert folder.state().paused
    assert home.type("continue", folder.run_id).exit_code == 0
    assert not folder.state().paused
    assert home.type("tell", "orchestrator", "be brief").exit_code == 0
    assert folder.state().messages[-1].text == "be brief"
    assert home.type("budget", "$25").exit_code == 0
    assert folder.state().cap_usd == 25


def test_more_seeds_are_asked_for(home: Home) -> None:
    folder = home.run_with(*LAUNCHED, e.ExperimentEnded(experiment_id="E1", outcome="done"))
    assert home.type("seeds", "E1", "10").exit_code == 0
    (wish,) = folder.state().seeds.values()
    assert (wish.experiment_id, wish.count) == ("E1", 10)


def test_stop_and_resume_say_when_there_is_nothing_to_do(home: Home) -> None:
    ended = home.run_with(*ENDED)
    assert "the run has ended: done" in refusal(home.type("stop", ended.run_id))
    assert "has ended: done" in refusal(home.type("resume", ended.run_id))
    open_run = home.run_with(*WAITING)
    assert "no engine drives" in refusal(home.type("stop", open_run.run_id))
    with open_run.locked():
        assert "an engine drives" in refusal(home.type("resume", open_run.run_id))


def test_decided_things_are_refused_with_who_decided(home: Home) -> None:
    home.run_with(*LAUNCHED, PROPOSED)
    assert "E1 was approved already by policy at " in refusal(home.type("approve", "E1"))


@pytest.mark.parametrize(
    "words",
    [
        ("approve",),
        ("approve", "E1", "--all"),
        ("reject", "E1", "E2"),
        ("answer", "only-one"),
        ("edit", "E1"),
        ("edit", "E1", "--set", "nonsense"),
        ("edit", "E7", "--set", "title=x"),
        ("tell", "orchestrator"),
        ("tell", "nobody", "hello"),
        ("seeds", "E1", "many"),
        ("seeds", "E1", "1"),
        ("budget", "plenty"),
        ("budget", "-5"),
        ("budget", "1e99"),
        ("budget", "nan"),
        ("kill", "E1", "--yes", "--note", "x" * 9000),
        ("attach", "no-such-run"),
        ("show", "no-such-run"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(home: Home, words: tuple[str, ...]) -> None:
    folder = home.run_with(*WAITING)
    before = folder.state().seq
    refusal(home.type(*words))
    assert folder.state().seq == before


def editor_that(home: Home, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    """Make $EDITOR a program that changes the text of the file it is given."""
    script = home.path / "editor.py"
    script.write_text(
        "import pathlib, sys\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "text = path.read_text()\n"
        f"changed = {change}\n"
        "if changed != text: path.write_text(changed)\n"
    )
    monkeypatch.setenv("EDITOR", f"{sys.executable} {script}")
