"""Recomputes a paper from its evidence alone, and names what does not hold."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import islice
from typing import Any

from core.errors import RenderingError
from core.evidence.binding import RULES
from core.evidence.bound import BoundNumber
from core.evidence.reproduction import same_number
from core.paper.evidence_file import SEAL, plain, seal_of
from core.paper.evidence_reading import StoredEvidence, read_evidence
from core.paper.markdown import PaperFiles
from core.paper.other_rules import found_numbers, other_sections, printed_counts, said_of_rules
from core.paper.outline import Outline, outline
from core.paper.pdf import render
from core.paper.pdf_comparing import differing_parts
from core.paper.pdf_reading import PrintedPaper, read_pdf
from core.paper.pictures import sound_pictures
from core.paper.print_comparing import (
    MAY_BREAK,
    differing_counts,
    differing_words,
    missing_numbers,
    nearly_same_word,
    printed_too_rarely,
    same_word,
)

INSTALLED = version("fumehood")
"""The version that recomputes."""

_NOT_OURS = "the evidence is not written as fumehood writes what is in it"

MOST_NAMED = 60
"""Findings of one kind that are named one by one."""


@dataclass(frozen=True)
class Verified:
    """What verifying a paper gave.

    Attributes:
        numbers: how many numbers were recomputed.
        verdicts: how many verdicts were.
        hashes: how many hashes were.
        failures: what does not hold, one line each; empty where everything does.
        notes: what could not be checked here, and why.
        evidence_sha256: of the evidence file that everything was computed from.
    """

    numbers: int
    verdicts: int
    hashes: int
    failures: tuple[str, ...]
    notes: tuple[str, ...] = ()
    evidence_sha256: str = ""

    @property
    def holds(self) -> bool:
        """Whether nothing was found that does not hold."""
        return not self.failures


@dataclass
class Findings:
    """What was found so far.

    Attributes:
        failures: what does not hold.
        notes: what could not be checked, and why.
        near: whether a value differs from the stated one in its last digits alone.
    """

    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    near: bool = False

    def add(self, failures: Iterable[str]) -> None:
        """Add what does not hold, each once, and of one kind no more than anybody reads."""
        known = set(self.failures)
        some = list(islice((line for line in failures if line not in known), MOST_NAMED + 1))
        self.failures += some[:MOST_NAMED] + ["and more of this kind"] * (len(some) > MOST_NAMED)


def verify_evidence(evidence: bytes) -> Verified:
    """Recompute every number, verdict and hash of an evidence file.

    Raises:
        InputError: it cannot be read.
    """
    stored, files = read_evidence(evidence)
    findings = Findings()
    check_evidence(stored, files, evidence, findings)
    _say_what_rests_on_the_run(stored, findings)
    return summed_up(stored, findings, evidence)


async def verify_pdf(pdf: bytes) -> Verified:
    """Recompute a PDF from the evidence that is attached to it, and compare what it prints.

    Raises:
        InputError: it is no PDF of ours, or its evidence cannot be read.
    """
    printed = read_pdf(pdf)
    stored, files = read_evidence(printed.evidence)
    outlined = outline(files.document)
    pictures = sound_pictures(printed.attachments, outlined.pictures)
    findings = Findings()
    check_evidence(stored, files, printed.evidence, findings)
    findings.add(_of_attachments(printed, outlined, pictures))
    try:
        again = await render(outlined, printed.evidence.decode(), size=printed.size, pictures=pictures)
    except (RenderingError, UnicodeDecodeError) as error:
        findings.add([f"the PDF cannot be made again from its evidence: {error}"])
    else:
        if again.pdf != pdf:
            _compare_print(pdf, again.pdf, files, findings, stored)
    _say_what_rests_on_the_run(stored, findings)
    return summed_up(stored, findings, printed.evidence, more_hashes=1 + len(pictures))


def summed_up(stored: StoredEvidence, findings: Findings, evidence: bytes, more_hashes: int = 0) -> Verified:
    """What was found, with how much was looked at."""
    return Verified(
        numbers=len(stored.content["numbers"]),
        verdicts=sum(d.verdict is not None for d in stored.decisions),
        hashes=len(stored.decisions) + len(stored.ledger.measurements) + 1 + more_hashes,
        failures=tuple(findings.failures),
        notes=tuple(findings.notes),
        evidence_sha256=hashlib.sha256(evidence).hexdigest(),
    )


def _say_what_rests_on_the_run(stored: StoredEvidence, findings: Findings) -> None:
    levels = Counter(m.level for m in stored.ledger.measurements if m.usable)
    if raised := levels["recomputed"] + levels["reproduced"]:
        findings.notes.append(
            f"{raised} measurements are stated to be recomputed or reproduced; that rests on raw predictions "
            "and on scripts, which the run has and the evidence has not"
        )
    findings.notes.append(
        "a paper that was forged together with its evidence holds too: only 'fumehood verify RUN', where the "
        "run is, compares with the journal"
    )


def check_evidence(stored: StoredEvidence, files: PaperFiles, text: bytes, findings: Findings) -> None:
    """Find what in an evidence file does not follow from its own measurements.

    Args:
        stored: the file.
        files: the paper, made again from it.
        text: the file as it is.
        findings: where to add what is found.
    """
    before = len(findings.failures)
    findings.add(_of_hashes(stored))
    findings.add(_of_verdicts(stored))
    if stored.rules != RULES:
        _check_by_other_rules(stored, files, text, findings)
        return
    findings.add(_of_numbers(stored, files))
    if len(findings.failures) > before or text == files.evidence.encode():
        return
    again = json.loads(files.evidence)
    findings.add(_of_sections(stored.content, again))
    if len(findings.failures) > before:
        return
    if any(stored.content[name] != again[name] for name in again if name != SEAL):
        findings.near = True
        findings.notes.append("some values differ in their last digits: another machine, other arithmetic")
    else:
        findings.add([_NOT_OURS])


def _check_by_other_rules(stored: StoredEvidence, files: PaperFiles, text: bytes, findings: Findings) -> None:
    """Check everything but what is struck, which other rules decided."""
    findings.notes.append(said_of_rules(stored, files))
    content = stored.content
    for stated, found in found_numbers(stored, files):
        nothing = f"{stated.get('id')} ({stated.get('expression')}): its measurements do not give it"
        findings.add([nothing] if found is None else _of_number(found, stated))
    if len({number.get("id") for number in content["numbers"]}) != len(content["numbers"]):
        findings.add(["the evidence lists several numbers by one id"])
    if content.get("draft") is not bool(content["struck"]):
        findings.add([_wrong_draft(draft=bool(content["struck"]))])
    findings.add(_of_sections(content, other_sections(stored, json.loads(files.evidence))))
    if json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n" != text:
        findings.add([_NOT_OURS])


def _of_sections(stated: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    """Parts of an evidence file that are not what its measurements give."""
    for name in sorted((stated.keys() | found.keys()) - {SEAL}):
        if name not in found:
            yield f"the evidence holds {name!r}, which is no part of it"
        elif not alike(stated.get(name), found[name]):
            yield f"the evidence's {name} are not what its measurements give"


def alike(stated: Any, found: Any) -> bool:
    """Whether two JSON values are the same, but for the last digits of floating-point numbers."""
    if isinstance(stated, float) and isinstance(found, float):
        return same_number(stated, found)
    if isinstance(stated, list | tuple) and isinstance(found, list | tuple):
        return len(stated) == len(found) and all(map(alike, stated, found))
    if isinstance(stated, dict) and isinstance(found, dict):
        names = (stated.keys() | found.keys()) - {SEAL}
        return all(n in stated and n in found and alike(stated[n], found[n]) for n in names)
    return type(stated) is type(found) and bool(stated == found)


def _of_hashes(stored: StoredEvidence) -> Iterator[str]:
    changed = [m for m in stored.content["measurements"] if m.get(SEAL) != seal_of(m)]
    for m in changed:
        where = ", ".join(f"{name}={level}" for name, level in dict(m.get("condition") or {}).items())
        seed = f", seed {m['seed']}" if m.get("seed") is not None else ""
        yield f"measurement {m.get('id')} ({m.get('name')}; {where}{seed}) is not what was recorded"
    for decision in stored.decisions:
        found = decision.hypothesis.sha256
        if found != decision.sha256:
            hashes = f"its hash is {found[:12]}, not {decision.sha256[:12]}"
            yield f"{decision.name} is not what was locked: {hashes}"
    if not changed and stored.content.get(SEAL) != seal_of(dict(stored.content)):
        yield "the evidence is not what was written: its SHA-256 does not fit its content"


def _of_verdicts(stored: StoredEvidence) -> Iterator[str]:
    judged = stored.judged()
    for decision in stored.decisions:
        found, stated = judged.get(decision.experiment_id), decision.verdict
        if found is None or stated is None:
            continue
        if not alike(stated.model_dump(mode="json"), found.model_dump(mode="json")):
            yield (
                f"{decision.name}: the evidence says {stated.outcome} ({stated.reason}), "
                f"its measurements give {found.outcome} ({found.reason})"
            )


def _of_numbers(stored: StoredEvidence, files: PaperFiles) -> Iterator[str]:
    document = files.document
    for name, what in (("numbers", "numbers"), ("struck", "struck statements")):
        stated, found = stored.content[name], plain(list(map(vars, getattr(document, name))))
        if len(stated) != len(found):
            yield f"the evidence lists {len(stated)} {what}, its measurements give {len(found)}"
        elif name == "struck" and stated != found:
            yield "the evidence lists other struck statements than its measurements give"
    if stored.content.get("draft") != document.draft:
        yield _wrong_draft(draft=document.draft)
    known = {str(number.get("id")): number for number in stored.content["numbers"]}
    for number in document.numbers:
        yield from _of_number(number, known.get(number.id))


def _wrong_draft(*, draft: bool) -> str:
    return f"the evidence says that the paper is {'no' if draft else 'a'} draft, which is wrong"


def _of_number(number: BoundNumber, stated: Mapping[str, object] | None) -> Iterator[str]:
    where = f"{number.id} ({number.expression})"
    if stated is None:
        yield f"{where}: the evidence does not list it"
        return
    for name, found in plain(vars(number)).items():
        told = stated.get(name)
        if not alike(told, found):
            words = "" if name == "text" else f"{name.replace('_', ' ')} "
            yield f"{where}: the evidence says {words}{told}, its measurements give {words}{found}"
            return


def _of_attachments(printed: PrintedPaper, outlined: Outline, sound: Mapping[str, bytes]) -> Iterator[str]:
    digest = hashlib.sha256(printed.evidence).hexdigest()
    if not any(digest in "".join(page.replace(MAY_BREAK, "").split()) for page in printed.pages):
        yield f"the attached evidence is not the one that was printed: its SHA-256 is {digest[:16]}…"
    for picture in outlined.pictures:
        if picture.sha256 in printed.attachments and picture.sha256 not in sound:
            yield f"the attached figure {picture.sha256[:16]}… is not what its hash says"


def _compare_print(
    pdf: bytes, again: bytes, files: PaperFiles, findings: Findings, stored: StoredEvidence
) -> None:
    """Find what a PDF prints and holds otherwise than the one that its evidence gives."""
    printed, expected = read_pdf(pdf), read_pdf(again)
    if stored.rules != RULES:
        findings.notes.append(
            "other rules decided what is struck in the PDF: of what it prints, only the numbers were compared"
        )
        texts = {str(number.get("id")): str(number.get("text")) for number in stored.content["numbers"]}
        findings.add(printed_too_rarely(printed.pages, printed_counts(stored, files), texts))
        return
    if stored.made_by != INSTALLED:
        document = files.document
        text = "\n\n".join(bound.text for bound in (document.title, document.abstract, document.body))
        texts = {number.id: number.text for number in document.numbers}
        findings.notes.append(
            f"the PDF was made by fumehood {stored.made_by or '?'}, and here is {INSTALLED}: "
            "of what it prints, only the numbers were compared"
        )
        findings.add(missing_numbers(printed.pages, text, texts))
        return
    same = nearly_same_word if findings.near else same_word
    if printed.made_by != expected.made_by:
        findings.notes.append(
            f"the PDF was made by {printed.made_by}, and here is {expected.made_by}: "
            "only its text was compared, not how it looks"
        )
        findings.add(differing_counts(printed.pages, expected.pages, same))
        return
    before = len(findings.failures)
    named = list(
        islice(differing_words(printed.pages, expected.pages, _ids_by_text(files), same), MOST_NAMED + 1)
    )
    findings.add(named)
    if findings.near:
        findings.notes.append("only the text of the PDF was compared, not how it looks")
        return
    findings.add(differing_parts(pdf, again, whole=not named))
    if len(findings.failures) == before:
        findings.add(
            ["the PDF was saved anew by another program: what is in it is the same, its bytes are not"]
        )


def _ids_by_text(files: PaperFiles) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for number in files.document.numbers:
        found.setdefault(number.text, []).append(number.id)
    return {text: f" ({', '.join(ids[:3])})" for text, ids in found.items()}
