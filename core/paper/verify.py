"""Recomputes a paper from its evidence alone, and names what does not hold."""

from __future__ import annotations

import difflib
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from core.errors import RenderingError
from core.evidence.bound import BoundNumber
from core.paper.evidence_file import SEAL, plain, seal_of
from core.paper.evidence_reading import StoredEvidence, read_evidence
from core.paper.markdown import PaperFiles, compose
from core.paper.outline import Outline, outline
from core.paper.pdf import render
from core.paper.pdf_reading import PrintedPaper, read_pdf
from core.paper.pictures import sound_pictures

MOST_NAMED = 60
"""Differences that are named one by one."""


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


def verify_evidence(evidence: str | bytes) -> Verified:
    """Recompute every number, verdict and hash of an evidence file.

    Raises:
        InputError: it cannot be read.
    """
    stored = read_evidence(evidence)
    return summed_up(stored, of_evidence(stored, compose(stored.paper())))


async def verify_pdf(pdf: bytes) -> Verified:
    """Recompute a PDF from the evidence that is attached to it, and compare what it prints.

    Raises:
        InputError: it is no PDF of ours, or its evidence cannot be read.
    """
    printed = read_pdf(pdf)
    stored = read_evidence(printed.evidence)
    files = compose(stored.paper())
    outlined = outline(files.document)
    pictures = sound_pictures(printed.attachments, outlined.pictures)
    failures = [*of_evidence(stored, files), *_of_attachments(printed, outlined, pictures)]
    notes: list[str] = []
    try:
        again = await render(outlined, printed.evidence.decode(), size=printed.size, pictures=pictures)
    except (RenderingError, UnicodeDecodeError) as error:
        failures.append(f"the PDF cannot be made again from its evidence: {error}")
    else:
        if again.pdf != pdf:
            failures += _of_print(printed, read_pdf(again.pdf), files, notes)
    verified = summed_up(stored, failures, notes, more_hashes=1 + len(pictures))
    return replace(verified, evidence_sha256=hashlib.sha256(printed.evidence).hexdigest())


def summed_up(
    stored: StoredEvidence, failures: Iterable[str], notes: Iterable[str] = (), more_hashes: int = 0
) -> Verified:
    """What was found, with how much was looked at."""
    levels = Counter(m.level for m in stored.ledger.measurements if m.usable)
    raised = levels["recomputed"] + levels["reproduced"]
    told = [*notes]
    if raised:
        told.append(
            f"{raised} measurements are stated to be recomputed or reproduced; that rests on raw predictions "
            "and on scripts, which the run has and the evidence has not"
        )
    return Verified(
        numbers=len(stored.content["numbers"]),
        verdicts=sum(d.verdict is not None for d in stored.decisions),
        hashes=len(stored.decisions) + len(stored.ledger.measurements) + 1 + more_hashes,
        failures=tuple(failures),
        notes=tuple(told),
    )


def of_evidence(stored: StoredEvidence, files: PaperFiles) -> list[str]:
    """What in an evidence file does not follow from its own measurements.

    Args:
        stored: the file.
        files: the paper, made again from it.
    """
    return [*_of_hashes(stored), *_of_verdicts(stored), *_of_numbers(stored, files)]


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
        if found is not None and stated is not None and found != stated:
            yield (
                f"{decision.name}: the evidence says {stated.outcome} ({stated.reason}), "
                f"its measurements give {found.outcome} ({found.reason})"
            )


def _of_numbers(stored: StoredEvidence, files: PaperFiles) -> Iterator[str]:
    document = files.document
    for name, found in (("numbers", len(document.numbers)), ("struck", len(document.struck))):
        stated = len(stored.content[name])
        if stated != found:
            what = "numbers" if name == "numbers" else "struck statements"
            yield f"the evidence lists {stated} {what}, its measurements give {found}"
    known = {number.get("id"): number for number in stored.content["numbers"]}
    for number in document.numbers:
        yield from _of_number(number, known.get(number.id))


def _of_number(number: BoundNumber, stated: Mapping[str, object] | None) -> Iterator[str]:
    where = f"{number.id} ({number.expression})"
    if stated is None:
        yield f"{where}: the evidence does not list it"
        return
    for field, words in (("text", ""), ("value", "value "), ("n", "n "), ("level", "level ")):
        told, found = stated.get(field), plain(getattr(number, field))
        if told != found:
            yield f"{where}: the evidence says {words}{told}, its measurements give {words}{found}"
            return


def _of_attachments(printed: PrintedPaper, outlined: Outline, sound: Mapping[str, bytes]) -> Iterator[str]:
    digest = hashlib.sha256(printed.evidence).hexdigest()
    if not any(digest in "".join(page.split()) for page in printed.pages):
        yield f"the attached evidence is not the one that was printed: its SHA-256 is {digest[:16]}…"
    for picture in outlined.pictures:
        if picture.sha256 in printed.attachments and picture.sha256 not in sound:
            yield f"the attached figure {picture.sha256[:16]}… is not what its hash says"


def _of_print(
    printed: PrintedPaper, again: PrintedPaper, files: PaperFiles, notes: list[str]
) -> Iterator[str]:
    """What is printed otherwise than the evidence gives it."""
    found, expected = list(_words(printed.pages)), list(_words(again.pages))
    matcher = difflib.SequenceMatcher(
        None, [word for word, _ in found], [word for word, _ in expected], autojunk=False
    )
    ids = _ids_by_text(files)
    named = 0
    for kind, first, last, start, end in matcher.get_opcodes():
        if kind == "equal":
            continue
        named += 1
        if named > MOST_NAMED:
            yield "and more differences"
            break
        page = found[min(first, len(found) - 1)][1] if found else 1
        before = " ".join(word for word, _ in found[max(0, first - 4) : first])
        told = " ".join(word for word, _ in found[first:last]) or "nothing"
        given = " ".join(word for word, _ in expected[start:end]) or "nothing"
        rows = ids.get(given.strip(".,;:()"), "")
        yield f"page {page}, after “{before}”: it prints “{told}”, the evidence gives “{given}”{rows}"
    if named:
        return
    if printed.made_by == again.made_by:
        yield "the PDF is not, byte for byte, what its evidence gives, although its text is"
    else:
        notes.append(f"the PDF was made by {printed.made_by}, so that only its text was compared")


def _ids_by_text(files: PaperFiles) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for number in files.document.numbers:
        found.setdefault(number.text, []).append(number.id)
    return {text: f" ({', '.join(ids[:3])})" for text, ids in found.items()}


def _words(pages: Sequence[str]) -> Iterator[tuple[str, int]]:
    for number, page in enumerate(pages, 1):
        for word in page.split():
            yield word, number
