"""What looks wrong in experiment code is found, and sound code is left alone."""

from __future__ import annotations

import time

import pytest

from core.demo import studies, study_path
from core.evidence.code_checks import LONGEST_CODE, MOST_WARNINGS, check_code
from tests.core.evidence.code_corpus import SOUND, WRONG


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found_at_its_line_and_nothing_else_is(name: str) -> None:
    bad = WRONG[name]
    warnings = check_code(bad.code)
    assert {warning.kind for warning in warnings} == {bad.kind}, warnings
    assert any(bad.mark in bad.code.split("\n")[warning.line - 1] for warning in warnings), warnings


@pytest.mark.parametrize("name", SOUND)
def test_sound_code_has_no_warning(name: str) -> None:
    assert check_code(SOUND[name]) == ()


def test_the_shipped_studies_have_no_warning() -> None:
    scripts = [path for study in studies() for path in study_path(study.name).glob("*.py")]
    assert len(scripts) >= 9
    assert {path.name: check_code(path.read_text(encoding="utf-8")) for path in scripts} == {
        path.name: () for path in scripts
    }


def test_a_warning_says_the_line_and_the_reason_in_one_sentence() -> None:
    (warning,) = check_code('import lab\n\nlab.result("accuracy", 0.9)\n')
    assert warning.line == 3
    assert warning.text == (
        "the result 'accuracy' comes from constants of the script alone: nothing measures it"
    )


def test_the_rows_that_a_split_leaves_out_are_named() -> None:
    (warning,) = check_code(WRONG["scaling before the split"].code)
    assert warning.text.startswith("StandardScaler learns from all rows of 'X_scaled' before they are split")
    assert "in line 8" in warning.text


@pytest.mark.parametrize(
    "code",
    [
        "",
        "this is no python",
        "x = " + "(" * 300 + ")" * 300,
        "lab.result('a', " + "-" * 50_000 + "1)",
        "import lab\nlab.result('a', " + " + ".join(["1"] * 20_000) + ")",
        "\0",
        "lab.result('a', 1)\n" + "#" * LONGEST_CODE,
        "x = '\ud800'",
    ],
)
def test_code_that_cannot_be_read_has_no_warnings_and_no_error(code: str) -> None:
    assert check_code(code) == ()


def test_values_that_are_handed_on_a_thousand_times_are_read_in_good_time() -> None:
    names = "\n".join(f"a{n} = a{n + 1} + a{n + 1}" for n in range(1500))
    doubled = "\n".join(f"b{n + 1} = b{n} + b{n}" for n in range(1500))
    began = time.process_time()
    check_code(f"import lab\n{names}\na1500 = 1\nb0 = 1\n{doubled}\nlab.result('x', a0 + b1500)")
    assert time.process_time() - began < 10


def test_many_warnings_are_bounded() -> None:
    code = "import lab\n" + "\n".join(f"lab.result('m{n}', {n})" for n in range(500))
    assert len(check_code(code)) == MOST_WARNINGS


def test_a_function_that_calls_itself_ends_the_search() -> None:
    code = "import lab\ndef f(n):\n    return 1 if n == 0 else n * f(n - 1)\nlab.result('x', f(5))\n"
    assert [warning.kind for warning in check_code(code)] == ["constant as a result"]
