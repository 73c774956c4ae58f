"""What a reproduction gave, as lines: for each arm how many measurements held, and each that did not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from core.evidence.condition import in_words
from core.evidence.gather import gather
from core.evidence.reproduction import COMPARISONS, Compared, Comparison, compare_again
from core.record.folder import RunFolder
from core.record.state import RunState
from tui.glyphs import experiment_mark
from tui.safe_text import one_line
from tui.screen import Mark, Screen
from tui.wording import counted

MARKS: dict[Comparison, Mark] = {
    "same": Mark("✓", "same", "green"),
    "within its seeds' spread": Mark("≈", "within its seeds' spread", "yellow"),
    "different": Mark("✗", "different", "red"),
    "not measured again": Mark("–", "not measured again", "red"),
}

HELD: frozenset[Comparison] = frozenset({"same", "within its seeds' spread"})
"""What is no reason for doubt; only the same number raises a measurement to ``reproduced``."""

METRIC_COLUMNS = 24
CONDITION_COLUMNS = 48
SEEDS_COLUMNS = 9


def compared(folder: RunFolder) -> tuple[Compared, ...]:
    """Every measurement of a run that was to be reproduced, beside what that gave.

    Raises:
        JournalError: the journal cannot be read.
    """
    state = folder.state()
    with folder.journal() as journal:
        ledger = gather(journal, state).ledger
    return compare_again(ledger.measurements, ledger.execs)


def held(found: Sequence[Compared]) -> bool:
    """Whether every measurement held."""
    return all(one.outcome in HELD for one in found)


def in_short(found: Sequence[Compared]) -> str:
    """How many measurements held, such as ``80 measurements: 78 same, 2 different``."""
    counts = Counter(one.outcome for one in found)
    parts = ", ".join(f"{counts[outcome]} {outcome}" for outcome in COMPARISONS if counts[outcome])
    return f"{counted(len(found), 'measurement')}: {parts}"


def reproduction_lines(
    state: RunState, found: Sequence[Compared], screen: Screen, *, every: bool = False
) -> Iterator[str]:
    """The report on a reproduction.

    Args:
        state: the run.
        found: what was compared.
        screen: for colours and width; nothing is printed here.
        every: whether each measurement has a line of its own; else only those that are not the same.
    """
    yield screen.paint(f"REPRODUCTION  {in_short(found)}", bold=True)
    for experiment in state.experiments.values():
        arms: dict[tuple[str, str], list[Compared]] = {}
        for one in found:
            if one.first.experiment_id == experiment.id:
                arms.setdefault((one.first.name, in_words(one.first.condition)), []).append(one)
        if not arms:
            continue
        again = [x for x in state.experiments.values() if x.spec.reproduces == experiment.id]
        where = ", ".join(f"{x.id} ({experiment_mark(x).word})" for x in again)
        yield f"  {experiment.id:<4} {one_line(experiment.spec.title, 60)}   again in {where}"
        for (metric, condition), ones in arms.items():
            yield f"       {_arm(metric, condition, ones, screen)}"
            yield from (f"         {_one(one, screen)}" for one in ones if every or one.outcome != "same")


def as_json(one: Compared) -> dict[str, Any]:
    """One comparison for programs; values that are no numbers as text."""
    return {
        "measurement": one.first.id,
        "experiment": one.first.experiment_id,
        "name": one.first.name,
        "condition": dict(one.first.condition),
        "seed": one.first.seed,
        "value": _plain(one.first.value),
        "again": None if one.again is None else one.again.id,
        "value_again": None if one.again is None else _plain(one.again.value),
        "spread": None if one.spread is None else _plain(one.spread),
        "outcome": one.outcome,
    }


def _arm(metric: str, condition: str, ones: Sequence[Compared], screen: Screen) -> str:
    counts = Counter(one.outcome for one in ones)
    told = "  ".join(
        screen.paint(f"{MARKS[outcome].glyph} {counts[outcome]} {outcome}", MARKS[outcome].colour)
        for outcome in COMPARISONS
        if counts[outcome]
    )
    seeds = f"n={len(ones)}"
    return (
        f"{one_line(metric, METRIC_COLUMNS):<{METRIC_COLUMNS}} "
        f"{one_line(condition, CONDITION_COLUMNS):<{CONDITION_COLUMNS}} {seeds:<{SEEDS_COLUMNS}} {told}"
    )


def _one(one: Compared, screen: Screen) -> str:
    seed = f"seed {one.first.seed}" if one.first.seed is not None else "no seed"
    again = "nothing" if one.again is None else f"{one.again.value:.10g}"
    spread = f" (spread {one.spread:.3g})" if one.spread is not None and one.outcome != "same" else ""
    mark = screen.mark(MARKS[one.outcome])
    return f"{one_line(seed, 20):<10} {one.first.value:.10g} → {again}{spread}   {mark}"


def _plain(value: float) -> float | str:
    return value if value == value and abs(value) != float("inf") else repr(value)
