"""Making single lines: text at both ends, numbers right-aligned, states by glyph, word and colour."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from core.pricing import at_most_dollars, dollars
from core.record.events import now
from core.record.state import ExperimentState, RunState
from tui import glyphs
from tui.run_feed import cost_so_far
from tui.safe_text import one_line
from tui.screen import Mark

COLOURS = {
    "green": "$supported",
    "red": "$failed",
    "yellow": "$waiting",
    "blue": "$running",
    "cyan": "$muted",
    "bright_black": "$muted",
    "": "$muted",
}
"""Colours of a theme by the plain output's names; two words have colours of their own."""

NOT_RUN = Mark("⊘", "not run", "bright_black")
CUT_SHORT = Mark("!", "cut short", "red")


def moment() -> datetime:
    """The time that a screen shows, UTC."""
    return now()


def colour_of(mark: Mark) -> str:
    """The theme's colour of a state."""
    if mark.word in ("refuted", "inconclusive"):
        return f"${mark.word}"
    return COLOURS.get(mark.colour, "$muted")


def mark_of(state: RunState, experiment: ExperimentState) -> Mark:
    """The state of an experiment; what a run left open when it ended will not go on."""
    if state.ended is None or not experiment.open:
        return glyphs.experiment_mark(experiment)
    return CUT_SHORT if experiment.started_at is not None else NOT_RUN


def marked(mark: Mark, width: int = 0) -> Content:
    """A state's glyph and word in its colour.

    Args:
        mark: the state.
        width: columns to fill.
    """
    return Content.styled(f"{mark.glyph} {one_line(mark.word)}".ljust(width), colour_of(mark))


def words(text: str, style: str = "") -> Content:
    """Text of a model or an experiment on one line: safe, without markup."""
    return Content.styled(one_line(text), style) if style else Content(one_line(text))


def fitted(content: Content, width: int) -> Content:
    """Exactly so many columns: cut with an ellipsis, or filled with spaces."""
    if width <= 0:
        return Content()
    return content.truncate(width, ellipsis=True, pad=True)


def under_cursor(line: Content, widget: Widget, *, lit: bool | None = None) -> Content:
    """A line that the cursor is on, so that it reads whatever the terminal can show.

    Sixteen colours have no shade for what lies behind a coloured word, so that all its words take one
    colour there: glyphs and words tell the states. Without colours the line is reversed.

    Args:
        line: all columns of it.
        widget: the list that the line is of.
        lit: whether keys go to the line; None for where the list has the focus.
    """
    lit = widget.has_focus if lit is None else lit
    if widget.app.no_color:
        return line.stylize("reverse" if lit else "bold")
    if widget.app.current_theme.ansi:
        return line.stylize("$foreground on $panel" if lit else "$foreground on $line")
    return line.stylize_before("on $panel")


def spread(left: Content, right: Content, width: int) -> Content:
    """Both ends of a line; where there is no room for both, the left one is cut."""
    room = width - right.cell_length - (2 if right else 0)
    if room < 1:
        return fitted(right, width)
    return Content.assemble(fitted(left, room), "  " if right else "", right)


def right_aligned(text: str, width: int) -> str:
    """Text at the right end of a column."""
    return " " * max(0, width - cell_len(text)) + text


def tokens(count: int) -> str:
    """A count of tokens, shortly: ``214k``, ``1.2M``."""
    if count < 1000:
        return str(count)
    return f"{count / 1000:.0f}k" if count < 1_000_000 else f"{count / 1_000_000:.1f}M"


def cost_of(state: RunState, experiment: ExperimentState, at: datetime) -> str:
    """What an experiment cost or costs so far, else the most it may cost; empty where it has no price."""
    if experiment.started_at is not None:
        return dollars(cost_so_far(experiment, at))
    if not experiment.open or not experiment.requests:
        return ""
    estimate = state.requests[experiment.requests[-1]].asked.estimate
    return at_most_dollars(estimate.maximum if estimate else None).replace(" ", "")


def total_cost(experiments: list[ExperimentState], at: datetime) -> Decimal | None:
    """What experiments cost so far together, USD; None where one is unknown."""
    costs = [cost_so_far(experiment, at) for experiment in experiments]
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None
