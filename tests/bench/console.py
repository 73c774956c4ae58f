"""What the console costs a person and a line, measured through real pseudo-terminals.

Run with ``python -m tests.bench.console``; ``--short`` for a short form, names of parts for a few. A key
is measured from its press to the arrival of the bytes that show its effect. The agents are played by a
process that writes journal and logs as an engine and its scripts would. It ends with 1 where a bound is
missed. Where the system allows it, everything runs under real-time scheduling, so that what else the
machine does is not measured, too.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass

from tests.bench.console_home import SHORT, WHOLE, Effort, Figures
from tests.bench.console_line import TooLate
from tests.bench.console_parts import PARTS

PRIORITY = 5


@dataclass(frozen=True)
class Row:
    """One printed figure.

    Attributes:
        part: the part that it comes from.
        figure: its name there.
        words: what it is.
        unit: of the figure.
        most: what it may be at most, in that unit; None where nothing is asked.
    """

    part: str
    figure: str
    words: str
    unit: str
    most: float | None = None


def _of_keys(part: str, where: str, most: dict[str, float]) -> tuple[Row, ...]:
    """The rows of keys: in the plan, and from log to log."""
    shown = {"cursor": "key to cursor", "log": "key to other log"}
    rows = tuple(
        Row(part, f"{figure}_{share}", f"{where}: {words}, {share}", "ms", most.get(share))
        for figure, words in shown.items()
        for share in ("p50", "p95")
    )
    return (*rows, Row(part, "processor", f"{where}: the console's share of a processor", "%"))


ROWS = (
    *_of_keys("keys_of_sixteen", "16 agents, 1,000 lines/s each", {"p95": 50.0}),
    *_of_keys("keys_of_a_thousand", "the same and 1,000 experiments", {"p95": 50.0}),
    *_of_keys("keys_on_a_slow_line", "16 agents, a line of 100 kB/s", {"p50": 150.0}),
    *_of_keys("keys_on_a_slow_line_spared", "the same with --slow", {"p50": 150.0}),
    Row("traffic", "default", "a busy screen of 160 × 45", "kB/s", 130.0),
    Row("traffic", "slow", "the same with --slow", "kB/s", 45.0),
    Row("long_log", "opened", "a very long log, opened at its end", "ms"),
    Row("long_log", "counted", "until all of its lines are counted", "s"),
    Row("long_log", "before", "memory before", "MiB"),
    Row("long_log", "memory", "memory then", "MiB", 150.0),
    Row("start", "warm_bare", "warm start to first paint: a bare app", "ms"),
    Row("start", "warm_console", "the console", "ms"),
    Row("start", "warm_run", "the console, until the run is shown", "ms"),
    Row("start", "warm_ratio", "console to bare app", "×"),
    Row("start", "cold_bare", "cold start to first paint: a bare app", "ms"),
    Row("start", "cold_console", "the console", "ms"),
    Row("start", "cold_run", "the console, until the run is shown", "ms"),
    Row("start", "cold_ratio", "console to bare app", "×", 1.5),
    Row("an_hour", "events", "an hour of 16 agents, played fast", "events"),
    Row("an_hour", "early", "memory after its first tenth", "MiB"),
    Row("an_hour", "late", "memory at its end", "MiB"),
    Row("an_hour", "growth", "growth", "MiB", 32.0),
    Row("seen_elsewhere", "console_p95", "decision in one console to another console, p95", "ms", 200.0),
    Row("seen_elsewhere", "console_worst", "the worst of them", "ms"),
    Row("seen_elsewhere", "command_p95", "decision in one console to a headless command, p95", "ms", 200.0),
    Row("seen_elsewhere", "command_worst", "the worst of them", "ms"),
)


def measure(part: str, effort: Effort) -> Figures | None:
    """The figures of one part; None where it failed."""
    try:
        return PARTS[part](effort)
    except TooLate as error:
        print(f"{part}: {error}", file=sys.stderr)
        return None


def show(row: Row, figures: Figures | None) -> bool:
    """Print one row; whether it is measured and within its bound."""
    if figures is None:
        print(f"{row.words:<64} could not be measured")
        return False
    value = figures[row.figure]
    good = row.most is None or value <= row.most
    bound = "" if row.most is None else f"   at most {row.most:g}: {'yes' if good else 'NO'}"
    digits = 0 if row.unit == "events" else 2 if row.unit in ("×", "s") else 1
    print(f"{row.words:<64}{value:>12,.{digits}f} {row.unit:<7}{bound}", flush=True)
    return good


def take_precedence() -> None:
    """Run before everything else on this machine, children included, where that is allowed."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))
    except (AttributeError, OSError):
        print("no real-time scheduling here: other work on this machine is measured, too")
    else:
        print("under real-time scheduling")


def main() -> int:
    """Measure and print everything."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.console")
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all where none is named")
    parser.add_argument("--short", action="store_true", help="fewer keys, shorter logs")
    arguments = parser.parse_args()
    effort = SHORT if arguments.short else WHOLE
    take_precedence()
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{os.cpu_count()} processors, load {load}; {effort.keys} keys, {effort.log_lines:,} lines of log")
    good = True
    for part in arguments.parts or PARTS:
        figures = measure(part, effort)
        for row in ROWS:
            if row.part == part:
                good &= show(row, figures)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
