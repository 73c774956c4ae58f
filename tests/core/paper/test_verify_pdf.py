"""Verifying a PDF: whatever somebody changed in it is named."""

from __future__ import annotations

import asyncio
import hashlib
import io
import random
import re
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject

from core.errors import InputError
from core.evidence.evidence import Evidence
from core.evidence.measurement import Artifact
from core.paper.markdown import PaperFiles
from core.paper.outline import outline
from core.paper.pdf import render
from core.paper.print_comparing import differing_counts, same_word
from tests.core.evidence.synthetic import a_reference, ledger_of, results
from tests.core.paper.test_markdown import BODY, evidence, paper
from tests.core.paper.test_verify import pdf, verified
from tests.fakes.forging import (
    digits_on,
    saved_anew,
    small_png,
    with_attachment,
    with_evidence,
    with_other_digit,
    with_other_glyphs,
)


def forged(change: Callable[[bytes], bytes], whole: bytes | None = None) -> str:
    """What is said of a forged PDF, in one text."""
    found = verified(change(whole or pdf()))
    assert not found.holds
    return "\n".join(found.failures)


def test_any_printed_digit_that_was_changed_is_named_with_its_page() -> None:
    generator = random.Random(5)
    for page, places in ((0, 3), (1, 3)):
        for which in generator.sample(range(digits_on(pdf(), page) - 5), places):
            forged, was, now = with_other_digit(pdf(), page, which)
            found = verified(forged)
            assert any(f"page {page + 1}" in line for line in found.failures), (page, which, was, now)


def test_the_message_about_a_changed_number_tells_both_numbers_and_the_row() -> None:
    forged, was, now = with_other_digit(pdf(), 0, 0)
    failure = next(line for line in verified(forged).failures if line.startswith("page 1"))
    assert was in failure
    assert now in failure


def test_a_hash_whose_last_digit_before_a_break_is_drawn_there_first_is_found_on_the_page() -> None:
    # The sign for "the line may break here" is copied with such a digit, wherever it stands.
    plain = Evidence(ledger_of(results([({"arm": "one"}, [0.1] * 10)])))
    papers = (
        paper(evidence=plain, abstract="Nothing.", body=f"Words {'w' * count}.", attempts=())
        for count in range(1, 400)
    )
    files, digest = next((files, digest) for files in papers if _drawn_there_first(digest := _digest(files)))
    whole = asyncio.run(render(outline(files.document), files.evidence)).pdf
    pages = PdfReader(io.BytesIO(whole)).pages
    assert not any(digest in "".join(page.extract_text().split()) for page in pages)
    assert verified(whole).failures == ()


def _digest(files: PaperFiles) -> str:
    return hashlib.sha256(files.evidence.encode()).hexdigest()


def _drawn_there_first(digest: str) -> bool:
    return digest[31] not in digest[:31] + "evidence.json" and digest[31] in digest[32:]


def test_a_pdf_that_was_only_saved_anew_is_said_to_be_that() -> None:
    assert "saved anew by another program" in forged(saved_anew)


def test_glyphs_that_draw_another_digit_than_their_text_says_are_named() -> None:
    lie = with_other_glyphs(pdf())
    texts = [[page.extract_text() for page in PdfReader(io.BytesIO(each)).pages] for each in (pdf(), lie)]
    assert texts[0] == texts[1]  # nobody who copies or searches would notice
    said = forged(with_other_glyphs)
    assert re.search(r"the font \S+ says that it draws other characters than it does", said)
    assert "page 1: what is drawn on it differs from what the evidence gives" in said


def test_a_page_that_was_taken_out_or_put_in_is_named() -> None:
    count = len(PdfReader(io.BytesIO(pdf())).pages)
    removed = forged(lambda whole: saved_anew(whole, lambda writer: writer.remove_page(0)))
    assert f"it has {count - 1} pages, the evidence gives {count}" in removed
    assert "page 1 of the paper that the evidence gives is missing" in removed
    added = forged(lambda whole: saved_anew(whole, lambda writer: writer.add_blank_page()))
    assert f"it has {count + 1} pages, the evidence gives {count}" in added
    assert f"page {count + 1} is not in the paper that the evidence gives" in added


def test_a_link_that_leads_to_another_row_is_named() -> None:
    def mislead(writer: PdfWriter) -> None:
        links: Any = [a.get_object() for a in writer.pages[0]["/Annots"]]  # type: ignore[attr-defined]
        first, other = links[0], next(a for a in links if a.get("/Dest") != links[0].get("/Dest"))
        first[NameObject("/Dest")] = other["/Dest"]

    said = forged(lambda whole: saved_anew(whole, mislead))
    assert "page 1: one of its links differs from what the evidence gives" in said


def test_another_title_in_the_properties_is_named() -> None:
    said = forged(lambda whole: saved_anew(whole, lambda w: w.add_metadata({"/Title": "Another"})))
    assert "one of its title, authors and dates differs from what the evidence gives" in said


def test_an_attachment_more_is_named() -> None:
    said = forged(lambda whole: saved_anew(whole, lambda w: w.add_attachment("more.txt", b"more")))
    assert "the attachment more.txt does not belong to the paper" in said


def test_evidence_of_another_paper_is_named() -> None:
    other = paper(body="H2 is {{ verdict(H2) }}.").evidence.encode()
    said = forged(lambda whole: with_attachment(whole, "evidence.json", lambda _: other))
    assert "the attached evidence is not the one that was printed" in said


