"""Results in a table: an arm a line, with its mean and standard deviation over seeds."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping

from textual.content import Content

from core.experiment import Hypothesis
from tui.run_records import ExecRecords, arm_label
from tui.safe_text import one_line
from tui.widgets.chart import shortly
from tui.widgets.lines import fitted, right_aligned

WIDE_COLUMNS = 100
"""From here on the table has the extremes, too."""

LARGE = 1e150
"""Beyond this, squares are infinite."""


def result_table(
    results: Mapping[str, ExecRecords], hypothesis: Hypothesis | None, width: int
) -> Iterator[Content]:
    """The lines of the table; none where there are no results.

    Args:
        results: by the name of a result, the records of the script that recorded it last.
        hypothesis: gives arms their names.
        width: columns there are.
    """
    if not results:
        return
    wide = width >= WIDE_COLUMNS
    ends = f"{'lowest':>11}{'highest':>11}" if wide else ""
    yield Content.styled(f"  {'result':<20}{'arm':<20}{'seeds':>5}{'mean':>11}   {'sd':<10}{ends}", "$muted")
    for name, records in results.items():
        for place, (key, arm) in enumerate(records.results[name].items()):
            values = list(arm.values())
            label = arm_label(hypothesis, records.conditions.get(key, {}))
            extremes = "".join(right_aligned(shortly(end(values)), 11) for end in (min, max)) if wide else ""
            yield Content.assemble(
                "  ",
                fitted(Content(one_line(name) if place == 0 else ""), 19),
                " ",
                fitted(Content(label), 19),
                " ",
                (right_aligned(str(len(values)), 5), "$muted"),
                (right_aligned(shortly(statistics.fmean(values)), 11), "bold"),
                f" ± {spread_of(values):<10}",
                (extremes, "$muted"),
            )


def spread_of(values: list[float]) -> str:
    """The sample's standard deviation; ``?`` where there is none."""
    if len(values) < 2 or max(map(abs, values)) >= LARGE:
        return "?"
    return shortly(statistics.stdev(values))
