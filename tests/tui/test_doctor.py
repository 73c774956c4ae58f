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
from tests.fakes.keys import keys_in_environment
from tests.fakes.memory_keyring import MemoryKeyring
from tests.fakes.modal.double import ModalDouble
from tests.tui.conftest import Home
from tests.tui.modal_home import modal, running_double, token
from tui import machine

__all__ = ["modal", "running_double", "token"]


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


def test_without_a_token_for_modal_the_doctor_says_where_to_get_one(home: Home) -> None:
    found = machine.modal()
    assert (found.state, found.needed) == ("limited", False)
    assert "no token (MODAL_TOKEN_ID and MODAL_TOKEN_SECRET missing)" in found.text
    assert "fumehood keys set MODAL_TOKEN_ID" in found.fix
    use_key_store(keys_in_environment(MODAL_TOKEN_ID="ak-some-token-of-mine"))
    assert "no token (MODAL_TOKEN_SECRET missing)" in machine.modal().text


def test_a_token_that_modal_accepts_works_and_makes_nothing_there(modal: ModalDouble, token: None) -> None:
    found = machine.modal()
    assert (found.state, found.text) == ("works", "answers, and accepts the token (key: environment)")
    assert "AppGetOrCreate" not in modal.call("report")["calls"]


def test_a_modal_that_is_out_of_reach_is_given_up_in_time(
    modal: ModalDouble, token: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.sandbox.asking_modal.CHECK_SECONDS", 2.0)
    modal.call("fault", rpc="ClientHello", kind="hang", times=-1)
    found = machine.modal()
    assert found.state == "limited"
    assert found.text == "a token is there (key: environment); Modal does not answer within 2 s"
    assert "status.modal.com" in found.fix


def test_a_token_that_modal_refuses_is_named_without_a_part_of_it(modal: ModalDouble) -> None:
    use_key_store(keys_in_environment(MODAL_TOKEN_ID="ak-wrong-0123", MODAL_TOKEN_SECRET="as-wrong-0123"))
    found = machine.modal()
    assert found.state == "limited"
    assert found.text.startswith("refuses the token")
    assert "wrong" not in found.text + found.fix
