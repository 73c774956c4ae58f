"""What the doctor finds, and that it never hangs or stores anything."""

from __future__ import annotations

import subprocess
import sys

import pytest

from core.errors import KeysError, KeysLocked
from core.keys.keyring import KeyringAbsent
from core.keys.lookup import use_key_store
from core.keys.store import KeyStore
from core.sandbox import isolation
from core.sandbox.isolation import Finding as Isolation
from tests.fakes.memory_keyring import MemoryKeyring
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


@pytest.mark.parametrize(
    ("trouble", "state", "words"),
    [
        (None, "works", "Secret Service answers"),
        (KeyringAbsent("there is no Secret Service here", "Keys are in a file."), "limited", "there is no"),
        (KeysLocked("the Secret Service is locked", "Unlock it."), "limited", "is locked"),
        (KeysError("the Secret Service does not answer within 3 s", "Mend it."), "limited", "not answer"),
    ],
)
def test_a_keyring_is_judged_by_what_it_does(
    home: Home, trouble: KeysError | None, state: str, words: str
) -> None:
    use_key_store(KeyStore({}, MemoryKeyring(trouble=trouble)))
    found = machine.keyring()
    assert (found.state, words in found.text) == (state, True)
    assert bool(found.fix) is (trouble is not None)


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