def test_two_attached_evidence_files_are_refused() -> None:
    twice = saved_anew(pdf(), lambda w: w.add_attachment("evidence.json", b"{}"))
    with pytest.raises(InputError, match="several evidence files"):
        verified(twice)


@pytest.mark.parametrize("sealed", [False, True])
def test_one_measurement_changed_in_the_attached_evidence_is_named(sealed: bool) -> None:
    def change(content: dict[str, Any]) -> None:
        content["measurements"][3]["value"] += 0.05

    said = forged(lambda whole: with_evidence(whole, change, sealed=sealed))
    assert ("is not what was recorded" in said) is not sealed
    assert "its measurements give" in said
    assert "the attached evidence is not the one that was printed" in said


def test_a_verdict_a_hash_and_a_criterion_changed_in_the_attached_evidence_are_named() -> None:
    def verdict(content: dict[str, Any]) -> None:
        content["hypotheses"]["H1"]["verdict"]["outcome"] = "refuted"

    def hash_of_lock(content: dict[str, Any]) -> None:
        content["hypotheses"]["H1"]["sha256"] = "0" * 64

    def criterion(content: dict[str, Any]) -> None:
        content["hypotheses"]["H2"]["hypothesis"]["criterion"]["margin"] = 0.5

    def said(change: Callable[[dict[str, Any]], None]) -> str:
        return forged(lambda whole: with_evidence(whole, change, sealed=True))

    assert "H1: the evidence says refuted" in said(verdict)
    assert "H1 is not what was locked" in said(hash_of_lock)
    assert "H2 is not what was locked" in said(criterion)


def test_a_figure_that_was_swapped_or_taken_out_is_named() -> None:
    drawn, other = small_png((200, 30, 30)), small_png((30, 200, 30))
    digest = hashlib.sha256(drawn).hexdigest()
    artifact = Artifact("E1-x1", "E1", "loss.png", "loss.png", digest, len(drawn))
    ledger = replace(evidence().ledger, artifacts=(artifact,))
    files = paper(evidence=replace(evidence(), ledger=ledger))
    made = render(outline(files.document), files.evidence, pictures={digest: drawn})
    whole = asyncio.run(made).pdf
    assert verified(whole).failures == ()
    said = forged(lambda it: with_attachment(it, f"{digest}.png", lambda _: other), whole)
    assert f"the attached figure {digest[:16]}… is not what its hash says" in said
    shown = forged(lambda it: saved_anew(it, lambda writer: _repaint(writer)), whole)
    assert "a picture differs from what the evidence gives" in shown


def _repaint(writer: PdfWriter) -> None:
    pages: Any = writer.pages
    for page in pages:
        for image in page["/Resources"].get("/XObject", {}).values():
            image.get_object()._data = zlib.compress(bytes([0, 0, 255]) * 64)


def test_the_reference_list_is_compared_too() -> None:
    known = {"breiman1996": a_reference("breiman1996", "Breiman", 1996)}
    files = paper(evidence=replace(evidence(), references=known), body=f"{BODY}\n\nSee [@breiman1996].")
    whole = asyncio.run(render(outline(files.document), files.evidence)).pdf
    assert verified(whole).failures == ()

    def another(content: dict[str, Any]) -> None:
        content["references"][0]["text"] = "Ada Breiman (1997). What nobody found."

    said = forged(lambda it: with_evidence(it, another, sealed=True), whole)
    assert "it prints “(1996).”, the evidence gives “(1997).”" in said
    assert "neighbours" not in said


def test_a_pdf_of_another_typst_is_compared_by_its_text_and_that_is_said() -> None:
    def of_another(writer: PdfWriter) -> None:
        writer.add_metadata({"/Creator": "Typst 9.9.9"})

    found = verified(saved_anew(pdf(), of_another))
    assert found.failures == ()
    assert any("made by Typst 9.9.9" in note and "only its text was compared" in note for note in found.notes)
    changed_digit, *_ = with_other_digit(saved_anew(pdf(), of_another), 0, 2)
    assert any("more often than the evidence gives" in line for line in verified(changed_digit).failures)


def test_numbers_that_changed_places_are_named_also_where_another_typst_broke_the_lines() -> None:
    line = "Bagging lowers the test error of trees from {} on average to {} over ten seeds ."
    other_breaks = [
        "Bagging lowers the test error of trees from 15.9%",
        "on average\nto 5.5% over ten seeds .\n2",
    ]
    expected = [line.format("15.9%", "5.5%")]
    assert not list(differing_counts(other_breaks, expected, same_word))
    exchanged = list(differing_counts([line.format("5.5%", "15.9%")], expected, same_word))
    assert "“5.5%” between “of trees from” and “on average to”" in exchanged[0]
    assert "“15.9%” between “on average to” and “over ten seeds”" in exchanged[1]


def test_of_a_pdf_of_another_fumehood_only_the_numbers_are_compared_and_that_is_said() -> None:
    older = paper(versions={"fumehood": "0.0.9"})
    whole = saved_anew(asyncio.run(render(outline(older.document), older.evidence)).pdf)
    found = verified(whole)
    assert found.failures == ()
    assert any("made by fumehood 0.0.9" in note and "only the numbers" in note for note in found.notes)
    caught = 0
    for which in range(2, 30, 9):
        forgery, was, now = with_other_digit(whole, 0, which)
        caught += any("is printed" in line and was != now for line in verified(forgery).failures)
    assert caught > 0
