"""Compares the paper of a run with the run's own journal, and names what does not hold."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

from core.errors import InputError
from core.evidence.binding import RULES
from core.evidence.evidence import Evidence
from core.evidence.gather import gather
from core.evidence.references import bibliography
from core.paper.evidence_file import plain, sealed
from core.paper.evidence_reading import StoredEvidence, read_evidence
from core.paper.latex import latex_source
from core.paper.markdown import PaperFiles, compose
from core.paper.other_rules import other_sections
from core.paper.outline import outline
from core.paper.publishing import BIBLIOGRAPHY, EVIDENCE, LATEX, MARKDOWN, PDF
from core.paper.tree import Drawing
from core.paper.verify import INSTALLED, Findings, Verified, alike, check_evidence, summed_up
from core.paper.verify_apart import verify_file
from core.paper.verify_figures import check_figures
from core.record.events import PaperPublished
from core.record.fold import fold
from core.record.folder import RunFolder
from core.record.state import RunState

MOST_NAMED = 20
"""Lines of a file that are named one by one."""


async def verify_run(folder: RunFolder) -> Verified:
    """Recompute the paper of a run from its evidence, and compare the evidence with the journal.

    Raises:
        InputError: the run has no paper, or a file of it cannot be read.
        JournalError: the journal cannot be read.
    """
    state, recorded, later = _when_published(folder)
    published = state.paper
    assert published is not None
    text = _read(folder.paper / EVIDENCE)
    stored, files = read_evidence(text)
    findings = Findings()
    check_evidence(stored, files, text, findings)
    findings.add(_of_versions(stored, state))
    findings.add(_of_journal(stored, recorded))
    if not findings.failures:
        findings.add(_of_other_sections(stored, recorded))
    findings.add(_of_scripts(state))
    findings.add(_of_artifacts(folder, recorded))
    written = _read(folder.path / published.path)
    if hashlib.sha256(written).hexdigest() != published.sha256:
        findings.add([f"{MARKDOWN} is not the one that the journal says was published"])
    if stored.rules != RULES:
        findings.notes.append(
            f"other rules decided what is struck: the Markdown was compared with the journal's hash alone, "
            f"the {LATEX} not"
        )
    elif stored.made_by == INSTALLED:
        findings.add(_of_forms(folder.paper, files))
    else:
        findings.notes.append(
            f"the paper was made by fumehood {stored.made_by or '?'}, and here is {INSTALLED}: "
            f"its Markdown was compared with the journal's hash alone, its {LATEX} not"
        )
    printed_failures: tuple[str, ...] = ()
    if published.pdf and not (folder.paper / PDF).is_file():
        findings.add([f"the journal says that there is a {PDF}, and it is gone"])
    if (folder.paper / PDF).is_file():
        printed = await verify_file(folder.paper / PDF)
        printed_failures = printed.failures
        findings.add(f"{PDF}: {line}" for line in printed.failures if line not in findings.failures)
        if printed.evidence_sha256 != hashlib.sha256(text).hexdigest():
            findings.add([f"{PDF} holds other evidence than {EVIDENCE}"])
    elif not published.pdf:
        findings.notes.append(f"there is no {PDF}{f': {published.no_pdf}' if published.no_pdf else ''}")
    if published.pdf:
        await check_figures(
            folder,
            files,
            findings,
            same_design=stored.made_by == INSTALLED and stored.rules == RULES,
            pdf_holds=(folder.paper / PDF).is_file() and not printed_failures,
        )
    if later:
        findings.notes.append(f"{later} scripts ran after the paper was published; it says nothing of them")
    more = len(state.execs) + len(recorded.ledger.artifacts) + 1
    return summed_up(stored, findings, text, more_hashes=more)


def _when_published(folder: RunFolder) -> tuple[RunState, Evidence, int]:
    """What the run looked like when its paper was published, and how many execs came later."""
    with folder.journal() as journal:
        events = list(journal.read())
        last = max((event.seq for event in events if isinstance(event, PaperPublished)), default=None)
        if last is None:
            raise InputError(f"{folder.run_id} has no paper yet", f"See 'fumehood show {folder.run_id}'.")
        state = fold(event for event in events if event.seq <= last)
        recorded = gather(journal, state)
        later = fold(events).execs.keys() - state.execs.keys()
    flags = tuple(flag for flag in recorded.ledger.flags if flag.exec_id not in later)
    return state, replace(recorded, ledger=replace(recorded.ledger, flags=flags)), len(later)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path.name} cannot be read: {error.strerror}",
            f"Make it again with 'fumehood paper {path.parent.parent.name} --render'.",
        ) from None


def _of_versions(stored: StoredEvidence, state: RunState) -> Iterator[str]:
    """What made the paper: by another version or other rules, less of it would be compared."""
    assert state.created is not None
    assert state.paper is not None
    if stored.made_by != state.created.version:
        told, known = stored.made_by or "?", state.created.version
        yield f"the evidence says that fumehood {told} made the paper, the journal says {known}"
    if stored.rules != state.paper.rules:
        told, known = stored.rules or "none", state.paper.rules or "none"
        yield f"the evidence says that its prose rules are {told}, the journal says {known}"


def _of_journal(stored: StoredEvidence, recorded: Evidence) -> Iterator[str]:
    """What the evidence says otherwise than the journal."""
    told = {m["id"]: m for m in stored.content["measurements"]}
    known = {m.id: m for m in recorded.ledger.measurements}
    for name in sorted(told.keys() - known.keys()):
        yield f"measurement {name} is not in the journal"
    for name in sorted(known.keys() - told.keys()):
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
    locked = {decision.experiment_id for decision in stored.decisions}
    for experiment_id in recorded.hypotheses.keys() - locked:
        yield f"the hypothesis of {experiment_id}, which the journal locked, is not in the evidence"
    for decision in stored.decisions:
        hypothesis = recorded.hypotheses.get(decision.experiment_id)
        if hypothesis is None or hypothesis.sha256 != decision.sha256:
            yield f"{decision.name} is not the hypothesis that the journal locked"
        elif plain(recorded.locked_at.get(decision.experiment_id)) != plain(decision.locked_at):
            yield f"{decision.name} was locked at another time than the evidence says"
        if recorded.verdicts.get(decision.experiment_id) != decision.verdict:
            yield f"{decision.name}: the journal holds another verdict than the evidence"


def _of_other_sections(stored: StoredEvidence, recorded: Evidence) -> Iterator[str]:
    """Parts of the evidence that the journal gives otherwise: settings, series, references, flags."""
    again = json.loads(compose(replace(stored.paper(), evidence=recorded)).evidence)
    if stored.rules != RULES:
        again = other_sections(stored, again)
        known = {key: plain(asdict(work)) for key, work in recorded.references.items()}
        if any(known.get(work.get("key")) != work for work in stored.content["references"]):
            yield "the evidence's references are not what the journal gives"
    for name in sorted(again.keys() - {"measurements", "hypotheses"}):
        if not alike(stored.content.get(name), again[name]) and name != "sha256":
            yield f"the evidence's {name} are not what the journal gives"


def _of_scripts(state: RunState) -> Iterator[str]:
    for script in state.execs.values():
        asked = script.asked
        if hashlib.sha256(asked.code.encode()).hexdigest() != asked.code_sha256:
            yield f"{asked.exec_id}: its code is not what its hash says"


def _of_artifacts(folder: RunFolder, recorded: Evidence) -> Iterator[str]:
    for artifact in recorded.ledger.artifacts:
        if not re.fullmatch("[0-9a-f]{64}", artifact.sha256):
            continue
        try:
            with (folder.files / artifact.sha256).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            continue  # files may be swept away; what they were is in the journal
        if found != artifact.sha256:
            yield f"{artifact.exec_id}: the file {artifact.name} is not what its hash says"


def _of_forms(paper: Path, files: PaperFiles) -> Iterator[str]:
    """Markdown, LaTeX and BibTeX, line by line; those that are there."""
    outlined = outline(files.document)
    figures = paper / "figures"
    drawings = sum(isinstance(block, Drawing) for block in outlined.body)
    plots = [f"plot-{n}.pdf" for n in range(1, drawings + 1) if (figures / f"plot-{n}.pdf").is_file()]
    names = [f"{p.sha256}.{'pdf' if p.format == 'svg' else p.format}" for p in outlined.pictures]
    drawn = [name for name in names if (figures / name).is_file()]
    expected = {
        MARKDOWN: files.markdown,
        LATEX: latex_source(outlined, plots, drawn),
        BIBLIOGRAPHY: bibliography(files.document.citations),
    }
    for name, again in expected.items():
        if (paper / name).is_file():
            yield from _of_lines(name, _read(paper / name), again)


def _of_lines(name: str, written: bytes, again: str) -> Iterator[str]:
    lines, expected = written.decode(errors="replace").split("\n"), again.split("\n")
    differing = [
        (number, told, given)
        for number, (told, given) in enumerate(zip(lines, expected, strict=False), 1)
        if told != given
    ]
    for number, told, given in differing[:MOST_NAMED]:
        says, gives = _around(told, given), _around(given, told)
        yield f"{name}, line {number}: it says “{says}”, the evidence gives “{gives}”"
    if len(lines) != len(expected):
        yield f"{name} has {len(lines)} lines, the evidence gives {len(expected)}"


def _around(line: str, other: str) -> str:
    """The part of a line in which it differs from another."""
    start = next((i for i, (a, b) in enumerate(zip(line, other, strict=False)) if a != b), 0)
    return line[max(0, start - 20) : start + 40]
