"""Results that nothing measured: constants and random numbers."""

from __future__ import annotations

from collections.abc import Iterator

from core.evidence.code_checks.origins import Origins
from core.evidence.code_checks.script import Recorded, Script, not_a_number
from core.evidence.code_checks.warning import CodeWarning


def constants_and_random_numbers(script: Script) -> Iterator[CodeWarning]:
    """Results that come from constants alone, or from random numbers and constants."""
    if not script.results:
        return
    origins = Origins(script)
    for recorded in script.results:
        if not_a_number(script, recorded.value):
            continue
        match origins.of(recorded.value):
            case "constant":
                text = f"{named(recorded)} comes from constants of the script alone: nothing measures it"
                yield CodeWarning("constant as a result", recorded.line, text)
            case "random":
                text = (
                    f"{named(recorded)} is a random number, as far as the script shows: nothing measures it"
                )
                yield CodeWarning("random number as a result", recorded.line, text)


def named(recorded: Recorded) -> str:
    """What a result is called in a sentence."""
    return f"the result {recorded.name[:80]!r}" if recorded.name else "a result"
