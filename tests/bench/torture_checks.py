"""What must be true of a run after its engines were killed, checked against what its scripts really do.

The journal is read here with SQLite alone, so that a mistake of the code under torture cannot hide
itself.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from core.record.folder import RunFolder
from tests.bench.tiny_study import EXIT_CODES, SCRIPTS, SEEDS, VERDICTS, comparable, fingerprint, truth

NO_MONEY = Decimal("1e-20")
"""Sums of many digits come out otherwise in another order."""

GONE_SECONDS = 3.0
"""How long processes of a run that is over may take to be gone."""

COUNTS = (
    "lost output bytes",
    "doubled output bytes",
    "lost records",
    "doubled records",
    "repaid turns",
    "duplicate approvals",
    "duplicate experiments",
    "execs run twice",
    "lost execs",
    "leaked processes",
    "leaked sandboxes",
    "doubled sandboxes",
    "creates without approval",
    "other faults",
)

ONCE: Mapping[str, tuple[str, ...]] = {
    "run.created": (),
    "run.ended": (),
    "agent.started": ("agent",),
    "agent.ended": ("agent",),
    "turn.finished": ("agent", "number"),
    "tool.answered": ("agent", "call_id"),
    "results.told": ("call_id",),
    "sandbox.requested": ("experiment_id", "name"),
    "sandbox.opened": ("sandbox_id",),
    "sandbox.closed": ("sandbox_id",),
    "sandbox.billed": ("sandbox_id",),
    "exec.requested": ("exec_id",),
    "exec.ended": ("exec_id",),
    "finding.recorded": ("experiment_id", "call_id"),
    "experiment.ended": ("experiment_id",),
    "verdict.reached": ("experiment_id",),
    "paper.refused": ("call_id",),
    "paper.published": (),
}
"""Events that may be there only once, by the fields that tell one from another."""

APPROVALS = ("approval.requested", "approval.decided", "experiment.locked")
EXPERIMENTS = ("experiment.proposed", "experiment.started")


@dataclass
class Faults:
    """What was found.

    Attributes:
        counts: how much, by the names in ``COUNTS``.
        notes: each in words.
    """

    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, note: str, count: int = 1) -> None:
        """Count a fault."""
        assert name in COUNTS
        if count:
            self.counts[name] += count
            self.notes.append(f"{name}: {note}")


@dataclass(frozen=True)
class Left:
    """A run as it lies on disk.

    Attributes:
        folder: the run.
        events: its events as JSON, each with its ``type``.
        records: rows of its records, by exec.
    """

    folder: RunFolder
    events: tuple[Mapping[str, Any], ...]
    records: Mapping[str, list[tuple[int, str, int, dict[str, Any], dict[str, Any], str]]]

    def of(self, *types: str) -> Iterator[Mapping[str, Any]]:
        """The events of some types, in order."""
        return (event for event in self.events if event["type"] in types)


def read_run(folder: RunFolder) -> Left:
    """Read what is left of a run."""
    database = sqlite3.connect(f"file:{folder.journal_path}?mode=ro", uri=True)
    try:
        bodies = database.execute("SELECT body FROM events ORDER BY seq").fetchall()
        rows = database.execute(
            "SELECT exec_id, number, kind, line, condition, body, chain FROM records ORDER BY id"
        ).fetchall()
    finally:
        database.close()
    records: dict[str, list[tuple[int, str, int, dict[str, Any], dict[str, Any], str]]] = {}
    for exec_id, number, kind, line, condition, body, chain in rows:
        records.setdefault(exec_id, []).append(
            (number, kind, line, json.loads(condition), json.loads(body), chain)
        )
    return Left(folder, tuple(json.loads(body) for (body,) in bodies), records)


def check(folder: RunFolder, turns: Path, paper: str, *, lossy: bool = False) -> Faults:
    """Find every fault of a run that has ended, but for what it has left outside its folder.

    Args:
        folder: the run.
        turns: the file that model calls were counted in.
        paper: the paper of an undisturbed run, as ``paper_text`` gives it.
        lossy: whether sandboxes were taken away: then scripts may be lost, and what they had given is kept.
    """
    faults, left = Faults(), read_run(folder)
    lost = {event["exec_id"] for event in left.of("exec.ended") if event["end"] == "lost"} if lossy else set()
    for exec_id in SCRIPTS:
        _check_output(faults, folder, exec_id, whole=exec_id not in lost)
        _check_records(faults, left, exec_id, whole=exec_id not in lost)
        if exec_id not in lost:
            _check_chain(faults, left, exec_id, artifacts_may_be_lost=lossy)
    _check_events(faults, left)
    _check_approvals(faults, left)
    _check_execs(faults, left, lost)
    _check_turns(faults, turns)
    _check_money(faults, left)
    _check_sandboxes(faults, left, lossy=lossy)
    if not lost and (verdicts := _verdicts(left)) != VERDICTS:
        faults.add("other faults", f"verdicts {verdicts}")
    if (ended := [event["outcome"] for event in left.of("run.ended")]) != ["done"]:
        faults.add("other faults", f"the run ended {ended}")
    if not lossy and paper_text(folder) != paper:
        faults.add("other faults", "another paper than without kills")
    return faults


def paper_text(folder: RunFolder) -> str:
    """The paper without what depends on how long the run took, and on where it was killed."""
    try:
        text = (folder.paper / "paper.md").read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    text = re.sub(r"\| perhaps billed beyond that, for turns cut off[^\n]*\n", "", text)
    return re.sub(r"\d+\.\d\d \||\d+ s \|", "# |", text)


def check_remains(faults: Faults, folder: RunFolder) -> None:
    """Find what a run that is over has left running or lying about."""
    deadline = time.monotonic() + GONE_SECONDS
    while (alive := processes_of(folder)) and time.monotonic() < deadline:
        time.sleep(0.02)
    faults.add("leaked processes", f"{alive}", len(alive))
    sandboxes = sorted(path.name for path in (folder.path / "sandboxes").glob("*"))
    faults.add("leaked sandboxes", f"{sandboxes}", len(sandboxes))


def processes_of(folder: RunFolder) -> list[str]:
    """Processes that have to do with a run: by their arguments, environment or what they can see."""
    mark = folder.run_id.encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        for file in ("cmdline", "environ", "mountinfo"):
            try:
                content = (process / file).read_bytes()
            except OSError:
                continue
            if mark in content:
                found.append(f"{process.name} {(process / 'cmdline').read_bytes()[:80]!r}")
                break
    return found


def _check_output(faults: Faults, folder: RunFolder, exec_id: str, *, whole: bool) -> None:
    """Every line of a script is unlike its others, so what is lost or doubled can be told by lines."""
    try:
        log = folder.log_path(exec_id).read_bytes()
    except FileNotFoundError:
        log = b""
    expected = truth()[exec_id].output
    if log == expected or (not whole and expected.startswith(log)):
        return
    lines, expected_lines = Counter(log.splitlines(True)), Counter(expected.splitlines(True))
    lost = sum(len(line) * count for line, count in (expected_lines - lines).items())
    doubled = sum(len(line) * count for line, count in (lines - expected_lines).items())
    faults.add("lost output bytes", exec_id, lost)
    faults.add("doubled output bytes", exec_id, doubled if lost or doubled else len(log))


def _check_records(faults: Faults, left: Left, exec_id: str, *, whole: bool) -> None:
    rows = left.records.get(exec_id, [])
    expected = truth()[exec_id].records
    if not whole:
        expected = expected[: len(rows)]
    faults.add("lost records", exec_id, max(0, len(expected) - len(rows)))
    faults.add("doubled records", exec_id, max(0, len(rows) - len(expected)))
    if [number for number, *_ in rows] != list(range(1, len(rows) + 1)):
        faults.add("doubled records", f"{exec_id} is numbered {[number for number, *_ in rows]}")
    found = [
        comparable({"kind": kind, "line": line, "condition": condition, **body})
        for _, kind, line, condition, body, _ in rows
    ]
    if found != list(expected) and len(found) == len(expected):
        faults.add("other faults", f"records of {exec_id} say something else")
    taken = [event for event in left.of("records.taken") if event["exec_id"] == exec_id]
    if taken and rows and (taken[-1]["records"], taken[-1]["chain"]) != (len(rows), rows[-1][-1]):
        faults.add("other faults", f"the journal's cursor of {exec_id} does not fit its records")


def _check_chain(faults: Faults, left: Left, exec_id: str, *, artifacts_may_be_lost: bool) -> None:
    """Compute the hash chain again from the raw lines, which the script kept as an artifact.

    A sandbox that is taken away takes along what was not fetched yet.
    """
    rows = left.records.get(exec_id, [])
    kept = [body["sha256"] for _, kind, _, _, body, _ in rows if kind == "artifact"]
    if len(kept) != 1 or not (file := left.folder.files / kept[0]).is_file():
        if artifacts_may_be_lost and len(kept) == 1:
            return
        faults.add("other faults", f"{len(kept)} raw copies of the records of {exec_id} were recorded")
        return
    chain = hashlib.sha256(f"{exec_id}:{fingerprint(SCRIPTS[exec_id])}".encode()).hexdigest()
    raw = file.read_bytes().splitlines()
    for line, row in zip(raw, rows, strict=False):
        chain = hashlib.sha256(chain.encode() + line).hexdigest()
        if chain != row[-1]:
            faults.add("other faults", f"the hash chain of {exec_id} breaks at record {row[0]}")
            return
    if len(raw) != len(rows) - 2:
        faults.add("other faults", f"{exec_id} kept {len(raw)} raw lines of {len(rows)} records")


def _check_events(faults: Faults, left: Left) -> None:
    for kind, fields in ONCE.items():
        names = Counter(tuple(event[name] for name in fields) for event in left.of(kind))
        for name, count in names.items():
            faults.add("other faults", f"{kind} {name} {count} times", count - 1)
    for kind in EXPERIMENTS:
        names = Counter((event.get("experiment_id") or event["experiment"]["id"],) for event in left.of(kind))
        for name, count in names.items():
            faults.add("duplicate experiments", f"{kind} {name} {count} times", count - 1)
        faults.add(
            "duplicate experiments", f"{kind}: {sorted(names)}", len(names.keys() - {(x,) for x in VERDICTS})
        )
    titles = Counter(event["experiment"]["title"] for event in left.of("experiment.proposed"))
    faults.add("duplicate experiments", f"{titles}", sum(titles.values()) - len(titles))


def _check_approvals(faults: Faults, left: Left) -> None:
    for kind in APPROVALS:
        asked = Counter(str(event.get("request_id") or event["experiment_id"]) for event in left.of(kind))
        for name, count in asked.items():
            faults.add("duplicate approvals", f"{kind} {name} {count} times", count - 1)
        faults.add("duplicate approvals", f"{kind}: {sorted(asked)}", max(0, len(asked) - len(VERDICTS)))
    decided = {event["decision_id"]: event for event in left.of("approval.decided")}
    for locked in left.of("experiment.locked"):
        decision = decided.pop(locked["decision_id"], None)
        if decision is None or decision["subject"] != locked["sha256"]:
            faults.add("duplicate approvals", f"{locked['experiment_id']} used no decision of its own")
    faults.add("duplicate approvals", f"decisions nobody used: {sorted(decided)}", len(decided))


def _check_execs(faults: Faults, left: Left, lost: set[str]) -> None:
    ended = {event["exec_id"]: event for event in left.of("exec.ended")}
    asked = {event["exec_id"] for event in left.of("exec.requested")}
    faults.add(
        "execs run twice", f"{sorted(asked - SCRIPTS.keys())} are too many", len(asked - SCRIPTS.keys())
    )
    for exec_id, exit_code in EXIT_CODES.items():
        event = ended.get(exec_id)
        if exec_id in lost:
            continue
        if event is None or event["end"] != "finished":
            faults.add("lost execs", f"{exec_id}: {event and event['end']}")
        elif event["exit_code"] != exit_code or event["output_bytes"] != len(truth()[exec_id].output):
            faults.add("other faults", f"{exec_id} ended with {event['exit_code']}")
        log = left.folder.log_path(exec_id)
        first = log.read_bytes().partition(b"\n")[0] if log.exists() else b""
        if first and not first.endswith(b" start 1"):
            faults.add("execs run twice", f"{exec_id}: {first!r}")


def _check_turns(faults: Faults, turns: Path) -> None:
    for line in turns.read_text(encoding="utf-8").splitlines():
        call = json.loads(line)
        if call["what"] == "asked" and call["complete"] >= call["number"]:
            faults.add("repaid turns", f"{call['agent']} {call['number']}")


def _check_money(faults: Faults, left: Left) -> None:
    state = left.folder.state()
    bills = {event["sandbox_id"]: Decimal(event["cost_usd"]) for event in left.of("sandbox.closed")}
    bills |= {event["sandbox_id"]: Decimal(event["cost_usd"]) for event in left.of("sandbox.billed")}
    costs = [*bills.values(), *(Decimal(event["cost_usd"]) for event in left.of("turn.finished"))]
    if abs(state.spent_usd - sum(costs)) > NO_MONEY or state.reserved_usd or state.spent_usd > state.cap_usd:
        faults.add("other faults", f"spent {state.spent_usd}, reserved {state.reserved_usd}")
    for event in left.of("experiment.proposed"):
        if tuple(event["experiment"]["hypothesis"]["seeds"]) != SEEDS:
            faults.add("other faults", "other seeds than proposed")


def _check_sandboxes(faults: Faults, left: Left, *, lossy: bool) -> None:
    """Each that was opened was closed, and no experiment had two unless one was taken away."""
    opened = {event["sandbox_id"]: event["experiment_id"] for event in left.of("sandbox.opened")}
    gone = {event["sandbox_id"] for event in left.of("sandbox.closed", "sandbox.reaped")}
    faults.add("leaked sandboxes", f"{opened.keys() - gone} by the journal", len(opened.keys() - gone))
    if not lossy:
        faults.add("doubled sandboxes", f"{opened}", len(opened) - len(set(opened.values())))


def _verdicts(left: Left) -> dict[str, str]:
    return {event["experiment_id"]: event["verdict"]["outcome"] for event in left.of("verdict.reached")}
