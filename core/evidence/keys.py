"""Keys: the readable, unique names by which a paper may speak of measurements.

A key is the metric's name and the levels of the factors that vary (never the seed). The same
condition measured by two experiments pools, unless what they recorded shows that they measured
different things; then the experiment's id comes first among the levels.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.evidence.condition import canonical, canonical_level, slug
from core.evidence.measurement import Config, Key, Measurement


def name_measurements(measurements: Iterable[Measurement], configs: Iterable[Config]) -> dict[str, Key]:
    """Name every measurement that counts.

    Returns:
        Keys by name, in alphabetical order; the same for the same input.
    """
    by_metric: dict[str, list[Measurement]] = defaultdict(list)
    for measurement in measurements:
        if measurement.usable:
            by_metric[measurement.name].append(measurement)
    settings = _settings(configs) if by_metric else {}
    found = [key for metric in sorted(by_metric) for key in _of_metric(metric, by_metric[metric], settings)]
    return dict(sorted(_told_apart(found).items()))


def one_a_seed(measurements: Iterable[Measurement]) -> tuple[Measurement, ...]:
    """The first measurement for each seed, in the order of seeds."""
    first: dict[int | str | None, Measurement] = {}
    for measurement in measurements:
        first.setdefault(measurement.seed, measurement)
    return tuple(first[seed] for seed in sorted(first, key=seed_order))


def seed_order(seed: int | str | None) -> tuple[int, int, str]:
    """Sorts whole numbers before text before none."""
    if isinstance(seed, int):
        return 0, seed, ""
    return (1, 0, seed) if isinstance(seed, str) else (2, 0, "")


def same_value(left: float, right: float) -> bool:
    """Whether two values are the same number; NaN is the same as NaN."""
    return left == right or (left != left and right != right)


def _of_metric(metric: str, measurements: Sequence[Measurement], settings: _Settings) -> list[Key]:
    apart = _measure_different_things(measurements, settings)
    groups: dict[tuple[str, str, str], list[Measurement]] = defaultdict(list)
    for m in measurements:
        groups[m.split, canonical(m.condition), m.experiment_id if apart else ""].append(m)
    facets = {identity: _facets(group[0], apart) for identity, group in groups.items()}
    varying = _varying(list(facets.values()))
    keys = []
    for identity in sorted(groups):
        group, facet = groups[identity], facets[identity]
        levels = {name: facet[name] for name in varying if name in facet}
        keys.append(
            Key(
                name=".".join([slug(metric), *(_level_slug(n, v) for n, v in levels.items())]),
                metric=metric,
                split=group[0].split,
                unit=group[0].unit,
                levels=levels,
                condition=group[0].condition,
                measurements=one_a_seed(group),
            )
        )
    return keys


def _facets(measurement: Measurement, apart: bool) -> dict[str, Any]:
    facets: dict[str, Any] = {"experiment": measurement.experiment_id} if apart else {}
    if measurement.split:
        facets["split"] = measurement.split
    return facets | {name: level for name, level in measurement.condition.items() if name not in facets}


def _varying(facets: Sequence[Mapping[str, Any]]) -> list[str]:
    """Factors that do not have one level everywhere, in the order in which code gave them."""
    names = dict.fromkeys(name for facet in facets for name in facet)
    return [
        name
        for name in names
        if len({canonical_level(facet[name]) if name in facet else "" for facet in facets}) > 1
    ]


def _level_slug(factor: str, level: Any) -> str:
    return str(level) if factor == "experiment" else slug(level)


def _told_apart(keys: Iterable[Key]) -> dict[str, Key]:
    """Keys by name; where names collide, later ones get a number."""
    from dataclasses import replace

    named: dict[str, Key] = {}
    for key in keys:
        name, number = key.name, 1
        while name in named:
            number += 1
            name = f"{key.name}_{number}"
        named[name] = replace(key, name=name)
    return named


def _measure_different_things(measurements: Sequence[Measurement], settings: _Settings) -> bool:
    """Whether one name and condition stands for different things in different experiments.

    It does where a seed gave different values, or where the recorded settings differ.
    """
    groups: dict[tuple[str, str], dict[str, dict[int | str | None, float]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for m in measurements:
        groups[m.split, canonical(m.condition)][m.experiment_id].setdefault(m.seed, m.value)
    for (_, condition), experiments in groups.items():
        pooled: dict[int | str | None, float] = {}
        agreed: dict[str, str] = {}
        for experiment, values in experiments.items():
            for seed, value in values.items():
                if not same_value(pooled.setdefault(seed, value), value):
                    return True
            for name, setting in settings.get((experiment, condition), {}).items():
                if setting is not None and agreed.setdefault(name, setting) != setting:
                    return True
    return False


_Settings = dict[tuple[str, str], dict[str, str | None]]


def _settings(configs: Iterable[Config]) -> _Settings:
    """Settings by experiment and condition; None for one that varies within (with the seed, say)."""
    found: _Settings = defaultdict(dict)
    for config in configs:
        if not config.usable:
            continue
        settings = found[config.experiment_id, canonical(config.condition)]
        for name, value in config.values.items():
            text = canonical_level(value)
            if settings.setdefault(name, text) != text:
                settings[name] = None
    return dict(found)
