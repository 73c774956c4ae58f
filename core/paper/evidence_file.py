"""``evidence.json``: enough to recompute every number of a paper without the run."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from core.evidence.evidence import Evidence, hypothesis_name
from core.evidence.measurement import Config, ExecFacts, LogPoint, Measurement
from core.evidence.plots import Plot
from core.paper.document import Document

VERSION = 3
"""Of the file's form; raised with every change that a reader could notice."""


def evidence_json(document: Document) -> str:
    """The file's text: the same for the same document, byte for byte.

    Everything keeps its order: keys are named by the order in which factors were recorded.
    """
    evidence = document.source.evidence
    content = {
        "version": VERSION,
        "draft": document.draft,
        "numbers": [asdict(number) for number in document.numbers],
        "struck": [asdict(problem) for problem in document.struck],
        "references": [asdict(reference) for reference in document.citations],
        "keys": {k.name: [m.id for m in k.measurements] for k in evidence.ledger.keys.values()},
        "measurements": [sealed(_measurement(m)) for m in evidence.ledger.measurements],
        "settings": [_config(c) for c in evidence.ledger.configs],
        "execs": [_exec(e) for e in evidence.ledger.execs.values()],
        "hypotheses": _hypotheses(evidence),
        "flags": [asdict(flag) for flag in evidence.ledger.flags],
        "plots": _plots(document),
        "logs": [_log_point(p) for p in _plotted(document)],
        "artifacts": [vars(artifact) for artifact in evidence.ledger.artifacts],
        "paper": _source(document),
        "versions": dict(sorted(document.source.versions.items())),
    }
    return json.dumps(sealed(content), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def sealed(content: dict[str, Any]) -> dict[str, Any]:
    """JSON values with a hash over them, so that a change of one of them shows."""
    values = plain(content)
    return {**values, SEAL: seal_of(values)}


def seal_of(values: dict[str, Any]) -> str:
    """SHA-256 over JSON values, in their order and without their seal."""
    rest = {name: value for name, value in values.items() if name != SEAL}
    return hashlib.sha256(json.dumps(rest, ensure_ascii=False, allow_nan=False).encode()).hexdigest()


SEAL = "sha256"
"""The name of the hash over what stands beside it."""


def plain(value: Any) -> Any:
    """A value as JSON can hold it; NaN and infinities as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {_text(str(name)): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, str):
        return _text(value)
    return value if value is None or isinstance(value, bool | int | float) else _text(str(value))


def _text(value: str) -> str:
    """A text without lone surrogates, which no UTF-8 file can hold."""
    return value.encode("utf-8", "replace").decode("utf-8")


def _measurement(m: Measurement) -> dict[str, Any]:
    return {**vars(m), "condition": dict(m.condition), "usable": m.usable}


def _config(config: Config) -> dict[str, Any]:
    return {**vars(config), "condition": dict(config.condition), "values": dict(config.values)}


def _exec(facts: ExecFacts) -> dict[str, Any]:
    return {**vars(facts), "clean": facts.clean}


def _log_point(point: LogPoint) -> dict[str, Any]:
    return {**vars(point), "condition": dict(point.condition), "values": dict(point.values)}


def _plotted(document: Document) -> list[LogPoint]:
    """The logged points of what is plotted; others are in the run only."""
    metrics = {plot.metric for plot in _plots_of(document)}
    return [
        replace(p, values={name: value for name, value in p.values.items() if name in metrics})
        for p in document.source.evidence.ledger.logs
        if p.usable and metrics & p.values.keys()
    ]


def _source(document: Document) -> dict[str, Any]:
    """What the paper was made from besides the evidence, its tokens not yet resolved."""
    source = document.source
    fields = {name: getattr(source, name) for name in SOURCE_FIELDS}
    return {**fields, "attempts": [asdict(attempt) for attempt in source.attempts]}


SOURCE_FIELDS = (
    "title",
    "abstract",
    "body",
    "models",
    "approved_by",
    "scripted",
    "cost_usd",
    "unsettled_usd",
    "model_cost_usd",
    "sandbox_seconds",
    "literature",
)
"""Fields of a ``PaperInput`` that the file holds as they are."""


def _hypotheses(evidence: Evidence) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for experiment_id, hypothesis in evidence.hypotheses.items():
        verdict = evidence.verdicts.get(experiment_id)
        found[hypothesis_name(experiment_id)] = {
            "experiment_id": experiment_id,
            "sha256": hypothesis.sha256,
            "locked_at": evidence.locked_at.get(experiment_id),
            "hypothesis": hypothesis.model_dump(mode="json"),
            "verdict": verdict.model_dump(mode="python") if verdict else None,
            "measurement_ids": [m.id for m in evidence.behind(experiment_id)],
        }
    return found


def _plots(document: Document) -> list[dict[str, Any]]:
    return [asdict(plot) for plot in _plots_of(document)]


def _plots_of(document: Document) -> list[Plot]:
    parts = (*document.title.parts, *document.abstract.parts, *document.body.parts)
    return [part for part in parts if isinstance(part, Plot)]
