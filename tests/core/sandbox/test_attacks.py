"""Scripts cannot get out of the box, nor bring the machine down."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import pytest

from tests.core.sandbox.attacks import EXHAUSTIONS, POSSIBLE_WITHOUT_A_BOX, THEFTS
from tests.core.sandbox.plain_user import plain_folder, run_as_plain_user, system_python

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="there are no namespaces and no /proc here"),
    pytest.mark.skipif(
        os.getuid() == 0 and not system_python(),
        reason="these are root's tests, and no interpreter is there that another user can run",
    ),
]


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    """What became of every attack; all are run once, together."""
    with plain_folder() as folder:
        found: dict[str, Any] = json.loads(run_as_plain_user("tests.core.sandbox.attack_run", folder))
    return found


def outcome(report: dict[str, Any], isolation: str, name: str) -> dict[str, Any]:
    if isolation == "namespaces" and report["next_step"]:
        pytest.skip(f"bubblewrap does not work here: {report['next_step']}")
    found: dict[str, Any] = report["outcomes"][f"{isolation}: {name}"]
    return found


@pytest.mark.parametrize("name", THEFTS)
def test_a_script_in_a_box_cannot(name: str, report: dict[str, Any]) -> None:
    attack = outcome(report, "namespaces", name)
    assert attack["end"] == "finished"
    assert "failed" in attack["output"]
    assert "SUCCEEDED" not in attack["output"]
    assert report["hits"] == 0


@pytest.mark.parametrize("name", POSSIBLE_WITHOUT_A_BOX)
def test_without_a_box_a_script_can(name: str, report: dict[str, Any]) -> None:
    assert "SUCCEEDED" in outcome(report, "process only", name)["output"]


@pytest.mark.parametrize("isolation", ["namespaces", "process only"])
@pytest.mark.parametrize("name", EXHAUSTIONS)
def test_a_script_that_takes_too_much_is_ended_with_all_its_children(
    name: str, isolation: str, report: dict[str, Any]
) -> None:
    attack = outcome(report, isolation, name)
    assert attack["end"] in EXHAUSTIONS[name].ends
    assert attack["left"] == []
    if attack["end"] == "finished" and name != "daemon":
        assert attack["exit_code"] != 0
    assert attack["peak_memory_bytes"] < 1024**3
