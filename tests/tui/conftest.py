"""A home of its own for every test, and commands as people type them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from core import decisions
from core.errors import FumehoodError
from core.keys.lookup import use_key_store
from core.keys.names import KEY_NAMES
from core.record.events import Event
from core.record.folder import RunFolder, list_runs
from tests.fakes.keys import keys_in_environment
from tests.fakes.specs import new_run
from tests.tui.settling import settled
from tui.cli import main
from tui.open_run import decide

DEADLINE_SECONDS = 20.0


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Poll a condition.

    Raises:
        AssertionError: it did not come true in time.
    """
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.02)


@dataclass(frozen=True)
class Home:
    """Where the commands of a test find their settings and runs."""

    path: Path
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.path / "data"

    @property
    def runs(self) -> Path:
        return self.data / "runs"

    def type(self, *words: str, typed: str | None = None) -> Result:
        """Run a command in this process."""
        return CliRunner().invoke(main, list(words), input=typed)

    def start(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        """Start a command as a process of its own."""
        usual: dict[str, Any] = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "text": True,
        }
        process = subprocess.Popen([sys.executable, "-m", "tui.cli", *words], **(usual | options))
        self.processes.append(process)
        return process

    def end_processes(self) -> None:
        """Let no command that was started outlive the test."""
        for process in self.processes:
            process.kill()
            process.communicate(timeout=DEADLINE_SECONDS)

    def run_with(self, *events: Event, question: str = "Does bagging help?", **settings: Any) -> RunFolder:
        """A run whose journal holds these events; no engine drives it."""
        folder = new_run(self.data, question, **settings)
        with folder.journal() as journal:
            journal.append(*events)
        return folder

    def only_run(self) -> RunFolder:
        """The one run that there is."""
        (folder,) = list_runs(self.runs)
        return folder


@pytest.fixture(autouse=True)
def waits_for_the_console(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pilots wait until a console is done, whatever else the machine does."""
    monkeypatch.setattr("textual.app.wait_for_idle", settled)
    monkeypatch.setattr("textual.pilot.wait_for_idle", settled)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    for name in list(os.environ):
        if name.startswith("FUMEHOOD_") or name in ("NO_COLOR", "EDITOR", "VISUAL", *KEY_NAMES):
            monkeypatch.delenv(name)
    made = Home(tmp_path)
    monkeypatch.setenv("FUMEHOOD_DATA_FOLDER", str(made.data))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    use_key_store(keys_in_environment())
    yield made
    use_key_store(None)
    made.end_processes()
    for folder in list_runs(made.runs):
        end_engine(folder)


def end_engine(folder: RunFolder) -> None:
    """Leave no engine behind."""
    if not folder.has_engine():
        return
    with contextlib.suppress(FumehoodError):  # it may be ending by itself
        decide(folder, lambda state: decisions.stop(state, close_sandboxes=True))
    wait_until(lambda: not folder.has_engine(), "the engine's end")


def refusal(result: Result) -> str:
    """The one line of a command that was refused for bad input."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("fumehood: ")
    return line


def listens(pid: int) -> bool:
    """Whether a process catches SIGTERM, as only a follower that is ready does."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:  # noqa: PTH123 - not a file on disk
        caught = next(line.split()[1] for line in status if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)
