"""``fumehood data add`` for a run whose sandboxes are at Modal: brought there at once, or said why not."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from core.errors import RunError
from core.experiment import Compute
from core.keys.encrypted_file import EncryptedFile
from core.keys.lookup import use_key_store
from core.keys.names import MODAL_ID, MODAL_SECRET
from core.keys.store import KeyStore
from core.record.folder import RunFolder
from core.sandbox.base import SandboxSpec
from core.sandbox.modal.volumes import volume_names
from tests.fakes.keys import NoKeyring
from tests.fakes.modal.double import ModalDouble
from tests.tui.conftest import Home, refusal
from tests.tui.modal_home import modal, provider, running_double, token
from tui.giving_data import add_in_process

__all__ = ["modal", "running_double", "token"]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text("a,b\n")
    return path


def printed(double: ModalDouble, folder: RunFolder, code: str, gpu: str | None) -> str:
    """What a script in a sandbox of the run prints."""
    double.call("approve", specification="")  # this one has no experiment

    async def whole() -> bytes:
        opener = provider(double)
        spec = SandboxSpec(folder.run_id, Compute(gpu=gpu, timeout_seconds=600))
        sandbox = await opener.open(spec, "E1", lambda _: None)
        await sandbox.start("x", code)
        output = b"".join([chunk async for chunk in sandbox.output("x", 0)])
        await sandbox.close()
        await opener.close()
        return output

    return asyncio.run(whole()).decode()


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="the double mounts nothing without bubblewrap")
@pytest.mark.parametrize("gpu", [None, "H100"], ids=["second generation", "first generation"])
@pytest.mark.usefixtures("token")
def test_a_file_is_brought_to_modal_at_once(
    home: Home, modal: ModalDouble, table: Path, gpu: str | None
) -> None:
    folder = home.run_with(sandbox="modal")
    result = home.type("data", "add", folder.run_id, str(table))
    assert result.exit_code == 0, result.output
    assert "table.csv: bringing 4 bytes to Modal …" in result.stderr
    assert list(folder.state().data) == ["table.csv"]
    assert printed(modal, folder, "print(open('/data/table.csv').read())", gpu) == "a,b\n\n"


def test_a_token_that_is_exported_is_found_as_often_as_it_is_needed(
    home: Home, modal: ModalDouble, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in zip((MODAL_ID, MODAL_SECRET), modal.token, strict=True):
        monkeypatch.setenv(name, value)
    use_key_store(KeyStore(keyring=NoKeyring(), file=EncryptedFile(Path("/nowhere/keys"), environment={})))
    folder = home.run_with(sandbox="modal")
    result = home.type("data", "add", folder.run_id, str(table))
    assert result.exit_code == 0, result.output
    assert list(folder.state().data) == ["table.csv"]


@pytest.mark.usefixtures("token")
def test_the_consoles_process_brings_a_file_with_the_token_that_only_the_console_knows(
    home: Home, modal: ModalDouble, table: Path
) -> None:
    folder = home.run_with(sandbox="modal")
    steps: list[str] = []
    added = asyncio.run(add_in_process(folder, [table], lambda step: steps.append(step["step"])))
    assert (added, steps) == (["table.csv"], ["copying", "bringing", "added"])
    assert volume_names(folder.run_id)[0] in modal.call("report")["volumes"]
    assert list(folder.state().data) == ["table.csv"]


@pytest.mark.usefixtures("modal")
def test_without_a_token_the_consoles_process_says_so(home: Home, table: Path) -> None:
    folder = home.run_with(sandbox="modal")
    with pytest.raises(RunError, match="MODAL_TOKEN_ID is missing"):
        asyncio.run(add_in_process(folder, [table], lambda _: None))


@pytest.mark.usefixtures("modal")
def test_without_a_token_nothing_is_copied(home: Home, table: Path) -> None:
    folder = home.run_with(sandbox="modal")
    assert "MODAL_TOKEN_ID is missing" in refusal(home.type("data", "add", folder.run_id, str(table)))
    assert not (folder.path / "data.lock").exists()


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize(
    ("rpc", "said"),
    [("ClientHello", "Modal"), ("VolumeGetOrCreate", "brought to Modal"), ("VolumePutFiles2", "oh no")],
)
def test_where_modal_fails_the_run_is_as_before(
    home: Home, modal: ModalDouble, table: Path, rpc: str, said: str
) -> None:
    folder = home.run_with(sandbox="modal")
    modal.call("fault", rpc=rpc, times=-1, status="INTERNAL", message="oh no")
    result = home.type("data", "add", folder.run_id, str(table))
    assert result.exit_code == 2
    assert said in result.stderr.splitlines()[-1]
    assert not folder.state().data
    assert not folder.data.exists()
    modal.call("heal")
    assert home.type("data", "add", folder.run_id, str(table)).exit_code == 0


@pytest.mark.usefixtures("token")
def test_a_new_run_whose_data_does_not_get_there_is_kept_with_the_next_step(
    home: Home, modal: ModalDouble, table: Path
) -> None:
    modal.call("fault", rpc="VolumePutFiles2", times=-1, status="INTERNAL", message="oh no")
    words = ("run", "Why?", "--model", "scripted:bagging", "--sandbox", "modal", "--headless")
    result = home.type(*words, "--data", str(table))
    assert result.exit_code == 2
    folder = home.only_run()
    assert f"'fumehood data add {folder.run_id} FILE …', then 'fumehood resume" in result.stderr
    assert folder.state().engine is None
