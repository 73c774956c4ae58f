"""Makers of valid settings, experiments and runs; a test names only what it is about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.config import RunSettings
from core.experiment import Arm, Compute, Differs, Experiment, Hypothesis, Metric, Proposal
from core.record.folder import RunFolder, create_run


def run_settings(**changes: Any) -> RunSettings:
    """Settings of a run with scripted models."""
    models = dict.fromkeys(("model", "researcher_model", "writer_model"), "scripted:test")
    return RunSettings(**(models | changes))


def hypothesis(**changes: Any) -> Hypothesis:
    """A comparison of two arms on three seeds."""
    return Hypothesis(
        **(
            {
                "statement": "Bagging lowers the test error.",
                "metric": Metric(name="test_error"),
                "treatment": Arm(label="bagged", where={"arm": "bagged"}),
                "baseline": Arm(label="single", where={"arm": "single"}),
                "criterion": Differs(direction="less", min_effect=0.01),
                "seeds": (0, 1, 2),
            }
            | changes
        )
    )


def proposal(title: str = "Bagging", **changes: Any) -> Proposal:
    """A proposal with a hypothesis."""
    return Proposal(**({"title": title, "plan": "Train both arms.", "hypothesis": hypothesis()} | changes))


def experiment(number: int = 1, *, gpu: str | None = None, **changes: Any) -> Experiment:
    """The experiment with this number."""
    fields = {
        "id": f"E{number}",
        "round": 1,
        "alpha": 0.05,
        "title": f"Experiment {number}",
        "plan": "Train both arms.",
        "hypothesis": hypothesis(),
        "compute": Compute(gpu=gpu),
    }
    return Experiment(**(fields | changes))


def new_run(parent: Path, question: str = "Does bagging help?", **changes: Any) -> RunFolder:
    """A run on disk whose journal says that it was created."""
    return create_run(parent / "runs", question, run_settings(**changes), "0.0")
