"""A paper that was struck by other rules than ours: its numbers hold, and what would be struck is a note."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from core.evidence import prose
from core.paper import document, verify
from core.paper.evidence_file import SEAL
from core.paper.markdown import PaperFiles
from core.paper.outline import outline
from core.paper.pdf import render
from core.paper.verify import Verified, verify_evidence, verify_pdf
from tests.core.paper.test_markdown import BODY, paper
from tests.fakes.forging import evidence_with, with_other_digit

LATER = f"{BODY}\n\nThis is 99 steps.\n\nAnd then it is {{{{ effect(H2) : .1pp }}}} as planned."


@contextmanager
def rules_zero(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> Iterator[None]:
    """Rules that are not ours: what they find is given."""
    with monkeypatch.context() as patched:
        patched.setattr(document, "RULES", "0")
        for name, change in changes.items():
            patched.setattr(prose, name, change)
        yield


@pytest.fixture
def older(monkeypatch: pytest.MonkeyPatch) -> PaperFiles:
    """A paper of rules that found no typed numbers."""
    with rules_zero(monkeypatch, _numbers=lambda *_: iter(())):
        return paper(body=LATER)


def found(files: PaperFiles, change: Callable[[dict[str, Any]], object] = lambda _: None) -> Verified:
    return verify_evidence(evidence_with(files.evidence.encode(), change, sealed=True))


def test_a_paper_says_by_which_rules_it_was_struck() -> None:
    assert '"prose rules": "1"' in paper().evidence
    assert "prose rules" in paper().markdown


def test_statements_that_newer_rules_would_strike_are_a_note_with_both_rules_and_no_failure(
    older: PaperFiles,
) -> None:
    assert not older.document.draft
    verified = found(older)
    assert verified.failures == ()
    assert any(
        "prose rules 0, and here are 1: now 1 more statements would be struck" in note
        for note in verified.notes
    )


def test_statements_that_newer_rules_would_keep_are_a_note_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def everything(plain: str, *_: object) -> Iterator[prose.Finding]:
        place = plain.find("planned")
        if place >= 0:
            yield prose.Finding("unsupported claim", place, place + 7, "planned")

    with rules_zero(monkeypatch, _claims=everything):
        files = paper(body=LATER)
    verified = found(files)
    assert verified.failures == ()
    assert any("1 fewer statements would be struck" in note for note in verified.notes)


def test_rows_that_are_numbered_otherwise_by_other_rules_hold_by_their_expression(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = "- {{ pm(test_error.bagged.tree) : .3f }} and [x](http://in.valid) 1234\n\n"
    with rules_zero(monkeypatch, _numbers=lambda *_: iter(())):
        files = paper(body=first + LATER)
    assert found(files).failures == ()


def test_the_same_difference_under_our_own_rules_is_a_failure(older: PaperFiles) -> None:
    def ours(content: dict[str, Any]) -> None:
        content["versions"]["prose rules"] = "1"

    said = found(older, ours).failures
    assert "the evidence lists 0 struck statements, its measurements give 1" in said


def test_a_paper_from_before_rules_had_versions_is_of_other_rules(older: PaperFiles) -> None:
    verified = found(older, lambda content: content["versions"].pop("prose rules"))
    assert verified.failures == ()
    assert any("prose rules ?" in note for note in verified.notes)


def changed(section: str, index: int | str, **changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda content: content[section][index].update(changes)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (changed("numbers", 0, text="−99.0 pp"), "the evidence says −99.0 pp, its measurements give"),
        (changed("numbers", 0, value=0.5), "the evidence says value 0.5"),
        (changed("numbers", 0, n=999), "the evidence says n 999"),
        (changed("numbers", 0, level="reproduced"), "the evidence says level reproduced"),
        (changed("numbers", 0, expression="nothing.here"), "its measurements do not give it"),
        (changed("numbers", 0, expression="plot x: y over z"), "its measurements do not give it"),
        (changed("numbers", 0, id="e2"), "several numbers by one id"),
        (changed("measurements", 0, value=9.0), "its measurements give"),
        (changed("hypotheses", "H1", sha256="0" * 64), "is not what was locked"),
        (lambda content: content.update(draft=True), "is a draft, which is wrong"),
        (lambda content: content.update(more=1), "the evidence holds 'more'"),
        (lambda content: content["keys"].update(more=[]), "the evidence's keys are not"),
    ],
)
def test_every_number_verdict_and_hash_of_other_rules_must_hold_as_ever(
    older: PaperFiles, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    verified = found(older, change)
    assert any(said in line for line in verified.failures), verified.failures


def test_a_name_that_stands_twice_is_found_out_under_other_rules_too(older: PaperFiles) -> None:
    twice = older.evidence.replace('"value": ', '"value": 0.5,\n   "value": ', 1)
    assert verify_evidence(twice.encode()).failures == (verify._NOT_OURS,)


def test_of_a_pdf_of_other_rules_the_numbers_are_compared_and_that_is_said(older: PaperFiles) -> None:
    pdf = asyncio.run(render(outline(older.document), older.evidence)).pdf
    verified = asyncio.run(verify_pdf(pdf))
    assert verified.failures == ()
    assert any("only the numbers were compared" in note for note in verified.notes)
    caught = 0
    for which in range(2, 30, 9):
        forged, was, now = with_other_digit(pdf, 0, which)
        lines = asyncio.run(verify_pdf(forged)).failures
        caught += any("is printed" in line and was != now for line in lines)
    assert caught > 0


def test_the_seal_of_a_paper_of_other_rules_is_checked(older: PaperFiles) -> None:
    broken = evidence_with(older.evidence.encode(), lambda content: content.update({SEAL: "0" * 64}))
    assert any("SHA-256 does not fit" in line for line in verify_evidence(broken).failures)
