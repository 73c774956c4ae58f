"""The double's judge of creates: it refuses, and remembers, whatever was not approved exactly so before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core import decisions
from core.errors import SandboxUnavailable
from core.keys.secret import Secret
from core.record import events as e
from core.record.folder import RunFolder
from core.record.live import LiveRun
from core.sandbox.base import SandboxSpec
from core.sandbox.modal.account import Credentials
from core.sandbox.modal.provider import ModalProvider
from tests.core.sandbox.test_modal.conftest import ModalPlace
from tests.core.sandbox.test_modal.test_run_faults import drive, names, run_on
from tests.fakes.launching import lock
from tests.fakes.modal.double import ModalDouble
from tests.fakes.specs import new_run
from tests.fakes.tiny_run import MEASURE

Change = Callable[[LiveRun], None]


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModalDouble]:
    """A double of the test's own, whose objections do not fail it."""
    double = ModalDouble(tmp_path / "double")
    double.call("runs", folder=str(tmp_path / "runs"))
    monkeypatch.setenv("MODAL_SERVER_URL", double.url)
    yield double
    double.close()


def asked(double: ModalDouble, spec: SandboxSpec, name: str) -> str:
    """Ask for a sandbox; what the double says against it, empty where it made one."""

    async def whole() -> str:
        provider = ModalProvider(Credentials(*map(Secret, double.token)), patience_seconds=5)
        try:
            await provider.open(spec, name, lambda _: None)
        except SandboxUnavailable as error:
            return str(error)
        finally:
            await provider.close()
        return ""

    return asyncio.run(whole())


def approved_run(tmp_path: Path, change: Change = lambda live: None) -> tuple[RunFolder, SandboxSpec]:
    """A run whose E1 was approved, locked and started, and what its sandbox is to be opened with."""
    folder = new_run(tmp_path, sandbox="modal")
    with folder.journal() as journal:
        live = LiveRun(folder, journal)
        lock(live, 1)
        live.record(e.SandboxRequested(experiment_id="E1", name="E1", provider="modal"))
        change(live)
        spec = live.state.experiments["E1"].spec
    compute = spec.compute.model_copy(update={"packages": ("numpy",)})
    return folder, SandboxSpec(folder.run_id, compute, specification=spec.sha256)


def test_what_was_approved_is_made(judge: ModalDouble, tmp_path: Path) -> None:
    _, spec = approved_run(tmp_path)
    assert asked(judge, spec, "E1") == ""
    assert judge.call("report")["objections"] == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"specification": "0" * 64}, "nobody has approved the specification 0000"),
        ({"specification": ""}, "nobody has approved the specification (none)"),
        ({"run_id": "20261123-never-0000"}, "no run is known"),
    ],
)
def test_what_nobody_approved_is_refused_and_remembered(
    judge: ModalDouble, tmp_path: Path, change: dict[str, Any], why: str
) -> None:
    _, spec = approved_run(tmp_path)
    said = asked(judge, replace(spec, **change), "E1")
    assert "makes only what was approved" in said
    report = judge.call("report")
    assert report["creates"] == []
    [objection] = report["objections"]
    assert why in objection


@pytest.mark.parametrize(
    ("machine", "what"),
    [
        ({"gpu": "H100"}, "GPU"),
        ({"cpus": 2}, "cores"),
        ({"memory_gib": 8.0}, "memory"),
        ({"timeout_seconds": 86_400}, "time"),
        ({"network": "open"}, "network"),
        ({"network": "allowed", "domains": ("example.org",)}, "network, domains"),
    ],
)
def test_another_machine_than_the_approved_one_is_refused(
    judge: ModalDouble, tmp_path: Path, machine: dict[str, Any], what: str
) -> None:
    _, spec = approved_run(tmp_path)
    other = replace(spec, compute=spec.compute.model_copy(update=machine))
    assert "makes only what was approved" in asked(judge, other, "E1")
    [objection] = judge.call("report")["objections"]
    assert objection.endswith(f"not what was approved: {what}")


@pytest.mark.parametrize(
    ("event", "name", "why"),
    [
        (e.ExperimentEnded(experiment_id="E1", outcome="done"), "E1", "nobody has approved"),
        (
            e.SandboxFailed(experiment_id="E1", fault="ended", message="lost", then="asked again"),
            "E1",
            "nobody has approved",
        ),
        (None, "E1.2", "does not say that E1.2 was about to be opened"),
        (None, "E2", "nobody has approved"),
    ],
)
def test_an_approval_is_good_for_one_experiment_until_it_is_used_up(
    judge: ModalDouble, tmp_path: Path, event: e.Event | None, name: str, why: str
) -> None:
    _, spec = approved_run(tmp_path, lambda live: live.record(event) if event else None)
    assert asked(judge, spec, name) != ""
    [objection] = judge.call("report")["objections"]
    assert why in objection


def test_an_edited_experiment_is_made_as_edited_and_says_so(either: ModalPlace, folder: Path) -> None:
    run = run_on(either, folder, MEASURE, settings={"approve": "ask"})

    async def human(live: LiveRun) -> None:
        await live.until(lambda state: "E1.1" in state.requests)
        live.record(*decisions.edit(live.state, "E1", {"compute.timeout_seconds": 30, "compute.cpus": 2}))
        await live.until(lambda state: "E1.2" in state.requests)
        live.record(*decisions.approve(live.state, "E1"))

    state = drive(either, run, human)
    [create] = either.creates
    locked = state.experiments["E1"].locked
    assert locked is not None
    assert create["tags"]["fumehood-specification"] == locked.sha256 == state.experiments["E1"].spec.sha256
    assert create["timeout_seconds"] == 30
    assert names(either) == ["E1"]


def test_a_reproduction_is_made_under_an_approval_of_its_own(either: ModalPlace, folder: Path) -> None:
    run = run_on(either, folder, MEASURE)
    drive(either, run)
    with run.journal() as journal:
        journal.append(*decisions.reproduce(run.state()))
    state = drive(either, run)
    assert state.experiments["E2"].outcome == "done"
    tags = [create["tags"] for create in either.creates]
    assert [tag["fumehood-experiment"] for tag in tags] == ["E1", "E2"]
    assert [tag["fumehood-specification"] for tag in tags] == [
        state.experiments[name].spec.sha256 for name in ("E1", "E2")
    ]
