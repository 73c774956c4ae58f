"""Whatever goes wrong, a user reads one clear line and a script gets an exit code; never a traceback."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import EngineError, StorageError
from core.record.journal import Journal
from tests.tui.conftest import DEADLINE_SECONDS, Home, refusal
from tests.tui.plans import ENDED, WAITING
from tests.tui.test_looking import make_too_new
from tests.tui.tiny_study import write_tiny_study
from tui.exit_codes import ExitCode


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", ""), "the question is empty"),
        (("run", "   "), "the question is empty"),
        (("run",), "Missing argument"),
        (("run", "x" * 5000, "--model", "scripted:bagging"), "5,000 characters"),
        (("run", "Why?"), "neither ANTHROPIC_API_KEY nor GOOGLE_API_KEY is there"),
        (("run", "Why?"), "fumehood keys set"),
        (
            ("run", "Why?", "--model", "claude-opus-5-5"),
            "ANTHROPIC_API_KEY is missing, which claude-opus-5-5 needs",
        ),
        (("run", "Why?", "--model", "gemini-4-argon"), "aistudio.google.com"),
        (("run", "Why?", "--model", "gpt-9"), "there is no model 'gpt-9'"),
        (("run", "Why?", "--model", "opus-5-5"), "Do you mean claude-opus-5-5?"),
        (("run", "Why?", "--model", "claude-opus-5-5", "--base-url", "localhost"), "is not an address"),
        (
            ("run", "Why?", "--model", "anthropic:q", "--base-url", "http://localhost:11434/v1"),
            "leave 'v1' out",
        ),
        (
            ("run", "Why?", "--model", "claude-x", "--writer-model", "gemini-x", "--base-url", "http://x"),
            "does not say whose models",
        ),
        (("run", "Why?", "--model", "scripted:bagging", "--base-url", "http://x"), "asked nowhere"),
        (("run", "Why?", "--model", "claude-x", "--researcher-model", "scripted:bagging"), "one script"),
        (("run", "Why?", "--model", "claude-x", "--test-mode"), "--test-mode brings its own model"),
        (("run", "Why?", "--model", "scripted:nothing"), "neither a shipped study nor a path"),
        (("run", "Why?", "--model", "scripted:~no-such-user/x"), "neither a shipped study nor a path"),
        (("run", "Why?", "--model", "scripted:bagging", "--writer-model", "scripted:wrong_cv"), "one script"),
        (("run", "Why?", "--model", "scripted:bagging", "--budget", "-1"), "a budget cannot be -1"),
        (("run", "Why?", "--model", "scripted:bagging", "--budget", "lots"), "not an amount"),
        (
            ("run", "Why?", "--model", "scripted:bagging", "--approve", "maybe"),
            "the policy 'maybe' cannot be read",
        ),
        (("run", "Why?", "--model", "scripted:bagging", "--approve", "under:-1"), "cannot be read"),
        (("run", "Why?", "--model", "scripted:bagging", "--gpu", "H100"), "no GPU"),
        (("run", "Why?", "--model", "scripted:bagging", "--sandbox", "moon"), "'moon' is not one of"),
        (("run", "Why?", "--model", "scripted:bagging", "--sandbox", "modal"), "MODAL_TOKEN_ID is missing"),
        (("demo", "--sandbox", "modal", "--headless"), "MODAL_TOKEN_ID is missing"),
        (("demo", "--sandbox", "modal", "--gpu", "H1000"), "Modal has no GPU 'H1000'"),
        (("run", "Why?", "--model", "scripted:bagging", "--max-rounds", "0"), "0 is not in the range"),
        (("run", "Why?", "--model", "scripted:bagging", "--test-mode"), "--test-mode brings its own model"),
        (("run", "Why?", "--model", "scripted:bagging", "--mode", "single"), "exactly one"),
        (("demo", "--study", "nothing"), "there is no shipped study 'nothing'"),
        (("demo", "--speed", "-3"), "-3"),
        (("show",), "there is no run yet"),
        (("show", "nothing"), "there is no run 'nothing'"),
        (("runs", "--colour"), "No such option"),
        (("dance",), "No such command 'dance'"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_makes_no_run(
    home: Home, words: tuple[str, ...], said: str
) -> None:
    assert said in refusal(home.type(*words))
    assert not home.runs.exists()


def test_an_unreadable_trajectory_is_refused_before_there_is_a_run(home: Home) -> None:
    study = write_tiny_study(home.path / "study")
    (study / "trajectory.toml").write_text("title = [")
    assert "is not TOML" in refusal(home.type("run", "Why?", "--model", f"scripted:{study}"))
    (study / "trajectory.toml").write_text('title = "x"')
    assert "is not a trajectory" in refusal(home.type("run", "Why?", "--model", f"scripted:{study}"))
    assert not home.runs.exists()


def test_an_unreadable_setting_is_refused_with_where_to_mend_it(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FUMEHOOD_BUDGET_USD", "plenty")
    assert "FUMEHOOD_BUDGET_USD" in refusal(home.type("runs"))


@pytest.mark.parametrize("words", [("show",), ("approve", "E1"), ("attach",), ("resume",), ("logs",)])
def test_a_journal_from_the_future_is_refused(home: Home, words: tuple[str, ...]) -> None:
    make_too_new(home.run_with(*WAITING))
    assert "newer fumehood" in refusal(home.type(*words))


def test_a_journal_that_is_no_database_is_refused(home: Home) -> None:
    folder = home.run_with(*WAITING)
    for path in folder.path.glob("journal.db*"):
        path.write_bytes(b"not a database" * 1000)
    assert "is not a readable journal" in refusal(home.type("show"))


def test_a_data_folder_below_a_file_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    (home.path / "file").write_text("")
    monkeypatch.setenv("FUMEHOOD_DATA_FOLDER", str(home.path / "file" / "data"))
    assert "FUMEHOOD_DATA_FOLDER" in refusal(home.type("run", "Why?", "--model", "scripted:bagging"))
    assert home.type("runs").exit_code == 0


def test_a_folder_that_the_system_calls_read_only_is_refused(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(home.runs))

    monkeypatch.setattr(Path, "mkdir", read_only)
    assert "Read-only file system" in refusal(home.type("run", "Why?", "--model", "scripted:bagging"))


def test_a_full_disk_under_a_decision_is_refused_and_nothing_is_decided(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = home.run_with(*WAITING)
    prepare = Journal._prepare

    def with_no_page_left(journal: Journal) -> None:
        prepare(journal)
        pages = journal._database.execute("PRAGMA page_count").fetchone()[0]
        journal._database.execute(f"PRAGMA max_page_count={pages}")

    monkeypatch.setattr(Journal, "_prepare", with_no_page_left)
    assert "is full" in refusal(home.type("tell", "orchestrator", "x" * 8000))
    monkeypatch.undo()
    assert sqlite3.connect(folder.journal_path).execute("SELECT count(*) FROM events").fetchone() == (4,)


def test_an_engine_that_cannot_start_has_a_code_of_its_own_and_the_run_is_kept(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> None:
        raise EngineError("the engine ended at once", "See its log.")

    monkeypatch.setattr("core.process.start_engine", fails)
    result = home.type("run", "Why?", "--model", "scripted:bagging", "--json")
    assert result.exit_code == ExitCode.ENGINE_GONE
    assert f"fumehood resume {home.only_run().run_id}" in result.stderr.splitlines()[-1]


def test_an_error_of_our_own_goes_into_a_file_without_locals_and_its_path_is_named(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_: object) -> None:
        secret = "sk-" + "canary"
        raise RuntimeError("a bug" + secret[:0])

    monkeypatch.setattr("core.process.start_engine", breaks)
    result = home.type("run", "Why?", "--model", "scripted:bagging", "--json")
    assert result.exit_code == ExitCode.CRASHED
    (file,) = (home.data / "logs").glob("crash-*.txt")
    assert str(file) in result.stderr.splitlines()[-1]
    kept = file.read_text()
    assert "RuntimeError: a bug" in kept
    assert "sk-canary" not in kept
    assert "Traceback" not in result.output


def test_an_error_that_the_system_reports_as_the_users_is_no_crash(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/some/where")

    monkeypatch.setattr("core.process.start_engine", full)
    result = home.type("run", "Why?", "--model", "scripted:bagging", "--json")
    assert result.exit_code == ExitCode.BAD_INPUT
    assert result.stderr.splitlines()[-1].startswith("fumehood: cannot use /some/where: No space left")


def test_a_disk_error_reads_like_any_other_refusal(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        raise StorageError("the disk is full", "Make room.")

    monkeypatch.setattr("core.process.start_engine", full)
    result = home.type("run", "Why?", "--model", "scripted:bagging", "--json")
    assert result.stderr.splitlines()[-1] == "fumehood: the disk is full. Make room."


def test_an_interrupt_while_the_engine_starts_detaches_and_names_the_run(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("core.process.start_engine", interrupted)
    result = home.type("run", "Why?", "--model", "scripted:bagging")
    assert result.exit_code == ExitCode.DETACHED
    assert f"fumehood show {home.only_run().run_id}" in result.stderr


def test_test_mode_says_honestly_what_it_plays(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def stops_here(_: object) -> None:
        raise EngineError("stopped by the test")

    monkeypatch.setattr("core.process.start_engine", stops_here)
    result = home.type("run", "Is dropout needed?", "--test-mode")
    assert "your question is not being researched" in result.stdout
    created = home.only_run().state().created
    assert created is not None
    assert created.question.startswith("Does bagging help")
    assert (created.settings.max_rounds, created.settings.num_agents) == (2, 2)
    assert created.settings.approve == "ask"


def test_a_demo_is_played_as_it_was_written_and_says_what_it_decides_for_you(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stops_here(_: object) -> None:
        raise EngineError("stopped by the test")

    monkeypatch.setattr("core.process.start_engine", stops_here)
    result = home.type("demo")
    assert "approve: auto" in result.stdout
    assert "scripts ship with fumehood" in result.stdout
    created = home.only_run().state().created
    assert created is not None
    settings = created.settings
    assert (settings.max_rounds, settings.num_agents, settings.max_parallel) == (2, 2, 2)
    assert (settings.accept_process_only, settings.confirm_scripts) == (True, False)
    assert home.only_run().trajectory_path.is_file()


def test_a_reader_that_goes_away_ends_a_command_quietly(home: Home) -> None:
    home.run_with(*ENDED)
    reader, writer = os.pipe()
    os.close(reader)
    process = home.start("show", stdout=writer)
    os.close(writer)
    assert process.communicate(timeout=DEADLINE_SECONDS)[1] == ""
    assert process.returncode == 0


@pytest.mark.parametrize("word", ["--version", "--help"])
def test_version_and_help_import_nothing_that_takes_time(word: str) -> None:
    code = (
        "import sys\nfrom tui.cli import main\n"
        f"try: main(['{word}'])\nexcept SystemExit as end: assert end.code == 0, end.code\n"
        "heavy = {'asyncio', 'pydantic', 'scipy', 'numpy', 'keyring', 'sqlite3'} & sys.modules.keys()\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_looking_at_runs_does_not_import_the_engine_or_scipy() -> None:
    code = (
        "import sys, tui.commands.look, tui.commands.decide\n"
        "heavy = {'core.engine', 'scipy', 'numpy', 'keyring'} & sys.modules.keys()\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_help_lists_every_command_and_every_exit_code(home: Home) -> None:
    page = home.type("--help").stdout
    assert home.type().stdout == page
    for word in ("run", "demo", "doctor", "approve", "continue", "resume", *map(str, map(int, ExitCode))):
        assert f"\n  {word} " in page


@pytest.mark.parametrize(
    "command",
    [
        "run",
        "demo",
        "runs",
        "show",
        "attach",
        "logs",
        "paper",
        "approve",
        "reject",
        "answer",
        "edit",
        "tell",
        "seeds",
        "budget",
        "pause",
        "continue",
        "kill",
        "stop",
        "resume",
        "models",
        "doctor",
    ],
)
def test_every_command_explains_itself(home: Home, command: str) -> None:
    result = home.type(command, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: fumehood {command}")


def test_the_demos_help_says_that_it_asks_before_anything_costs_money(home: Home) -> None:
    page = " ".join(home.type("demo", "--help").stdout.split())
    assert "[default: ask in the console and with --sandbox modal, else auto]" in page
