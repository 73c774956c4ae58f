"""Tables and plots as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from core.evidence.markup import escape
from core.evidence.plots import Plot, Point, shown_rows
from core.evidence.tables import Table


def part_as_markdown(part: str | Table | Plot) -> str:
    """One part of a bound text as Markdown."""
    if isinstance(part, Table):
        return table_as_markdown(part)
    return plot_as_markdown(part) if isinstance(part, Plot) else part


def table_as_markdown(table: Table) -> str:
    """A pipe table under its caption."""
    return f"**{escape(table.label)}.** {table.caption}\n\n{pipe_table(table.header, table.rows)}"


def plot_as_markdown(plot: Plot) -> str:
    """The data of a plot as a pipe table under its caption: mean and range over seeds."""
    places, all_places = shown_rows(plot.curves)
    by_place = [{point.x: point for point in curve.points} for curve in plot.curves]
    header = (escape(plot.x), *(escape(curve.label or plot.metric) for curve in plot.curves))
    rows = [(escape(_text(x)), *(_range(points.get(x)) for points in by_place)) for x in places]
    left_out = f" {len(places)} of {all_places} steps are listed." if len(places) < all_places else ""
    about = f"Mean of {escape(plot.metric)} and range over seeds ([data](#{plot.id}))."
    caption = f"**{escape(plot.label)}.** {plot.caption} {about}{left_out}"
    return f"{caption}\n\n{pipe_table(header, rows)}"


def pipe_table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown pipe table; cells must be Markdown on one line."""
    lines = [f"| {' | '.join(header)} |", f"|{' --- |' * len(header)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)


def _text(x: float | str) -> str:
    return x if isinstance(x, str) else f"{x:.6g}"


def _range(point: Point | None) -> str:
    if point is None:
        return "–"
    if point.n == 1:
        return f"{point.mean:.4g}"
    return f"{point.mean:.4g} ({point.low:.4g} … {point.high:.4g})"
