"""Reads ``evidence.json`` back, so that a paper can be made again from it alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import TypeAdapter

from core.errors import InputError
from core.evidence.evidence import Evidence
from core.evidence.judge import judge
from core.evidence.ledger import Ledger
from core.evidence.measurement import Artifact, Config, ExecFacts, Flag, LogPoint, Measurement
from core.evidence.references import Reference
from core.experiment import Experiment, Hypothesis, Verdict
from core.paper.document import RULES_NAME, Attempt, PaperInput
from core.paper.evidence_file import SOURCE_FIELDS, VERSION
from core.paper.markdown import PaperFiles, compose

MOST_BYTES = 75_000_000
"""A larger file is no evidence of ours, and what reads PDFs unpacks no more than that."""

DEEPEST = 60
"""Values in values; a record of an experiment has at most 32."""

_T = TypeVar("_T")

_SOURCE_TYPES: dict[str, Any] = {
    "models": tuple[str, ...],
    "approved_by": tuple[str, ...],
    "scripted": bool,
    "cost_usd": Decimal | None,
    "unsettled_usd": Decimal,
    "model_cost_usd": Decimal | None,
    "sandbox_seconds": float,
    **dict.fromkeys(("title", "abstract", "body", "literature"), str),
}


@dataclass(frozen=True)
class Decision:
    """A hypothesis as the file states it.

    Attributes:
        name: such as ``H1``.
        experiment_id: such as ``E1``.
        hypothesis: the hypothesis.
        sha256: its hash, as stated.
        locked_at: when it was locked, UTC; None where that is not stated.
        verdict: the verdict, as stated; None where it was not judged.
    """

    name: str
    experiment_id: str
    hypothesis: Hypothesis
    sha256: str
    locked_at: datetime | None
    verdict: Verdict | None


@dataclass(frozen=True)
class StoredEvidence:
    """An evidence file.

    Attributes:
        content: the file's JSON.
        ledger: its measurements.
        decisions: its hypotheses.
        source: what the paper was made from.
    """

    content: Mapping[str, Any]
    ledger: Ledger
    decisions: tuple[Decision, ...]
    source: Mapping[str, Any]

    @property
    def made_by(self) -> str:
        """The version of the fumehood that wrote it; empty where that is not stated."""
        return str(self.content["versions"].get("fumehood", ""))

    @property
    def rules(self) -> str:
        """The rules by which its text was struck; empty where that is not stated."""
        return str(self.content["versions"].get(RULES_NAME, ""))

    def judged(self) -> dict[str, Verdict]:
        """Every verdict, computed anew from the measurements, by experiment id."""
        return {d.experiment_id: self._judge(d) for d in self.decisions if d.verdict is not None}

    def _judge(self, decision: Decision) -> Verdict:
        stated = decision.verdict
        assert stated is not None
        experiment = Experiment(
            id=decision.experiment_id,
            round=1,
            alpha=stated.alpha or 0.05,
            title="verified",
            plan="verified",
            hypothesis=decision.hypothesis,
        )
        locked_at = decision.locked_at or datetime.min.replace(tzinfo=UTC)
        return judge(experiment, locked_at, self.ledger)

    def paper(self) -> PaperInput:
        """What the paper is made from, with verdicts that were computed anew."""
        fields: dict[str, Any] = {
            name: TypeAdapter(_SOURCE_TYPES[name]).validate_python(self.source.get(name))
            for name in SOURCE_FIELDS
        }
        evidence = Evidence(
            ledger=self.ledger,
            verdicts=self.judged(),
            hypotheses={d.experiment_id: d.hypothesis for d in self.decisions},
            locked_at={d.experiment_id: d.locked_at for d in self.decisions if d.locked_at},
            references={work.key: work for work in _all(Reference, self.content["references"])},
        )
        return PaperInput(
            **fields,
            evidence=evidence,
            attempts=TypeAdapter(tuple[Attempt, ...]).validate_python(self.source.get("attempts") or ()),
            versions=TypeAdapter(dict[str, str]).validate_python(self.content["versions"]),
        )


def read_evidence(text: bytes) -> tuple[StoredEvidence, PaperFiles]:
    """Read an evidence file, and make its paper again.

    Returns:
        The file, and the paper that its measurements give.

    Raises:
        InputError: it is none, or one of another version.
    """
    if len(text) > MOST_BYTES:
        raise InputError(
            f"the evidence is larger than {MOST_BYTES // 10**6} MB", "It is no evidence of fumehood's."
        )
    try:
        content = json.loads(text)
        _check_shape(content)
        stored = StoredEvidence(content, _ledger(content), _decisions(content), content["paper"])
        files = compose(stored.paper())
    except (ValueError, ArithmeticError, RecursionError, LookupError, TypeError, AttributeError) as error:
        reason = str(error).split("\n")[0][:160] or type(error).__name__
        raise InputError(f"the evidence cannot be read: {reason}", "It is damaged, or no evidence.") from None
    return stored, files


def _check_shape(content: Any) -> None:
    """Refuse what no fumehood writes.

    Raises:
        InputError: it is of another version.
        ValueError: it is no evidence.
    """
    _check_depth(content)
    if not isinstance(content, dict) or "version" not in content:
        raise ValueError("it does not say which version it is of")
    if content["version"] != VERSION:
        raise InputError(
            f"the evidence is of version {str(content['version'])[:20]}, and {VERSION} is read here",
            "Use the fumehood that wrote it.",
        )
    json.dumps(content, ensure_ascii=False, allow_nan=False).encode()  # refuses NaN and lone surrogates
    for name in ("numbers", "struck", "measurements"):
        TypeAdapter(list[dict[str, Any]]).validate_python(content[name])
    for name in ("paper", "hypotheses", "versions"):
        TypeAdapter(dict[str, Any]).validate_python(content[name])


def _check_depth(content: Any) -> None:
    level = [content]
    for _ in range(DEEPEST):
        level = [
            inner
            for value in level
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return
    raise ValueError("it is nested too deep")


def _ledger(content: Mapping[str, Any]) -> Ledger:
    execs = _all(ExecFacts, content["execs"])
    return Ledger(
        execs={facts.exec_id: facts for facts in execs},
        measurements=_all(Measurement, content["measurements"]),
        configs=_all(Config, content["settings"]),
        logs=_all(LogPoint, content["logs"]),
        artifacts=_all(Artifact, content["artifacts"]),
        flags=_all(Flag, content["flags"]),
    )


def _all(kind: type[_T], items: Any) -> tuple[_T, ...]:
    return TypeAdapter(tuple[kind, ...]).validate_python(items)  # type: ignore[valid-type]


def _decisions(content: Mapping[str, Any]) -> tuple[Decision, ...]:
    return tuple(
        Decision(
            name=name,
            experiment_id=stated["experiment_id"],
            hypothesis=Hypothesis.model_validate(stated["hypothesis"]),
            sha256=str(stated["sha256"]),
            locked_at=TypeAdapter(datetime | None).validate_python(stated["locked_at"]),
            verdict=Verdict.model_validate(stated["verdict"]) if stated["verdict"] else None,
        )
        for name, stated in sorted(content["hypotheses"].items(), key=lambda item: (len(item[0]), item[0]))
    )
