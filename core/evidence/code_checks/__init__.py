"""Static checks of experiment code: is what it records really measured, and measured fairly?

They read the script as a tree and never run it. What they find are warnings for people and for the
orchestrator, not proofs: nothing is blocked by them, and a script without any may still be wrong.
"""

from __future__ import annotations

import ast
import warnings
from functools import lru_cache

from core.evidence.code_checks.arms import values_for_several_arms
from core.evidence.code_checks.fabricated import constants_and_random_numbers
from core.evidence.code_checks.failures import results_of_failures
from core.evidence.code_checks.leakage import fits_on_test_data
from core.evidence.code_checks.preprocessing import preprocessing_before_split
from core.evidence.code_checks.script import Script
from core.evidence.code_checks.seeding import ignored_seeds
from core.evidence.code_checks.warning import CodeWarning

__all__ = ["LONGEST_CODE", "CodeWarning", "check_code"]

LONGEST_CODE = 100_000
"""Characters of a script; a longer one is not read, so that nobody waits for it."""

MOST_WARNINGS = 20

_CHECKS = (
    constants_and_random_numbers,
    results_of_failures,
    fits_on_test_data,
    preprocessing_before_split,
    ignored_seeds,
    values_for_several_arms,
)


@lru_cache(maxsize=256)
def check_code(code: str) -> tuple[CodeWarning, ...]:
    """What looks wrong in a script, in the order of its lines; at most ``MOST_WARNINGS``.

    A script that is no Python, or too long or too deeply nested to be read, has no warnings.
    """
    if len(code) > LONGEST_CODE:
        return ()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in a script is not ours to talk about
            script = Script(ast.parse(code))
        found = {warning for check in _CHECKS for warning in check(script)}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    return tuple(sorted(found, key=lambda warning: (warning.line, warning.kind)))[:MOST_WARNINGS]
