"""``fumehood reproduce``: what it runs, what it says, and what its exit code tells."""

from __future__ import annotations

import json
from pathlib import Path

from core.record import events as e
from tests.tui.conftest import Home, refusal
from tests.tui.plans import ENGINE
from tests.tui.tiny_study import MEASURE, write_tiny_study
from tui.exit_codes import ExitCode
from tui.status import status_of

SECONDS = 60.0

DEVIATES = """
import os, lab
place = os.environ["LAB_DIR"] + open("/proc/self/mountinfo").read()
for seed in lab.seeds():
    lab.condition(arm="new", seed=seed)
    lab.result("score", 2.0 + 0.01 * seed, split="test")
    lab.condition(arm="old", seed=seed)
    lab.result("score", 1.0 + (5.0 if "/E2/" in place and seed == 1 else 0.0), split="test")
"""


def typed(home: Home, *words: str) -> tuple[int, str]:
    """The exit code and stdout of a command that has to say nothing on stderr."""
    process = home.start(*words)
    told, complaints = process.communicate(timeout=SECONDS)
    assert complaints == ""
    return process.returncode, told


def play(home: Home, code: str) -> None:
    """Play the tiny study with this script to its end."""
    study: Path = write_tiny_study(home.path / "study")
    (study / "measure.py").write_text(code, encoding="utf-8")
    options = ("--headless", "--approve", "auto", "--no-confirm-scripts", "--accept-process-only")
    code_of_exit, told = typed(home, "run", "Is new better?", "--model", f"scripted:{study}", *options)
    assert code_of_exit == ExitCode.DONE, told


def test_every_measurement_of_a_study_that_leaves_nothing_to_chance_is_the_same(home: Home) -> None:
    play(home, MEASURE)
    code, told = typed(home, "reproduce", "--headless")
    assert code == ExitCode.DONE
    for words in (
        "the scripts of E1 again: do they give the same?",
        "approved by policy auto",
        "REPRODUCTION  4 measurements: 4 same",
        "again in E2 (done)",
        "✓ 2 same",
    ):
        assert words in told
    state = home.only_run().state()
    assert state.ended is not None
    assert "reproduced" in (home.only_run().paper / "paper.md").read_text(encoding="utf-8")


def test_a_measurement_that_comes_out_otherwise_is_named_and_fails_the_command(home: Home) -> None:
    play(home, DEVIATES)
    code, told = typed(home, "reproduce", "--headless")
    assert code == ExitCode.RUN_FAILED
    assert "4 measurements: 3 same, 1 different" in told
    assert "seed 1     1 → 6 (spread 0)   ✗ different" in told
    code, told = typed(home, "reproduce", "--report", "--json")
    assert code == ExitCode.RUN_FAILED
    found = [json.loads(line) for line in told.splitlines()]
    assert [one["outcome"] for one in found].count("same") == 3
    [different] = [one for one in found if one["outcome"] == "different"]
    assert (different["value"], different["value_again"], different["seed"]) == (1.0, 6.0, 1)


def test_a_run_that_goes_on_or_measured_nothing_is_refused_in_a_line(home: Home) -> None:
    folder = home.run_with(ENGINE)
    assert "has not ended. Reproduce it once it has." in refusal(home.type("reproduce"))
    with folder.journal() as journal:
        journal.append(e.RunEnded(outcome="failed"))
    assert "nothing to reproduce" in refusal(home.type("reproduce"))
    assert "nothing of" in refusal(home.type("reproduce", "--report"))


def test_a_reproduction_without_an_engine_can_be_resumed(home: Home) -> None:
    play(home, MEASURE)
    folder = home.only_run()
    with folder.journal() as journal:
        journal.append(e.ReproductionRequested(request_id="w"))
    status = status_of(folder, folder.state())
    assert (status.mark.word, status.resumable) == ("stopped", True)
    assert "A reproduction was asked for" in status.explanation
    code, _ = typed(home, "resume", "--headless")
    assert code == ExitCode.DONE
    assert folder.state().experiments["E2"].outcome == "done"
