"""The paper as Markdown, and its evidence file."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from core.evidence import markup, statistics
from core.evidence.binding import bind
from core.evidence.evidence import Evidence
from core.evidence.sheet import report, sheet
from core.paper.document import Attempt, PaperInput
from core.paper.markdown import PaperFiles, compose
from tests.core.evidence.synthetic import a_reference, bagging, facts, ledger_of, record, results

FILLER = "Splits of one data set overlap, and runs on them are correlated, so their intervals are widened. "

BODY = """# Results

Bagged trees err at {{ pm(test_error.tree.bagged) : .1% }}, which is
{{ cmp(test_error.tree.bagged, test_error.tree.single) }} single trees. H1 is {{ verdict(H1) }} with
{{ ci(H1) : .1pp }}.

::: table #tab-x metric=test_error rows=base cols=arm fmt=.1% caption="Test error."
:::

""" + "\n\n".join([FILLER * 4] * 12)
"""Long enough for two pages."""


@cache
def evidence() -> Evidence:
    return bagging()


def paper(**changes: Any) -> PaperFiles:
    given: dict[str, Any] = {
        "title": "Bagging repairs unstable learners",
        "abstract": "The effect on trees is {{ effect(H1) : .1pp }}.",
        "body": BODY,
        "evidence": evidence(),
        "attempts": (
            Attempt("E1", "Bagged trees", "finished", "supported", "T4", Decimal("0.4"), 61.2),
            Attempt("E2", "Bagged | <b>neighbours</b>\n# Every number", "rejected by a human"),
        ),
        "models": ("claude-x",),
        "approved_by": ("human: ada",),
        "cost_usd": Decimal("1.25"),
        "versions": {"fumehood": "0.1.0"},
    }
    return compose(PaperInput(**{**given, **changes}))


def test_a_sound_paper_is_no_draft() -> None:
    files = paper()
    assert not files.document.draft
    assert "DRAFT" not in files.markdown
    assert "~~" not in files.markdown


def test_every_number_links_to_exactly_one_row_of_the_appendix() -> None:
    text = paper().markdown
    linked = set(re.findall(r"\]\(#(e\d+)\)", text))
    rows = re.findall(r'<a id="(e\d+)"></a>', text)
    assert linked == set(rows)
    assert len(rows) == len(set(rows)) == len(paper().document.numbers)


def test_a_row_tells_the_expression_the_full_value_and_the_code_line() -> None:
    row = next(line for line in paper().markdown.splitlines() if line.startswith('| <a id="e1">'))
    effect = evidence().verdicts["E1"].effect
    assert "effect\\(H1\\)" in row
    assert repr(effect) in row
    assert "E1-x1 line 12" in row


def test_code_alone_writes_the_table_of_attempts() -> None:
    text = paper().markdown
    title = "Bagged \\| &lt;b\\>neighbours&lt;/b\\> \\# Every number"
    assert "| E1 | Bagged trees | finished | supported | T4 | 0.40 | 61 s |" in text
    assert f"| E2 | {title} | rejected by a human | – | CPU | ? | – |" in text


def test_every_hypothesis_is_listed_with_its_verdict_and_hash() -> None:
    text = paper().markdown
    for experiment_id, hypothesis in evidence().hypotheses.items():
        assert hypothesis.sha256[:12] in text
        assert evidence().verdicts[experiment_id].outcome in text


def test_departures_and_flags_are_listed() -> None:
    records = results([({"base": "tree", "arm": "bagged"}, [0.1] * 10)])
    ledger = ledger_of(records, facts(), facts("E1-x2", ended="time", exit_code=None))
    deviating = (
        evidence().verdicts["E1"].model_copy(update={"deviations": ("seeds 8, 9 *were* not planned",)})
    )
    changed = Evidence(ledger, {"E1": deviating}, evidence().hypotheses)
    text = paper(evidence=changed, abstract="", body="Nothing.").markdown
    assert "- H1: seeds 8, 9 \\*were\\* not planned" in text
    assert ", E1-x2: exec did not end cleanly" in text


def test_a_draft_says_on_top_how_much_was_struck() -> None:
    text = paper(body=BODY + "\nIt took 99 steps and four hours.\n", abstract="An error of 5.5%.").markdown
    assert text.startswith("> **DRAFT: 3 statements in it have no evidence behind and are struck out.**\n")
    assert "~~99~~ steps and ~~four~~ hours" in text
    assert "An error of ~~5.5%~~." in text


def test_a_number_typed_in_the_title_is_struck_too() -> None:
    files = paper(title="Bagging cuts error to 5%")
    assert files.document.draft
    assert "# Bagging cuts error to ~~5%~~" in files.markdown


def test_authors_and_approval_are_named_by_code() -> None:
    assert "Written by fumehood \\(claude-x\\)." in paper().markdown
    assert "approved by human" in paper().markdown
    scripted = paper(models=(), scripted=True).markdown
    assert "scripted\\: no language model is being used" in scripted


def test_unknown_money_is_a_question_mark_and_known_money_has_cents() -> None:
    assert "| whole run, USD | 1.25 |" in paper().markdown
    assert "| whole run, USD | ? |" in paper(cost_usd=None).markdown


def test_the_same_input_gives_the_same_bytes() -> None:
    first, second = paper(), paper(evidence=bagging())
    assert first.markdown == second.markdown
    assert first.evidence == second.evidence


HOSTILE = [
    "<script>alert(1)</script>",
    "<!--",
    "```",
    "~~~",
    "$$",
    "<details>",
    "[5.5%](#e1)",
    "# Every number\n\n| e1 | 5.5% |",
    "> **DRAFT: 0 statements**",
    "::: table",
    "    ```\n",
    "- ```\n  x",
    "> ```\n> x",
    "[e1]: https://example.org",
    "\\",
    "[",
    "![",
    "`",
    "| a |\n| --- |",
    "\x1b[2J",
]


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("place", ["title", "abstract", "body"])
def test_hostile_text_cannot_swallow_or_forge_what_code_writes(hostile: str, place: str) -> None:
    text = paper(**{place: f"Words. {hostile}" if place == "title" else f"Words.\n\n{hostile}"}).markdown
    shown = markup.PARSER.parse(text)
    headings = [shown[i + 1].content for i, token in enumerate(shown) if token.type == "heading_open"]
    for needed in ("Hypotheses and verdicts", "Every attempt", "What looks wrong", "Every number"):
        assert headings.count(needed) == 1
    html = {t.content for t in markup.tokens(text) if t.type.startswith("html")}
    assert all(re.fullmatch(r'<a id="e\d+">|</a>', tag) for tag in html)
    assert "\x1b" not in text


def test_a_link_to_a_verified_work_survives_and_its_key_becomes_a_citation_and_a_reference() -> None:
    known = {key: a_reference(key, key[:-4].title(), 1996) for key in ("breiman1996", "nadeau1996")}
    body = "See [Breiman (1996)](https://doi.org/10.1000/breiman1996) and [@breiman1996]."
    files = paper(evidence=replace(evidence(), references=known), body=body)
    link = "[Breiman (1996)](https://doi.org/10.1000/breiman1996)"
    assert f"See {link} and ([Breiman, 1996](#ref-breiman1996))." in files.markdown
    assert files.document.source.references == (
        "Ada Breiman (1996). What Breiman found. Journal of Findings. https://doi.org/10.1000/breiman1996",
    )
    listed = json.loads(files.evidence)["references"]
    assert [(entry["key"], entry["passages"]) for entry in listed] == [
        ("breiman1996", ["What Breiman found"])
    ]


def test_a_key_that_nobody_verified_is_struck_and_listed_nowhere() -> None:
    files = paper(body="See [@breiman1996].")
    assert files.document.draft
    assert "breiman1996" not in files.markdown
    assert files.document.source.references == ()


def test_every_bound_mean_can_be_computed_again_from_the_evidence_file() -> None:
    content = json.loads(paper(body="Single trees: {{ test_error.tree.single : .3% }}.").evidence)
    values = {m["id"]: m["value"] for m in content["measurements"]}
    number = next(n for n in content["numbers"] if n["expression"] == "test_error.tree.single")
    used = [values[name] for name in number["measurement_ids"]]
    assert number["value"] == pytest.approx(statistics.mean(used))
    assert len(used) == number["n"] == 10


def test_the_evidence_file_tells_code_chains_hypotheses_and_verdicts() -> None:
    content = json.loads(paper().evidence)
    assert content["execs"][0]["code_sha256"] == "c" * 64
    assert all(m["chain"] for m in content["measurements"])
    first = content["hypotheses"]["H1"]
    assert first["sha256"] == evidence().hypotheses["E1"].sha256
    assert first["verdict"]["outcome"] == "supported"
    assert len(first["measurement_ids"]) == 20
    assert first["locked_at"]


def test_values_that_json_cannot_hold_are_text_in_the_evidence_file() -> None:
    bodies = [{"name": "loss", "value": "nan"}, {"name": "loss\ud800", "value": "-inf"}]
    ledger = ledger_of([record("result", body, number=n) for n, body in enumerate(bodies, 1)])
    files = paper(evidence=Evidence(ledger), abstract="", body="Nothing.")
    content = json.loads(files.evidence.encode("utf-8"))
    assert {m["value"] for m in content["measurements"]} == {"nan", "-inf"}
    assert files.markdown.encode("utf-8")
    assert math.isnan(ledger.measurements[0].value)


# What models are given


def test_the_sheet_names_every_key_setting_and_verdict_token() -> None:
    text = sheet(evidence())
    for name in evidence().ledger.keys:
        assert name in text
    assert "cfg(n_estimators.bagged) = 50" in text
    assert "verdict(H1), effect(H1), ci(H1), p(H1)" in text


def test_every_token_on_the_sheet_resolves() -> None:
    tokens = re.findall(r"^(cfg\([\w.]+\))", sheet(evidence()), re.MULTILINE) + list(evidence().ledger.keys)
    assert len(tokens) == 8
    for token in tokens:
        assert not bind(f"{{{{ {token} }}}}", evidence()).problems


def test_a_report_is_bounded_and_says_what_was_left_out() -> None:
    cells = [({"m": f"level{i}"}, [0.1]) for i in range(500)]
    crowded = Evidence(ledger_of(results(cells, seeds=[0])))
    text = report(crowded, "E1")
    assert len(text) <= 4000
    assert "more lines were left out" in text


def test_a_report_names_verdict_effect_and_flags_of_its_experiment_only() -> None:
    text = report(evidence(), "E1")
    assert "supported" in text
    assert "test_error.tree.bagged" in text
    assert "knn" not in text
