"""A run that pauses because no model can be asked: said in one line, everywhere, with the next step."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from core.record import events as e
from core.record.fold import fold
from tests.fakes.specs import new_run
from tests.tui.conftest import Home
from tests.tui.plans import ENGINE
from tui.exit_codes import ExitCode
from tui.plain.narrator import Narrator
from tui.screen import Screen
from tui.status import SANDBOXES_GO_ON, paused_in_words, status_of
from tui.widgets.plan_lines import agent_line
from tui.widgets.spend_meter import Spend, spent_in_words
from tui.wording import cost_line

NO_KEY = "Anthropic does not accept the key (401)"
MEND = "Set another with 'fumehood keys set anthropic', then resume"

FAILED = e.TurnFailed(agent="orchestrator", number=1, reason=NO_KEY, next_step=MEND, pauses=True)
PAUSED = e.EngineStopped(reason="paused", message=NO_KEY, next_step=f"{MEND}.", sandboxes="left")


def agent(name: str) -> e.AgentStarted:
    return e.AgentStarted(
        agent=name, model="m", scripted=False, system="s", tools=(), prompt="p", prompts_version="1"
    )


def told(place: Path, *events: e.Event) -> list[str]:
    """The lines about the last of these events."""
    folder = new_run(place)
    with folder.journal() as journal:
        journal.append(ENGINE, agent("orchestrator"), *events)
        known = list(journal.read())
    return Narrator(folder, Screen.of()).lines(fold(known), known[-1])


def test_the_line_of_a_paused_run_names_the_cause_and_the_next_step(tmp_path: Path) -> None:
    [line] = told(tmp_path, FAILED, PAUSED)
    assert line.endswith(f"paused: {NO_KEY}. {MEND}. Its sandboxes stay open: their time and cost go on")


def test_a_paused_run_is_resumable_and_says_why(tmp_path: Path) -> None:
    folder = new_run(tmp_path)
    with folder.journal() as journal:
        journal.append(ENGINE, FAILED, PAUSED)
    status = status_of(folder, folder.state())
    assert (status.mark.word, status.resumable) == ("paused", True)
    assert status.explanation == f"The run is paused: {NO_KEY}. {MEND}. {SANDBOXES_GO_ON}"
    closed = PAUSED.model_copy(update={"sandboxes": "closed"})
    assert paused_in_words(closed) == f"{NO_KEY}. {MEND}"


@pytest.mark.parametrize(("command", "code"), [("attach", ExitCode.ENGINE_GONE), ("show", ExitCode.DONE)])
def test_commands_say_so_and_how_to_go_on(home: Home, command: str, code: ExitCode) -> None:
    folder = home.run_with(ENGINE, FAILED, PAUSED)
    result = home.type(command)
    assert result.exit_code == code
    assert f"{NO_KEY}. {MEND}" in result.stdout
    assert f"fumehood resume {folder.run_id}" in result.stdout


def test_the_failure_that_pauses_a_run_is_told_when_it_happens(tmp_path: Path) -> None:
    [line] = told(tmp_path, FAILED)
    assert f"orchestrator gets no turn: {NO_KEY}; the run pauses once turns under way are in" in line


def test_the_plan_shows_an_agent_that_gets_no_turn_as_paused(tmp_path: Path) -> None:
    folder = new_run(tmp_path)
    with folder.journal() as journal:
        journal.append(ENGINE, agent("orchestrator"), FAILED)
    assert agent_line(folder.state(), "orchestrator").plain == "‖ orchestrator  paused"


def test_a_retry_is_told_with_its_delay_and_its_reason(tmp_path: Path) -> None:
    [line] = told(
        tmp_path, e.TurnRetried(agent="orchestrator", number=1, reason="overloaded (529)", after_seconds=8)
    )
    assert "orchestrator tries again in 8 s: overloaded (529)" in line


def test_who_looks_at_a_run_sees_which_agent_asks_again_when_and_why(home: Home) -> None:
    retried = e.TurnRetried(agent="orchestrator", number=1, reason="overloaded (529)", after_seconds=480)
    folder = home.run_with(ENGINE, agent("orchestrator"), retried)
    with folder.locked():
        said = home.type("show").stdout
        assert re.search(r"^orchestrator asks its model again at [\d:]{8}: overloaded \(529\)$", said, re.M)
    assert "asks its model again" not in home.type("show").stdout, "its engine is gone"


def test_what_turns_that_were_cut_off_may_have_cost_is_told_beside_what_is_spent(tmp_path: Path) -> None:
    folder = new_run(tmp_path)
    asked = e.TurnStarted(agent="orchestrator", number=1, at_most_usd=Decimal("0.805"))
    with folder.journal() as journal:
        journal.append(ENGINE, agent("orchestrator"), asked, ENGINE)
    state = folder.state()
    assert "spent $0.00 (+ ≤ $0.81 cut off) of" in cost_line(state)
    assert spent_in_words(Spend.of(state, e.now())) == "$0.00 +≤$0.81"
