"""Runs at Modal by whole commands: what an engine leaves is listed, adopted by another, or closed."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from core.record.folder import RunFolder, list_runs
from tests.fakes.canaries import Canaries
from tests.fakes.modal.double import ModalDouble
from tests.tui.conftest import Home, wait_until
from tests.tui.modal_home import alive, modal, running_double
from tests.tui.tiny_study import MEASURE, write_tiny_study

__all__ = ["modal", "running_double"]

SECONDS = 60.0
WAITS = "import os, time\nprint('waits', flush=True)\nwhile not os.path.exists('go'):\n    time.sleep(0.02)\n"


@pytest.fixture
def environment(home: Home, modal: ModalDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands find the double, and its token in variables."""
    modal.call("runs", folder=str(home.runs))
    for name, value in zip(("MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET"), modal.token, strict=True):
        monkeypatch.setenv(name, value)


def begun(home: Home) -> RunFolder:
    """A run whose script waits in a sandbox at Modal, driven by an engine that nobody follows."""
    study = write_tiny_study(home.path / "study")
    (study / "measure.py").write_text(WAITS + MEASURE)
    home.start(
        *("run", "Is new better?", "--model", f"scripted:{study}", "--sandbox", "modal"),
        *("--headless", "--approve", "auto"),
    )
    wait_until(lambda: list_runs(home.runs), "the run")
    run = home.only_run()
    wait_until(lambda: any(b"waits" in log.read_bytes() for log in run.logs.glob("E1*.log")), "the script")
    return run


def listed(home: Home) -> list[dict[str, Any]]:
    """What is listed, by a command of its own."""
    command = home.start("sandboxes", "--json")
    out, err = command.communicate(timeout=SECONDS)
    assert command.returncode == 0, err
    return [json.loads(line) for line in out.splitlines()]


def test_what_a_killed_engine_left_is_listed_and_adopted_by_the_next_one(
    home: Home, modal: ModalDouble, environment: None
) -> None:
    run = begun(home)
    (one,) = listed(home)
    assert (one["standing"], one["running"], one["experiment"]) == ("driven", ["E1-1"], "E1")
    engine = run.state().engine
    assert engine is not None
    os.kill(engine.pid, signal.SIGKILL)
    wait_until(lambda: not run.has_engine(), "the engine's end")
    (one,) = listed(home)
    assert (one["standing"], one["running"], one["run"]) == ("no engine", ["E1-1"], run.run_id)
    (sandbox,) = modal.call("report")["sandboxes"].values()
    (work,) = Path(sandbox["folder"]).rglob("work")
    (work / "go").touch()
    resumed = home.start("resume", run.run_id, "--headless")
    out, err = resumed.communicate(timeout=SECONDS)
    assert resumed.returncode == 0, out + err
    state = run.state()
    assert state.experiments["E1"].outcome == "done"
    assert len(modal.call("report")["creates"]) == 1
    assert alive(modal) == []
    assert listed(home) == []


def test_stopping_says_what_is_left_and_closes_it_where_that_is_wanted(
    home: Home, modal: ModalDouble, environment: None
) -> None:
    run = begun(home)
    left = home.start("stop", run.run_id)
    out, err = left.communicate(timeout=SECONDS)
    assert left.returncode == 0, err
    assert "The sandbox of E1 may still be open at Modal, at $0." in " ".join(out.split())
    assert len(alive(modal)) == 1
    home.start("resume", run.run_id, "--headless")
    wait_until(run.has_engine, "the next engine")
    closing = home.start("stop", run.run_id, "--close-sandboxes")
    out, err = closing.communicate(timeout=SECONDS)
    assert closing.returncode == 0, err
    assert "may still be open" not in out
    assert alive(modal) == []


def test_no_process_that_asks_modal_shows_its_token(
    home: Home, modal: ModalDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    halves = {"MODAL_TOKEN_ID": "ak-canary0123456789abcd", "MODAL_TOKEN_SECRET": "as-canary0123456789abcd"}
    dotenv = home.path / ".env"
    dotenv.write_text("".join(f"{name}={value}\n" for name, value in halves.items()))
    canaries = Canaries(halves)
    modal.call("fault", rpc="ClientHello", kind="hang", times=-1)
    for words in (("sandboxes", "--env-file", str(dotenv)), ("keys", "--env-file", str(dotenv), "check")):
        before = modal.call("report")["calls"].get("ClientHello", 0)
        command = home.start(*words)
        wait_until(
            lambda before=before: modal.call("report")["calls"].get("ClientHello", 0) > before,  # type: ignore[misc]
            "the question",
        )
        assert canaries.leaks_in_processes() == []
        if words[0] == "keys":
            out, err = command.communicate(timeout=SECONDS)
            assert "not checked: Modal does not answer within 10 s" in out
            assert canaries.leaks_in((out + err).encode(), "what was printed") == []
        command.kill()
    modal.call("heal")
    refused = home.start("sandboxes", "--env-file", str(dotenv))
    out, err = refused.communicate(timeout=SECONDS)
    assert "Modal does not accept the token" in err
    assert canaries.leaks_in((out + err).encode(), "what was printed") == []
    assert canaries.leaks_below(home.path, frozenset({dotenv})) == []
