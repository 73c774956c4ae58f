"""Commands, the real engine and the real local sandbox together, with a study that needs no packages."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from core.config import read_settings
from core.errors import JournalError
from core.record.folder import RunFolder, list_runs
from tests.tui.conftest import DEADLINE_SECONDS, Home, end_engine, listens, wait_until
from tests.tui.tiny_study import write_tiny_study
from tui.model_choice import ROLES, ChosenModels
from tui.run_request import RunRequest, demo_request, run_settings


def started(home: Home, *words: str, **options: Any) -> subprocess.Popen[str]:
    """``fumehood run`` of the tiny study."""
    study = write_tiny_study(home.path / "study")
    return home.start(
        "run", "Is new better?", "--model", f"scripted:{study}", "--headless", *words, **options
    )


def run_of(home: Home) -> RunFolder:
    """The run, once an experiment of it waits for a decision."""

    def waits() -> bool:
        with suppress(JournalError):  # a run that is being created says nothing yet
            return any(folder.state().waiting for folder in list_runs(home.runs))
        return False

    wait_until(waits, "a request")
    return home.only_run()


def waits_for(folder: RunFolder, name: str) -> bool:
    """Whether something waits for a human whose id has this in it."""
    return any(name in request.asked.request_id for request in folder.state().waiting)


def test_a_run_goes_to_its_paper_and_tells_it(home: Home) -> None:
    process = started(home, "--approve", "auto")
    told, complaints = process.communicate(timeout=DEADLINE_SECONDS)
    assert (process.returncode, complaints) == (0, "")
    for words in (
        "scripted: no language model is being used",
        "approved by policy auto",
        "E1    │ measured  both",
        "✓ supported  effect 1 [1, 1], 2 seeds",
        "2 numbers bound to measurements",
        "The run is done",
    ):
        assert words in told
    assert "\x1b" not in told
    assert Path(told.split("Paper: ")[1].strip()).read_text(encoding="utf-8").count("2.0") > 0


def test_a_run_takes_the_size_of_its_paper_and_whether_to_ask_the_literature(home: Home) -> None:
    process = started(home, "--approve", "auto", "--no-literature", "--paper-size", "a4")
    told, complaints = process.communicate(timeout=DEADLINE_SECONDS)
    assert (process.returncode, complaints) == (0, "")
    folder = home.only_run()
    assert (settings := folder.state().settings).literature is False
    assert settings.paper_size == "a4"
    assert f"{folder.paper / 'paper.pdf'}, " in told
    tools = {tool["name"] for agent in folder.state().agents.values() for tool in agent.started.tools}
    assert "search_literature" not in tools
    assert r"The literature was not searched\:" in (folder.paper / "paper.md").read_text(encoding="utf-8")


def test_a_shipped_study_is_played_without_the_literature_and_any_other_run_with_it(home: Home) -> None:
    settings = read_settings()
    demo = demo_request()
    assert run_settings(settings, demo).literature is False
    own = RunRequest("Does bagging help?", ChosenModels(dict.fromkeys(ROLES, "claude-opus-5-5")), "ask")
    assert run_settings(settings, own).literature is True


def test_without_bubblewrap_the_start_of_a_run_is_noticed_while_it_goes_on(home: Home) -> None:
    bare = os.environ | {"PATH": str(home.path)}
    process = started(home, "--approve", "auto", env=bare)
    folder = run_of(home)
    for name in ("isolation", "script:E1"):
        wait_until(partial(waits_for, folder, name), name)
        assert home.type("approve", name).exit_code == 0
    told, complaints = process.communicate(timeout=DEADLINE_SECONDS)
    assert (process.returncode, complaints) == (0, "")
    assert told.index("engine started") < told.index("approved by human") < told.index("The run is done")


def test_a_run_waits_until_another_terminal_approves(home: Home) -> None:
    process = started(home)
    folder = run_of(home)
    assert home.type("approve", "E1").exit_code == 0
    told, _ = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 0
    assert "approved by human" in told
    decision = folder.state().requests["E1.1"].decision
    assert decision is not None
    assert decision.by == "human"


def test_a_killed_engine_is_noticed_and_another_goes_on_where_it_was(home: Home) -> None:
    process = started(home)
    folder = run_of(home)
    engine = folder.state().engine
    assert engine is not None
    os.kill(engine.pid, signal.SIGKILL)
    told, _ = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 3
    assert f"fumehood resume {folder.run_id}" in told
    assert home.type("approve", "E1").exit_code == 0
    resumed = home.start("resume", "--json")
    events = [json.loads(line) for line in resumed.communicate(timeout=DEADLINE_SECONDS)[0].splitlines()]
    assert resumed.returncode == 0
    assert events[-2]["type"] == "run.ended"
    assert folder.state().engines == 2


def test_an_interrupted_follower_leaves_the_engine_working_and_stop_ends_it(home: Home) -> None:
    process = started(home)
    folder = run_of(home)
    wait_until(lambda: listens(process.pid), "listening for signals")
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 5
    assert f"fumehood attach {folder.run_id}" in told
    assert folder.has_engine()
    assert "has stopped" in home.type("stop").stdout
    assert not folder.has_engine()


def test_killing_a_run_ends_it_with_a_code_of_its_own(home: Home) -> None:
    process = started(home)
    folder = run_of(home)
    assert home.type("kill", folder.run_id, "--yes", "--note", "enough").exit_code == 0
    told, _ = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 4
    assert "enough" in told
    end_engine(folder)
