"""What a paper's author may write, and what is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.evidence import markup
from core.evidence.binding import bind, strike
from core.evidence.bound import Bound
from core.evidence.evidence import Evidence
from core.experiment import Arm, InRange
from tests.bench.binding import DISGUISES
from tests.core.evidence.synthetic import (
    LOCKED,
    a_reference,
    bagging,
    experiment,
    hypothesis,
    ledger_of,
    record,
    results,
)

BREIMAN, NADEAU = a_reference("breiman1996", "Breiman", 1996), a_reference("nadeau2003", "Nadeau", 2003)
SINGLE, BAGGED = "test_error.tree.single", "test_error.tree.bagged"


@cache
def evidence() -> Evidence:
    return replace(bagging(), references={"breiman1996": BREIMAN, "nadeau2003": NADEAU})


def bound(text: str) -> Bound:
    return bind(text, evidence())


def kinds(text: str) -> list[str]:
    return [problem.kind for problem in bound(text).problems]


def only_number(token: str) -> str:
    result = bound(f"On trees: {token}.")
    assert not result.problems, result.problems
    return result.numbers[0].text


def mean(key: str) -> float:
    values = evidence().ledger.keys[key].values
    return sum(values) / len(values)


# What tokens come to


def test_a_key_is_the_mean_over_every_recorded_seed() -> None:
    assert only_number(f"{{{{ {SINGLE} : .1% }}}}") == f"{100 * mean(SINGLE):.1f}%"


def test_a_number_links_to_its_row_and_knows_its_measurements() -> None:
    result = bound(f"Single trees err at {{{{ {SINGLE} : .1% }}}}.")
    number = result.numbers[0]
    assert result.text == f"Single trees err at [{number.text}](#e1)."
    assert (number.n, number.level, number.exec_ids, number.lines) == (10, "reported", ("E1-x1",), (12,))
    assert number.measurement_ids == tuple(f"E1-x1.{i}" for i in range(1, 11))


@pytest.mark.parametrize(
    "token",
    [
        "pm(test_error.tree.single) : .1%",
        "ci(test_error.tree.single) : .2%",
        "n(test_error.tree.single)",
        "sd(test_error.tree.single) : .2e",
        "min(test_error.tree.single)",
        "max(test_error.tree.single) : .3f",
        "abs(test_error.tree.bagged - test_error.tree.single) : .1pp",
        "reduction(test_error.tree.single, test_error.tree.bagged) : .0%",
        "test_error.tree.single / test_error.tree.bagged : .2f",
        "1 - test_error.tree.single : .1%",
        "cmp(test_error.tree.bagged, test_error.tree.single)",
        "verdict(H1)",
        "verdict(E1)",
        "effect(H1) : .1pp",
        "ci(H1) : .1pp",
        "p(H1)",
        "cfg(n_estimators.bagged)",
        "cfg(test_size) : .0%",
        'lit(2, "the criterion has two sides")',
    ],
)
def test_every_token_of_the_syntax_resolves(token: str) -> None:
    assert only_number(f"{{{{ {token} }}}}")


def test_arithmetic_is_done_before_rounding() -> None:
    difference = 100 * (mean(SINGLE) - mean(BAGGED))
    assert only_number(f"{{{{ {SINGLE} - {BAGGED} : .0pp }}}}") == f"{difference:.0f} pp"


def test_a_comparison_takes_its_word_from_an_interval() -> None:
    assert only_number(f"{{{{ cmp({BAGGED}, {SINGLE}) }}}}") == "lower than"
    assert only_number(f"{{{{ cmp({SINGLE}, {BAGGED}) }}}}") == "higher than"
    same = results([({"arm": "a"}, [1, 2, 3, 4.0]), ({"arm": "b"}, [2, 1, 4, 3.0])], seeds=range(4))
    text = "{{ cmp(test_error.a, test_error.b) }}"
    assert bind(text, Evidence(ledger_of(same))).numbers[0].text == "not distinguishable from"


def test_a_comparison_of_resplit_data_is_widened_like_its_hypothesis() -> None:
    cells = [
        ({"base": "tree", "arm": "bagged"}, [0.10, 0.12, 0.11, 0.13]),
        ({"base": "tree", "arm": "single"}, [0.13] * 4),
    ]
    ledger = ledger_of(results(cells, seeds=range(4)))
    text = "{{ cmp(test_error.bagged, test_error.single) }}"
    plain = Evidence(ledger, {}, {"E1": hypothesis(seeds=tuple(range(4)))})
    resplit = hypothesis(seeds=tuple(range(4)), replicates="resplit", test_fraction=0.5)
    assert bind(text, plain).numbers[0].text == "not distinguishable from"
    far = [({"base": "tree", "arm": "bagged"}, [0.09, 0.1, 0.095, 0.105]), cells[1]]
    ledger = ledger_of(results(far, seeds=range(4)))
    assert (
        bind(text, Evidence(ledger, {}, {"E1": hypothesis(seeds=tuple(range(4)))})).numbers[0].text
        == "lower than"
    )
    wide = Evidence(ledger, {}, {"E1": resplit})
    assert (
        bind("{{ ci(test_error.bagged) : .3f }}", wide).numbers[0].value
        != bind("{{ ci(test_error.bagged) : .3f }}", Evidence(ledger)).numbers[0].value
    )


def test_p_is_named_once_however_the_author_writes_it() -> None:
    assert "(p = [0.002](#e1))" in bound("H1 (p = {{ p(H1) }})").text
    assert "([p = 0.002](#e1))" in bound("H1 ({{ p(H1) }})").text


def test_minus_signs_are_minus_signs_and_a_zero_has_none() -> None:
    assert only_number("{{ effect(H1) : .1pp }}").startswith("−")
    nothing = Evidence(ledger_of(results([({"arm": "a"}, [-0.0] * 10)])))
    assert bind("{{ test_error : .1pp }}", nothing).numbers[0].text == "0.0 pp"


@pytest.mark.parametrize(
    ("value", "wanted", "fitting"),
    [
        (0.4, ".0f", ".1f"),
        (-0.0004, ".1%", ".2%"),
        (0.004, ".0pp", ".1pp"),
        (0.004, ".1f", ".3f"),
        (1e-9, ".2f", ".2e"),
        (12.6, "d", ".1f"),
        (0.04, "d", ".2f"),
    ],
)
def test_a_format_that_changes_what_was_measured_is_answered_with_one_that_fits(
    value: float, wanted: str, fitting: str
) -> None:
    measured = Evidence(ledger_of(results([({"arm": "a"}, [value] * 10)])))
    problem = bind(f"{{{{ test_error : {wanted} }}}}", measured).problems[0]
    assert "whole number" in problem.reason if wanted == "d" else "printed as zero" in problem.reason
    assert problem.alternative == f"Use {fitting}"
    assert not bind(f"{{{{ test_error : {fitting} }}}}", measured).problems


def test_a_bound_or_a_spread_that_would_be_printed_as_zero_is_refused_too() -> None:
    measured = Evidence(ledger_of(results([({"arm": "a"}, [0.5, 0.5002])], seeds=(0, 1))))
    assert "printed as zero" in bind("{{ pm(test_error) : .1% }}", measured).problems[0].reason
    assert not bind("{{ pm(test_error) : .2% }}", measured).problems


@pytest.mark.parametrize(
    "token",
    [
        f"n({SINGLE}) : %",
        f"n({SINGLE}) : .0pp",
        f"abs(n({SINGLE})) : %",
        f"n({SINGLE}) / 1 : %",
        f"n({SINGLE}) + n({BAGGED}) : %",
        'lit(1, "a number by design") : .0%',
    ],
)
def test_a_count_is_never_printed_as_a_share(token: str) -> None:
    assert "counts things" in bound(f"On trees: {{{{ {token} }}}}.").problems[0].reason


def test_a_ratio_of_counts_is_a_share_and_a_sum_of_them_is_printed_whole() -> None:
    assert only_number(f"{{{{ n({SINGLE}) / n({BAGGED}) : .0% }}}}") == "100%"
    assert only_number(f"{{{{ n({SINGLE}) + n({BAGGED}) }}}}") == "20"


def test_a_percent_format_is_refused_where_the_unit_is_percent() -> None:
    ledger = ledger_of(results([({"arm": "a"}, [5.0] * 10)], unit="percent"))
    assert bind("{{ test_error : .1% }}", Evidence(ledger)).problems
    assert not bind("{{ test_error : .1f }}", Evidence(ledger)).problems


def test_a_value_that_is_not_finite_cannot_be_stated() -> None:
    records = [
        record("result", {"name": "loss", "value": v}, condition={"seed": i}, number=i + 1)
        for i, v in enumerate([1.0, "nan"])
    ]
    for token in ("loss", "pm(loss)", "max(loss)", "ci(loss)"):
        problem = bind(f"{{{{ {token} }}}}", Evidence(ledger_of(records))).problems[0]
        assert "not finite" in problem.reason


def test_the_level_of_a_number_is_that_of_its_weakest_measurement() -> None:
    records = results([({"arm": "a"}, [0.5, 0.25])], seeds=[0, 1])
    truth = record(
        "predictions",
        {"split": "test", "predicted": [1, 0], "truth": [1, 1]},
        condition={"arm": "a", "seed": 0},
        number=9,
    )
    number = bind("{{ test_error }}", Evidence(ledger_of([*records, truth]))).numbers[0]
    assert number.level == "reported"


# What does not resolve


@pytest.mark.parametrize(
    "token",
    [
        "test_error.tree.bagd",
        "nothing",
        "verdict(H9)",
        "cfg(unknown)",
        "cfg(n_estimators)",
        "5.5",
        "1 + 1",
        "2 * 2 * test_error.tree.single",
        "test_error.tree.single * 55",
        "test_error.tree.single - test_error.tree.single",
        "test_error.tree.single / test_error.tree.single",
        "n(test_error.tree.single) / n(test_error.tree.single) * 2",
        "abs(abs(test_error.tree.single * 2) * 2)",
        "abs(test_error.tree.single * 2) + abs(test_error.tree.bagged * 2)",
        "reduction(test_error.tree.single * 2, test_error.tree.bagged * 100)",
        "test_error.tree.single ** 2",
        "test_error.tree.single // 2",
        "cmp(test_error.tree.single, test_error.tree.single)",
        "lit(0.055, 'the measured error')",
        "lit(55000, 'a large number of things')",
        "lit(True, 'a truth value')",
        "lit(2)",
        "lit(2, 'why')",
        "lit('5.5', 'a text with digits')",
        "__import__('os')",
        "().__class__",
        "[1 for _ in x]",
        "lambda: 1",
        "f'{1}'",
        "open('x')",
        "test_error.tree.single : .1q",
        "test_error.tree.single : .999f",
        "test_error.tree.single; 5",
        "",
        "((((((((((",
    ],
)
def test_what_is_not_in_the_syntax_or_the_evidence_is_refused(token: str) -> None:
    assert bound(f"On trees: {{{{ {token} }}}}.").problems


LITERAL = '{{ lit(95, "a number by design") }}'


@pytest.mark.parametrize(
    "text",
    [
        f"Its accuracy is {LITERAL}.",
        f"It gains {LITERAL} pp.",
        f"It reads {LITERAL} of a hundred digits correctly.",
        f"| arm | accuracy |\n| --- | --- |\n| bagged | {LITERAL} |",
        f"| arm | value |\n| --- | --- |\n| bagged | x |\n| test error | {LITERAL} |",
        f"> | test error |\n> | --- |\n> | {LITERAL} |",
    ],
)
def test_a_literal_has_no_place_beside_what_is_measured(text: str) -> None:
    assert "literal stands" in "".join(problem.reason for problem in bound(text).problems)
    assert "95" not in strike(text, evidence()).text


def test_a_literal_may_stand_in_a_row_about_what_was_designed() -> None:
    text = f"Its layers are {LITERAL}.\n\n| arm | layers |\n| --- | --- |\n| bagged | {LITERAL} |"
    assert not bound(text).problems


def test_a_misspelt_key_is_answered_with_the_nearest_ones_and_its_line() -> None:
    problem = bound("First.\n\nSecond {{ test_eror.tree.bagged : .1% }}.").problems[0]
    assert problem.line == 3
    assert BAGGED in problem.alternative


def test_a_typed_number_is_answered_with_keys_that_the_sentence_names() -> None:
    problem = bound("Bagged trees err at 5.5%.").problems[0]
    assert problem.excerpt == "5.5%"
    assert BAGGED in problem.alternative


def test_nothing_computed_is_said_with_the_reason() -> None:
    empty = Evidence(ledger_of([]), {}, {"E1": hypothesis()})
    assert "was not judged" in bind("{{ effect(H1) }}", empty).problems[0].reason


def test_a_range_has_no_p() -> None:
    from core.evidence.judge import judge

    plan = experiment(
        hypothesis(baseline=None, criterion=InRange(low=0.0), treatment=Arm(label="a", where={"arm": "a"}))
    )
    ledger = ledger_of(results([({"arm": "a"}, [0.1 + 0.01 * i for i in range(10)])]))
    judged = Evidence(
        ledger, {"E1": judge(plan, LOCKED, ledger)}, {"E1": plan.hypothesis} if plan.hypothesis else {}
    )
    assert "no p" in bind("{{ p(H1) }}", judged).problems[0].reason
    assert not bind("{{ effect(H1) }}", judged).problems


# What is typed by hand


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("false", ["5.5%", "0.137", "42%"])
def test_a_typed_number_is_refused_in_every_disguise(disguise: object, false: str) -> None:
    assert callable(disguise)
    text = f"The error of bagged trees is {disguise(false)} in all."
    assert bound(text).problems
    left = strike(text, evidence()).text
    assert false not in "".join(part for i, part in enumerate(left.split("~~")) if i % 2 == 0)


@pytest.mark.parametrize(
    "text",
    [
        "Twice the error.",
        "Half of the rows.",
        "A tenfold gain.",
        "An order of magnitude apart.",
        "Seven seeds were run.",
        "Fifty-five percent of rows.",
        "A third of the rows.",
        "One percent of the rows.",
        "The error doubled.",
        "The error quintupled.",
        "A sixth of the rows.",
        "One eighth of the rows.",
        "XCV percent of the rows.",
        "ix% of the rows.",
        "Less than a percent of the rows.",
        "It is a percentage point away.",
        "It is a full point away.",
        "It is in the high nineties.",
        "An order-of-magnitude gap.",
        "In ⅔ of the cases.",
        "In Ⅳ cases.",
        "All 💯 of them.",
        "About 🔟 seeds.",
        "Using 五 seeds.",
        "Error-95 was reached.",
        "Accuracy95 was reached.",
        "An error of95 was seen.",
        "Reached-95.3 overall.",
        "Bagged-5.5 is the error.",
        "By definition 95.3 is the accuracy.",
        "Definition 95.3 is the accuracy.",
        "The algorithm 97 reached.",
        "Algorithm 97 is what it reached.",
        "The table 5 shows.",
        "The accuracy was $A = \\frac{1}{2}$.",
        "The accuracy was $A = 1/2$.",
        "The accuracy was $\\frac{1}{2} = A$.",
        "The accuracy was $2 = A$.",
        "The accuracy was $A \\approx \\frac{1}{2}, B = n$.",
        "The accuracy was $A = \\sqrt{2}/2 \\text{ or so}$.",
        "The accuracy was $A_{95}$.",
        "The accuracy was $A^{95}$.",
        "The accuracy was $A_{9\\,5}$.",
        "See [5.5%](https://example.org).",
        'See [here](https://example.org "5.5%").',
        "![5.5%](https://example.org/x.png)",
        "A footnote.[^1]\n\n[^1]: It was 5.5%.",
        "95. percent was the accuracy.",
        "Values foo](5.5%) here.",
        "Cited as [@error5.5%].",
        "Table 5.5% of rows.",
        "Section 5 percent.",
        "The cost was $5 or $6 in all.",
        "It cost $2 and it cost $2 more.",
        "With $\\alpha = 0.05$ fixed.",
        "With $5$ fixed.",
        "With $n = 2$ fixed.",
        "With $x = about 1 percent$ fixed.",
        "With $x = 1\\,\\%$ fixed.",
        "With $x^{5.5}$ fixed.",
        "With $\\text{five}$ fixed.",
        "A value `lr=0.1` was set.",
        "# 3. Results",
        "```text\n5.5%\n```",
        "```\naccuracy 0.95\n```",
        "Seeds 0-9 were run on 2026-11-23.",
        "lO% of them.",
        "Shown by Breiman (1996, 5.5%).",
        "Trees reach Bagged (5.5).",
        "A row.\n\n55\n--\n",
        "Text.[^a]\n\n[^a]: https://example.org\n[^a]: 5.5%",
        "Text.[^A]\n\n[^a]: https://example.org\n[^A]: 5.5%",
        "Text.\n\n[^a]: 5.5%\n\n::: table metric=test_error :::\n\nMore.[^a]",
        "Text.\n\n[^a]: $5 5$",
        "Term\\\n5.5",
        "{{ n(test_error.tree.single) }}5% of them.",
        "fo<b></b>ur seeds.",
        "fo[u](https://example.org)r seeds.",
        "fo*u*r seeds.",
        "f&#111;ur seeds.",
        "f\u200bour seeds.",
        "1\u202e5 percent.",
    ],
)
def test_a_quantity_is_refused_however_it_is_written(text: str) -> None:
    assert kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "We use CIFAR-10, ResNet-50, GPT-4, GPT-3.5, Llama-3.1-8B and F1-score.",
        "H1 and E1 concern 1-NN, k-NN and L2 penalties in 3D with fp16 on an A100.",
        "Breiman (1996) and Nadeau (2003) say so [@breiman1996; @nadeau2003, p. 12].",
        "As Nadeau et al. (2003) say in Section 7.10.2 and Table 3 (see also §4.1).",
        "See [Breiman (1996)](https://doi.org/10.1000/breiman1996) and https://example.org/2019/07.",
        "It is doi:10.1000/breiman1996.",
        "Let $x_1, \\dots, x_{10}$ and $\\sigma^2 = \\sum_{i=1}^{n} (x_i - 1)^2$ be given.",
        "By Definition 2.1 and Algorithm 1, GPT-4.1 is used as in Section 12 and Figure (3).",
        "Let $1 \\leq i \\leq n$, $f(x) = \\frac{1}{1 + e^{-x}}$ and $p = \\frac{1}{2} \\pi$.",
        "Let $y_9$, $a_{n-1}$, $\\sum_{i=1}^{n} x_i = 1 - \\varepsilon$ and $y = 2 x + 1$ be given.",
        "A probability near $1/e$ and $\\sqrt{2/p}$ and $\\frac{1}{n}\\sum_i x_i$.",
        "The data set digits8x8 is small.",
        "Two-sided tests and zero-shot baselines show double descent.",
        "One of the arms is the other one.",
        "1. First item\n2. Second item",
        "```python\nfor seed in range(10):\n    run(lr=0.1)\n```",
        "As @tab-2 and @fig-loss show.",
        "We ask whether bagging is better.",
        "Bagging is better than single trees [@breiman1996].",
    ],
)
def test_names_citations_and_code_keep_their_digits(text: str) -> None:
    assert not bound(text).problems


@pytest.mark.parametrize(
    "text",
    [
        "Bagging is better.",
        "Bagging significantly improves trees.",
        "It never fails.",
        "There is no difference.",
    ],
)
def test_a_comparative_without_evidence_in_its_sentence_is_refused(text: str) -> None:
    assert kinds(text) == ["unsupported claim"]


def test_a_comparative_beside_its_evidence_is_fine() -> None:
    assert not kinds("Bagging improves trees, and H1 is {{ verdict(H1) }}.")


def test_a_sentence_that_does_not_name_the_levels_of_its_key_is_warned_about() -> None:
    warnings = bound(f"Single neighbours err at {{{{ {SINGLE} : .1% }}}}.").warnings
    assert [w.reason for w in warnings] == [f"{SINGLE}: the sentence does not name base=tree"]
    assert not bound(f"Single trees err at {{{{ {SINGLE} : .1% }}}}.").warnings


# Markup


@pytest.mark.parametrize(
    "text",
    [
        "A [number](#e7) here.",
        "A [number][x] here.\n\n[x]: #e7",
        "A [number](#e7 'title') here.",
        "A [number](&#35;e7) here.",
        "Never used.\n\n[x]: #ref-breiman1996",
        "> [x]: https://example.org",
        "A [page](javascript:alert) here.",
        "A [file](evidence.json) here.",
        "![picture](https://example.org/x.png)",
        "<script>alert()</script>",
        "<a id='x'></a>",
        "<!-- hidden -->",
        "Some <b>bold</b> text.",
        "~~struck~~ by hand.",
        "Text $a [number](#e1) b$ goes on.",
        "Text $a ~~b~~ c$ goes on.",
        "# Every number",
        "Every attempt\n=============",
        "## E7",
        "```\nnever closed",
        "$$ x_i",
        "::: figure #fig-x\n:::",
        "::: table #tab-x metric=test_error",
        "hidden \x1b[31m red",
        "hidden \ue000 mark",
    ],
)
def test_markup_that_could_forge_evidence_is_refused(text: str) -> None:
    assert kinds(text)


@pytest.mark.parametrize(
    "text",
    ["Here <script>alert()</script>.", "`<b>` and <b>x</b>", "`<b> $$` 5 $$ x", "a <img src=x> b"],
)
def test_raw_html_is_shown_as_text(text: str) -> None:
    for result in (bound(text), strike(text, evidence())):
        assert not [t for t in markup.tokens(result.text) if t.type.startswith("html")]


@pytest.mark.parametrize(
    "text", ["Here.[^a]\n\n[^a]: https://a.b\n[^a]: 5.5%", "> - [x]:\n>   #e1\n\n[this][x]"]
)
def test_an_address_that_stands_apart_leads_nowhere_and_is_checked_as_text(text: str) -> None:
    left = strike(text, evidence()).text
    assert not markup.definitions(left)
    assert "5.5%" not in left.replace("~~5.5%~~", "")


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("r", "The accuracy was 99.9%"),
        ("python", "The accuracy was 99.9"),
        ("python", "accuracy = 99.9"),
        ("python", "accuracy is 99"),
        ("python", "x = 1  # it came to 99.9"),
        ("python", "print('we got 99.9 of them')"),
        ("python", "99.9"),
        ("python", "x = 99.9 of"),
        ("python", "The value came to x９９"),
        ("python", "It was $99.9$ then"),
        ("python 99.9", "x = y"),
        ("c", "// it came to 99.9"),
        ("sql", "-- it came to 99.9"),
        ("bash", "echo $The accuracy was 99.9%$"),
        ("bash", "echo reached 99.9"),
        ("julia", "Bagging gave 99.9% of them"),
    ],
)
def test_a_result_in_a_code_block_is_refused_with_that_reason(language: str, line: str) -> None:
    text = f"Before.\n\n```{language}\n{line}\n```\n\nAfter."
    assert ["reads as a result" in problem.reason for problem in bound(text).problems] == [True]
    left = strike(text, evidence()).text
    assert not re.search("99|９９", left)
    assert "After." in left


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", "for seed in range(10):\n    model = fit(x[:, 0], lr=0.1, depth=12)\n    y = seed % 10"),
        ("python", "if n > 3 and not done:\n    return 10"),
        ("r", "x <- rnorm(100, mean = 0.5)\ny <- x[x %% 2 == 0]"),
        ("bash", "pip install 'numpy>=1.26'\npython train.py --seed 3 --lr 0.1 | head -n 20\nsleep 5"),
        ("c", "unsigned int n = 10;\nfor (int i = 0; i < 10; i++) { total += w[i] * 0.5; }"),
        ("rust", "let mut total: f64 = 0.5;"),
        ("sql", "SELECT arm FROM runs WHERE seed < 10 LIMIT 20"),
        ("julia", "function f(x)\n    return 2x + 1\nend"),
    ],
)
def test_code_with_numbers_in_it_is_shown_as_it_is(language: str, code: str) -> None:
    text = f"```{language}\n{code}\n```"
    assert not bound(text).problems
    assert bound(text).text == text


def test_a_comparison_sign_with_spaces_is_no_html() -> None:
    assert not bound("If $a < b$ and a < b then `List<T>` is fine.").problems


def test_a_token_in_code_is_left_alone_and_one_in_a_formula_has_no_link() -> None:
    assert bound("```python\nx = {{ y }}\n```").text == "```python\nx = {{ y }}\n```"
    assert bound("$B = {{ cfg(n_estimators.bagged) }}$").text == "$B = 50$"


# Tables and plots


def test_a_table_is_filled_from_measurements() -> None:
    result = bound(
        '::: table #tab-x metric=test_error rows=base cols=arm fmt=.1% caption="Error of both."\n:::'
    )
    assert not result.problems
    assert len(result.numbers) == 4
    assert "| knn | [" in result.text
    assert "| base | bagged | single |" in result.text


def test_a_table_on_one_line_ends_on_that_line() -> None:
    text = '::: table #tab-x metric=test_error rows=base cols=arm caption="Error." :::\n\nAfter.'
    assert bound(text).text.endswith("After.")


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ('table #tab-x metric=test_eror rows=base cols=arm caption="x"', "no metric"),
        ('table #tab-x metric=test_error rows=base caption="x"', "varies too"),
        ('table #tab-x metric=test_error rows=bass cols=arm caption="x"', "no factor"),
        ('table metric=test_error rows=base cols=arm caption="x"', "label"),
        ("table #tab-x metric=test_error rows=base cols=arm", "caption"),
        ('table #tab-x metric=test_error rows=base cols=arm colour=red caption="x"', "no 'colour'"),
        ('table #tab-x metric=test_error rows=base cols=arm junk caption="x"', "not an attribute"),
        ('table #tab-x metric=test_error rows=base cols=arm fmt=5 caption="x"', "not a format"),
        ('plot #fig-x metric=train_los x=step caption="x"', "no series"),
        ('plot #fig-x metric=train_loss x=step caption="x"', "varies too"),
        ('plot #fig-x metric=train_loss x=step by=arm log=z caption="x"', "log="),
    ],
)
def test_a_block_that_does_not_fit_the_evidence_is_refused_with_the_reason(block: str, reason: str) -> None:
    assert reason in bound(f"::: {block}\n:::").problems[0].reason


def test_a_number_typed_in_a_caption_is_refused() -> None:
    text = '::: table #tab-x metric=test_error rows=base cols=arm caption="Error of 5.5%."\n:::'
    assert kinds(text) == ["typed number"]


def test_a_plot_is_a_table_of_its_data_with_one_row_in_the_appendix() -> None:
    result = bound('::: plot #fig-x metric=train_loss x="step" by=arm log=y caption="Loss."\n:::')
    assert not result.problems
    assert [n.text for n in result.numbers] == ["60 points"]
    assert "20 of 30 steps are listed" in result.text


def test_a_block_inside_fenced_code_is_code() -> None:
    text = "```python\n::: table #tab-x\n:::\n```"
    assert bound(text).text == text


# Striking


def test_striking_keeps_the_text_and_counts_what_it_struck() -> None:
    text = f"Single trees err at {{{{ {SINGLE} : .1% }}}}, not 99%. Four seeds. {{{{ nothing }}}}"
    result = strike(text, evidence())
    assert len(result.problems) == 3
    assert "not ~~99%~~. ~~Four~~ seeds. ~~unresolved~~" in result.text
    assert result.numbers[0].text in result.text


def test_striking_a_sound_text_changes_nothing() -> None:
    text = f"Single trees err at {{{{ {SINGLE} : .1% }}}}."
    assert strike(text, evidence()).text == bound(text).text


def test_binding_gives_the_same_bytes_every_time() -> None:
    text = "Trees {{ ci(H1) }} and {{ p(H1) }} and {{ cmp(test_error.tree.bagged, test_error.tree.single) }}."
    assert bind(text, bagging()) == bind(text, bagging())


pieces = [
    *"ab1.%#*_~`$[]()<>{}|:!&;-=\\\n\t \"'@^",
    *("{{", "}}", "{{ nothing }}", "{{ verdict(H1) }}", f"{{{{ {SINGLE} : .1% }}}}", "::: table "),
    *(
        "&#49;",
        "٣",
        "²",
        "H1",
        "[x](#e1)",
        "[x](#e99)",
        "```",
        "$$",
        "$x$",
        "5.5%",
        "five ",
        "<b>",
        "7. ",
        "> ",
    ),
]
markdown = st.lists(st.sampled_from(pieces), max_size=60).map("".join)


@settings(max_examples=200, deadline=None)
@given(markdown)
def test_whatever_is_written_what_is_struck_is_inert_and_forges_nothing(text: str) -> None:
    bind(text, evidence())
    struck = strike(text, evidence())
    rows = {number.id for number in struck.numbers}
    for token in markup.tokens(struck.text):
        assert not token.type.startswith("html")
        href = str(token.attrGet("href") or "") if token.type == "link_open" else ""
        assert not href.startswith("#e") or href[1:] in rows
    by_code = re.sub(r"\[(?:\\.|[^\]\\])*\]\(#e\d+\)", "", struck.text)
    assert "5.5%" not in re.sub(r"~~.*?~~", "", by_code, flags=re.DOTALL)


@settings(max_examples=200, deadline=None)
@given(
    st.decimals(min_value="0.01", max_value="99999", places=2),
    st.sampled_from(
        [
            "The error is {}.",
            "{} percent",
            "**{}**",
            "- {}%",
            "| a |\n| - |\n| {} |",
            "($x={}$)",
            "`{}`",
            "word{}",
            "a-{}",
        ]
    ),
)
def test_a_typed_number_is_never_accepted(number: object, sentence: str) -> None:
    assert kinds(sentence.format(number))
