"""How a number is printed: the format behind the colon of a token."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import BindingError

_FORMAT = re.compile(r"(?P<precision>\.\d{1,2})?(?P<style>%|pp|f|g|e|d)?")


@dataclass(frozen=True)
class Format:
    """A number's format: ``.1%``, ``.2pp`` (percentage points), ``.3f``, ``.2g``, ``.1e``, ``d``."""

    precision: str = ""
    style: str = ""

    @property
    def percent(self) -> bool:
        """Whether the number is multiplied by 100."""
        return self.style in ("%", "pp")


def read_format(text: str) -> Format:
    """Read a format.

    Raises:
        BindingError: it is none.
    """
    match = _FORMAT.fullmatch(text.strip())
    if match is None:
        raise BindingError(f"{text.strip()[:40]!r} is not a format", "Use .1%, .1pp, .3f, .2g, .1e or d")
    return Format(match["precision"] or "", match["style"] or "")


def print_numbers(values: Sequence[float], wanted: Format, pattern: str) -> str:
    """Print one or two numbers with one unit sign.

    Args:
        values: what ``pattern`` places.
        wanted: the format.
        pattern: such as ``{} ± {}`` or ``[{}, {}]``.
    """
    sign = {"%": "%", "pp": " pp"}.get(wanted.style, "")
    return pattern.format(*(_one(value, wanted) for value in values)) + sign


def _one(value: float, wanted: Format) -> str:
    if not math.isfinite(value):
        raise BindingError("the value is not finite", "Say that it did not converge, without a number")
    if wanted.style == "d" and value != round(value):
        raise BindingError("it is not a whole number", f"Use {_fitting(value, Format('.1', 'f'))}")
    text = _digits(value, wanted)
    if not _shows_more_than_zero(text):
        if value:
            raise BindingError(
                "it is not zero, but would be printed as zero", f"Use {_fitting(value, wanted)}"
            )
        text = text.removeprefix("-")
    return text.replace("-", "−")


def _digits(value: float, wanted: Format) -> str:
    if wanted.style == "d":
        return str(round(value))
    if wanted.percent:
        return format(100 * value, (wanted.precision or ".1") + "f")
    if wanted.style or wanted.precision:
        return format(value, wanted.precision + (wanted.style or "g"))
    return format(value, ".4g")


def _shows_more_than_zero(text: str) -> bool:
    return any(digit in "123456789" for digit in text.lower().split("e")[0])


def _fitting(value: float, wanted: Format) -> str:
    """The shortest format of the wanted style by which a value is not printed as zero."""
    for precision in range(1, 7):
        fitting = Format(f".{precision}", wanted.style)
        if _shows_more_than_zero(_digits(value, fitting)):
            return fitting.precision + fitting.style
    return ".2e"
