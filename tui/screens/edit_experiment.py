"""The form in which a human edits an experiment that has not been approved for good."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from core.budget import estimate
from core.errors import InputError
from core.experiment import Experiment
from core.pricing import price_range
from core.rates import rates_of
from core.record.state import RunState
from tui.approval_queue import edit_seen
from tui.differences import differences, proposal_of
from tui.external_editor import edited_outside
from tui.run_feed import RunFeed
from tui.safe_text import one_line
from tui.screens.dialogs import Confirm
from tui.screens.edit_fields import EditField, changes_of, edit_fields, edited_spec
from tui.widgets.fields import ManyLines, OneLine
from tui.widgets.key_line import KeyLine
from tui.wording import counted

if TYPE_CHECKING:
    from tui.app import Console

SHOWN_DIFFERENCES = 4
LABEL_COLUMNS = 17


class EditExperiment(ModalScreen[bool]):
    """Changes a specification. It is priced again, and its new price has to be approved again.

    Args:
        feed: the run.
        experiment_id: the experiment.
        saved: called at once when the edit is in the journal.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,f2", "save", "save", id="edit.save", priority=True),
        Binding("ctrl+e", "edit_outside", "field in $EDITOR", id="edit.editor", priority=True),
        Binding("tab", "app.focus_next", "next field", id="edit.next"),
        Binding("shift+tab", "app.focus_previous", "previous field", id="edit.previous", show=False),
        Binding("escape", "give_up", "cancel", id="edit.cancel", priority=True),
    ]

    DEFAULT_CSS = """
    EditExperiment { align: center middle; }
    EditExperiment > .box {
        width: 100%; max-width: 120; height: 100%; background: $panel;
        border-left: outer $accent; padding: 0 1;
        & > .title { text-style: bold; margin-bottom: 1; height: 1; }
        & > VerticalScroll { height: 1fr; scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
        & .row { height: auto; }
        & .row.-apart { margin-bottom: 1; }
        & .label { width: 17; color: $muted; }
        & .row:focus-within > .label { color: $accent; }
        & Input { width: 1fr; height: 1; border: none; background: $surface; padding: 0 1; }
        & TextArea { width: 1fr; border: none; background: $surface; padding: 0 1; }
        & .wrong { height: auto; color: $failed; padding-left: 17; display: none; }
        & > .outcome { height: auto; max-height: 9; margin-top: 1; border-top: solid $line; }
        & > KeyLine { margin-top: 1; }
    }
    """

    def __init__(self, feed: RunFeed, experiment_id: str, saved: Callable[[], None] | None = None) -> None:
        super().__init__()
        self._feed = feed
        self._spec = feed.state.experiments[experiment_id].spec
        self._proposal = proposal_of(feed, experiment_id) or self._spec
        self._fields = edit_fields(self._spec)
        self._saved = saved
        self._done = False

    def compose(self) -> ComposeResult:
        """One row per field, then what the edit comes to."""
        with Vertical(classes="box"):
            yield Static(Content(f"Edit {self._spec.id}   {one_line(self._spec.title)}"), classes="title")
            with VerticalScroll(can_focus=False):
                for field in self._fields:
                    with Horizontal(
                        classes="row -apart" if field.lines > 1 or field.place == "title" else "row"
                    ):
                        yield Static(Content(field.label), classes="label")
                        yield _input(field)
                    yield Static(classes="wrong", id=f"wrong-{_name(field)}")
            yield Static(classes="outcome")
            yield KeyLine(self)

    def on_mount(self) -> None:
        """Show the price as it is."""
        self.query_one("Input").focus()
        self._check()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Check what is typed at once."""
        self._check()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Check what is typed at once."""
        self._check()

    def action_save(self) -> None:
        """Append the edit, if it fits."""
        if self._done:
            return
        changes, edited, wrong = self._edit()
        if wrong:
            place = next((field for field in self._fields if field.place in wrong), None)
            if place is not None:
                self._widget(place).focus()
            self.app.notify("Something does not fit yet; it says so at the field.", severity="warning")
            return
        if edited == self._spec:
            self.app.notify("Nothing differs yet.")
            return
        self._append(changes)

    def action_give_up(self) -> None:
        """Close the form; changes are dropped only after a yes."""
        if self._done:
            return
        changes, _, wrong = self._edit()
        if not changes and not wrong:
            self._close(False)
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._close(False)

        count = counted(len(changes.keys() | wrong.keys()), "field")
        self.app.push_screen(
            Confirm("Drop your changes?", f"You changed {count}; nothing is saved yet."), answered
        )

    def action_edit_outside(self) -> None:
        """Go on with the focused field in ``$EDITOR``."""
        field = next((field for field in self._fields if self._widget(field).has_focus), None)
        if field is None:
            return
        widget = self._widget(field)
        try:
            edited = edited_outside(cast("App[int]", self.app), _text(widget), ".md")
        except InputError as error:
            self.app.notify(error.next_step, title=error.message, severity="warning", markup=False)
            return
        if edited is None:
            return
        if isinstance(widget, TextArea):
            widget.text = edited
        elif isinstance(widget, Input):
            widget.value = one_line(edited)

    def _append(self, changes: dict[str, Any]) -> None:
        """Append the edit; where someone else was quicker, the form stays and says so."""
        seen, name = self._spec.sha256, self._spec.id
        done = f"{name} is edited. Its new price has to be approved again."
        console = cast("Console", self.app)
        if console.decide(self._feed, lambda state: edit_seen(state, name, seen, changes), done):
            if self._saved is not None:
                self._saved()
            self._close(True)

    def _close(self, saved: bool) -> None:
        self._done = True
        self.dismiss(saved)

    def _edit(self) -> tuple[dict[str, Any], Experiment | None, dict[str, str]]:
        """Changes, the specification with them (None where it does not fit), and what is wrong by place."""
        typed = {field.place: _text(self._widget(field)) for field in self._fields}
        changes, wrong = changes_of(self._fields, typed)
        edited, unfitting = edited_spec(self._spec, changes, self._feed.state.settings.sandbox)
        return changes, edited, unfitting | wrong

    def _check(self) -> None:
        """Say at each field what is wrong with it, and below what the edit comes to."""
        _, edited, wrong = self._edit()
        for field in self._fields:
            line = self.query_one(f"#wrong-{_name(field)}", Static)
            line.display = field.place in wrong
            line.update(Content(wrong.get(field.place, "")))
        self.query_one(".outcome", Static).update(self._outcome(edited, wrong))

    def _outcome(self, edited: Experiment | None, wrong: dict[str, str]) -> Content:
        head = Content.styled("Price".ljust(LABEL_COLUMNS), "$muted")
        if edited is None or wrong:
            general = wrong.get("", "it does not fit yet")
            return head + Content.styled(f"none: {one_line(general)}", "$failed")
        lines = [head + price_in_words(self._feed.state, edited)]
        found = differences(self._proposal, edited)
        for number, one in enumerate(found[:SHOWN_DIFFERENCES]):
            name = ("Differs" if number == 0 else "").ljust(LABEL_COLUMNS)
            lines.append(Content.styled(name, "$muted") + one.shown())
        if len(found) > SHOWN_DIFFERENCES:
            lines.append(Content(f"{'':{LABEL_COLUMNS}}and {len(found) - SHOWN_DIFFERENCES} more"))
        return Content("\n").join(lines)

    def _widget(self, field: EditField) -> Widget:
        return self.query_one(f"#{_name(field)}")


def price_in_words(state: RunState, spec: Experiment) -> str:
    """What an edited experiment will be priced at, as far as the console can know."""
    price = estimate(spec, rates_of(state))
    if price.maximum is None:
        return "?  the engine prices it, and it waits for approval again"
    return f"{price_range(price)}; it waits for approval again"


def _name(field: EditField) -> str:
    return field.place.replace(".", "-")


def _input(field: EditField) -> Input | TextArea:
    if field.lines == 1:
        return OneLine(field.text, id=_name(field), compact=True, select_on_focus=False)
    area = ManyLines(field.text, id=_name(field), tab_behavior="focus", show_line_numbers=False, compact=True)
    area.styles.height = field.lines
    return area


def _text(widget: Widget) -> str:
    return widget.text if isinstance(widget, TextArea) else cast(Input, widget).value
