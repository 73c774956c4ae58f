"""The numbers of a paper: what each token comes to, and its row in the evidence appendix."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from core.errors import BindingError
from core.evidence.bound import BoundNumber
from core.evidence.evidence import Evidence
from core.evidence.expressions import Resolver
from core.evidence.formats import Format, print_numbers, read_format
from core.evidence.measurement import Key
from core.evidence.quantity import Quantity

_PERCENT_UNITS = {"%", "percent", "pct", "pp"}


@dataclass(frozen=True)
class Resolved:
    """A token that resolves, before it has its row.

    Attributes:
        number: what it comes to; its id is empty.
        keys: the keys that it names.
    """

    number: BoundNumber
    keys: tuple[Key, ...] = ()


class Numbers:
    """Gives rows of the appendix in the order in which numbers are shown; equal ones share a row."""

    def __init__(self, evidence: Evidence, first: int = 1) -> None:
        self._resolver = Resolver(evidence)
        self._first = first
        self._placed: dict[tuple[str, str, str], BoundNumber] = {}

    def resolve(self, expression: str, wanted: str, *, after_p: bool = False) -> Resolved:
        """What a token comes to.

        Args:
            expression: what stands before the colon.
            wanted: the format behind it.
            after_p: the text before the token is ``p =``.

        Raises:
            BindingError: it does not resolve, or cannot be printed that way.
        """
        quantity = self._resolver.resolve(expression)
        text = _printed(quantity, read_format(wanted), after_p)
        places = quantity.places or tuple(dict.fromkeys((m.exec_id, m.line) for m in quantity.measurements))
        number = BoundNumber(
            id="",
            expression=expression,
            format=wanted,
            text=text,
            value=quantity.value,
            n=len(quantity.measurements),
            level=quantity.level,
            measurement_ids=tuple(m.id for m in quantity.measurements),
            places=places,
            note=quantity.note,
        )
        return Resolved(number, quantity.keys)

    def place(self, number: BoundNumber) -> BoundNumber:
        """The number with its row; a new row where it has none yet."""
        identity = (number.expression, number.format, number.text)
        if identity not in self._placed:
            self._placed[identity] = replace(number, id=f"e{self._first + len(self._placed)}")
        return self._placed[identity]

    def placed(self) -> tuple[BoundNumber, ...]:
        """Every number that has a row, in order."""
        return tuple(self._placed.values())


def _printed(quantity: Quantity, wanted: Format, after_p: bool) -> str:
    if wanted.percent and quantity.unit.lower() in _PERCENT_UNITS:
        raise BindingError("it is in percent already", "Use .1f and write the percent sign behind the token")
    if wanted.percent and (quantity.shape == "count" or quantity.level == "literal"):
        raise BindingError("it counts things and is no share", "Leave the format out")
    match quantity.shape:
        case "word":
            return str(quantity.value)
        case "count" if isinstance(quantity.value, int) and not wanted.style:
            return str(quantity.value)
        case "spread":
            return print_numbers(quantity.value, wanted, "{} ± {}")
        case "interval":
            return print_numbers(quantity.value, wanted, "[{}, {}]")
        case "probability":
            return _probability(quantity.value, wanted, after_p)
        case "setting":
            return _setting(quantity.value, wanted)
        case _:
            return print_numbers([quantity.value], wanted, "{}")


def _probability(value: float, wanted: Format, after_p: bool) -> str:
    chosen = wanted if wanted.style or wanted.precision else Format(".2", "g")
    if after_p:
        return print_numbers([value], chosen, "{}")
    return "p < 0.001" if value < 0.001 else "p = " + print_numbers([value], chosen, "{}")


def _setting(value: Any, wanted: Format) -> str:
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int) and not (wanted.style or wanted.precision):
        return str(value)
    return print_numbers([value], wanted, "{}")
