"""A study of a second: scripts of the standard library alone, whose every byte is known beforehand.

Two experiments at once, one of whose scripts fails first; a follow-up; a paper with one refusal.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from core.models.scripted import Trajectory
from core.sandbox import base

QUESTION = "Does the tiny treatment lower the tiny error?"
SEEDS = (0, 1, 2, 3, 4)
TIMEOUT_SECONDS = 120

# It counts its own starts in the work folder, which outlives an exec, and keeps its records as they
# are on disk, so that the chain over them can be computed again when the sandbox is gone.
SCRIPT = """
import os, sys, time
import lab

NAME, LEVELS, STEP_SECONDS, EXIT = {name!r}, {levels!r}, {step_seconds!r}, {exit!r}
with open(f"starts-{{NAME}}", "a") as starts:
    starts.write("x")
print(NAME, "start", os.path.getsize(f"starts-{{NAME}}"), flush=True)
for seed in lab.seeds():
    for arm, level in LEVELS.items():
        lab.condition(study=NAME, arm=arm, seed=seed)
        for step in range(4):
            print(NAME, seed, arm, step, "." * 60, flush=True)
            time.sleep(STEP_SECONDS)
        lab.result("error", level + (seed * 7 + len(arm) * 3) % 5 / 100, unit="fraction", split="test")
    print(NAME, "block", seed, str(seed) * 150_000, flush=True)
lab.artifact(os.path.join(os.environ["LAB_DIR"], "records.jsonl"), "raw records")
print(NAME, "end", flush=True)
sys.exit(EXIT)
"""

BETTER = {"plain": 0.5, "better": 0.3}
SAME = {"plain": 0.5, "other": 0.5}


def script(name: str, levels: Mapping[str, float], *, step_seconds: float = 0.005, exit_code: int = 0) -> str:
    """The code of one script."""
    return SCRIPT.format(name=name, levels=dict(levels), step_seconds=step_seconds, exit=exit_code)


SCRIPTS = {
    "E1-1": script("first", BETTER, step_seconds=0.002, exit_code=3),
    "E1-2": script("second", BETTER),
    "E2-1": script("third", SAME, step_seconds=0.008),
    "E3-1": script("fourth", BETTER),
}
"""The code of every exec of the study; each runs exactly once."""

EXIT_CODES = {"E1-1": 3, "E1-2": 0, "E2-1": 0, "E3-1": 0}
VERDICTS = {"E1": "supported", "E2": "refuted", "E3": "supported"}


@dataclass(frozen=True)
class Truth:
    """What a script leaves behind when nothing disturbs it.

    Attributes:
        output: exactly what it prints, stdout and stderr in order.
        records: its records, parsed, without the time and the raw copy's own hash.
    """

    output: bytes
    records: tuple[Mapping[str, Any], ...]


@cache
def truth() -> Mapping[str, Truth]:
    """What each exec leaves behind, found by running its script without any engine or sandbox."""
    return {exec_id: _run_plainly(code) for exec_id, code in SCRIPTS.items()}


def comparable(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record without what differs from run to run: its time, and the hash of a file with times in it."""
    return {name: value for name, value in record.items() if name not in ("t", "file", "sha256", "bytes")}


def _run_plainly(code: str) -> Truth:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "script.py").write_text(code, encoding="utf-8")
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(base.__file__).parent),
            "PYTHONUNBUFFERED": "1",
            "LAB_DIR": folder,
            "LAB_SCRIPT": f"{folder}/script.py",
            "LAB_SEEDS": json.dumps(SEEDS),
        }
        ran = subprocess.run(
            [sys.executable, f"{folder}/script.py"],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        lines = (Path(folder) / "records.jsonl").read_bytes().splitlines()
    return Truth(ran.stdout, tuple(comparable(json.loads(line)) for line in lines))


def trajectory() -> Trajectory:
    """The turns of every agent."""
    wait = {"tool": "wait_for_results"}
    wait_on = {"when": "Still open", "calls": [wait]}
    return Trajectory.model_validate(
        {
            "title": "Tiny",
            "question": QUESTION,
            "turns": {
                "orchestrator": [
                    _proposal(
                        _experiment("first", "better", "differs"), _experiment("third", "other", "same")
                    ),
                    {"text": "I wait.", "calls": [wait]},
                    wait_on,
                    wait_on,
                    {"text": "Once more.", **_proposal(_experiment("fourth", "better", "differs"))},
                    {"calls": [wait]},
                    wait_on,
                    {"calls": [{"tool": "read_report", "arguments": {"experiment": "E1"}}]},
                    {"calls": [{"tool": "finish_research", "arguments": {"summary": "It lowers it."}}]},
                ],
                "E1": [_run("E1-1"), _run("E1-2"), _finding("The first script was wrong."), _SUBMIT],
                "E2": [_run("E2-1"), _SUBMIT],
                "E3": [_run("E3-1"), _finding("Again."), _finding("And again."), _SUBMIT],
                "writer": [_paper("The error is 0.31."), _paper("")],
            },
        }
    )


_SUBMIT = {"calls": [{"tool": "submit_result", "arguments": {"summary": "Done as planned."}}]}


def _run(exec_id: str) -> dict[str, Any]:
    arguments = {"code": SCRIPTS[exec_id], "purpose": f"for {exec_id}"}
    return {"text": f"Now {exec_id}. " * 5, "calls": [{"tool": "run_python", "arguments": arguments}]}


def _finding(text: str) -> dict[str, Any]:
    return {"calls": [{"tool": "record_finding", "arguments": {"text": text}}]}


def _proposal(*experiments: dict[str, Any]) -> dict[str, Any]:
    return {"calls": [{"tool": "propose_experiments", "arguments": {"experiments": list(experiments)}}]}


def _experiment(study: str, treatment: str, kind: str) -> dict[str, Any]:
    criterion = (
        {"kind": "differs", "direction": "less", "min_effect": 0.05}
        if kind == "differs"
        else {"kind": "differs", "direction": "greater", "min_effect": 0.05}
    )
    counted = {"first": "second"}.get(study, study)
    return {
        "title": f"Tiny {study}",
        "why": "It is quick.",
        "plan": "Run the script.",
        "hypothesis": {
            "statement": f"The {treatment} arm differs from the plain one.",
            "metric": {"name": "error", "split": "test", "unit": "fraction"},
            "treatment": {"label": treatment, "where": {"study": counted, "arm": treatment}},
            "baseline": {"label": "plain", "where": {"study": counted, "arm": "plain"}},
            "criterion": criterion,
            "seeds": SEEDS,
        },
        "compute": {"timeout_seconds": TIMEOUT_SECONDS, "memory_gib": 1},
    }


def _paper(extra: str) -> dict[str, Any]:
    abstract = f"H1 is {{{{ verdict(H1) }}}} and H2 is {{{{ verdict(H2) }}}}. {extra}"
    body = (
        "# Results\n\nThe better arm has an error of {{ error.second.better : .3f }}, the plain one of"
        " {{ error.second.plain : .3f }}. The effect of H3 is {{ effect(H3) : .3f }} with the interval"
        " {{ ci(H3) : .3f }}.\n"
    )
    arguments = {"title": "A Tiny Paper", "abstract": abstract, "body": body}
    return {"text": "A draft.", "calls": [{"tool": "submit_paper", "arguments": arguments}]}


def fingerprint(code: str) -> str:
    """The hash by which the journal names a script."""
    return hashlib.sha256(code.encode()).hexdigest()
