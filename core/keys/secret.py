"""A key that cannot be shown by accident."""

from __future__ import annotations

import hmac
from typing import Any, NoReturn

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from core.keys.redaction import MASK, know

SHOWN_CHARACTERS = 4
LEAST_FOR_A_TAIL = 16
"""Of a shorter key even its end would give away too much."""


class Secret:
    """A key. Whatever prints, formats, logs or dumps it shows a mask; only ``reveal`` shows the value.

    From its making on, the value is taken out of everything that is redacted in this process.

    Args:
        value: the key itself.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        know(value)

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

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memory: dict[int, object]) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is never pickled")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read from text, written as a mask, so that no model can dump it."""
        return core_schema.no_info_plain_validator_function(
            _from_input,
            serialization=core_schema.plain_serializer_function_ser_schema(
                str, return_schema=core_schema.str_schema()
            ),
        )


def _from_input(value: Any) -> Secret:
    if isinstance(value, Secret):
        return value
    if isinstance(value, str):
        return Secret(value)
    raise ValueError("a key is text")
