"""Sandboxes that are still there, one a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from core.pricing import dollars
from tui import glyphs
from tui.open_sandboxes import Standing, StillOpen
from tui.safe_text import one_line
from tui.widgets.lines import fitted, moment, right_aligned, under_cursor
from tui.widgets.page_view import PageView
from tui.wording import age

CURSOR = "▌"
EXPERIMENT_COLUMNS, EXEC_COLUMNS, PRICE_COLUMNS, AGE_COLUMNS = 14, 10, 9, 6
MACHINE_COLUMNS, WIDE_MACHINE_COLUMNS, WIDE_EXEC_COLUMNS, COST_COLUMNS = 11, 18, 16, 9
WIDE = 110
"""From so many columns on, there is room for whole names and for what was spent."""

GAP = 2

SHORTLY: Mapping[Standing, str] = {
    "driven": "",
    "no engine": "no engine",
    "left over": "left over",
    "unreadable": "no journal",
    "elsewhere": "not here",
}
"""What is odd about a sandbox, in a word or two."""


class SandboxList(PageView):
    """Sandboxes as lines."""

    BINDING_GROUP_TITLE = "List of sandboxes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "step(1)", "down", show=False, id="sandboxes.down"),
        Binding("up,k", "step(-1)", "up", show=False, id="sandboxes.up"),
        Binding("home,g", "step(-100000)", "top", show=False, id="sandboxes.top"),
        Binding("end,G", "step(100000)", "bottom", show=False, id="sandboxes.bottom"),
    ]

    class Moved(Message):
        """The cursor went to another sandbox."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._found: Sequence[StillOpen] = ()
        self._cursor = 0

    @property
    def sandbox(self) -> StillOpen | None:
        """The sandbox under the cursor."""
        return self._found[self._cursor] if self._cursor < len(self._found) else None

    def show(self, found: Sequence[StillOpen]) -> None:
        """Show sandboxes; the cursor stays on the one it is on."""
        before = self.sandbox
        self._found = found
        names = [it.name for it in found]
        if before is not None and before.name in names:
            self._cursor = names.index(before.name)
        self._cursor = min(self._cursor, max(0, len(found) - 1))
        self.draw()

    def draw(self) -> None:
        """Draw all lines as they are now."""
        lines = [
            _line(it, self.size.width, y == self._cursor, self.has_focus) for y, it in enumerate(self._found)
        ]
        if lines:
            lines[self._cursor] = under_cursor(lines[self._cursor], self)
        self.set_lines(lines)

    def on_resize(self) -> None:
        """Fill another width."""
        self.draw()

    def watch_has_focus(self, _has_focus: bool) -> None:
        """The cursor is marked where keys go; where they go elsewhere, it steps back."""
        super().watch_has_focus(_has_focus)
        self.draw()

    def on_click(self, event: events.Click) -> None:
        """Go to the sandbox under the mouse."""
        y = event.y + self.scroll_offset.y
        if 0 <= y < len(self._found):
            self._cursor = y
            self.draw()
            self.post_message(self.Moved())

    def action_step(self, lines: int) -> None:
        """Move the cursor."""
        self._cursor = min(max(0, self._cursor + lines), max(0, len(self._found) - 1))
        self.draw()
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if not top <= self._cursor < top + height:
            y = self._cursor if self._cursor < top else self._cursor - height + 1
            self.scroll_to(y=y, animate=False, immediate=True)
        self.post_message(self.Moved())


@dataclass(frozen=True)
class Row:
    """What stands in a line, by its column."""

    title: Content
    experiment: Content
    machine: str
    execs: Content
    price: str
    cost: str
    since: str

    def line(self, width: int) -> Content:
        """The columns side by side; the run takes what is left."""
        wide = width >= WIDE
        right = Content.assemble(
            fitted(self.experiment, EXPERIMENT_COLUMNS),
            " " * GAP,
            fitted(Content(self.machine), WIDE_MACHINE_COLUMNS if wide else MACHINE_COLUMNS),
            " " * GAP,
            fitted(self.execs, WIDE_EXEC_COLUMNS if wide else EXEC_COLUMNS),
            right_aligned(self.price, PRICE_COLUMNS),
            right_aligned(self.cost, COST_COLUMNS) if wide else "",
            right_aligned(self.since, AGE_COLUMNS),
        )
        return Content.assemble(
            fitted(self.title, width - right.cell_length - 3 - GAP), " " * GAP, right, " "
        )


def head(width: int) -> Content:
    """The names of the columns."""
    names = Row(
        Content("run"),
        Content("experiment"),
        "machine",
        Content("running"),
        "per hour",
        "so far",
        "age",
    )
    return Content.assemble("  ", names.line(width)).stylize("$muted")


def _line(found: StillOpen, width: int, chosen: bool, focused: bool) -> Content:
    experiment = Content(one_line(found.experiment_id))
    if odd := SHORTLY[found.standing]:
        experiment = Content.assemble(experiment, (f" {odd}", "$waiting"))
    row = Row(
        title=Content.styled(one_line(found.title, 300), "bold" if chosen else ""),
        experiment=experiment,
        # A GPU's name cut short is another GPU's name.
        machine=one_line(found.machine if width >= WIDE else found.sandbox.gpu or found.machine),
        execs=_execs(found),
        price=f"{dollars(found.usd_per_hour)}/h",
        cost=dollars(found.cost_usd(moment())),
        since=age(found.opened_at, moment()),
    )
    return Content.assemble((f"{CURSOR} " if chosen and focused else "  ", "$accent"), row.line(width))


def _execs(found: StillOpen) -> Content:
    """What runs in it; nobody knows what runs where nobody could look inside."""
    if found.running is None:
        return Content.styled("? unknown", "$muted")
    if not found.running:
        return Content.assemble((f"{glyphs.QUEUED.glyph} ", "$muted"), "idle")
    return Content.assemble((f"{glyphs.RUNNING.glyph} ", "$running"), ", ".join(map(one_line, found.running)))
