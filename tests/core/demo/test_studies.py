"""The shipped studies are complete, readable and safe to play."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.agents.tools import (
    Arguments,
    FinishResearch,
    ProposeExperiments,
    ReadReport,
    RecordFinding,
    RunPython,
    SubmitPaper,
    SubmitResult,
    WaitForResults,
)
from core.demo import DEFAULT, studies, study_path
from core.errors import InputError
from core.experiment import Proposal
from core.models.scripted import ScriptedCall, ScriptedTurn, Trajectory, read_trajectory

NAMES = [study.name for study in studies()]
SCRIPTS = sorted(script for name in NAMES for script in study_path(name).glob("*.py"))
ARGUMENTS: dict[str, type[Arguments]] = {
    "propose_experiments": ProposeExperiments,
    "wait_for_results": WaitForResults,
    "read_report": ReadReport,
    "finish_research": FinishResearch,
    "run_python": RunPython,
    "record_finding": RecordFinding,
    "submit_result": SubmitResult,
    "submit_paper": SubmitPaper,
}
LAB = {"condition", "config", "log", "note", "result", "data", "predictions", "seeds", "trial"}


def calls_of(trajectory: Trajectory) -> Iterator[tuple[str, ScriptedCall]]:
    for agent, turns in trajectory.turns.items():
        for turn in turns:
            yield from ((agent, call) for call in turn.calls)


def proposals_of(name: str) -> list[Proposal]:
    """The proposals of a study, in the order in which they get their numbers."""
    return [
        proposal
        for _, call in calls_of(read_trajectory(study_path(name)))
        if call.tool == "propose_experiments"
        for proposal in ProposeExperiments.model_validate(call.arguments).experiments
    ]


def named_script(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def test_the_default_study_comes_first_and_every_study_says_what_it_is_about() -> None:
    assert NAMES[0] == DEFAULT
    assert all(study.title and 20 < len(study.about) < 160 for study in studies())


def test_an_unknown_study_is_refused_with_the_names_that_exist() -> None:
    with pytest.raises(InputError, match="no shipped study 'boosting'") as refused:
        study_path("boosting")
    assert all(name in refused.value.next_step for name in NAMES)


def test_a_study_cannot_be_reached_by_a_path() -> None:
    with pytest.raises(InputError):
        study_path("../agents")


@pytest.mark.parametrize("name", NAMES)
def test_every_tool_call_of_a_study_has_arguments_that_its_tool_takes(name: str) -> None:
    calls = list(calls_of(read_trajectory(study_path(name))))
    assert calls
    for _, call in calls:
        ARGUMENTS[call.tool].model_validate(call.arguments)


@pytest.mark.parametrize("name", NAMES)
def test_every_proposed_experiment_has_a_researcher_that_submits_a_result(name: str) -> None:
    trajectory = read_trajectory(study_path(name))
    experiments = [f"E{number}" for number, _ in enumerate(proposals_of(name), start=1)]
    assert set(trajectory.turns) == {"orchestrator", "writer", *experiments}
    for experiment in experiments:
        last = trajectory.turns[experiment][-1]
        assert [call.tool for call in last.calls] == ["submit_result"]


@pytest.mark.parametrize("name", NAMES)
def test_every_proposal_is_modest_offline_and_has_seeds_enough(name: str) -> None:
    for proposal in proposals_of(name):
        compute, hypothesis = proposal.compute, proposal.hypothesis
        assert compute.gpu is None
        assert compute.network == "blocked"
        assert (compute.cpus, compute.memory_gib, compute.timeout_seconds) == (1, 2, 600)
        assert compute.packages == ("scikit-learn>=1.7",)
        assert proposal.why
        assert hypothesis is not None
        assert len(hypothesis.seeds) >= 8


@pytest.mark.parametrize("name", NAMES)
def test_turns_that_depend_on_what_was_heard_end_in_one_that_does_not(name: str) -> None:
    trajectory = read_trajectory(study_path(name))
    for agent in ("orchestrator", "writer"):
        last = trajectory.turns[agent][-1]
        assert last.when is None
        assert last.calls[-1].tool in {"finish_research", "submit_paper"}


@pytest.mark.parametrize("name", NAMES)
def test_no_file_is_shipped_that_no_turn_names_and_none_is_named_that_is_not_there(name: str) -> None:
    folder = study_path(name)
    source = (folder / "trajectory.toml").read_text(encoding="utf-8")
    named = set(re.findall(r'"file:([^"]+)"', source))
    shipped = {file.name for file in folder.iterdir() if file.is_file()} - {"trajectory.toml"}
    assert named == shipped


@pytest.mark.parametrize("script", SCRIPTS, ids=named_script)
def test_a_script_compiles_and_imports_only_lab_numpy_sklearn_and_the_standard_library(script: Path) -> None:
    tree = compile(script.read_text(encoding="utf-8"), str(script), "exec", ast.PyCF_ONLY_AST)
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    assert imported <= {"lab", "numpy", "sklearn"} | set(sys.stdlib_module_names)
    assert "lab" in imported


@pytest.mark.parametrize("script", SCRIPTS, ids=named_script)
def test_a_script_uses_the_planned_seeds_and_only_what_lab_offers(script: Path) -> None:
    source = script.read_text(encoding="utf-8")
    used = set(re.findall(r"\blab\.(\w+)", source))
    assert used <= LAB
    assert {"seeds", "condition", "config", "log", "result"} <= used
    assert {"predictions", "data"} & used


@pytest.mark.parametrize("name", NAMES)
def test_the_scripts_measure_what_the_hypotheses_name(name: str) -> None:
    trajectory = read_trajectory(study_path(name))
    for number, proposal in enumerate(proposals_of(name), start=1):
        hypothesis = proposal.hypothesis
        assert hypothesis is not None
        arms = [hypothesis.treatment, *([hypothesis.baseline] if hypothesis.baseline else [])]
        codes = [
            call.arguments["code"]
            for turn in trajectory.turns[f"E{number}"]
            for call in turn.calls
            if call.tool == "run_python" and not call.arguments.get("trial")
        ]
        assert codes
        assert f'lab.result("{hypothesis.metric.name}"' in codes[-1]
        for level in (level for arm in arms for level in arm.where.values()):
            assert f'"{level}"' in codes[-1]


def play(turns: tuple[ScriptedTurn, ...], *heard: str) -> list[str]:
    """The tools that are called by an agent that hears these messages, one after another."""
    called: list[str] = []
    position = 0
    for text in heard:
        for number in range(position, len(turns)):
            when = turns[number].when
            if when is None or re.search(when, text, re.DOTALL):
                called += [call.tool for call in turns[number].calls]
                position = number + 1
                break
    return called


def ended(experiment: str, outcome: str) -> str:
    return f"{experiment} (its title): done; verdict: {outcome}"


QUESTION = "The research question: …"
PROPOSED = "Round 1 is in the plan; each waits for approval at its price"
STILL = "Still open: {} (running)."
NOTHING = "Nothing is open. Rounds left: 1."


def test_the_verdict_on_the_nearest_neighbour_provokes_a_second_round() -> None:
    turns = read_trajectory(study_path("bagging")).turns["orchestrator"]
    first_round = (
        f"{ended('E1', 'supported')}\n{STILL.format('E2')}",
        f"{ended('E2', 'supported')}\n{NOTHING}",
    )
    second_round = (
        f"{ended('E4', 'inconclusive')}\n{STILL.format('E3')}",
        f"{ended('E3', 'refuted')}\n{NOTHING}",
    )
    reports = f"{ended('E3', 'refuted')}\n{ended('E4', 'inconclusive')}"
    heard = (QUESTION, PROPOSED, *first_round, ended("E2", "supported"), PROPOSED, *second_round, reports)
    assert play(turns, *heard) == [
        "propose_experiments",
        "wait_for_results",
        "wait_for_results",
        "read_report",
        "propose_experiments",
        "wait_for_results",
        "wait_for_results",
        "read_report",
        "read_report",
        "finish_research",
    ]


def test_the_orchestrator_waits_on_when_a_message_of_the_human_wakes_it() -> None:
    turns = read_trajectory(study_path("bagging")).turns["orchestrator"]
    messages = [f"{STILL.format('E1')}\nThe human says: are you there?"] * 3
    heard = (
        QUESTION,
        PROPOSED,
        *messages,
        f"{ended('E2', 'supported')}\n{NOTHING}",
        ended("E2", "supported"),
    )
    called = play(turns, *heard)
    assert called.count("wait_for_results") == 4
    assert called.count("propose_experiments") == 2


@pytest.mark.parametrize("report", ["E2 (its title): rejected: too dear", ended("E2", "inconclusive")])
def test_without_an_equivalence_there_is_no_second_round(report: str) -> None:
    turns = read_trajectory(study_path("bagging")).turns["orchestrator"]
    called = play(turns, QUESTION, PROPOSED, f"{ended('E1', 'supported')}\n{NOTHING}", report)
    assert called[-1] == "finish_research"
    assert called.count("propose_experiments") == 1


@pytest.mark.parametrize("name", NAMES)
def test_the_research_ends_even_if_everything_is_rejected(name: str) -> None:
    turns = read_trajectory(study_path(name)).turns["orchestrator"]
    rejected = "E1 (its title): rejected: no\n\nE2 (its title): rejected: no"
    called = play(turns, QUESTION, PROPOSED, f"{rejected}\n\n{NOTHING}", "E2 (its title): rejected: no")
    assert called[-1] == "finish_research"


@pytest.mark.parametrize("name", NAMES)
def test_a_researcher_whose_scripts_fail_records_no_finding(name: str) -> None:
    failed = "E1-1 ended with exit code 3 after 0.1 s"
    for agent, turns in read_trajectory(study_path(name)).turns.items():
        if agent.startswith("E"):
            called = play(turns, "Your experiment", failed)
            assert called == ["run_python", "submit_result"]


@pytest.mark.parametrize("name", NAMES)
def test_a_researcher_whose_scripts_succeed_says_what_it_found_and_did(name: str) -> None:
    for agent, turns in read_trajectory(study_path(name)).turns.items():
        if agent.startswith("E"):
            scripts = sum(call.tool == "run_python" for turn in turns for call in turn.calls)
            ended_well = ["ended with exit code 1 … TypeError … ended with exit code 0"] * scripts
            called = play(turns, "Your experiment", *ended_well, "The human sees it.")
            assert called == ["run_python"] * scripts + ["record_finding", "submit_result"]


def test_the_first_paper_on_bagging_is_refused_for_two_mistakes_that_the_second_does_not_have() -> None:
    folder = study_path("bagging")
    first = (folder / "abstract_first_try.md").read_text(encoding="utf-8")
    assert "15.9%" in first
    assert "digits.trees" in first
    mended = first.replace("15.9%", "{{ test_error.digits.tree.single : .1% }}").replace(
        "trees.bagged", "tree.bagged"
    )
    assert mended == (folder / "abstract.md").read_text(encoding="utf-8")


def test_the_shorter_paper_is_written_where_the_follow_up_has_no_verdict() -> None:
    turns = read_trajectory(study_path("bagging")).turns["writer"]
    first = next(turn for turn in turns if turn.when is None)
    assert not re.search(turns[0].when or "", "verdict(H1) verdict(H2)")
    assert re.search(turns[0].when or "", "verdict(H1) verdict(H2) verdict(H3)")
    body = first.calls[0].arguments["body"]
    assert "H1" in body
    assert "H2" in body
    assert not re.search(r"\bH[34]\b", body)
