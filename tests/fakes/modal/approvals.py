"""What may be made at the double: only what was approved before, exactly so, by the run's raw journal.

Every create is looked at when it comes in, so that the order is proved: the journal has the approval, its
use and the intent before Modal hears of anything. Nothing here uses the state, its folding or the gate.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modal_proto import api_pb2

from core.experiment import Experiment
from core.sandbox.modal.gpus import ANY, ANY_OF

NETWORKS = {"blocked": "BLOCKED", "allowed": "ALLOWLIST", "open": "OPEN"}


@dataclass
class Approvals:
    """Judges creates.

    Attributes:
        runs: the folder with the folders of runs; None where there are none.
        given: specifications that a test without a run approves itself.
        strangers: names of sandboxes that are not made by us.
        objections: what was refused, and why.
    """

    runs: Path | None = None
    given: set[str] = field(default_factory=set)
    strangers: set[str] = field(default_factory=set)
    objections: list[str] = field(default_factory=list)

    def objection(self, definition: Any, tags: Mapping[str, str]) -> str:
        """Why something must not be made; empty where it was approved. An objection is noted."""
        why = "" if definition.name in self.strangers else self._objection(definition, tags)
        if why:
            self.objections.append(f"{definition.name}: {why}")
        return why

    def _objection(self, definition: Any, tags: Mapping[str, str]) -> str:
        run, name = tags.get("fumehood-run"), tags.get("fumehood-experiment")
        specification = tags.get("fumehood-specification", "")
        if tags.get("fumehood") != "1" or not run or not name:
            return "it does not say whose it is"
        if specification in self.given:
            return ""
        journal = self.runs / run / "journal.db" if self.runs is not None else None
        if journal is None or not journal.is_file():
            return "no run is known that it could be for"
        return _objection_of(_events(journal), name, specification) or _other_machine(
            _events(journal), definition, specification
        )


def _events(journal: Path) -> list[dict[str, Any]]:
    """The raw events of a journal that is being written."""
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=10)) as database:
        rows = database.execute("SELECT type, body FROM events ORDER BY seq").fetchall()
    return [json.loads(body) | {"type": kind} for kind, body in rows]


def _objection_of(events: list[dict[str, Any]], name: str, specification: str) -> str:
    """Why a journal does not allow a sandbox now."""
    experiment_id = name.partition(".")[0]
    approved: set[str] = set()
    locked = started = asked_for = False
    for event in events:
        kind, own = event["type"], event.get("experiment_id") == experiment_id
        if kind == "approval.decided" and event["decision"] == "approve":
            if event["subject"] == specification and event["by"] in ("human", "policy"):
                approved.add(event["decision_id"])
        elif kind == "experiment.locked" and own:
            locked = event["sha256"] == specification and event["decision_id"] in approved
            approved.discard(event["decision_id"])
        elif kind == "experiment.started" and own:
            started = locked
        elif kind == "sandbox.requested" and own:
            asked_for = asked_for or event["name"] == name
        elif (kind == "experiment.ended" and own) or (
            kind == "sandbox.failed" and own and event["then"] in ("asked again", "ended")
        ):
            locked = started = False
    if not locked:
        return f"nobody has approved the specification {specification[:12] or '(none)'} of {experiment_id}"
    if not started:
        return f"{experiment_id} has not been started"
    return "" if asked_for else f"the journal does not say that {name} was about to be opened"


def _other_machine(events: list[dict[str, Any]], definition: Any, specification: str) -> str:
    """How the machine that is asked for is not the one of the specification that was approved."""
    specs = [
        Experiment.model_validate(event["experiment"])
        for event in events
        if event["type"] in ("experiment.proposed", "experiment.edited")
    ]
    compute = next(spec.compute for spec in specs if spec.sha256 == specification)
    resources = definition.resources
    kind, _, count = (compute.gpu or "").partition(":")
    kinds = ANY_OF if kind == ANY else (kind,)
    network = api_pb2.NetworkAccess.NetworkAccessType.Name(definition.network_access.network_access_type)
    wrong = {
        "GPU": resources.gpu_config.gpu_type not in kinds,
        "number of GPUs": bool(kind) and resources.gpu_config.count != int(count or 1),
        "cores": resources.milli_cpu_max != compute.cpus * 1000,
        "memory": resources.memory_mb != int(compute.memory_gib * 1024),
        "time": not 0 < definition.timeout_secs <= compute.timeout_seconds,
        "idle time": not 0 < definition.idle_timeout_secs <= definition.timeout_secs,
        "network": network != NETWORKS[compute.network],
        "domains": tuple(definition.network_access.allowed_domains) != compute.domains,
    }
    others = [what for what, is_wrong in wrong.items() if is_wrong]
    return f"not what was approved: {', '.join(others)}" if others else ""
