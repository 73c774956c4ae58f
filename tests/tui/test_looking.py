"""Looking at runs: every state in words, and nothing that a model said acts on the terminal."""

from __future__ import annotations

import io
import json
import sqlite3
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.record import events as e
from core.record.events import Event
from core.record.fold import fold
from core.record.folder import RunFolder
from core.record.state import RunState
from core.record.works import Work
from tests.fakes.console_scenes import begun, first_round
from tests.fakes.console_story import TREES
from tests.fakes.event_samples import likely_journals
from tests.fakes.specs import experiment, hypothesis
from tests.tui.conftest import Home, refusal
from tests.tui.plans import ENDED, ENGINE, LAUNCHED, PROPOSED, QUESTION, SCRIPT, SCRIPT_ENDED, WAITING
from tui.overview import Overview
from tui.plain.narrator import Narrator
from tui.screen import Screen


def screen(*, colours: bool = False) -> Screen:
    return Screen(io.StringIO(), colours=colours, unicode=True)


def test_without_any_run_the_list_says_how_to_begin(home: Home) -> None:
    result = home.type("runs")
    assert result.exit_code == 0
    assert "fumehood demo" in result.stdout
    assert len(result.stdout.splitlines()) == 3


def test_the_list_shows_state_question_verdicts_and_cost(home: Home) -> None:
    home.run_with(*ENDED, question="Does bagging help?")
    (_, row) = home.type("runs").stdout.splitlines()
    assert row.split("  ")[0] == "✓ done"
    for part in ("Does bagging help?", "(scripted)", "✓1", "$1.21"):
        assert part in row


def test_on_a_narrow_terminal_a_run_takes_two_lines_that_fit(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = home.run_with(*ENDED, question="Does bagging help every learner, or only those that vary? " * 3)
    monkeypatch.setattr("tui.commands.look.Screen.of", lambda: Screen(sys.stdout, False, True, columns=80))
    first, second = home.type("runs").stdout.splitlines()
    assert first.startswith("✓ done         Does bagging help every learner")
    assert f"✓1  $1.21  0 s  {folder.run_id}" in second
    assert max(len(first), len(second)) <= 80


def test_the_run_that_changed_last_comes_first(home: Home) -> None:
    earlier = home.run_with(question="First?")
    home.run_with(question="Second?")
    with earlier.journal() as journal:
        journal.append(e.LaunchingPaused())
    assert [row.split("  ")[1].strip() for row in home.type("runs").stdout.splitlines()[1:]] == [
        "First?",
        "Second?",
    ]


def test_a_journal_from_the_future_does_not_hide_the_other_runs(home: Home) -> None:
    future = home.run_with(question="Tomorrow?")
    home.run_with(question="Today?")
    make_too_new(future)
    rows = home.type("runs").stdout
    assert "! unreadable" in rows
    assert "newer fumehood" in rows
    assert "Today?" in rows


def test_runs_as_json_are_one_object_per_line(home: Home) -> None:
    folder = home.run_with(*WAITING)
    (row,) = map(json.loads, home.type("runs", "--json").stdout.splitlines())
    assert (row["run"], row["state"], row["resumable"]) == (folder.run_id, "interrupted", True)
    assert row["waiting"] == ["E1.1"]


def test_show_names_what_waits_with_its_price_and_the_exact_commands(home: Home) -> None:
    folder = home.run_with(*WAITING, QUESTION)
    page = home.type("show").stdout
    assert "$0.90 – $1.60, never more than $2.40" in page
    for command in (
        f"fumehood approve {folder.run_id} E1",
        f'fumehood reject {folder.run_id} E1 --note "why"',
        f'fumehood answer {folder.run_id} question:orchestrator-1-0 "…"',
    ):
        assert command in page
    assert "Digits or faces?" in page


def test_show_of_an_ended_run_has_verdict_finding_cost_and_paper(home: Home) -> None:
    folder = home.run_with(*ENDED)
    page = home.type("show", folder.run_id[9:]).stdout
    for part in (
        "✓ supported",
        "effect −0.104 [−0.12, −0.088], 3 seeds",
        "Bagged trees err less.",
        "spent $1.21 of $10.00 cap",
        str(folder.path / "paper/paper.md"),
        "scripted: no language model is being used",
    ):
        assert part in page


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ((), "The engine never started"),
        ((ENGINE,), "The engine is gone without a word"),
        ((ENGINE, e.EngineStopped(reason="asked")), "The engine ended as asked"),
        ((ENGINE, e.EngineStopped(reason="failed", message="the disk is full")), "the disk is full"),
    ],
)
def test_a_run_without_an_engine_says_why_and_how_to_go_on(
    home: Home, events: tuple[Event, ...], words: str
) -> None:
    folder = home.run_with(*events)
    page = home.type("show").stdout
    assert words in page
    assert f"fumehood resume {folder.run_id}" in page


