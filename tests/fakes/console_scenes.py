"""Scenes that several runs share: a first round, scripts that measure, a second round under way."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from core.record import events as e
from tests.fakes.console_story import (
    CANCER,
    DEPTH,
    LABELS,
    NEIGHBOURS,
    ROOM,
    STUMPS,
    TREES,
    Story,
)

CODE = '''"""Decision trees on digits, alone and in a bag."""

import lab
import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

MEMBERS = 50  # as many as the plan says
images, digits = load_digits(return_X_y=True)

for seed in lab.seeds():
    train, test = train_test_split(np.arange(len(digits)), test_size=0.3, random_state=seed)
    for arm in ("single", "bagged"):
        lab.condition(base="tree", arm=arm, seed=seed)
        model = DecisionTreeClassifier(random_state=seed)
        if arm == "bagged":
            model = BaggingClassifier(model, n_estimators=MEMBERS, random_state=seed)
        model.fit(images[train], digits[train])
        error = float(np.mean(model.predict(images[test]) != digits[test]))
        lab.result("test_error", error, unit="fraction", split="test", count=len(test))
        print(f"seed {seed}  {arm:<6}  test error {error:.4f}", flush=True)
'''


def begun(parent: Path, **settings: Any) -> Story:
    story = Story(parent, **settings)
    story.engine()
    story.agent("orchestrator")
    return story


def first_round(story: Story) -> None:
    proposals = {"experiments": [{"title": x.title} for x in (TREES, NEIGHBOURS, STUMPS)]}
    story.turn(
        "orchestrator",
        1,
        thoughts=(
            "Breiman's argument of 1996 is about instability. If a small change of the training set"
            " changes the predictor, the average over bootstrap samples has less variance than one"
            " predictor.\n\n"
            "So the claim has two halves, and both can fail."
        ),
        text="The claim has two halves. I propose to test both at once, on the same data and splits.",
        calls={"c1": ("propose_experiments", proposals)},
        retried="the provider is overloaded (529)",
    )
    story.propose(TREES)
    story.propose(NEIGHBOURS)
    story.propose(STUMPS, "0.80")
    story.answer("orchestrator", "c1", "E1, E2 and E3 are proposed; each waits for approval.")
    story.turn("orchestrator", 2, text="I wait.", calls={"w1": ("wait_for_results", {})})


def first_scripts(story: Story) -> None:
    """E1 tries its script once, then runs it whole."""
    call = {"code": CODE, "purpose": "a trial with one seed", "trial": True}
    story.turn(
        "E1",
        1,
        thoughts="One trial first: the shapes must fit before ten seeds are spent on it.",
        text="I try the script with one seed.",
        calls={"run-1": ("run_python", call)},
    )
    trial = story.script("E1", 1, CODE, purpose="a trial with one seed", trial=True)
    story.print(trial, "seed 0  single  test error 0.1481", "seed 0  bagged  test error 0.0519")
    story.script_ends(trial, seconds=7)
    story.answer(
        "E1",
        "run-1",
        "exit code 0 after 7.0 s\nseed 0  single  test error 0.1481\nseed 0  bagged  test error 0.0519",
    )
    story.turn(
        "E1",
        2,
        text="It works. Now all seeds.",
        calls={"run-2": ("run_python", {"code": CODE, "purpose": "all seeds, both arms"})},
    )
    exec_id = story.script("E1", 2, CODE, purpose="all seeds, both arms")
    results(story, exec_id, "tree", 0.159, 0.055)


def under_way(parent: Path, **settings: Any) -> Story:
    story = begun(parent, **settings)
    first_round(story)
    story.wait(60)
    story.launch(TREES)
    story.launch(NEIGHBOURS)
    story.launch(STUMPS, "0.80")
    first_scripts(story)
    crashing_script(story, "E3")
    story.ends(
        "E3",
        "gave up",
        "met the same error 4 times: ModuleNotFoundError: No module named 'sklearn'",
        cost="0.06",
    )
    story.script_ends("E1-2", seconds=212)
    story.answer("E1", "run-2", "exit code 0 after 212.0 s\n20 results recorded")
    story.tell(
        e.FindingRecorded(
            experiment_id="E1", call_id="f1", text="A bag of 50 trees errs on a third of what one tree does."
        )
    )
    story.ends("E1", cost="0.46")
    story.verdict("E1", "supported", -0.104, -0.120, -0.088)
    story.answer("orchestrator", "w1", "E1 ended. verdict: supported\nStill open: E2")
    story.turn(
        "orchestrator",
        3,
        thoughts="One half alone says little: the claim is about the contrast. But is it only digits?",
        text="One half is in. While the other runs, I ask whether it holds on other data.",
        calls={
            "c2": (
                "propose_experiments",
                {"experiments": [{"title": x.title} for x in (ROOM, CANCER, LABELS)]},
            )
        },
    )
    story.propose(ROOM)
    story.propose(CANCER, "2.40")
    story.propose(LABELS, "1.70")
    story.propose(DEPTH, price=False)
    story.answer("orchestrator", "c2", "E4, E5, E6 and E7 are proposed; each waits for approval.")
    story.turn("orchestrator", 4, calls={"w2": ("wait_for_results", {})})
    story.launch(ROOM)
    _curves(story)
    return story


def _curves(story: Story) -> None:
    """E2 and E4 run: what they print, log and have recorded so far."""
    story.turn("E2", 1, text="All seeds at once.", calls={"run-1": ("run_python", {"code": CODE})})
    neighbours = story.script("E2", 1, CODE.replace("tree", "knn"), purpose="all seeds, both arms")
    results(story, neighbours, "knn", 0.0131, 0.0128, seeds=6)
    story.tell(
        e.FindingRecorded(
            experiment_id="E2", call_id="f1", text="So far the vote changes one image in five hundred."
        )
    )
    story.turn("E4", 1, text="I train and watch.", calls={"run-1": ("run_python", {"code": CODE})})
    room = story.script("E4", 1, CODE, purpose="all seeds, both arms")
    steps = 120
    story.record(
        room,
        *(
            {
                "kind": "log",
                "condition": {"base": "knn", "arm": arm, "seed": 0},
                "step": step,
                "values": {"loss": floor + 0.9 * math.exp(-step / 25) + 0.02 * math.sin(step * 1.7)},
            }
            for arm, floor in (("single", 0.31), ("bagged", 0.18))
            for step in range(1, steps + 1)
        ),
    )
    story.print(
        room,
        *(
            f"epoch {step:3}/{steps}  loss {0.18 + 0.9 * math.exp(-step / 25):.4f}"
            for step in range(1, steps + 1)
        ),
    )


def results(story: Story, exec_id: str, base: str, single: float, bagged: float, seeds: int = 10) -> None:
    """Results of both arms, the vote's error as members join, and what was printed."""
    for seed in range(seeds):
        wobble = 0.012 * math.sin(2.4 * seed)
        for arm, level in (("single", single), ("bagged", bagged)):
            value = round(level * (1 + wobble * 5), 6)
            condition = {"base": base, "arm": arm, "seed": seed}
            watched = (1, 2, 3, 5, 10, 20, 30, 40, 50) if arm == "bagged" else ()
            story.record(
                exec_id,
                *(
                    {
                        "kind": "log",
                        "condition": condition,
                        "step": members,
                        "values": {"vote_error": value + (single - bagged) / members},
                    }
                    for members in watched
                ),
                {
                    "kind": "result",
                    "condition": condition,
                    "name": "test_error",
                    "value": value,
                    "unit": "fraction",
                    "split": "test",
                    "count": 540,
                },
            )
            story.print(
                exec_id,
                f"lab.result test_error={value:.6g} base={base} arm={arm} seed={seed}",
                f"seed {seed} ({seed + 1} of 10)  {arm:<6} {base}  test error {value:.4f}",
            )


def crashing_script(story: Story, experiment_id: str = "E2") -> None:
    story.turn(
        experiment_id,
        1,
        text="I run the whole plan.",
        calls={"run-1": ("run_python", {"code": CODE, "purpose": "all seeds, both arms"})},
    )
    exec_id = story.script(experiment_id, 1, CODE, purpose="all seeds, both arms")
    story.print(
        exec_id,
        "Traceback (most recent call last):",
        '  File "main.py", line 5, in <module>',
        "    from sklearn.datasets import load_digits",
        "\x1b[31mModuleNotFoundError\x1b[0m: No module named 'sklearn'",
    )
    story.script_ends(exec_id, exit_code=1, seconds=0.6)
    story.answer(
        experiment_id, "run-1", "exit code 1: ModuleNotFoundError: No module named 'sklearn'", error=True
    )
