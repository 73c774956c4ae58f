"""The list of runs: the first thing people see."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input, Static
from textual.worker import Worker

from core import decisions
from core.errors import FumehoodError
from core.models.scripted import LABEL
from core.record.archive import refuse_if_driven
from core.record.folder import RunFolder
from tui import glyphs
from tui.open_run import decide
from tui.run_history import RunHistory, RunSummary
from tui.safe_text import one_line
from tui.screens.dialogs import Ask, Confirm
from tui.widgets.fields import PromptLine
from tui.widgets.key_line import KeyLine
from tui.widgets.lines import spread
from tui.widgets.run_columns import ORDERS, WIDE_COLUMNS, head
from tui.widgets.run_list import RunList
from tui.widgets.welcome import Welcome
from tui.wording import counted

if TYPE_CHECKING:
    from tui.app import Console

TICK_SECONDS = 1.0
"""How often costs and ages are drawn anew where nothing turns."""


class RunsScreen(Screen[None]):
    """Every run, with its state, verdicts, cost and age."""

    BINDING_GROUP_TITLE = "Runs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", id="runs.open"),
        Binding("n", "new_run", "new run", id="runs.new"),
        Binding("d", "demo", "demo", id="runs.demo"),
        Binding("r", "resume", "resume", id="runs.resume"),
        Binding("p", "paper", "paper", id="runs.paper"),
        Binding("e", "rename", "rename", id="runs.rename"),
        Binding("x", "delete", "delete", id="runs.delete"),
        Binding("slash", "filter", "filter", id="runs.filter", key_display="/"),
        Binding("o", "order", "sort", id="runs.order"),
        Binding("b", "sandboxes", "sandboxes", id="runs.sandboxes", show=False),
        Binding("k", "keys", "keys", id="runs.keys", show=False),
        Binding("t", "app.choose_theme", "themes", id="runs.themes", show=False),
        Binding("escape", "leave_filter", "show all", id="runs.leave_filter"),
    ]

    DEFAULT_CSS = """
    RunsScreen { background: $background; }
    RunsScreen > .top { height: 2; padding: 0 1; border-bottom: solid $line; }
    RunsScreen > .head { height: 1; }
    RunsScreen > RunList { height: 1fr; }
    RunsScreen > .none { height: 1fr; padding: 1 2; color: $muted; }
    RunsScreen > .said { height: auto; max-height: 4; padding: 0 1; color: $muted; border-top: solid $line; }
    RunsScreen > .filter { height: 1; padding: 0 1; }
    RunsScreen > .filter > Static { width: 2; color: $accent; }
    RunsScreen > .filter > Input { width: 1fr; background: $background; border: none; padding: 0; }
    RunsScreen > .keys { height: auto; padding: 0 1; }
    RunsScreen > .keys > .own { width: 1fr; }
    RunsScreen > .keys > .app { width: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._history: RunHistory | None = None
        self._following: Worker[None] | None = None
        self._ticking: Timer | None = None
        self._busy = False

    @property
    def history(self) -> RunHistory:
        """The runs."""
        if self._history is None:
            self._history = RunHistory(self._console_app.settings.runs_folder)
        return self._history

    def compose(self) -> ComposeResult:
        """The list, or where to begin."""
        yield Static(classes="top")
        yield Static(classes="head")
        yield RunList()
        yield Welcome()
        yield Static("Nothing fits the filter.", classes="none", markup=False)
        yield Static(classes="said")
        with Horizontal(classes="filter"):
            yield Static("/")
            yield PromptLine(self._take_filter, "words in the question, the state or the name")
        with Horizontal(classes="keys"):
            yield KeyLine(self, self._key_words, gap=2).add_class("own")
            yield KeyLine(self.app, gap=2).add_class("app")

    def on_mount(self) -> None:
        """Show what is known, at once."""
        self.query_one(".filter").display = False
        self._show()
        self.query_one(RunList).focus()

    def on_screen_resume(self) -> None:
        """Keep up with the runs while they are seen."""
        self._following = self._follow()
        seconds = self._console_app.spinner_seconds
        self.query_one(RunList).pulses = seconds is not None
        self._ticking = self.set_interval(seconds or TICK_SECONDS, self._tick)

    def on_screen_suspend(self) -> None:
        """Nobody looks."""
        if self._following is not None:
            self._following.cancel()
        if self._ticking is not None:
            self._ticking.stop()

    @work(group="follow", exclusive=True)
    async def _follow(self) -> None:
        await self.history.follow(self._show)

    def on_resize(self) -> None:
        """Fill another width."""
        self._show()
        self.query_one(".own", KeyLine).show()

    def _key_words(self, action: str, usual: str) -> str:
        """Where there is little room, ``?`` tells the keys that are used less."""
        left_out = self.size.width < WIDE_COLUMNS and action in ("rename", "order")
        return "" if left_out else usual

    # Showing

    def _tick(self) -> None:
        """What live runs cost grows by itself."""
        if self._console_app.may_repaint() and any(run.live for run in self.history.summaries):
            self.query_one(RunList).draw()

    def _show(self) -> None:
        """Show the runs as they are known now, unless the console is just being left."""
        if not self.query(RunList):
            return
        runs = self.query_one(RunList)
        runs.show(self.history.summaries)
        empty = self.history.listed and not self.history.summaries
        self.query_one(Welcome).display = empty
        runs.display = not empty
        self.query_one(".head").display = not empty
        self.query_one(".none").display = bool(not empty and runs.pattern and not runs.shown)
        self.query_one(".said").display = not empty
        self._show_lines()

    def _show_lines(self) -> None:
        runs = self.query_one(RunList)
        width = self.size.width
        self.query_one(".top", Static).update(
            spread(Content.styled("fumehood", "$accent bold"), _in_short(self.history), max(0, width - 2))
        )
        self.query_one(".head", Static).update(head(runs.order, width))
        self.query_one(".said", Static).update(_said(runs.run))
        self.refresh_bindings()

    def on_run_list_moved(self, event: RunList.Moved) -> None:
        """Say something about the run under the cursor."""
        self._show_lines()

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what makes sense for the run under the cursor."""
        if not self.is_mounted:
            return True
        runs = self.query_one(RunList)
        run = runs.run
        if action == "leave_filter":
            return bool(runs.pattern) or self.query_one(".filter").display
        if self.focused is self.query_one(Input):  # at once, where ``has_focus`` waits for an event
            return False
        if action in ("open", "rename", "delete"):
            return run is not None
        if action == "paper":
            return run is not None and run.paper
        if action == "resume":
            return run is not None and run.resumable
        if action in ("filter", "order"):
            return bool(self.history.summaries)
        if action == "keys":
            # In the list it is the key for "up", as everywhere.
            return not self.history.summaries
        return True

    def on_run_list_chosen(self, event: RunList.Chosen) -> None:
        """Open a run."""
        self._console_app.open_run(event.run.folder)

    def action_open(self) -> None:
        """Open the run under the cursor."""
        if run := self._run:
            self._console_app.open_run(run.folder)

    def action_paper(self) -> None:
        """Read the paper of the run under the cursor."""
        from tui.screens.paper import PaperScreen

        if (run := self._run) and run.paper:
            self.app.push_screen(PaperScreen(run.folder))

    def action_new_run(self) -> None:
        """Ask a question."""
        from tui.screens.new_run import NewRunScreen

        self.app.push_screen(NewRunScreen())

    def action_keys(self) -> None:
        """Say which keys are needed."""
        from tui.screens.keys import KeysScreen

        self.app.push_screen(KeysScreen())

    def action_sandboxes(self) -> None:
        """Show what still runs."""
        from tui.screens.sandboxes import SandboxesScreen

        self.app.push_screen(SandboxesScreen())

    def action_order(self) -> None:
        """Sort by another column."""
        runs = self.query_one(RunList)
        runs.set_order(ORDERS[(ORDERS.index(runs.order) + 1) % len(ORDERS)])
        self._show_lines()

    def action_filter(self) -> None:
        """Type what runs must have in them."""
        self.query_one(".filter").display = True
        self.set_focus(self.query_one(Input))  # at once: what is typed next is meant for it

    def on_input_changed(self) -> None:
        """Show what fits what was typed so far."""
        self._apply_filter()

    def _apply_filter(self) -> str:
        typed = self.query_one(Input).value
        self.query_one(RunList).set_pattern(typed)
        self._show()
        return typed

    def _take_filter(self) -> None:
        """Go on with the keys of the list."""
        self.query_one(".filter").display = bool(self._apply_filter().strip())
        self.set_focus(self.query_one(RunList))

    def action_leave_filter(self) -> None:
        """Show all runs again."""
        self.query_one(Input).value = ""
        self.query_one(".filter").display = False
        self.set_focus(self.query_one(RunList))

    def action_demo(self) -> None:
        """Play the demo study; every launch waits for a yes."""
        self._start(None)

    def action_resume(self) -> None:
        """Start an engine for a run that has none."""
        if (run := self._run) and run.resumable:
            self._start(run.folder)

    def action_rename(self) -> None:
        """Give the run under the cursor a title."""
        if run := self._run:
            self._rename(run)

    def action_delete(self) -> None:
        """Remove the run under the cursor, once it was confirmed."""
        if run := self._run:
            self._delete(run)

    def _start(self, folder: RunFolder | None) -> None:
        """Start an engine, for a new demo where no run is named, and open the run."""
        if self._busy:
            return
        self._busy = True
        self.notify("The engine is being started …", markup=False, timeout=2)
        self._started(folder)

    @work
    async def _started(self, folder: RunFolder | None) -> None:
        from core.process import start_engine
        from tui.run_request import demo_request, new_run

        try:
            if folder is None:
                folder = new_run(self._console_app.settings, demo_request())
            # A thread, because an engine takes a second to come up, or thirty to say that it cannot.
            await asyncio.to_thread(start_engine, folder)
        except FumehoodError as error:
            self._console_app.warn(error.message, error.next_step)
        else:
            self._console_app.open_run(folder)
        finally:
            self._busy = False

    @work
    async def _rename(self, run: RunSummary) -> None:
        title = await self.app.push_screen_wait(
            Ask(
                "What is this run called?",
                "Its question stays what it is.",
                initial=run.title,
                extension=None,
                sends="rename",
            )
        )
        if title is None or title == one_line(run.title):
            return
        try:
            # A thread, because a long journal is read first.
            await asyncio.to_thread(decide, run.folder, lambda state: decisions.rename(state, title))
        except FumehoodError as error:
            self._console_app.warn(error.message, error.next_step)

    @work
    async def _delete(self, run: RunSummary) -> None:
        from tui import deleting

        at_modal = deleting.AtModal()
        try:
            refuse_if_driven(run.folder)
            if run.uses_modal:
                self.notify("Asking Modal what the run has there …", markup=False, timeout=2)
                at_modal = await deleting.look_at_run(run.folder.run_id, volumes=run.volumes)
            kept = "its paper, " if run.paper else ""
            warning = f"Its journal, {kept}logs and measurements go with it. It cannot be undone."
            if not await self.app.push_screen_wait(
                Confirm(
                    "Delete this run?",
                    f"{one_line(run.title, 300)}\n{run.folder.run_id}",
                    "\n".join((*deleting.warnings(run.left, at_modal), warning)),
                )
            ):
                return
            volumes = bool(at_modal.volumes) and await self.app.push_screen_wait(
                Confirm(deleting.volumes_question(at_modal), deleting.what_they_hold(at_modal))
            )
            await deleting.delete(run.folder, at_modal, volumes=volumes)
            if at_modal.volumes and not volumes:
                self.notify(deleting.kept_in_words(at_modal), markup=False, timeout=20)
        except FumehoodError as error:
            self._console_app.warn(error.message, error.next_step)
            return
        self.history.forget(run.folder.run_id)
        self._show()

    @property
    def _run(self) -> RunSummary | None:
        return self.query_one(RunList).run

    @property
    def _console_app(self) -> Console:
        return cast("Console", self.app)


def _in_short(history: RunHistory) -> Content:
    """How many runs there are, go on and wait."""
    runs = history.summaries
    if not runs:
        return Content()
    live, waiting = sum(run.live for run in runs), sum(run.waiting for run in runs if run.live)
    parts = [Content.styled(counted(len(runs), "run"), "$muted")]
    if history.reading:
        parts.insert(0, Content.styled("reading …", "$muted"))
    if live:
        parts.append(Content.styled(f"{glyphs.RUNNING.glyph} {live} running", "$running"))
    if waiting:
        parts.append(Content.styled(f"{glyphs.WAITS.glyph} {waiting} wait", "$waiting bold"))
    return Content("   ").join(parts)


def _said(run: RunSummary | None) -> Content:
    """What there is to say about a run: the whole question, its id, and why it does not go on."""
    if run is None:
        return Content("\n")
    said = one_line(run.explanation, 300)
    return Content.assemble(
        (f"{one_line(run.title, 300)}\n", "$foreground"),
        (run.folder.run_id, "$muted"),
        (f"   {LABEL}" if run.scripted else "", "$muted"),
        (f"   {said}." if said else "", "$waiting" if run.resumable else "$failed"),
    )
