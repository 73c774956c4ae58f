"""Whole runs at Modal: their experiments have exactly the packages, network and files that were said."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from core.record import events as e
from core.sandbox.modal.images import DEFAULT_PACKAGES
from tests.core.sandbox.test_modal.conftest import ModalPlace
from tests.core.sandbox.test_modal.test_run_faults import AT_ONCE, drive, events, run_on
from tests.core.sandbox.test_modal.test_volumes import added, needs_mounts
from tests.fakes.tiny_run import MEASURE, call, proposed, study, tiny_run


def lines(run: Any) -> list[str]:
    """What a run shows of its sandboxes being made ready."""
    return [event.line for event in events(run, e.SandboxProgressed)]


def images(place: ModalPlace) -> list[list[str]]:
    """The packages of every image that has any."""
    report = place.double.call("report")
    return [image["packages"] for image in report["images"] if image["packages"]]


@pytest.mark.parametrize(
    ("network", "domains", "kind"),
    [
        ("blocked", (), "BLOCKED"),
        ("allowed", ("*.hf.co", "huggingface.co"), "ALLOWLIST"),
        ("open", (), "OPEN"),
    ],
)
def test_the_network_that_was_proposed_is_approved_and_made(
    either: ModalPlace, folder: Path, network: str, domains: tuple[str, ...], kind: str
) -> None:
    from modal_proto import api_pb2

    run = run_on(either, folder, MEASURE, network=network, domains=list(domains))
    state = drive(either, run)
    compute = state.experiments["E1"].spec.compute
    assert (state.experiments["E1"].outcome, compute.network, compute.domains) == ("done", network, domains)
    (create,) = either.creates
    assert api_pb2.NetworkAccess.NetworkAccessType.Name(create["network"]) == kind
    assert create["domains"] == list(domains)
    assert create["tags"]["fumehood-specification"] == state.experiments["E1"].spec.sha256
    assert f"network {compute.network_in_words};" in state.agents["E1"].started.prompt


def test_an_image_is_built_once_for_all_experiments_and_its_log_is_in_the_journal(
    place: ModalPlace, folder: Path
) -> None:
    place.double.call("build", log=["Resolved 2 packages\n", "Installed numpy\n"])
    each = proposed(packages=["numpy"])
    trajectory = study(
        experiments=2,
        orchestrator=[
            call("propose_experiments", experiments=[each, {**each, "title": "again"}]),
            call("wait_for_results"),
            *({"when": "Still open"} | call("wait_for_results") for _ in range(9)),
            call("finish_research", summary="Done."),
        ],
    )
    run = tiny_run(folder, trajectory, sandbox="modal")
    state = drive(place, run)
    assert [x.outcome for x in state.experiments.values()] == ["done", "done"]
    assert [line for line in lines(run) if line.startswith(("Resolved", "Installed"))] == [
        "Resolved 2 packages",
        "Installed numpy",
    ]
    assert place.double.call("report")["calls"]["ImageJoinStreaming"] == 1
    assert images(place) == [["numpy"]] * len(images(place))


def test_an_experiment_that_names_no_packages_has_the_usual_ones(place: ModalPlace, folder: Path) -> None:
    run = run_on(place, folder, MEASURE, packages=[])
    state = drive(place, run)
    assert list(DEFAULT_PACKAGES) in images(place)
    assert ", ".join(DEFAULT_PACKAGES) in state.agents["E1"].started.prompt
    assert ", ".join(DEFAULT_PACKAGES) in state.agents["orchestrator"].started.prompt


def test_packages_that_cannot_be_installed_end_the_experiment_with_the_reason(
    place: ModalPlace, folder: Path
) -> None:
    place.double.call("build", log=["× No solution found: nunpy was not found\n"], error="exit code 1")
    run = run_on(place, folder, MEASURE, packages=["nunpy"])
    state = drive(place, run, relaunches=AT_ONCE)
    experiment = state.experiments["E1"]
    assert experiment.outcome == "failed"
    assert "nunpy was not found" in experiment.message
    assert experiment.verdict is None or experiment.verdict.outcome == "inconclusive"
    assert any("nunpy was not found" in line for line in lines(run))
    assert place.creates == []


@needs_mounts
def test_a_run_reads_its_data_and_hands_files_on(either: ModalPlace, folder: Path) -> None:
    (folder / "scores.csv").write_text("a,b")
    read = "import lab\nprint(open(lab.data_path('scores.csv')).read())\n"
    hand_on = "open(lab.shared_path('E1/model'), 'w').write('trained')\n"
    run = run_on(either, folder, read + hand_on + MEASURE)
    asyncio.run(added(either, folder / "scores.csv", run_id=run.run_id))
    state = drive(either, run)
    assert state.experiments["E1"].outcome == "done"
    assert run.log_path("E1-1").read_text().startswith("a,b\n")
