"""Compares the paper of a run with the run's own journal, and names what does not hold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from core.errors import InputError
from core.evidence.evidence import Evidence
from core.evidence.gather import gather
from core.paper.evidence_file import plain, sealed
from core.paper.evidence_reading import StoredEvidence, read_evidence
from core.paper.markdown import compose
from core.paper.verify import Verified, of_evidence, summed_up, verify_pdf
from core.record.folder import RunFolder
from core.record.state import RunState

MOST_NAMED = 20
"""Lines of the Markdown that are named one by one."""


async def verify_run(folder: RunFolder) -> Verified:
    """Recompute the paper of a run from its evidence, and compare the evidence with the journal.

    Raises:
        InputError: the run has no paper, or a file of it cannot be read.
        JournalError: the journal cannot be read.
    """
    state = folder.state()
    if state.paper is None:
        raise InputError(f"{folder.run_id} has no paper yet", f"See 'fumehood show {folder.run_id}'.")
    with folder.journal() as journal:
        recorded = gather(journal, state)
    text = _read(folder.paper / "evidence.json")
    stored = read_evidence(text)
    files = compose(stored.paper())
    failures = [
        *of_evidence(stored, files),
        *_of_journal(stored, recorded),
        *_of_scripts(state),
        *_of_markdown(_read(folder.path / state.paper.path), files.markdown, state.paper.sha256),
    ]
    notes: list[str] = []
    pdf = folder.paper / "paper.pdf"
    if pdf.is_file():
        printed = await verify_pdf(_read(pdf))
        failures += [f"paper.pdf: {failure}" for failure in printed.failures if failure not in failures]
        if printed.evidence_sha256 != hashlib.sha256(text).hexdigest():
            failures.append("paper.pdf holds other evidence than evidence.json")
    else:
        notes.append("there is no paper.pdf")
    verified = summed_up(stored, failures, more_hashes=len(state.execs) + 1)
    return replace(verified, notes=tuple(notes))  # raw predictions were compared again: the journal has them


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path.name} cannot be read: {error.strerror}", "Publish the paper again."
        ) from None


def _of_journal(stored: StoredEvidence, recorded: Evidence) -> Iterator[str]:
    """What the evidence says otherwise than the journal."""
    told = {m["id"]: m for m in stored.content["measurements"]}
    known = {m.id: m for m in recorded.ledger.measurements}
    for name in told.keys() - known.keys():
        yield f"measurement {name} is not in the journal"
    for name in known.keys() - told.keys():
        yield f"measurement {name} of the journal is not in the evidence"
    for name, m in known.items():
        again = sealed({**vars(m), "condition": dict(m.condition), "usable": m.usable})
        if name in told and told[name] != again:
            fields = [field for field in again if told[name].get(field) != again[field]]
            field = fields[0] if fields else "field"
            yield (
                f"measurement {name}: the evidence says {field} {told[name].get(field)}, "
                f"the journal says {again.get(field)}"
            )
    for decision in stored.decisions:
        hypothesis = recorded.hypotheses.get(decision.experiment_id)
        if hypothesis is None or hypothesis.sha256 != decision.sha256:
            yield f"{decision.name} is not the hypothesis that the journal locked"
        elif plain(recorded.locked_at.get(decision.experiment_id)) != plain(decision.locked_at):
            yield f"{decision.name} was locked at another time than the evidence says"
        if recorded.verdicts.get(decision.experiment_id) != decision.verdict:
            yield f"{decision.name}: the journal holds another verdict than the evidence"


def _of_scripts(state: RunState) -> Iterator[str]:
    for script in state.execs.values():
        asked = script.asked
        if hashlib.sha256(asked.code.encode()).hexdigest() != asked.code_sha256:
            yield f"{asked.exec_id}: its code is not what its hash says"


def _of_markdown(written: bytes, again: str, sha256: str) -> Iterator[str]:
    if hashlib.sha256(written).hexdigest() != sha256:
        yield "paper.md is not the one that the journal says was published"
    lines, expected = written.decode(errors="replace").split("\n"), again.split("\n")
    differing = [
        (number, told, given)
        for number, (told, given) in enumerate(zip(lines, expected, strict=False), 1)
        if told != given
    ]
    for number, told, given in differing[:MOST_NAMED]:
        says, gives = _around(told, given), _around(given, told)
        yield f"paper.md, line {number}: it says “{says}”, the evidence gives “{gives}”"
    if len(lines) != len(expected):
        yield f"paper.md has {len(lines)} lines, the evidence gives {len(expected)}"


def _around(line: str, other: str) -> str:
    """The part of a line in which it differs from another."""
    start = next((i for i, (a, b) in enumerate(zip(line, other, strict=False)) if a != b), 0)
    return line[max(0, start - 20) : start + 40]
