"""Conditions: factor levels as experiment code gave them, made comparable."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping
from keyword import iskeyword
from typing import Any

LONGEST_LEVEL = 120
"""Characters of a level that are kept; the rest is cut."""


def split_seed(condition: Mapping[str, Any]) -> tuple[dict[str, Any], int | str | None]:
    """A condition without its seed, and the seed.

    Levels that are lists or objects become their JSON text, so that every level can be compared.
    """
    factors = {str(name)[:LONGEST_LEVEL]: plain(level) for name, level in condition.items() if name != "seed"}
    return factors, _seed(condition.get("seed"))


def plain(level: Any) -> Any:
    """A level as a bounded string, a number, a truth value or None."""
    if isinstance(level, bool) or level is None:
        return level
    if isinstance(level, int | float):
        return _number(level)
    text = level if isinstance(level, str) else json.dumps(level, sort_keys=True, default=str)
    return text[:LONGEST_LEVEL]


def same_level(left: Any, right: Any) -> bool:
    """Whether two levels are the same: 1 and 1.0 are, 1 and True or "1" are not."""
    return canonical_level(left) == canonical_level(right)


def canonical_level(level: Any) -> str:
    """A level as text that differs wherever levels differ."""
    return json.dumps(plain(level))


def canonical(condition: Mapping[str, Any]) -> str:
    """A condition as text that differs wherever conditions differ."""
    return json.dumps({name: canonical_level(condition[name]) for name in sorted(condition)})


def in_words(condition: Mapping[str, Any]) -> str:
    """A condition for people, such as ``base=tree, arm=bagged``."""
    return ", ".join(f"{name}={level}" for name, level in condition.items()) or "no condition"


def slug(value: Any) -> str:
    """A level or name as one ASCII identifier that a key can contain."""
    text = str(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = text.replace("-", "minus_")
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9]+", "_", ascii_text).strip("_")[:60] or "x"
    if name[0].isdigit():
        name = "n" + name
    if iskeyword(name) or re.fullmatch(r"[HE]\d+", name):
        name += "_"
    return name


def _seed(seed: Any) -> int | str | None:
    if seed is None:
        return None
    seed = plain(seed)
    return seed if isinstance(seed, int) and not isinstance(seed, bool) else str(seed)


def _number(value: int | float) -> int | float | str:
    if isinstance(value, float):
        if not math.isfinite(value):
            return repr(value)
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    return value if abs(value) < 2**63 else "a very large number"
