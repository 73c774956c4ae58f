"""An axis of a plot: where values stand on it, and which of them it names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LETTER: Final = 3.75
"""Width of a letter of a tick, in points; somewhat more than most are."""

LONGEST_NAME: Final = 16
"""Letters of a name on an axis."""

MOST_NAMES: Final = 24
"""Names on an axis; of more, every second or third is written."""

_LARGEST: Final = 1e290
_SMALLEST: Final = 1e-290


@dataclass(frozen=True)
class Tick:
    """A tick of an axis.

    Attributes:
        place: in points.
        words: what stands beside it; empty for a tick between others.
        power: an exponent of ten that stands there instead of words; None else.
    """

    place: float
    words: str
    power: int | None = None

    @property
    def wide(self) -> float:
        """The width of its words, in points."""
        return LETTER * (3.2 if self.power is not None else len(self.words))


class Axis:
    """Values to places: linear, logarithmic, or one place for each name."""

    def __init__(self, values: Sequence[float | str], *, log: bool, room: float, zero: bool = False) -> None:
        """Choose what the axis spans.

        Args:
            values: everything that is to stand on it.
            log: whether it is to be logarithmic; it cannot be where a value is not positive.
            room: what is left free at both ends, as a part of the span.
            zero: whether it may begin at zero where the values are near.
        """
        self.names = list(dict.fromkeys(map(str, values))) if any(isinstance(v, str) for v in values) else []
        numbers = [_bounded(v) for v in values if not isinstance(v, str) and math.isfinite(v)]
        self.log = log and not self.names and bool(numbers) and min(numbers) >= _SMALLEST
        self._zero = zero
        self._first, self._last = 0.0, 1.0
        self._single: float | None = None
        if self.names:
            self._low, self._high = -0.5, len(self.names) - 0.5
            return
        scaled = [self._scaled(v) for v in numbers] or [0.0, 1.0]
        low, high = min(scaled), max(scaled)
        if high - low <= max(1e-12 * max(abs(low), abs(high)), _SMALLEST):
            self._single = numbers[0] if numbers else None
            half = 0.5 if self.log or abs(high) < _SMALLEST else 0.1 * abs(high)
            low, high = low - half, high + half
        free = room * (high - low)
        at_zero = zero and not self.log and low >= 0 and low - 4 * free <= 0
        self._low, self._high = (0.0 if at_zero else low - free), high + free

    def between(self, first: float, last: float) -> Axis:
        """Let it go from one place to another, in points."""
        self._first, self._last = first, last
        return self

    def place(self, value: float | str) -> float:
        """Where a value stands, in points."""
        at = self.names.index(str(value)) if self.names else self._scaled(_bounded(float(value)))
        return self._first + (at - self._low) / (self._high - self._low) * (self._last - self._first)

    @property
    def step(self) -> float:
        """The space between two names, in points."""
        return abs(self._last - self._first) / max(1, len(self.names))

    def ticks(self) -> tuple[Tick, ...]:
        """Its ticks; their words may overlap on a horizontal axis."""
        if self.names:
            step = math.ceil(len(self.names) / MOST_NAMES)
            return tuple(Tick(self.place(name), short(name, LONGEST_NAME)) for name in self.names[::step])
        if self._single is not None and not self._zero:
            return (Tick(self.place(self._single), f"{self._single:.6g}".replace("-", "−")),)
        ticks = self._powers() if self.log else ()
        if sum(1 for tick in ticks if tick.words) >= 2:
            return ticks
        low, high = (10.0**self._low, 10.0**self._high) if self.log else (self._low, self._high)
        values, words = round_values(low, high)
        return tuple(
            Tick(self.place(value), said)
            for value, said in zip(values, words, strict=True)
            if not self.log or value > 0
        )

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self.log else value

    def _powers(self) -> tuple[Tick, ...]:
        first, last = math.ceil(self._low - 1e-9), math.floor(self._high + 1e-9)
        step = max(1, math.ceil((last - first + 1) / 7))
        named = range(first, last + 1, step)
        plain = all(-3 <= power <= 3 for power in named)
        major = [
            Tick(self.place(10.0**power), f"{10.0**power:g}", None if plain else power) for power in named
        ]
        between = [
            Tick(self.place(value), f"{value:g}" if len(major) == 1 and multiple in (2, 5) else "")
            for power in range(first - 1, last + 1)
            for multiple in (range(2, 10) if last - first <= 3 else ())
            for value in (multiple * 10.0**power,)
            if self._low <= math.log10(value) <= self._high
        ]
        return (*major, *between)


def round_values(low: float, high: float) -> tuple[list[float], list[str]]:
    """About five round values between two others, and how all of them are written with as many decimals."""
    raw = high / 5 - low / 5
    unit = 10.0 ** math.floor(math.log10(raw))
    factor = min((1.0, 2.0, 2.5, 5.0, 10.0), key=lambda m: abs(m * unit - raw))
    step = factor * unit
    values = [step * k for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
    decimals = -math.floor(math.log10(unit) + 0.5) - (factor == 10) + (factor == 2.5)
    largest = max(map(abs, values), default=0.0)
    if largest >= 1e5 or decimals > 5:
        power = math.floor(math.log10(largest)) if largest else 0
        texts = [f"{value:.{min(9, max(0, power + decimals))}e}" for value in values]
        return values, [_minus(_plain_power(text)) for text in texts]
    return values, [_minus(f"{value:.{max(0, decimals)}f}") for value in values]


def short(text: str, most: int) -> str:
    """A text that is cut where it is longer than ``most`` letters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _plain_power(text: str) -> str:
    digits, _, power = text.partition("e")
    return "0" if float(digits) == 0 else f"{digits}e{int(power)}"


def _minus(text: str) -> str:
    return ("0" if float(text) == 0 else text).replace("-", "−")


def _bounded(value: float) -> float:
    """Values that no axis can span are drawn at its end."""
    return max(-_LARGEST, min(_LARGEST, float(value)))
