"""The names of a run: which of them hold digits, and whether a sentence names what it speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterable

from core.evidence.condition import slug
from core.evidence.evidence import Evidence
from core.evidence.measurement import Key


def known_names(evidence: Evidence) -> frozenset[str]:
    """Names that code or an approved plan gave: levels, factors, metrics, settings and arms."""
    names: set[str] = set()
    for key in evidence.ledger.keys.values():
        names |= {key.metric, key.split, *key.condition}
        names |= {level for level in key.condition.values() if isinstance(level, str)}
    for config in evidence.ledger.configs:
        if config.usable:
            names |= set(config.values)
            names |= {value for value in config.values.values() if isinstance(value, str)}
    for hypothesis in evidence.hypotheses.values():
        names |= {arm.label for arm in (hypothesis.treatment, hypothesis.baseline) if arm}
    return frozenset(names)


def levels_not_named(keys: Iterable[Key], sentence: str) -> list[str]:
    """Factor levels of keys that a sentence does not name.

    Words count by their beginning, so that "bagging" names the level ``bagged``.
    """
    words = re.findall(r"[a-z0-9]+", sentence.lower())
    joined = "".join(words)
    missing: list[str] = []
    for key in keys:
        for factor, level in key.levels.items():
            if not _named(f"{level}", words, joined) and not (
                isinstance(level, bool | int | float) and _named(factor, words, joined)
            ):
                missing.append(f"{factor}={level}")
    return list(dict.fromkeys(missing))


def _named(level: str, words: list[str], joined: str) -> bool:
    parts = [part for part in slug(level).lower().split("_") if part]
    return all(_begins(part, words) for part in parts) or "".join(parts) in joined


def _begins(part: str, words: list[str]) -> bool:
    stem = part[: max(4, len(part) - 3)]
    return any(word == part or (len(part) >= 4 and word.startswith(stem)) for word in words)
