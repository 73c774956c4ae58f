"""A new run: the question, and what it may use and cost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static, TextArea

from core.errors import FumehoodError
from core.keys.lookup import key_store
from core.keys.names import MODAL_ID, MODAL_SECRET
from core.models.vendors import VENDORS
from core.sandbox.isolation import found_isolation
from core.sandbox.machines import MODAL
from tui import glyphs
from tui.giving_data import give_and_start
from tui.new_run_words import AT_MODAL, READY, READY_TO_THINK, about, gpu_hint, isolation_words, problem_line
from tui.run_form import (
    LANGUAGE_MODELS,
    OWN_SCRIPT,
    Problem,
    policy_in_words,
    read_form,
    study_script,
    takes_data,
)
from tui.screens.new_run_fields import PLACES, NewRunFields
from tui.widgets.choice import Choice
from tui.widgets.data_field import DataField
from tui.widgets.key_line import KeyLine, keys_of
from tui.widgets.model_fields import ModelFields

if TYPE_CHECKING:
    from tui.app import Console


class NewRunScreen(NewRunFields):
    """Asks for everything that is fixed when a run is created."""

    BINDING_GROUP_TITLE = "New run"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,f2", "start", "start", id="new.start", priority=True),
        Binding("tab", "app.focus_next", "next field", id="new.next"),
        Binding("shift+tab", "app.focus_previous", "previous field", id="new.previous", show=False),
        Binding("ctrl+t,f4", "keys", "set keys", id="new.keys", priority=True),
        Binding("escape", "leave", "back", id="new.back"),
    ]

    DEFAULT_CSS = """
    NewRunScreen { background: $background; }
    NewRunScreen > .top { height: 2; padding: 0 1; border-bottom: solid $line; }
    NewRunScreen > .form { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
    NewRunScreen .row { height: auto; }
    NewRunScreen .row > .label { width: 13; color: $muted; }
    NewRunScreen .row.-here > .label { color: $accent; text-style: bold; }
    NewRunScreen .row > .hint { width: 1fr; height: auto; color: $muted; padding: 0 0 0 2; }
    NewRunScreen TextArea {
        height: 3; width: 1fr; background: $surface; border: none; padding: 0; margin-bottom: 1;
    }
    NewRunScreen.-tall-form TextArea { height: 5; }
    NewRunScreen Input { width: 18; height: 1; background: $surface; border: none; padding: 0 1; }
    NewRunScreen #path { width: 1fr; }
    NewRunScreen .plain { width: 1fr; height: auto; }
    NewRunScreen > .missing { height: auto; max-height: 9; padding: 0 1; border-top: solid $line; }
    NewRunScreen > .keys { height: auto; padding: 0 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._keys: frozenset[str] | None = None
        self._starting = False
        self._tried = False
        self._lacks_keys = False
        self._leaving = False

    def compose(self) -> ComposeResult:
        """The form."""
        yield Static(Content.styled("new run", "$accent bold"), classes="top")
        with VerticalScroll(classes="form", can_focus=False):
            yield from self.fields(self._console_app.settings)
        yield Static(classes="missing")
        yield KeyLine(self, self._key_words).add_class("keys")

    def on_mount(self) -> None:
        """Look for isolation meanwhile, and say what is missing."""
        self.query_one("#question").focus()
        self._probe()
        self._look_for_keys()
        self._look()

    def on_resize(self) -> None:
        """Give the question more room where there is some."""
        self.set_class(self.size.height >= 30, "-tall-form")

    @work
    async def _probe(self) -> None:
        self.isolation = await found_isolation()
        self._look()

    @work
    async def _look_for_keys(self) -> None:
        models = [vendor.key_name for vendor in VENDORS.values()]
        search = await key_store().search([*models, MODAL_ID, MODAL_SECRET])
        self._keys = frozenset(search.found)
        self.query_one(ModelFields).found(self._keys)
        if self._keys.intersection(models) and self.is_untouched:
            self.query_one("#thinking", Choice).choose(LANGUAGE_MODELS)
        self._look()

    # Looking

    def on_input_changed(self) -> None:
        """Say what is missing now."""
        self.query_one(ModelFields).look()
        self._look()

    def on_text_area_changed(self) -> None:
        """Say what is missing now."""
        self._look()

    def on_choice_changed(self) -> None:
        """Say what is missing now."""
        self._look()

    def _look(self) -> None:
        """Show what belongs to what was chosen, and what is missing."""
        if not self.is_mounted:
            return
        self._leaving = False
        form = self.form
        request, problems = read_form(form, self._console_app.settings, self._keys)
        own = form.study in (OWN_SCRIPT, LANGUAGE_MODELS)
        self.row_of("#path").display = form.study == OWN_SCRIPT
        self.row_of("#study").display = not own
        self.query_one(ModelFields).display = form.study == LANGUAGE_MODELS
        self.row_of("#accept").display = self.asks_for_acceptance
        self.query_one("#about", Static).update(about(form))
        at_modal = form.sandbox == MODAL
        self.query_one("#isolation", Static).update(
            AT_MODAL if at_modal else isolation_words(self.isolation, own=own)
        )
        self.row_of("#gpu").display = at_modal
        self.hint("#gpu", gpu_hint(form))
        self.query_one(DataField).display = takes_data(form)
        self.query_one(DataField).look(at_modal=at_modal)
        self.row_of("#literature").display = form.study == LANGUAGE_MODELS
        script = request.models.script if request else None if own else study_script(form.study)
        rounds, per_round = script.needs if script else (3, 3)
        self.query_one("#rounds", Input).placeholder = str(rounds)
        self.query_one("#per_round", Input).placeholder = str(per_round)
        policy = form.policy or self._console_app.settings.approve
        self.hint("#policy", policy_in_words(policy) or "ask, auto, cpu or under:USD")
        question = self.query_one("#question", TextArea)
        question.placeholder = script.trajectory.question if script else "What do you want to know?"
        self._say(problems)

    def _say(self, problems: list[Problem]) -> None:
        missing = any(problem.missing for problem in problems)
        if missing != self._lacks_keys:
            self._lacks_keys = missing
            self.query_one(KeyLine).show()
        if problems:
            colour = "$failed" if self._tried else "$waiting"
            fix = next(
                (key.name for key in keys_of(self, lambda _, usual: usual) if key.action == "keys"), ""
            )
            lines = [problem_line(problem, colour, fix) for problem in problems]
        else:
            thinks = self.query_one("#thinking", Choice).chosen == LANGUAGE_MODELS
            said = READY_TO_THINK if thinks else READY
            lines = [Content.styled(f"{glyphs.DONE.glyph} {said}", "$supported")]
        self.query_one(".missing", Static).update(Content("\n").join(lines))

    def _key_words(self, action: str, usual: str) -> str:
        """Setting keys is offered where some are missing."""
        return "" if action == "keys" and not self._lacks_keys else usual

    # Actions

    @work
    async def action_keys(self) -> None:
        """Set keys on the spot, and look for them again."""
        from tui.screens.keys import KeysScreen

        await self.app.push_screen_wait(KeysScreen())
        self._look_for_keys()

    def action_start(self) -> None:
        """Create the run and start its engine, if nothing is missing."""
        if self._starting:
            return
        self._tried = True
        request, problems = read_form(self.form, self._console_app.settings, self._keys)
        self._say(problems)
        if request is None:
            if (field := PLACES.get(problems[0].field)) is not None:
                self.query_one(field).focus()
            return
        self._starting = True
        self.query_one(".missing", Static).update(Content.styled("The engine is being started …", "$accent"))
        self._start()

    @work
    async def _start(self) -> None:
        from core.process import start_engine
        from tui.run_request import new_run

        console = self._console_app
        request, _ = read_form(self.form, console.settings, self._keys)
        folder = None
        try:
            assert request is not None
            folder = new_run(console.settings, request)
            if request.data:
                # The app's, so that it goes on while people look around.
                console.run_worker(give_and_start(console, folder, request.data), group="data")
                self.dismiss()
                console.open_run(folder)
                return
            # A thread, because an engine takes a second to come up, or thirty to say that it cannot.
            await asyncio.to_thread(start_engine, folder)
        except FumehoodError as error:
            kept = " The run is kept; resume it from the list." if folder else ""
            console.warn(error.message, f"{error.next_step}{kept}")
            self._starting = False
            if folder is None:
                self._look()
                return
        self.dismiss()
        if self._starting and folder is not None:
            console.open_run(folder)

    async def action_leave(self) -> None:
        """Go back; where something was typed, only once that was confirmed."""
        if self._starting:
            return
        if self.query_one("#question", TextArea).text.strip() and not self._leaving:
            self._leaving = True
            said = Content.styled("Escape once more drops what you typed.", "$waiting")
            self.query_one(".missing", Static).update(said)
            return
        self.dismiss()

    @property
    def _console_app(self) -> Console:
        return cast("Console", self.app)
