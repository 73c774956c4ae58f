"""A study small enough for a test, as the file that a user would write; its script needs no packages."""

from __future__ import annotations

from pathlib import Path

TRAJECTORY = """
title = "Tiny"
question = "Is new better than old?"

[[turns.orchestrator]]
thoughts = "One experiment will do."
calls = [{ tool = "propose_experiments", arguments = { experiments = [{ title = "new beats old", plan = "Score both.", compute = { timeout_seconds = 60 }, hypothesis = { statement = "New scores higher.", metric = { name = "score" }, treatment = { label = "new", where = { arm = "new" } }, baseline = { label = "old", where = { arm = "old" } }, criterion = { kind = "differs", direction = "greater", min_effect = 0.5 }, seeds = [0, 1] } }] } }]

[[turns.orchestrator]]
calls = [{ tool = "wait_for_results" }]

[[turns.orchestrator]]
when = "Still open"
calls = [{ tool = "wait_for_results" }]

[[turns.orchestrator]]
calls = [{ tool = "finish_research", arguments = { summary = "Done." } }]

[[turns.E1]]
calls = [{ tool = "run_python", arguments = { code = "file:measure.py", purpose = "both seeds" } }]

[[turns.E1]]
calls = [{ tool = "submit_result", arguments = { summary = "Ran." } }]

[[turns.writer]]
calls = [{ tool = "submit_paper", arguments = { title = "Scores", abstract = "H1 is {{ verdict(H1) }}.", body = "The mean is {{ score.new : .2f }}." } }]
"""  # noqa: E501 - TOML keeps an inline table on one line

MEASURE = """
import lab
for seed in lab.seeds():
    for arm, score in (("new", 2.0), ("old", 1.0)):
        lab.condition(arm=arm, seed=seed)
        lab.result("score", score + 0.01 * seed, split="test")
print("measured \\x1b]0;owned\\x07 both")
"""


def write_tiny_study(folder: Path) -> Path:
    """Write the study into a new folder and return that."""
    folder.mkdir(parents=True)
    (folder / "trajectory.toml").write_text(TRAJECTORY, encoding="utf-8")
    (folder / "measure.py").write_text(MEASURE, encoding="utf-8")
    return folder