def test_a_full_disk_is_named_where_an_engine_could_say_nothing_any_more(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.run_with(ENGINE)
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=4096))
    assert "gone without a word, and the run's disk is full; go on with" in home.type("show").stdout


def test_a_run_that_an_engine_drives_is_running_and_not_resumable(home: Home) -> None:
    folder = home.run_with(*LAUNCHED)
    with folder.locked():
        page = home.type("show").stdout
    assert "● running" in page
    assert "resume" not in page


@pytest.mark.parametrize("command", ["show", "runs"])
def test_what_models_write_does_nothing_to_the_terminal(home: Home, command: str) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\u202eevil\x9b1A"
    spec = experiment(1, title=evil, hypothesis=hypothesis(statement=evil), why=evil)
    home.run_with(
        ENGINE,
        e.ExperimentProposed(experiment=spec, call_id="c1"),
        e.ApprovalRequested(
            request_id="E1.1", kind="launch", experiment_id="E1", subject=spec.sha256, title=evil, detail=evil
        ),
        e.FindingRecorded(experiment_id="E1", call_id="c2", text=evil),
        question=f"Is it {evil}?",
    )
    page = home.type(command).stdout
    assert "evil" in page
    assert not set(page) & {"\x1b", "\x9b", "\u202e", "\x07"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pdf": "paper/paper.pdf", "pages": 5}, "paper/paper.pdf, 5 pages"),
        ({"pdf": "paper/paper.pdf", "pages": 1}, "paper/paper.pdf, 1 page"),
        ({"no_pdf": "Typst\x1b[2J could not set it"}, "no PDF: Typst could not set it"),
    ],
)
def test_a_published_paper_is_told_with_its_pdf_or_why_there_is_none(
    home: Home, changes: dict[str, Any], words: str
) -> None:
    published = e.PaperPublished(path="paper/paper.md", sha256="0" * 64, numbers=7, struck=2, **changes)
    folder = home.run_with(published)
    first, second = Narrator(folder, screen()).lines(folder.state(), published)
    assert "paper written: 7 numbers bound to measurements, 2 struck: this is a draft" in first
    assert words in second
    assert words.partition(",")[0] in home.type("show").stdout


def test_searches_and_citations_are_told(home: Home) -> None:
    work = Work(title="Bagging\x1b[2J predictors", year=1996, doi="10.1007/bf00058655")
    found = e.LiteratureSearched(
        agent="orchestrator",
        call_id="c",
        query="bagging",
        works={"breiman1996bagging": work},
        answered=("OpenAlex",),
        troubles=("arXiv did not answer",),
    )
    nothing = found.model_copy(update={"works": {}, "troubles": ()})
    offline = nothing.model_copy(update={"agent": "writer", "answered": ()})
    cited = e.CitationVerified(key="breiman1996bagging", work=work, passage="x", resolved_by="Crossref")
    folder = home.run_with(found, cited)
    narrator, state = Narrator(folder, screen()), folder.state()
    told, trouble = narrator.lines(state, found)
    assert "orchestrator searches the literature for “bagging”: 1 work found (OpenAlex)" in told
    assert "arXiv did not answer" in trouble
    assert narrator.lines(state, nothing)[0].endswith("no match found (OpenAlex)")
    assert narrator.lines(state, offline)[0].endswith("no source answered")
    (line,) = narrator.lines(state, cited)
    assert "citation verified by Crossref: breiman1996bagging, Bagging predictors" in line


@settings(deadline=None)
@given(likely_journals())
def test_every_journal_can_be_told_and_shown(events: list[Event]) -> None:
    folder, state = RunFolder(Path("/nowhere/20261123-x-0000")), RunState()
    narrator = Narrator(folder, screen(colours=True))
    for event in events:
        fold([event], state)
        assert all("\n" not in line for line in narrator.lines(state, event))
    for request in state.waiting:
        assert narrator.waits(state, request)
    assert Overview(folder, state, screen(), scripts=True).lines()


@settings(deadline=None)
@given(st.text())
def test_a_screen_without_unicode_prints_ascii_only(text: str) -> None:
    printed = io.StringIO()
    Screen(printed, colours=False, unicode=False).line(f"✓ {text}")
    assert printed.getvalue().isascii()


