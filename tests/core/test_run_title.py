"""What a run is called: its question, until the human gives it a title."""

from __future__ import annotations

import pytest

from core import decisions
from core.errors import DecisionError
from core.record import events as e
from core.record.fold import fold
from core.record.state import RunState
from tests.fakes.specs import run_settings

CREATED = e.RunCreated(run_id="the-run", question="Does bagging help?", settings=run_settings(), version="0")


def test_a_run_is_called_by_its_question_until_it_gets_a_title() -> None:
    state = fold([CREATED])
    assert state.title == "Does bagging help?"
    fold(decisions.rename(state, "Bagging,\n  first try"), state)
    assert state.title == "Bagging, first try"
    assert state.created is not None
    assert state.created.question == "Does bagging help?"


def test_the_last_title_counts_even_after_the_end() -> None:
    state = fold([CREATED, e.RunRenamed(title="One"), e.RunEnded(outcome="done")])
    fold(decisions.rename(state, "Two"), state)
    assert state.title == "Two"


def test_a_run_that_says_nothing_has_no_title() -> None:
    assert RunState().title == ""


@pytest.mark.parametrize("title", ["", " \n ", "x" * 201, "Does bagging help?"])
def test_a_title_that_is_none_is_refused(title: str) -> None:
    with pytest.raises(DecisionError):
        decisions.rename(fold([CREATED]), title)
