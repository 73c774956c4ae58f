"""What agents are told first: of machines, packages, the network and the human's files."""

from __future__ import annotations

from typing import Any

import pytest

from core.agents.data import added, data_in_words
from core.agents.prompts import ORCHESTRATOR, RESEARCHER, orchestrator_prompt, researcher_prompt
from core.agents.tools import ProposeExperiments, Tool
from core.errors import DecisionError
from core.experiment import Compute
from core.record.events import DataAdded, EngineStarted, RunCreated, RunEnded, now
from core.record.fold import fold
from core.record.state import ExperimentState
from core.sandbox.modal.images import DEFAULT_PACKAGES
from tests.fakes.specs import experiment, run_settings

TABLE = DataAdded(name="table.csv", sha256="ab" * 32, size_bytes=1_234_567)


def told_of(sandbox: str = "modal", **compute: Any) -> str:
    spec = experiment(1, compute=Compute(**compute))
    return researcher_prompt(ExperimentState(spec, now(), "c"), "Why?", sandbox)


def test_data_is_told_by_name_size_and_hash_and_is_fenced() -> None:
    words = data_in_words([TABLE])
    first, line, last = words.splitlines()
    assert line == f"table.csv  1,234,567 bytes  sha256 {'ab' * 32}"
    assert first.startswith("<data-")
    assert last == first.replace("<", "</")
    for prompt in (
        orchestrator_prompt("Why?", run_settings(), [TABLE]),
        researcher_prompt(ExperimentState(experiment(1), now(), "c"), "Why?", "local", [TABLE]),
    ):
        assert words in prompt


def test_that_there_is_no_data_is_said() -> None:
    assert "no data so far" in orchestrator_prompt("Why?", run_settings())
    assert "no data so far" in told_of()


def test_both_kinds_of_agents_know_where_files_are() -> None:
    assert "lab.data_path" in RESEARCHER
    assert "lab.shared_path" in RESEARCHER
    assert "The run's data" in ORCHESTRATOR
    assert "shared\n  folder" in ORCHESTRATOR


def test_sandboxes_at_modal_are_told_with_gpus_packages_and_domains() -> None:
    prompt = orchestrator_prompt("Why?", run_settings(sandbox="modal", gpu="H100"))
    assert "GPU H100 unless you ask for another or none" in prompt
    assert "any for the cheapest with room" in prompt
    assert ", ".join(DEFAULT_PACKAGES) in prompt
    assert "torch" in prompt
    assert "allowed for domains that you name" in prompt


def test_local_sandboxes_are_told_without_what_they_do_not_have() -> None:
    prompt = orchestrator_prompt("Why?", run_settings(sandbox="local"))
    assert "CPU only" in prompt
    assert "standard library alone" in prompt
    assert "cannot tell domains apart" in prompt
    assert "torch" not in prompt


@pytest.mark.parametrize(
    ("sandbox", "compute", "said"),
    [
        ("modal", {}, f"network blocked; packages: {', '.join(DEFAULT_PACKAGES)}."),
        ("local", {}, "packages: none beyond the standard library."),
        ("modal", {"packages": ("transformers",)}, "packages: transformers."),
        (
            "modal",
            {"network": "allowed", "domains": ("example.org", "*.example.com")},
            "network only *.example.com, example.org;",
        ),
        ("local", {"network": "open"}, "network open;"),
    ],
)
def test_a_researcher_is_told_what_its_machine_has(sandbox: str, compute: dict[str, Any], said: str) -> None:
    assert said in told_of(sandbox, **compute)


def test_the_tool_says_how_domains_are_asked_for() -> None:
    async def nothing(arguments: Any, call_id: str) -> Any:
        raise AssertionError

    schema = str(Tool("propose_experiments", ProposeExperiments, nothing).spec.schema)
    assert "'domains'" in schema
    assert "['blocked', 'allowed', 'open']" in schema
    assert "``any`` for the cheapest with room" in schema


def test_data_for_a_run_that_reads_none_any_more_is_refused() -> None:
    created = RunCreated(run_id="r", question="q", settings=run_settings(), version="0")
    state = fold([created, EngineStarted(pid=1, host="h", isolation="namespaces")])
    assert [type(event).__name__ for event in added(state, [TABLE])] == ["DataAdded", "MessageSent"]
    fold([RunEnded(outcome="done")], state)
    with pytest.raises(DecisionError, match="the run has ended: done"):
        added(state, [TABLE])
