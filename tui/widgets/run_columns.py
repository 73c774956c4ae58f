"""A run as one line of the list: its columns, and how they fit a width; and the ways to sort by them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from textual.content import Content

from core.pricing import dollars
from tui import glyphs
from tui.run_history import READING, RunSummary
from tui.safe_text import one_line
from tui.widgets.lines import colour_of, fitted
from tui.wording import age

STATE_COLUMNS, VERDICT_COLUMNS, COST_COLUMNS, AGE_COLUMNS = 14, 9, 8, 5
WAITING_COLUMNS = 3
PULSE_SECONDS = 0.5
WIDE_COLUMNS = 110
WIDE_GAP, NARROW_GAP = 3, 1
TITLE_CHARACTERS = 400


class Order(NamedTuple):
    """A way to sort the runs.

    Attributes:
        column: the column that it goes by.
        key: what is compared.
    """

    column: str
    key: Callable[[RunSummary, datetime], Any]


def _newest(run: RunSummary, at: datetime) -> tuple[bool, float, str]:
    changed = run.changed_at
    return changed is not None, -changed.timestamp() if changed else 0.0, run.folder.run_id


def _by_state(run: RunSummary, at: datetime) -> tuple[int, Any]:
    place = 0 if run.waiting and run.live else 1 if run.live else 2 if run.resumable else 3
    return place, _newest(run, at)


def _by_cost(run: RunSummary, at: datetime) -> tuple[Decimal, Any]:
    cost = run.cost_usd(at)
    # What nobody can price may be the dearest.
    return -(cost if cost is not None else Decimal("Infinity")), _newest(run, at)


def _by_title(run: RunSummary, at: datetime) -> tuple[str, str]:
    return one_line(run.title).casefold(), run.folder.run_id


ORDERS = (
    Order("age", _newest),
    Order("state", _by_state),
    Order("cost", _by_cost),
    Order("question", _by_title),
)


def run_line(run: RunSummary, at: datetime, width: int, *, bold: bool, pulses: bool) -> Content:
    """A run's line, without the cursor.

    Args:
        run: the run.
        at: the moment, UTC.
        width: columns of the whole list.
        bold: whether the title stands out.
        pulses: whether what runs moves.
    """
    muted = run.mark is READING
    fields = Fields(
        state=_state(run, at, pulses=pulses),
        title=_title(run, bold=bold, muted=muted),
        label=Content.styled("scripted" if run.scripted and width >= WIDE_COLUMNS else "", "$muted"),
        waiting=Content.styled(_waiting(run), "$waiting bold"),
        verdicts=_verdicts(run),
        cost=Content("" if muted else _cost(run, at)),
        age=Content.styled("" if muted else age(run.changed_at, at), "$muted"),
    )
    return laid_out(fields, width)


class Fields(NamedTuple):
    """A line of the list by its columns."""

    state: Content
    title: Content
    label: Content
    waiting: Content
    verdicts: Content
    cost: Content
    age: Content


def laid_out(fields: Fields, width: int) -> Content:
    """A line's columns side by side; the title takes what is left.

    Args:
        fields: the columns.
        width: columns of the whole list, the cursor's two and one at the end included.
    """
    gap = WIDE_GAP if width >= WIDE_COLUMNS else NARROW_GAP
    right = Content(" " * gap).join(
        [
            fitted(fields.waiting, WAITING_COLUMNS),
            fitted(fields.verdicts, VERDICT_COLUMNS),
            _to_the_right(fields.cost, COST_COLUMNS),
            _to_the_right(fields.age, AGE_COLUMNS),
        ]
    )
    room = width - 2 - STATE_COLUMNS - 2 * gap - right.cell_length
    label = Content.assemble("  ", fields.label) if fields.label else Content()
    title = _beside(fields.title, label, room)
    state = fitted(fields.state, STATE_COLUMNS - 1)
    return Content.assemble(state, " " * gap, title, " " * gap, right, " ")


def head(order: Order, width: int) -> Content:
    """The names of the columns; the one that the list is sorted by is marked."""

    def name(column: str) -> Content:
        return (
            Content.styled(f"{column} ▾", "$accent")
            if column == order.column
            else Content.styled(column, "$muted")
        )

    fields = Fields(
        name("state"), name("question"), Content(), Content(), name("verdicts"), name("cost"), name("age")
    )
    return Content.assemble("  ", laid_out(fields, width))


def _title(run: RunSummary, *, bold: bool, muted: bool) -> Content:
    style = "$muted" if muted else "bold" if bold else ""
    return Content.styled(one_line(run.title, TITLE_CHARACTERS), style)


def _beside(title: Content, label: Content, width: int) -> Content:
    """A title and what follows it; where there is no room for both, the title is cut."""
    if title.cell_length + label.cell_length > width:
        title = title.truncate(max(0, width - label.cell_length), ellipsis=True)
    return fitted(Content.assemble(title, label), width)


def _waiting(run: RunSummary) -> str:
    return f"{glyphs.WAITS.glyph}{run.waiting}" if run.waiting else ""


def _verdicts(run: RunSummary) -> Content:
    parts = [
        Content.styled(f"{mark.glyph}{run.verdicts[name]}", f"${name}")
        for name, mark in glyphs.VERDICTS.items()
        if run.verdicts.get(name)
    ]
    return Content(" ").join(parts) if parts else Content.styled("" if run.mark is READING else "–", "$muted")


def _cost(run: RunSummary, at: datetime) -> str:
    return "?" if run.spent_usd is None else dollars(run.cost_usd(at))


def _to_the_right(content: Content, width: int) -> Content:
    if content.cell_length > width:
        return content.truncate(width, ellipsis=True)
    return content.pad_left(width - content.cell_length)


def _state(run: RunSummary, at: datetime, *, pulses: bool) -> Content:
    colour = colour_of(run.mark)
    glyph = colour
    if pulses and run.mark == glyphs.RUNNING:
        glyph = f"{colour} bold" if int(at.timestamp() / PULSE_SECONDS) % 2 else f"{colour} dim"
    return Content.assemble((run.mark.glyph, glyph), (f" {one_line(run.mark.word)}", colour))
