"""Commands, the real engine and sandboxes at the double of Modal together: a study without packages."""

from __future__ import annotations

import os

import pytest

from core.keys.names import MODAL_ID, MODAL_SECRET
from tests.fakes.modal.double import ModalDouble
from tests.tui.conftest import Home
from tests.tui.modal_home import alive, modal, running_double
from tests.tui.tiny_study import write_tiny_study

__all__ = ["modal", "running_double"]

SECONDS = 60.0


def typed(home: Home, double: ModalDouble, *words: str) -> str:
    """What a command says that ends well, has to say nothing on stderr, and has the double's token."""
    token = dict(zip((MODAL_ID, MODAL_SECRET), double.token, strict=True))
    process = home.start(*words, "--headless", env=os.environ | token)
    told, complaints = process.communicate(timeout=SECONDS)
    assert (process.returncode, complaints) == (0, ""), told
    return told


@pytest.mark.parametrize("gpu", ["", "T4"], ids=["second generation", "first generation"])
def test_a_run_at_modal_goes_to_its_paper_and_gives_the_same_again(
    home: Home, modal: ModalDouble, gpu: str
) -> None:
    modal.call("runs", folder=str(home.runs))
    study = write_tiny_study(home.path / "study")
    options = ("--sandbox", "modal", "--approve", "auto", *(("--gpu", gpu) if gpu else ()))
    told = typed(home, modal, "run", "Is new better?", "--model", f"scripted:{study}", *options)
    for words in ("isolation: remote machine", "✓ supported", "2 numbers bound to measurements"):
        assert words in told
    told = typed(home, modal, "reproduce")
    assert "4 measurements: 4 same" in told
    report = modal.call("report")
    assert [create["gpu"] for create in report["creates"]] == [gpu, gpu]
    assert ("SandboxCreate" in report["calls"]) == bool(gpu)
    assert (report["objections"], alive(modal)) == ([], [])
