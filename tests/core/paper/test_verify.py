"""Verifying a paper from its evidence alone."""

from __future__ import annotations

import asyncio
import json
import random
from functools import cache
from typing import Any

import pytest

from core.config import PaperSize
from core.errors import InputError
from core.paper.outline import outline
from core.paper.pdf import render
from core.paper.verify import Verified, verify_evidence, verify_pdf
from tests.core.paper.test_markdown import paper
from tests.fakes.forging import digits_on, with_other_digit


@cache
def pdf(size: PaperSize = "us-letter") -> bytes:
    files = paper()
    return asyncio.run(render(outline(files.document), files.evidence, size=size)).pdf


def verified(content: bytes) -> Verified:
    return asyncio.run(verify_pdf(content))


def changed(change: Any) -> Verified:
    content = json.loads(paper().evidence)
    change(content)
    return verify_evidence(json.dumps(content).encode())


@pytest.mark.parametrize("size", ["us-letter", "a4"])
def test_an_untouched_pdf_holds(size: PaperSize) -> None:
    found = verified(pdf(size))
    assert found.failures == ()
    assert found.numbers == len(paper().document.numbers)
    assert found.verdicts == 2


def test_untouched_evidence_holds() -> None:
    assert verify_evidence(paper().evidence.encode()).failures == ()


def test_a_draft_holds_as_the_draft_that_it_is() -> None:
    files = paper(body="It took 99 steps.", abstract="Nothing.")
    assert files.document.draft
    assert verify_evidence(files.evidence.encode()).failures == ()


def test_any_printed_digit_that_was_changed_is_named_with_its_page() -> None:
    generator = random.Random(5)
    for page, places in ((0, 6), (1, 6)):
        for which in generator.sample(range(digits_on(pdf(), page) - 5), places):
            forged, was, now = with_other_digit(pdf(), page, which)
            found = verified(forged)
            assert any(f"page {page + 1}" in line for line in found.failures), (page, which, was, now)


def test_the_message_about_a_changed_number_tells_both_numbers_and_the_row() -> None:
    forged, was, now = with_other_digit(pdf(), 0, 0)
    failure = next(line for line in verified(forged).failures if line.startswith("page 1"))
    assert was in failure
    assert now in failure


def test_one_changed_measurement_is_named_with_every_number_that_rests_on_it() -> None:
    def change(content: dict[str, Any]) -> None:
        content["measurements"][0]["value"] += 0.01

    content = json.loads(paper().evidence)
    measurement = content["measurements"][0]["id"]
    resting = [
        n for n in content["numbers"] if measurement in n["measurement_ids"] and n["level"] != "judged"
    ]
    failures = changed(change).failures
    assert any(line.startswith(f"measurement {measurement} ") for line in failures)
    for number in resting:
        if number["expression"].startswith(("pm", "effect", "ci")):
            assert any(line.startswith(f"{number['id']} ") for line in failures), number


def test_whoever_mends_the_hash_of_a_changed_measurement_is_found_out_by_the_numbers() -> None:
    from core.paper.evidence_file import SEAL, seal_of

    def change(content: dict[str, Any]) -> None:
        content["measurements"][0]["value"] += 0.05
        content["measurements"][0][SEAL] = seal_of(content["measurements"][0])
        content[SEAL] = seal_of(content)

    assert any("its measurements give" in line for line in changed(change).failures)


def test_a_stated_number_that_its_measurements_do_not_give_is_named() -> None:
    def change(content: dict[str, Any]) -> None:
        content["numbers"][0]["text"] = "−11.0 pp"

    assert any(
        line.startswith("e1 (effect(H1)): the evidence says −11.0 pp") for line in changed(change).failures
    )


def test_a_stated_verdict_that_its_measurements_do_not_give_is_named() -> None:
    def change(content: dict[str, Any]) -> None:
        content["hypotheses"]["H2"]["verdict"]["outcome"] = "refuted"

    assert any(line.startswith("H2: the evidence says refuted") for line in changed(change).failures)


def test_a_hypothesis_that_was_changed_after_it_was_locked_is_named() -> None:
    def change(content: dict[str, Any]) -> None:
        content["hypotheses"]["H1"]["hypothesis"]["criterion"]["min_effect"] = 0.01

    assert any("H1 is not what was locked" in line for line in changed(change).failures)


@pytest.mark.parametrize("section", ["settings", "execs", "paper", "versions", "flags"])
def test_any_other_change_shows_in_the_hash_of_the_whole(section: str) -> None:
    def change(content: dict[str, Any]) -> None:
        value = content[section]
        if isinstance(value, list):
            value.append(value[0]) if value else content.update({section: [flag()]})
        else:
            value["more"] = "1"

    assert changed(change).failures


def flag() -> dict[str, Any]:
    return {
        "kind": "units differ",
        "exec_id": "E1-x1",
        "experiment_id": "E1",
        "line": 1,
        "text": "a",
        "count": 1,
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"hello", "no PDF"),
        (b"%PDF-1.7\nhello", "cannot be read"),
        (b"", "no PDF"),
    ],
)
def test_what_is_no_paper_is_refused_in_one_line(content: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        verified(content)


@pytest.mark.parametrize(
    "text", ["{}", "[]", "nonsense", '{"version": 2}', '{"version": 2, "paper": {}}', "[" * 100_000]
)
def test_what_is_no_evidence_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(InputError):
        verify_evidence(text.encode())


def test_evidence_cut_short_is_refused_in_one_line() -> None:
    whole = paper().evidence.encode()
    for end in (10, len(whole) // 2, len(whole) - 5):
        with pytest.raises(InputError):
            verify_evidence(whole[:end])
