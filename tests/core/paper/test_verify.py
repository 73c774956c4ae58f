"""Recomputing evidence: what does not follow from its measurements is named."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from core.config import PaperSize
from core.evidence.evidence import Evidence
from core.paper.outline import outline
from core.paper.pdf import render
from core.paper.verify import Verified, verify_evidence, verify_pdf
from tests.core.evidence.synthetic import ledger_of, results
from tests.core.paper.test_markdown import paper
from tests.fakes.forging import (
    evidence_with,
)


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


def test_a_count_of_struck_statements_that_was_changed_is_named() -> None:
    draft = paper(body="It took 99 steps and four hours.", abstract="Nothing.")

    def fewer(content: dict[str, Any]) -> None:
        content["struck"].pop()

    def none(content: dict[str, Any]) -> None:
        content["draft"] = False

    def said(change: Callable[[dict[str, Any]], None]) -> str:
        found = verify_evidence(evidence_with(draft.evidence.encode(), change, sealed=True))
        return "\n".join(found.failures)

    assert said(fewer) == "the evidence lists 1 struck statements, its measurements give 2"
    assert said(none) == "the evidence says that the paper is no draft, which is wrong"


def test_a_forgery_of_everything_alike_holds_and_the_notes_say_what_would_find_it() -> None:
    records = results(
        [({"base": "tree", "arm": arm}, [x] * 10) for arm, x in (("single", 0.2), ("bagged", 0.1))]
    )
    ledger = ledger_of(records)
    files = paper(evidence=Evidence(ledger), abstract="", body="It errs at {{ test_error.bagged : .1% }}.")
    found = verify_evidence(files.evidence.encode())
    assert found.holds
    assert any("fumehood verify RUN" in note for note in found.notes)


def test_another_machines_last_digits_are_a_note_and_no_failure() -> None:
    def nudge(content: dict[str, Any]) -> None:
        for number in content["numbers"]:
            if isinstance(number["value"], float):
                number["value"] *= 1 + 1e-14
        content["hypotheses"]["H1"]["verdict"]["effect"] *= 1 + 1e-14

    found = verify_evidence(evidence_with(paper().evidence.encode(), nudge, sealed=True))
    assert found.failures == ()
    assert any("last digits" in note for note in found.notes)


def test_evidence_in_which_a_name_stands_twice_is_found_out() -> None:
    text = paper().evidence
    twice = text.replace('"value": ', '"value": 0.5,\n   "value": ', 1)
    assert verify_evidence(twice.encode()).failures == (
        "the evidence is not written as fumehood writes what is in it",
    )
