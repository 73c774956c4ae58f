"""A new run: the question, and what it may use and cost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, cast, get_args

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from core.config import PaperSize
from core.demo import DEFAULT, studies
from core.errors import FumehoodError
from core.keys.lookup import key_store
from core.keys.names import MODAL_ID, MODAL_SECRET
from core.models.choice import is_scripted
from core.models.vendors import VENDORS
from core.pricing import dollars
from core.rates import gpu_price_in_words
from core.sandbox.isolation import Finding, found_isolation
from core.sandbox.machines import LOCAL, MODAL
from core.sandbox.modal.gpus import ANY, KNOWN
from tui import glyphs
from tui.giving_data import give_and_start
from tui.run_form import (
    LANGUAGE_MODELS,
    OWN_SCRIPT,
    Problem,
    RunForm,
    policy_in_words,
    read_form,
    study_script,
    takes_data,
)
from tui.safe_text import one_line, safe
from tui.widgets.choice import Choice
from tui.widgets.data_field import DataField
from tui.widgets.fields import ManyLines, OneLine
from tui.widgets.key_line import KeyLine, keys_of
from tui.widgets.model_fields import ModelFields

if TYPE_CHECKING:
    from tui.app import Console

NO_ISOLATION = "Scripts can read your files and keys: they run as you, in processes of their own."
SHIPPED = "a shipped study"
ACCEPT, ASK_ME = "run without isolation", "ask me before the first script"
READY = "Nothing is missing. Nothing is paid for before you approve it."
READY_TO_THINK = "Nothing is missing. Thinking costs from the start, and nothing goes beyond the cap."
AT_MODAL = Content.styled(
    "each experiment gets a machine of its own at Modal, billed by the second while it is open", "$muted"
)
GPU_HINT = "for experiments that name none themselves, such as H100 or any"
ASK_LITERATURE, NO_LITERATURE = "agents may search it", "nothing is searched"
NOT_RESEARCHED = "Scripted: the study plays as it was written; a question of yours is not being researched."


class NewRunScreen(Screen[None]):
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
        self._isolation: Finding | None = None
        self._keys: frozenset[str] | None = None
        self._starting = False
        self._tried = False
        self._lacks_keys = False
        self._leaving = False

    def compose(self) -> ComposeResult:
        """The form."""
        settings = self._console_app.settings
        yield Static(Content.styled("new run", "$accent bold"), classes="top")
        with VerticalScroll(classes="form", can_focus=False):
            with Horizontal(classes="row"):
                yield Static("Question", classes="label", markup=False)
                yield ManyLines(id="question", tab_behavior="focus", show_line_numbers=False, compact=True)
            named = settings.model is not None and not is_scripted(settings.model)
            thinkers = [LANGUAGE_MODELS, SHIPPED, OWN_SCRIPT]
            yield from _row(
                "Thinking", Choice(thinkers, LANGUAGE_MODELS if named else SHIPPED, id="thinking")
            )
            yield ModelFields(settings)
            yield from _row("Study", Choice([it.name for it in studies()], DEFAULT, id="study"))
            yield from _row("", OneLine(id="path", placeholder="path of a trajectory.toml", compact=True))
            yield from _row("", Static(classes="plain", id="about"))
            yield from _row("Mode", Choice(["orchestrator", "single"], "orchestrator", id="mode"))
            yield from _row("Sandbox", Choice([LOCAL, MODAL], settings.sandbox, id="sandbox"))
            yield from _row("", Static(classes="plain", id="isolation"))
            gpus = SuggestFromList([*KNOWN, ANY], case_sensitive=False)
            gpu = OneLine(id="gpu", placeholder="none", compact=True, suggester=gpus)
            yield from _row("GPU", gpu, GPU_HINT)
            yield from _row("", Choice([ASK_ME, ACCEPT], ASK_ME, id="accept"))
            yield DataField()
            yield from _field("Rounds", "rounds", "", "that may be proposed")
            yield from _field("Experiments", "per_round", "", "that one round may have")
            yield from _field(
                "At once", "at_once", str(settings.max_parallel), "experiments that run at the same time"
            )
            yield from _field(
                "Budget", "budget", dollars(settings.budget_usd), "the cap; nothing goes beyond it"
            )
            yield from _field("Approve", "policy", settings.approve, "")
            literature = Choice([ASK_LITERATURE, NO_LITERATURE], ASK_LITERATURE, id="literature")
            yield from _row("Literature", literature)
            yield from _row("Paper", Choice(get_args(PaperSize), settings.paper_size, id="paper_size"))
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

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Mark where the keys go."""
        for row in self.query(".row"):
            row.set_class(event.widget in row.children, "-here")

    @work
    async def _probe(self) -> None:
        self._isolation = await found_isolation()
        self._look()

    @work
    async def _look_for_keys(self) -> None:
        models = [vendor.key_name for vendor in VENDORS.values()]
        search = await key_store().search([*models, MODAL_ID, MODAL_SECRET])
        self._keys = frozenset(search.found)
        self.query_one(ModelFields).found(self._keys)
        if self._keys.intersection(models) and self._is_untouched:
            self.query_one("#thinking", Choice).choose(LANGUAGE_MODELS)
        self._look()

    # Looking

    @property
    def _is_untouched(self) -> bool:
        """Whether nobody has typed or chosen anything yet."""
        return self.query_one("#question").has_focus and not self.query_one("#question", TextArea).text

    @property
    def form(self) -> RunForm:
        """The form as it is filled in now."""
        text = {name: self.query_one(f"#{name}", Input).value for name in INPUTS}
        thinking = self.query_one("#thinking", Choice).chosen
        return RunForm(
            question=safe(self.query_one("#question", TextArea).text),
            study=self.query_one("#study", Choice).chosen if thinking == SHIPPED else thinking,
            mode=self.query_one("#mode", Choice).chosen,
            sandbox=self.query_one("#sandbox", Choice).chosen,
            paper_size=self.query_one("#paper_size", Choice).chosen,
            literature=self.query_one("#literature", Choice).chosen == ASK_LITERATURE,
            accept_process_only=self._asks_for_acceptance
            and self.query_one("#accept", Choice).chosen == ACCEPT,
            **text,
            **self.query_one(ModelFields).typed,
        )

    @property
    def _asks_for_acceptance(self) -> bool:
        """Whether scripts that nobody has read would run without isolation."""
        without = self._isolation is not None and self._isolation.isolation == "process only"
        without = without and self.query_one("#sandbox", Choice).chosen == LOCAL
        return without and self.query_one("#thinking", Choice).chosen != SHIPPED

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
        self._row_of("#path").display = form.study == OWN_SCRIPT
        self._row_of("#study").display = not own
        self.query_one(ModelFields).display = form.study == LANGUAGE_MODELS
        self._row_of("#accept").display = self._asks_for_acceptance
        self.query_one("#about", Static).update(_about(form))
        at_modal = form.sandbox == MODAL
        self.query_one("#isolation", Static).update(AT_MODAL if at_modal else self._isolation_words(own))
        self._row_of("#gpu").display = at_modal
        self._hint("#gpu", _gpu_hint(form))
        self.query_one(DataField).display = takes_data(form)
        self.query_one(DataField).look(at_modal=at_modal)
        self._row_of("#literature").display = form.study == LANGUAGE_MODELS
        script = request.models.script if request else None if own else study_script(form.study)
        rounds, per_round = script.needs if script else (3, 3)
        self.query_one("#rounds", Input).placeholder = str(rounds)
        self.query_one("#per_round", Input).placeholder = str(per_round)
        policy = form.policy or self._console_app.settings.approve
        self._hint("#policy", policy_in_words(policy) or "ask, auto, cpu or under:USD")
        question = self.query_one("#question", TextArea)
        question.placeholder = script.trajectory.question if script else "What do you want to know?"
        self._say(problems)

    def _isolation_words(self, own: bool) -> Content:
        found = self._isolation
        if found is None:
            return Content.styled("looking how far scripts can be kept from your files …", "$muted")
        if found.isolation == "namespaces":
            return Content.styled(
                f"{glyphs.DONE.glyph} isolated: scripts see none of your files", "$supported"
            )
        warning = Content.styled(f"{glyphs.FAILED.glyph} {NO_ISOLATION}", "$waiting")
        fix = Content.styled(f"\n  {one_line(found.next_step)}.", "$foreground")
        known = "\n  The scripts of this study ship with fumehood, so each runs without a yes of its own."
        return Content.assemble(warning, fix, "" if own else (known, "$muted"))

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
            lines = [_problem(problem, colour, fix) for problem in problems]
        else:
            thinks = self.query_one("#thinking", Choice).chosen == LANGUAGE_MODELS
            said = READY_TO_THINK if thinks else READY
            lines = [Content.styled(f"{glyphs.DONE.glyph} {said}", "$supported")]
        self.query_one(".missing", Static).update(Content("\n").join(lines))

    def _hint(self, field: str, words: str) -> None:
        self._row_of(field).query_one(".hint", Static).update(Content(words))

    def _row_of(self, field: str) -> Widget:
        row = self.query_one(field).parent
        assert isinstance(row, Widget)
        return row

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


