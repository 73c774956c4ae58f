"""The fields of an experiment that a human can edit, and how what was typed is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from core.errors import SandboxUnavailable
from core.experiment import Experiment, Hypothesis
from core.sandbox.machines import LOCAL, checked_machine
from tui.safe_text import one_line, safe

MOST_SEEDS = 1000


@dataclass(frozen=True)
class EditField:
    """One field of the form.

    Attributes:
        place: where its value goes in a ``Proposal``, names joined by dots.
        label: what people call it.
        text: its value as text, safe to show.
        read: makes a value of text; raises a ``ValueError`` that says what is wrong.
        lines: lines of text that it shows; 1 for a field of one line.
    """

    place: str
    label: str
    text: str
    read: Callable[[str], Any] = str.strip
    lines: int = 1


def edit_fields(spec: Experiment) -> list[EditField]:
    """The fields of an experiment, in the order of the form."""
    compute = spec.compute
    return [
        EditField("title", "Title", one_line(spec.title)),
        EditField("why", "Why", safe(spec.why), lines=3),
        EditField("plan", "Plan", safe(spec.plan), lines=5),
        *(_hypothesis_fields(spec.hypothesis) if spec.hypothesis else ()),
        EditField("compute.gpu", "GPU", one_line(compute.gpu or "none"), _gpu),
        EditField("compute.timeout_seconds", "Time limit, s", str(compute.timeout_seconds), _whole),
        EditField("compute.cpus", "CPUs", str(compute.cpus), _whole),
        EditField("compute.memory_gib", "Memory, GiB", f"{compute.memory_gib:g}", _number),
        EditField("compute.packages", "Packages", one_line(", ".join(compute.packages)), _packages),
        EditField("compute.network", "Network", compute.network),
        EditField("compute.domains", "Domains", one_line(", ".join(compute.domains)), _domains),
    ]


def changes_of(fields: list[EditField], typed: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """What was typed, as changes.

    Args:
        fields: the fields as they were shown.
        typed: text by place.

    Returns:
        New values by place, of the fields whose text differs; and what is wrong, by place.
    """
    changes: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for field in fields:
        if (text := typed[field.place]) == field.text:
            continue
        try:
            changes[field.place] = field.read(text)
        except ValueError as error:
            wrong[field.place] = str(error)
    return changes, wrong


def edited_spec(
    spec: Experiment, changes: Mapping[str, Any], sandbox: str = LOCAL
) -> tuple[Experiment | None, dict[str, str]]:
    """The specification with changes.

    Args:
        spec: as it is.
        changes: new values by place.
        sandbox: where it would run.

    Returns:
        The specification, None where it does not fit; and what does not fit by place, ``""`` for what
        is about no single field.
    """
    document = spec.model_dump(mode="json")
    for place, value in changes.items():
        *path, last = place.split(".")
        target = document
        for name in path:
            target = target[name]
        target[last] = value
    try:
        edited = Experiment.model_validate(document)
        machine = checked_machine(sandbox, edited.compute)
        return edited.model_copy(update={"compute": machine}), {}
    except SandboxUnavailable as error:
        place = "compute.gpu" if "compute.gpu" in changes else "compute.network"
        return None, {place: f"{error.message}. {error.next_step}."}
    except ValidationError as error:
        wrong: dict[str, str] = {}
        for problem in error.errors():
            message = re.sub("^Value error, ", "", problem["msg"])
            wrong.setdefault(_place(problem["loc"], changes), one_line(message))
        return None, wrong


def _place(location: tuple[int | str, ...], changes: Mapping[str, Any]) -> str:
    """The changed field that a problem is about. Kinds of criteria and places in lists are left out."""
    names = [str(name) for name in location if name not in ("differs", "equivalent", "in_range")]
    exact = ".".join(name for name in names if not name.isdecimal())
    if exact in changes:
        return exact
    # A rule over several fields is broken by whichever of them was changed.
    inside = [place for place in changes if place.startswith(f"{exact}.")]
    return inside[0] if len(inside) == 1 else ""


def _hypothesis_fields(hypothesis: Hypothesis) -> list[EditField]:
    criterion, root = hypothesis.criterion, "hypothesis.criterion"
    fields = [EditField("hypothesis.statement", "Hypothesis", safe(hypothesis.statement), lines=2)]
    match criterion.kind:
        case "differs":
            fields += [
                EditField(f"{root}.direction", "Direction", criterion.direction),
                EditField(f"{root}.min_effect", "Smallest effect", f"{criterion.min_effect:g}", _number),
            ]
        case "equivalent":
            fields.append(EditField(f"{root}.margin", "Margin", f"{criterion.margin:g}", _number))
        case "in_range":
            fields += [
                EditField(f"{root}.low", "Lower limit", _limit_text(criterion.low), _limit),
                EditField(f"{root}.high", "Upper limit", _limit_text(criterion.high), _limit),
            ]
    return [*fields, EditField("hypothesis.seeds", "Seeds", seeds_text(hypothesis.seeds), read_seeds)]


def seeds_text(seeds: tuple[int, ...]) -> str:
    """Seeds as people type them: ``0-9, 12``."""
    parts: list[list[int]] = []
    for seed in sorted(seeds):
        if parts and seed == parts[-1][1] + 1:
            parts[-1][1] = seed
        else:
            parts.append([seed, seed])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)


def read_seeds(text: str) -> list[int]:
    """Read seeds such as ``0-9, 12``.

    Raises:
        ValueError: it is not a list of seeds, or has too many.
    """
    seeds: list[int] = []
    for part in filter(None, re.split(r"[,\s]+", re.sub(r"\s*[-–]\s*(?=\d)", "-", text.strip()))):
        match = re.fullmatch(r"(\d{1,12})(?:-(\d{1,12}))?", part)
        if match is None:
            raise ValueError("type seeds like 0-9, 12")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise ValueError(f"{part} goes backwards")
        if len(seeds) + last - first >= MOST_SEEDS:
            raise ValueError(f"at most {MOST_SEEDS:,} seeds")
        seeds += range(first, last + 1)
    return seeds


def _whole(text: str) -> int:
    if not text.strip().isdecimal():
        raise ValueError("type a whole number")
    return int(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError("type a number") from None


def _limit(text: str) -> float | None:
    return None if text.strip().lower() in ("", "none") else _number(text)


def _limit_text(limit: float | None) -> str:
    return "none" if limit is None else f"{limit:g}"


def _gpu(text: str) -> str | None:
    return None if text.strip().lower() in ("", "none") else text.strip()


def _domains(text: str) -> list[str]:
    return [part for part in re.split(r"[,\s]+", text) if part and part != "none"]


def _packages(text: str) -> list[str]:
    """Requirements between commas. A comma inside one, as in ``numpy>=1,<3``, begins with an operator."""
    return [part.strip() for part in re.split(r",(?!\s*[<>=!~])", text) if part.strip()]
