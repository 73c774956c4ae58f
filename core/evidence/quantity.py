"""Quantities: what an expression in a paper comes to, with everything that it rests on."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from core.errors import BindingError
from core.evidence.measurement import Key, Measurement, weakest

Shape: TypeAlias = Literal["number", "spread", "interval", "count", "word", "probability", "setting"]
"""How a quantity is printed."""


@dataclass(frozen=True)
class Quantity:
    """What an expression comes to.

    Attributes:
        shape: how it is printed.
        value: the number, pair or words at full precision.
        measurements: every measurement that it rests on.
        unit: its unit; empty where unknown or mixed.
        level: ``reported``, ``recomputed``, ``reproduced``, ``setting`` or ``literal``.
        note: the reason of a literal; empty else.
        keys: the keys that it names.
        compares: whether it says how two things stand to each other.
        places: exec ids and code lines of a setting.
    """

    shape: Shape
    value: Any
    measurements: tuple[Measurement, ...] = ()
    unit: str = ""
    level: str = ""
    note: str = ""
    keys: tuple[Key, ...] = ()
    compares: bool = False
    places: tuple[tuple[str, int], ...] = ()


def of_key(key: Key, shape: Shape, value: Any, unit: str | None = None) -> Quantity:
    """A quantity that rests on one key."""
    return Quantity(
        shape, value, key.measurements, key.unit if unit is None else unit, key.level, keys=(key,)
    )


def derived(shape: Shape, value: float, parts: list[Quantity], unit: str) -> Quantity:
    """A quantity that is computed from others."""
    rests = tuple({m.id: m for part in parts for m in part.measurements}.values())
    keys = tuple(dict.fromkeys(k.name for part in parts for k in part.keys))
    by_name = {k.name: k for part in parts for k in part.keys}
    return Quantity(
        shape,
        value,
        rests,
        unit,
        weakest(rests),
        keys=tuple(by_name[k] for k in keys),
        compares=len(parts) > 1,
    )


def finite_values(key: Key) -> list[float]:
    """The values of a key.

    Raises:
        BindingError: one of them is not finite.
    """
    if not all(map(math.isfinite, key.values)):
        raise BindingError(
            f"{key.name} holds a value that is not finite",
            "Say that some runs did not converge, without a number",
        )
    return key.values


def require_same_unit(left: Quantity, right: Quantity) -> None:
    """Refuse to compare what is in different units.

    Raises:
        BindingError: both units are known and differ.
    """
    if left.unit and right.unit and left.unit != right.unit:
        raise BindingError(f"units differ: {left.unit!r} and {right.unit!r}", "Compare like with like")


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Up to three known names that look like ``name``."""
    return difflib.get_close_matches(name[:200], list(known), n=3, cutoff=0.5)