INPUTS = ("path", "gpu", "data", "rounds", "per_round", "at_once", "budget", "policy")
PLACES: dict[str, str] = {name: f"#{name}" for name in INPUTS} | {
    "question": "#question",
    "model": "#model",
    "researcher_model": "#researcher_model",
    "writer_model": "#writer_model",
    "mode": "#mode",
    "sandbox": "#sandbox",
}


def _row(label: str, widget: Widget, hint: str | None = None) -> Iterator[Widget]:
    parts = [Static(Content(label), classes="label"), widget]
    if hint is not None:
        parts.append(Static(Content(hint), classes="hint"))
    yield Horizontal(*parts, classes="row")


def _field(label: str, name: str, usual: str, hint: str) -> Iterator[Widget]:
    return _row(label, OneLine(id=name, placeholder=usual, compact=True), hint)


def _gpu_hint(form: RunForm) -> str:
    """What the GPU costs that was typed, with the source of its price; else an example."""
    return gpu_price_in_words(form.gpu) or GPU_HINT


def _about(form: RunForm) -> Content:
    if form.study == LANGUAGE_MODELS:
        return Content.styled("A model that is not named is as your settings and keys have it.", "$muted")
    if form.study == OWN_SCRIPT:
        return Content.styled("A scripted model of your own: no language model is being used.", "$muted")
    about = next((study.about for study in studies() if study.name == form.study), "")
    words = Content.styled(one_line(about), "$muted")
    if form.question.strip():
        words = Content.assemble(words, (f"\n{NOT_RESEARCHED}", "$waiting"))
    return words


def _problem(problem: Problem, colour: str, fix: str) -> Content:
    """A problem and how to mend it; what keys would mend, the key ``fix`` does on the spot."""
    message = one_line(problem.message, 200)
    pronoun = "it" if len(problem.missing) == 1 else "them"
    here, next_step = Content(), problem.next_step
    if problem.missing and fix:
        next_step = f"{next_step.partition(', then:')[0].rstrip('.')}."
        here = Content.assemble("  ", (fix, "$accent bold"), f" sets {pronoun} here.")
    return Content.assemble(
        (f"{glyphs.FAILED.glyph} {message[:1].upper()}{message[1:]}.", colour),
        here,
        f"  {one_line(next_step)}" if next_step else "",
    )
