"""What the doctor finds, and that it never hangs or stores anything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core.sandbox import isolation
from core.sandbox.isolation import Finding as Isolation
from tests.tui.conftest import Home
from tui import machine


def test_the_doctor_says_that_a_demo_can_be_run_and_changes_nothing(home: Home) -> None:
    result = home.type("doctor")
    assert result.exit_code == 0, result.output
    assert "A demo can be run here" in result.stdout
    for part in (
        "Python",
        "uv",
        "isolation",
        "data folder",
        "models",
        "Modal",
        "keyring",
        "terminal",
        "logging out",
    ):
        assert part in result.stdout
    assert not home.data.exists()


def test_a_data_folder_that_cannot_be_written_fails_with_its_fix(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home.path / "file").write_text("")
    monkeypatch.setenv("FUMEHOOD_DATA_FOLDER", str(home.path / "file" / "data"))
    result = home.type("doctor")
    assert result.exit_code == 1
    assert "! broken" in result.stdout
    assert "Set FUMEHOOD_DATA_FOLDER" in result.stdout


def test_missing_isolation_is_named_with_its_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing() -> Isolation:
        return Isolation("process only", "Install bubblewrap")

    monkeypatch.setattr(machine, "probe", nothing)
    found = machine.isolation()
    assert (found.state, found.fix, found.needed) == ("limited", "Install bubblewrap", False)
    assert isolation.probe is not nothing


def test_a_keyring_that_never_answers_is_given_up_and_leaves_no_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    monkeypatch.setattr(
        machine,
        "ASK_KEYRING",
        f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(600)",
    )
    monkeypatch.setattr(machine, "KEYRING_SECONDS", 1.0)
    found = machine.keyring()
    assert found.state == "limited"
    assert "does not answer" in found.text
    assert not Path("/proc", pid.read_text()).exists()


@pytest.mark.parametrize(
    ("printed", "state", "words"),
    [
        ("print('keyring.backends.SecretService.Keyring'); print('answered')", "works", "SecretService"),
        ("print('keyring.backends.fail.Keyring'); raise SystemExit('no')", "limited", "there is none here"),
        ("print('keyring.backends.null.Keyring'); print('answered')", "limited", "there is none here"),
        ("print('keyring.backends.SecretService.Keyring'); raise SystemExit('locked')", "limited", "locked"),
    ],
)
def test_a_keyring_is_judged_by_what_it_does(
    monkeypatch: pytest.MonkeyPatch, printed: str, state: str, words: str
) -> None:
    monkeypatch.setattr(machine, "ASK_KEYRING", printed)
    found = machine.keyring()
    assert (found.state, words in found.text) == (state, True)


@pytest.mark.parametrize(
    ("said", "state"), [("b true\n", "limited"), ("b false\n", "works"), ("", "works"), ("nonsense", "works")]
)
def test_a_login_manager_that_ends_processes_is_named(
    monkeypatch: pytest.MonkeyPatch, said: str, state: str
) -> None:
    def answers(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 0, said, "")

    monkeypatch.setattr("tui.machine.shutil.which", lambda _: sys.executable)
    monkeypatch.setattr("tui.machine.subprocess.run", answers)
    assert machine.logging_out().state == state
