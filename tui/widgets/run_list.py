"""The list of runs: one line each, with its state, verdicts, cost and age."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from core.pricing import dollars
from tui import glyphs
from tui.run_history import READING, RunSummary
from tui.safe_text import one_line
from tui.widgets.lines import colour_of, fitted, moment
from tui.widgets.page_view import PageView
from tui.wording import age

CURSOR = "▌"
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


class RunList(PageView):
    """Runs as lines.

    Attributes:
        order: how they are sorted.
        pattern: what the title, the state or the id of a shown run has in it.
        pulses: whether what runs moves.
    """

    BINDING_GROUP_TITLE = "List of runs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "step(1)", "down", show=False, id="runs.down"),
        Binding("up,k", "step(-1)", "up", show=False, id="runs.up"),
        Binding("pagedown,ctrl+d", "step_page(1)", "further down", show=False, id="runs.half_down"),
        Binding("pageup,ctrl+u", "step_page(-1)", "further up", show=False, id="runs.half_up"),
        Binding("home,g", "step(-1000000)", "top", show=False, id="runs.top"),
        Binding("end,G", "step(1000000)", "bottom", show=False, id="runs.bottom"),
    ]

    class Moved(Message):
        """The cursor went to another run, or the one under it has changed."""

    class Chosen(Message):
        """A run is to be opened."""

        def __init__(self, run: RunSummary) -> None:
            super().__init__()
            self.run = run

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.order = ORDERS[0]
        self.pattern = ""
        self.pulses = False
        self._all: list[RunSummary] = []
        self._runs: list[RunSummary] = []
        self._cursor = 0

    @property
    def run(self) -> RunSummary | None:
        """The run under the cursor."""
        return self._runs[self._cursor] if self._cursor < len(self._runs) else None

    @property
    def shown(self) -> Sequence[RunSummary]:
        """The runs that the filter lets through, in order."""
        return self._runs

    def show(self, runs: Sequence[RunSummary]) -> None:
        """Show runs; the cursor stays on the one it is on."""
        self._all = list(runs)
        self._arrange()

    def set_order(self, order: Order) -> None:
        """Sort in another way."""
        self.order = order
        self._arrange()

    def set_pattern(self, pattern: str) -> None:
        """Show only runs that have this in them."""
        self.pattern = pattern.casefold().strip()
        self._arrange()

    def draw(self) -> None:
        """Draw what can be seen as it is now: costs and ages grow by themselves."""
        top, height = self.scroll_offset.y, max(1, self.size.height)
        made = {
            y: self._line(self._runs[y], y == self._cursor)
            for y in range(max(0, top - height), min(len(self._runs), top + 2 * height))
        }
        self.set_lines(_Lines(len(self._runs), made))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Make the lines that come into sight."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.draw()

    def on_resize(self) -> None:
        """Fill another width."""
        self.draw()
        self._keep_in_sight()

    def on_focus(self) -> None:
        """The cursor is marked where keys go."""
        self.draw()

    def on_blur(self) -> None:
        """The cursor steps back."""
        self.draw()

    def on_click(self, event: events.Click) -> None:
        """Go to the run under the mouse; the one under the cursor is opened."""
        y = event.y + self.scroll_offset.y
        if not 0 <= y < len(self._runs):
            return
        if y == self._cursor and event.chain > 1:
            self.post_message(self.Chosen(self._runs[y]))
        else:
            self._go_to(y)

    def action_step(self, lines: int) -> None:
        """Move the cursor."""
        self._go_to(min(max(0, self._cursor + lines), len(self._runs) - 1))

    def action_step_page(self, direction: int) -> None:
        """Move the cursor by half a page."""
        self.action_step(direction * max(1, self.size.height // 2))

    def _go_to(self, y: int) -> None:
        if y == self._cursor or not 0 <= y < len(self._runs):
            return
        self._cursor = y
        self.draw()
        self._keep_in_sight()
        self.post_message(self.Moved())

    def _keep_in_sight(self) -> None:
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if not top <= self._cursor < top + height:
            y = self._cursor if self._cursor < top else self._cursor - height + 1
            self.scroll_to(y=y, animate=False, immediate=True)

    def _arrange(self) -> None:
        before, at = self.run, moment()
        runs = [run for run in self._all if self._fits(run)]
        self._runs = sorted(runs, key=lambda run: self.order.key(run, at))
        ids = [run.folder.run_id for run in self._runs]
        if before is not None and before.folder.run_id in ids and self._moved_by_hand:
            self._cursor = ids.index(before.folder.run_id)
        self._cursor = min(self._cursor, max(0, len(ids) - 1))
        self.draw()
        self.post_message(self.Moved())

    @property
    def _moved_by_hand(self) -> bool:
        """Whether the cursor is on a run that was chosen, and not just on whatever came first."""
        return self._cursor > 0 or self.scroll_offset.y > 0

    def _fits(self, run: RunSummary) -> bool:
        if not self.pattern:
            return True
        words = f"{run.title} {run.mark.word} {run.folder.run_id} {'scripted' if run.scripted else ''}"
        return all(word in words.casefold() for word in self.pattern.split())

    def _line(self, run: RunSummary, chosen: bool) -> Content:
        at, width = moment(), self.size.width
        muted = run.mark is READING
        fields = Fields(
            state=self._state(run, at),
            title=_title(run, bold=chosen, muted=muted),
            label=Content.styled("scripted" if run.scripted and width >= WIDE_COLUMNS else "", "$muted"),
            waiting=Content.styled(_waiting(run), "$waiting bold"),
            verdicts=_verdicts(run),
            cost=Content("" if muted else _cost(run, at)),
            age=Content.styled("" if muted else age(run.changed_at, at), "$muted"),
        )
        line = Content.assemble(
            (f"{CURSOR} " if chosen and self.has_focus else "  ", "$accent"), laid_out(fields, width)
        )
        return line.stylize_before("on $panel") if chosen else line

    def _state(self, run: RunSummary, at: datetime) -> Content:
        colour = colour_of(run.mark)
        glyph = colour
        if self.pulses and run.mark == glyphs.RUNNING:
            glyph = f"{colour} bold" if int(at.timestamp() / PULSE_SECONDS) % 2 else f"{colour} dim"
        return Content.assemble((run.mark.glyph, glyph), (f" {one_line(run.mark.word)}", colour))


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
    room = width - 3 - STATE_COLUMNS - gap - right.cell_length
    label = Content.assemble("  ", fields.label) if fields.label else Content()
    title = _beside(fields.title, label, room)
    return Content.assemble(fitted(fields.state, STATE_COLUMNS), title, " " * gap, right, " ")


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


class _Lines(Sequence[Content]):
    """Lines of which only some are made; the others are empty until they come into sight."""

    def __init__(self, count: int, made: dict[int, Content]) -> None:
        self._count = count
        self._made = made

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, y: int) -> Content:  # type: ignore[override]  # slices are never asked for
        if not 0 <= y < self._count:
            raise IndexError(y)
        return self._made.get(y) or Content()
