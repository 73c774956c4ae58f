"""A key that cannot be shown by accident."""

from __future__ import annotations

import hmac
from typing import NoReturn

MASK = "••••"
SHOWN_CHARACTERS = 4
LEAST_FOR_A_TAIL = 16
"""Of a shorter key even its end would give away too much."""


class Secret:
    """A key. Whatever prints, formats, logs or dumps it shows a mask; only ``reveal`` shows the value.

    Args:
        value: the key itself.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The key itself, for the one call that needs it."""
        return self._value

    @property
    def masked(self) -> str:
        """Its end, for people who compare it with what they have: ``••••xyz4``."""
        tail = self._value[-SHOWN_CHARACTERS:] if len(self._value) >= LEAST_FOR_A_TAIL else ""
        return f"{MASK}{tail}"

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, format_spec: str) -> str:
        return format(MASK, format_spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is never pickled")
