"""What the engine itself costs. Run with ``python -m tests.bench.engine``.

Each part is measured in a process of its own. CPU is that of the engine's process alone, from the
start of its interpreter to its end, imports included; scripts and supervisors are other processes
and are not in it. Memory is the largest resident set of the same process. It ends with 1 where a
bound is missed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass

MIB = 1024 * 1024
PART_SECONDS = 600


@dataclass(frozen=True)
class Row:
    """One printed figure.

    Attributes:
        part: the part of ``engine_parts`` that it comes from.
        figure: its name there.
        words: what it is.
        unit: ``s``, ``MiB`` or ``lines/s``.
        below: what it must stay below, in that unit; None where nothing is asked.
    """

    part: str
    figure: str
    words: str
    unit: str
    below: float | None = None


ROWS = (
    Row("engine_start", "cpu_seconds", "an engine's imports alone: CPU", "s"),
    Row("engine_start", "peak_bytes", "an engine's imports alone: memory", "MiB"),
    Row("demo_of_nothing", "cpu_seconds", "whole demo, models and scripts stubbed: CPU", "s", 1.0),
    Row("demo_of_nothing", "peak_bytes", "whole demo, models and scripts stubbed: memory", "MiB", 120.0),
    Row("many_at_once", "cpu_seconds", "100 experiments at once, stubbed: CPU", "s"),
    Row("many_at_once", "peak_bytes", "100 experiments at once, stubbed: memory", "MiB", 300.0),
    Row("many_at_once_that_measure", "cpu_seconds", "the same with 200 measurements each, judged: CPU", "s"),
    Row("many_at_once_that_measure", "peak_bytes", "the same with 200 measurements each: memory", "MiB"),
    Row("fold_events", "fold_seconds", "fold 1,000,000 events already read", "s", 4.0),
    Row("read_events", "read_seconds", "read 1,000,000 events from a journal, and fold them", "s"),
    Row("stream_lines", "printed", "lines from script to follower, printed one by one", "lines/s"),
    Row("stream_lines", "written", "lines from script to follower, written by the thousand", "lines/s"),
    Row("demo_for_real", "cpu_seconds", "whole demo, real scripts, judged by scipy: CPU", "s"),
    Row("demo_for_real", "peak_bytes", "whole demo, real scripts, judged by scipy: memory", "MiB"),
)


def measure(part: str) -> dict[str, float] | None:
    """The figures of one part; None where it failed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.engine_parts", part],
        stdout=subprocess.PIPE,
        timeout=PART_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        return None
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def show(row: Row, figures: dict[str, float] | None) -> bool:
    """Print one row; whether it is measured and within its bound."""
    if figures is None:
        print(f"{row.words:<58} could not be measured")
        return row.below is None
    value = figures[row.figure] / MIB if row.unit == "MiB" else figures[row.figure]
    digits = 2 if row.unit == "s" else 0
    good = row.below is None or value < row.below
    bound = "" if row.below is None else f"   below {row.below:g}: {'yes' if good else 'NO'}"
    print(f"{row.words:<58}{value:>12,.{digits}f} {row.unit:<8}{bound}", flush=True)
    return good


def main() -> int:
    """Measure and print everything."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.engine")
    parts = tuple(dict.fromkeys(row.part for row in ROWS))
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(parts)}; all where none is named")
    arguments = parser.parse_args()
    good = True
    for part in arguments.parts or parts:
        figures = measure(part)
        for row in ROWS:
            if row.part == part:
                good = show(row, figures) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
