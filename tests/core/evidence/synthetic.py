"""A made-up run with known measurements, for tests and benches."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from core.evidence.evidence import Evidence
from core.evidence.judge import judge
from core.evidence.ledger import ExecFacts, Ledger
from core.evidence.references import Reference, reference
from core.experiment import Arm, Differs, Equivalent, Experiment, Hypothesis, Metric
from core.record.events import CitationVerified
from core.record.records import Record
from core.record.works import Work

LOCKED = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SEEDS = tuple(range(10))
CODE = "c" * 64


def record(
    kind: str,
    body: Mapping[str, Any] | None = None,
    *,
    condition: Mapping[str, Any] | None = None,
    number: int = 1,
    exec_id: str = "E1-x1",
    line: int = 7,
    at: datetime | None = None,
) -> Record:
    when = LOCKED + timedelta(seconds=60 + number) if at is None else at
    return Record(exec_id, number, kind, line, condition or {}, body or {}, when, f"{number:064x}")


def facts(
    exec_id: str = "E1-x1",
    *,
    experiment_id: str | None = None,
    ended: str | None = "finished",
    exit_code: int | None = 0,
    trial: bool = False,
    code: str = CODE,
) -> ExecFacts:
    experiment = experiment_id or exec_id.split("-")[0]
    return ExecFacts(exec_id, experiment, code, LOCKED + timedelta(seconds=30), ended, exit_code, trial)


def results(
    cells: Sequence[tuple[Mapping[str, Any], Sequence[float]]],
    *,
    exec_id: str = "E1-x1",
    name: str = "test_error",
    unit: str = "fraction",
    split: str = "test",
    seeds: Sequence[int] = SEEDS,
) -> list[Record]:
    records: list[Record] = []
    for condition, values in cells:
        for seed, value in zip(seeds, values, strict=True):
            body = {"name": name, "value": value, "unit": unit, "split": split, "count": 540}
            full = {**condition, "seed": seed}
            records.append(
                record("result", body, condition=full, number=len(records) + 1, exec_id=exec_id, line=12)
            )
    return records


def ledger_of(records: Sequence[Record], *execs: ExecFacts) -> Ledger:
    known = execs or (facts(),)
    return Ledger.from_records(records, {e.exec_id: e for e in known})


def hypothesis(**changes: Any) -> Hypothesis:
    given: dict[str, Any] = {
        "statement": "Bagging lowers the error of trees",
        "metric": Metric(name="test_error", split="test", unit="fraction"),
        "treatment": Arm(label="bagged trees", where={"base": "tree", "arm": "bagged"}),
        "baseline": Arm(label="single trees", where={"base": "tree", "arm": "single"}),
        "criterion": Differs(direction="less", min_effect=0.02),
        "seeds": SEEDS,
    }
    return Hypothesis(**{**given, **changes})


def experiment(wanted: Hypothesis | None = None, *, id: str = "E1", alpha: float = 0.05) -> Experiment:  # noqa: A002
    return Experiment(
        id=id, round=1, alpha=alpha, title="Bagging", plan="Run both arms", hypothesis=wanted or hypothesis()
    )


def noisy(generator: random.Random, mean: float, sd: float) -> Callable[[], list[float]]:
    return lambda: [round(generator.gauss(mean, sd), 6) for _ in SEEDS]


def bagging() -> Evidence:
    """Two experiments: bagging trees (supported) and nearest neighbours (equivalent)."""
    generator = random.Random(7)
    trees = [
        ({"base": "tree", "arm": "single"}, noisy(generator, 0.159, 0.01)()),
        ({"base": "tree", "arm": "bagged"}, noisy(generator, 0.055, 0.006)()),
    ]
    neighbours = [
        ({"base": "knn", "arm": "single"}, noisy(generator, 0.0157, 0.001)()),
        ({"base": "knn", "arm": "bagged"}, noisy(generator, 0.0156, 0.001)()),
    ]
    records = results(trees) + results(neighbours, exec_id="E2-x1")
    for position, (arm, count) in enumerate((("single", 1), ("bagged", 50))):
        settings = {"values": {"n_estimators": count, "test_size": 0.3, "dataset": "digits8x8"}}
        records.append(
            record("config", settings, condition={"arm": arm, "seed": 0}, number=100 + position, line=5)
        )
    for position, (arm, step) in enumerate((a, s) for a in ("single", "bagged") for s in range(30)):
        body = {"step": step, "values": {"train_loss": 1.0 / (1 + step)}}
        records.append(record("log", body, condition={"arm": arm, "seed": 0}, number=200 + position, line=9))
    ledger = ledger_of(records, facts("E1-x1"), facts("E2-x1"))
    neighbour = hypothesis(
        statement="Bagging leaves nearest neighbours unchanged",
        treatment=Arm(label="bagged neighbours", where={"base": "knn", "arm": "bagged"}),
        baseline=Arm(label="single neighbours", where={"base": "knn", "arm": "single"}),
        criterion=Equivalent(margin=0.005),
    )
    plans = {"E1": experiment(alpha=0.025), "E2": experiment(neighbour, id="E2", alpha=0.025)}
    return Evidence(
        ledger=ledger,
        verdicts={name: judge(plan, LOCKED, ledger) for name, plan in plans.items()},
        hypotheses={name: plan.hypothesis for name, plan in plans.items() if plan.hypothesis},
        locked_at=dict.fromkeys(plans, LOCKED),
    )


def a_reference(key: str, family: str, year: int) -> Reference:
    """The reference to a work that somebody of this name wrote alone."""
    return reference([a_citation(key, family, year)])


def a_citation(key: str, family: str, year: int) -> CitationVerified:
    """A verified work that somebody of this name wrote alone."""
    return CitationVerified(
        key=key,
        work=Work(
            title=f"What {family} found",
            authors=(f"Ada {family}",),
            families=(family,),
            year=year,
            venue="Journal of Findings",
            doi=f"10.1000/{key}",
            source="Crossref",
        ),
        passage=f"What {family} found",
        resolved_by="Crossref",
    )
