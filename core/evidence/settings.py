"""Settings that experiment code recorded, as quantities."""

from __future__ import annotations

import math

from core.errors import BindingError
from core.evidence.condition import canonical_level, slug
from core.evidence.evidence import Evidence
from core.evidence.quantity import Quantity, nearest

LONGEST_SETTING = 80
"""Characters of a setting that is a text."""


def recorded_setting(path: str, evidence: Evidence) -> Quantity:
    """The one value of a setting.

    Args:
        path: its name, and levels or an experiment id that narrow it, joined by full stops.
        evidence: where it was recorded.

    Raises:
        BindingError: it was not recorded, has several values, or cannot be printed.
    """
    name, *levels = path.split(".")
    matching = [
        (value, config)
        for config in evidence.ledger.configs
        if config.usable
        for setting, value in config.values.items()
        if slug(setting) == name
    ]
    if not matching:
        known = {slug(s) for c in evidence.ledger.configs if c.usable for s in c.values}
        near = nearest(name, known)
        raise BindingError(
            f"no setting {name!r} was recorded", f"Nearest settings: {', '.join(near)}" if near else ""
        )
    chosen = [
        (value, config)
        for value, config in matching
        if all(
            level == config.experiment_id or level in {slug(v) for v in config.condition.values()}
            for level in levels
        )
    ]
    values = {canonical_level(value) for value, _ in chosen}
    if len(values) != 1:
        examples = sorted({slug(v) for _, c in matching for v in c.condition.values()})[:6]
        raise BindingError(
            f"setting {'.'.join([name, *levels])!r} has {len(values)} recorded values",
            f"Narrow it by a level or an experiment: {', '.join(f'{name}.{e}' for e in examples)}",
        )
    value = chosen[0][0]
    if not isinstance(value, int | float | str | bool) or (
        isinstance(value, str) and len(value) > LONGEST_SETTING
    ):
        raise BindingError(f"setting {name!r} is not a number or a short text", "Describe it in words")
    if isinstance(value, float) and not math.isfinite(value):
        raise BindingError(f"setting {name!r} is not finite", "Describe it in words")
    places = tuple(sorted({(c.exec_id, c.line) for _, c in chosen}))
    return Quantity("setting", value, level="setting", places=places)
