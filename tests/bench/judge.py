"""How often the judge says "supported" where nothing is, and how often where something is.

Studies of four hypotheses that share an error budget of 0.05, simulated many times. Run with
``python -m tests.bench.judge``; ``--count`` for a short form.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Sequence

from core.evidence.judge import judge
from core.experiment import Arm, Differs, Experiment, Hypothesis, Metric
from tests.core.evidence.synthetic import LOCKED, SEEDS, ledger_of, results

HYPOTHESES = 4
BUDGET = 0.05
TREATMENT, BASELINE = {"arm": "treatment"}, {"arm": "baseline"}

Draw = Callable[[random.Random, float], tuple[list[float], list[float]]]


def independent(generator: random.Random, effect: float) -> tuple[list[float], list[float]]:
    """Ten independent pairs; their differences have an sd of 1."""
    baseline = [generator.gauss(0, 1) for _ in SEEDS]
    return [b + effect + generator.gauss(0, 1) for b in baseline], baseline


def resplit(generator: random.Random, effect: float) -> tuple[list[float], list[float]]:
    """Ten re-splits of one data set: what they share does not average out.

    The correlation is the one that Nadeau and Bengio assume: the held-out share, here 0.3.
    """
    shared = generator.gauss(0, 0.3**0.5)
    return [effect + shared + generator.gauss(0, 0.7**0.5) for _ in SEEDS], [0.0] * len(SEEDS)


def supported(draw: Draw, effect: float, alpha: float, generator: random.Random) -> bool:
    """Whether one simulated experiment is judged as supported."""
    treatment, baseline = draw(generator, effect)
    own = "resplit" if draw is resplit else "independent"
    hypothesis = Hypothesis.model_validate(
        {
            "statement": "The treatment is higher",
            "metric": Metric(name="score", split="test"),
            "treatment": Arm(label="treatment", where=TREATMENT),
            "baseline": Arm(label="baseline", where=BASELINE),
            "criterion": Differs(direction="greater"),
            "seeds": SEEDS,
            "replicates": own,
            "test_fraction": 0.3 if own == "resplit" else 0.0,
        }
    )
    experiment = Experiment(id="E1", round=1, alpha=alpha, title="x", plan="x", hypothesis=hypothesis)
    cells: Sequence[tuple[dict[str, str], list[float]]] = [(TREATMENT, treatment), (BASELINE, baseline)]
    records = results(cells, name="score", unit="")
    return judge(experiment, LOCKED, ledger_of(records)).outcome == "supported"


def false_supported(draw: Draw, studies: int) -> float:
    """Share of studies of true nulls in which any hypothesis is judged as supported."""
    generator = random.Random(3)
    wrong = sum(
        any(supported(draw, 0.0, BUDGET / HYPOTHESES, generator) for _ in range(HYPOTHESES))
        for _ in range(studies)
    )
    return wrong / studies


def power(effect: float, studies: int) -> float:
    """Share of single experiments with a true effect, in sd of the difference, that find it."""
    generator = random.Random(4)
    found = sum(supported(independent, effect, BUDGET / HYPOTHESES, generator) for _ in range(studies))
    return found / studies


def main() -> int:
    """Print the shares.

    Returns:
        0 if true nulls are judged as supported in no more than the error budget, else 1.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000, help="simulated studies of each kind")
    count = parser.parse_args().count
    ok = True
    for name, draw in (("independent seeds", independent), ("re-split seeds", resplit)):
        share = false_supported(draw, count)
        ok = ok and share <= BUDGET
        print(f"true nulls, {name}: {share:.2%} of {count} studies call one of {HYPOTHESES} supported")
    for effect in (0.5, 1.0, 2.0):
        share = power(effect, max(1, count // 4))
        print(f"a true effect of {effect:g} sd on {len(SEEDS)} seeds: supported in {share:.0%}")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