def test_glyphs_have_twins_where_the_encoding_lacks_them(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w", encoding="ascii") as stream:
        Screen.of(stream).line("✓ done · ≤ $2.40 …")
    assert (tmp_path / "out").read_text() == "+ done - <= $2.40 ...\n"


def test_a_script_is_shown_whole_on_demand(home: Home) -> None:
    home.run_with(*LAUNCHED, SCRIPT)
    assert "print(1)" not in home.type("show").stdout
    assert "print(1)" in home.type("show", "--scripts").stdout


def test_logs_show_the_latest_script_made_safe(home: Home) -> None:
    folder = home.run_with(*LAUNCHED, SCRIPT, SCRIPT_ENDED)
    folder.log_path("E1-1").write_bytes(b"  0%\r100%\n\x1b[31mred\x1b[0m\x1b]0;owned\x07\nno newline")
    for words in ((), ("E1",), ("e1-1",), (folder.run_id, "E1-1")):
        assert home.type("logs", *words).stdout == "100%\nred\nno newline\n"


def test_the_engines_own_log_is_shown_by_its_name(home: Home) -> None:
    folder = home.run_with(ENGINE)
    folder.log_path("engine").write_text("INFO started\n", encoding="utf-8")
    assert home.type("logs", "engine").stdout == "INFO started\n"


def test_raw_logs_are_the_very_bytes(home: Home) -> None:
    folder = home.run_with(*LAUNCHED, SCRIPT, SCRIPT_ENDED)
    printed = b"\x1b]0;owned\x07\xff\x00"
    folder.log_path("E1-1").write_bytes(printed)
    assert home.type("logs", "--raw").stdout_bytes == printed


def test_following_the_log_of_an_ended_script_ends(home: Home) -> None:
    folder = home.run_with(*LAUNCHED, SCRIPT, SCRIPT_ENDED)
    folder.log_path("E1-1").write_bytes(b"all\n")
    assert home.type("logs", "-f").stdout == "all\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [(("E1-9",), "there is no script"), (("E2",), "there is no script"), (("E1-1",), "printed nothing yet")],
)
def test_a_log_that_is_not_there_is_refused(home: Home, words: tuple[str, ...], said: str) -> None:
    home.run_with(*LAUNCHED, SCRIPT)
    assert said in refusal(home.type("logs", *words))


def test_an_experiment_without_a_script_has_no_log(home: Home) -> None:
    home.run_with(ENGINE, PROPOSED)
    assert "E1 has started no script yet" in refusal(home.type("logs", "E1"))


def make_too_new(folder: RunFolder) -> None:
    """Mark a journal as written by a later schema."""
    database = sqlite3.connect(folder.journal_path)
    database.execute("PRAGMA user_version=99")
    database.close()


def test_a_new_title_is_told_and_stands_above_the_question(home: Home) -> None:
    folder = home.run_with(question="Does bagging help?")
    renamed = e.RunRenamed(title="Bags\x1b[2J of trees")
    with folder.journal() as journal:
        journal.append(renamed)
    state = folder.state()
    (line,) = Narrator(folder, screen()).lines(state, renamed)
    assert "renamed by human: Bags of trees" in line
    lines = Overview(folder, state, screen()).lines()
    assert lines[:2] == ["Bags of trees", "its question: Does bagging help?"]


def test_what_looks_wrong_in_a_script_that_counts_is_on_the_page(home: Home) -> None:
    code = 'import lab\nlab.result("accuracy", 0.9)\n'
    folder = home.run_with(
        ENGINE,
        e.ExperimentProposed(experiment=experiment(1), call_id="c"),
        e.ExecRequested(exec_id="E1-1", experiment_id="E1", call_id="c", code=code, code_sha256="0" * 64),
        e.ExecEnded(exec_id="E1-1", end="finished", exit_code=0, seconds=1),
    )
    told = home.type("show", folder.run_id).stdout
    assert "LOOKS WRONG" in told
    assert "E1-1   line 2: code check: constant as a result: the result 'accuracy'" in told


def test_rows_that_were_trained_and_tested_on_are_on_the_page(home: Home) -> None:
    story = begun(home.data)
    first_round(story)
    story.launch(TREES)
    split = {"kind": "data", "condition": {"seed": 0}}
    exec_id = story.script("E1", 1, "pass")
    story.record(
        exec_id, split | {"name": "train", "rows": ["a", "b"]}, split | {"name": "test", "rows": ["b"]}
    )
    told = home.type("show", story.told().run_id).stdout
    assert "LOOKS WRONG" in told
    assert "E1-1   train/test overlap: 1 of 1 rows of 'test' are also in 'train'" in told


@pytest.mark.parametrize(
    ("message", "words"), [("killed", "killed"), ("", "killed"), ("it hung", "killed; it hung")]
)
def test_the_end_of_an_agent_is_said_once(message: str, words: str) -> None:
    ended = e.AgentEnded(agent="E1", outcome="killed", message=message)
    narrator = Narrator(RunFolder(Path("/nowhere/20261123-x-0000")), screen())
    (line,) = narrator.lines(RunState(), ended)
    assert line.endswith(f"its researcher ended: {words}")
