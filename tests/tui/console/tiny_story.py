"""The story that the end-to-end test plays: two experiments, of which one runs until it is told to end."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from tests.fakes.terminal import Terminal
from tests.tui.conftest import Home

COLUMNS, ROWS = 140, 40

SCRIPT = """
import lab, math, os, time
step = 0
while not os.path.exists("go"):
    step += 1
    lab.log(step, loss=math.exp(-step / 20))
    print("step", step, flush=True)
    time.sleep(0.05)
for seed in lab.seeds():
    for arm, score in (("new", 2.0), ("old", 1.0)):
        lab.condition(arm=arm, seed=seed)
        lab.result("score", score + 0.01 * seed, split="test")
print("measured both", flush=True)
"""


def _proposal(title: str) -> dict[str, object]:
    return {
        "title": title,
        "plan": "Score both.",
        "why": "It is quick.",
        "compute": {"timeout_seconds": 60},
        "hypothesis": {
            "statement": f"Of {title}, the new one scores higher.",
            "metric": {"name": "score"},
            "treatment": {"label": "new", "where": {"arm": "new"}},
            "baseline": {"label": "old", "where": {"arm": "old"}},
            "criterion": {"kind": "differs", "direction": "greater", "min_effect": 0.5},
            "seeds": [0, 1],
        },
    }


def _turn(tool: str, thoughts: str = "", when: str = "", **arguments: object) -> dict[str, object]:
    turn = {"calls": [{"tool": tool, "arguments": arguments}]}
    return turn | {name: text for name, text in (("thoughts", thoughts), ("when", when)) if text}


TURNS = {
    "orchestrator": [
        _turn(
            "propose_experiments",
            thoughts="Two experiments will do, on two kinds of fruit.",
            experiments=[_proposal("apples"), _proposal("pears")],
        ),
        _turn("wait_for_results"),
        _turn("wait_for_results", when="Still open"),
        _turn("wait_for_results", when="Still open"),
        _turn("finish_research", summary="Done."),
    ],
    "E1": [
        _turn("run_python", code=SCRIPT, purpose="both seeds"),
        _turn("submit_result", summary="Ran."),
    ],
    "writer": [
        _turn(
            "submit_paper",
            title="Fruit scores",
            abstract="H1 is {{ verdict(H1) }}.",
            body="# Results\n\nThe mean is {{ score.new : .2f }}.",
        )
    ],
}


def write_story(folder: Path) -> Path:
    """Write the study into a new folder and return that."""
    folder.mkdir(parents=True)
    # A JSON string is a TOML string, too, and a JSON object without its colons' quotes an inline table.
    lines = ['title = "Fruit"', 'question = "Is new fruit better?"']
    for agent, turns in TURNS.items():
        for turn in turns:
            lines.append(f"[[turns.{agent}]]")
            lines += [f"{name} = {_toml(value)}" for name, value in turn.items()]
    (folder / "trajectory.toml").write_text("\n".join(lines), encoding="utf-8")
    return folder


def _toml(value: object) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{name} = {_toml(item)}" for name, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


def environment(**changes: str) -> dict[str, str]:
    """What a person's shell gives to programs, and where this test's runs are."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "HOME", "PYTHONPATH") or name.startswith(("FUMEHOOD_", "XDG_"))
    }
    return kept | {"LANG": "C.UTF-8", "TERM": "xterm-256color", "COLORTERM": "truecolor"} | changes


def console(home: Home, *words: str, columns: int = COLUMNS, rows: int = ROWS, **changes: str) -> Terminal:
    """A command in a terminal of its own; use it in a ``with`` statement."""
    state = {"XDG_STATE_HOME": str(home.path / "state"), "HOME": str(home.path)}
    command = [sys.executable, "-m", "tui.cli", *words]
    return Terminal(command, environment(**(state | changes)), columns, rows)
