"""Sandboxes that are still there, one a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content

from core.pricing import dollars
from tui import glyphs
from tui.open_sandboxes import StillOpen
from tui.safe_text import one_line
from tui.widgets.lines import fitted, moment, right_aligned, under_cursor
from tui.widgets.page_view import PageView
from tui.wording import age

CURSOR = "▌"
EXPERIMENT_COLUMNS, EXEC_COLUMNS, PRICE_COLUMNS, AGE_COLUMNS = 14, 14, 9, 6
GAP = 2


class SandboxList(PageView):
    """Sandboxes as lines."""

    BINDING_GROUP_TITLE = "List of sandboxes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "step(1)", "down", show=False, id="sandboxes.down"),
        Binding("up,k", "step(-1)", "up", show=False, id="sandboxes.up"),
        Binding("home,g", "step(-100000)", "top", show=False, id="sandboxes.top"),
        Binding("end,G", "step(100000)", "bottom", show=False, id="sandboxes.bottom"),
    ]

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
        names = [_name(it) for it in found]
        if before is not None and _name(before) in names:
            self._cursor = names.index(_name(before))
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

    def action_step(self, lines: int) -> None:
        """Move the cursor."""
        self._cursor = min(max(0, self._cursor + lines), max(0, len(self._found) - 1))
        self.draw()
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if not top <= self._cursor < top + height:
            y = self._cursor if self._cursor < top else self._cursor - height + 1
            self.scroll_to(y=y, animate=False, immediate=True)


def columns(
    title: Content, experiment: Content, execs: Content, price: str, since: str, width: int
) -> Content:
    """A line's columns side by side; the run takes what is left."""
    right = Content.assemble(
        fitted(experiment, EXPERIMENT_COLUMNS),
        " " * GAP,
        fitted(execs, EXEC_COLUMNS),
        right_aligned(price, PRICE_COLUMNS),
        right_aligned(since, AGE_COLUMNS),
    )
    return Content.assemble(fitted(title, width - right.cell_length - 3 - GAP), " " * GAP, right, " ")


def head(width: int) -> Content:
    """The names of the columns."""
    names = columns(Content("run"), Content("experiment"), Content("running"), "per hour", "age", width)
    return Content.assemble("  ", names).stylize("$muted")


def _line(found: StillOpen, width: int, chosen: bool, focused: bool) -> Content:
    running = ", ".join(map(one_line, found.sandbox.running or ()))
    mark = glyphs.RUNNING if running else glyphs.QUEUED
    execs = Content.assemble((f"{mark.glyph} ", "$running" if running else "$muted"), running or "idle")
    experiment = Content(one_line(found.experiment_id or found.sandbox.name))
    if not found.driven:
        experiment = Content.assemble(experiment, ("  no engine", "$waiting"))
    price = dollars(found.usd_per_hour)
    line = columns(
        Content.styled(one_line(found.title, 300), "bold" if chosen else ""),
        experiment,
        execs,
        f"{price}/h",
        age(found.opened_at, moment()),
        width,
    )
    return Content.assemble((f"{CURSOR} " if chosen and focused else "  ", "$accent"), line)


def _name(found: StillOpen) -> tuple[str, str]:
    return found.folder.run_id, found.sandbox.id
