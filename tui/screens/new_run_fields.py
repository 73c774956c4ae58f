"""The fields of the form for a new run, and what is filled in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from core.config import PaperSize, Settings
from core.demo import DEFAULT, studies
from core.models.choice import is_scripted
from core.pricing import dollars
from core.sandbox.isolation import Finding
from core.sandbox.machines import LOCAL, MODAL
from core.sandbox.modal.gpus import ANY, KNOWN
from tui.new_run_words import GPU_HINT
from tui.run_form import LANGUAGE_MODELS, OWN_SCRIPT, RunForm
from tui.safe_text import safe
from tui.widgets.choice import Choice
from tui.widgets.data_field import DataField
from tui.widgets.fields import ManyLines, OneLine
from tui.widgets.model_fields import ModelFields

SHIPPED = "a shipped study"
ACCEPT, ASK_ME = "run without isolation", "ask me before the first script"
ASK_LITERATURE, NO_LITERATURE = "agents may search it", "nothing is searched"
INPUTS = ("path", "gpu", "data", "rounds", "per_round", "at_once", "budget", "policy")
PLACES: dict[str, str] = {name: f"#{name}" for name in INPUTS} | {
    "question": "#question",
    "model": "#model",
    "researcher_model": "#researcher_model",
    "writer_model": "#writer_model",
    "mode": "#mode",
    "sandbox": "#sandbox",
}


class NewRunFields(Screen[None]):
    """A screen with the fields of a new run.

    Attributes:
        isolation: how far scripts on this machine can be kept from files; None while that is looked for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.isolation: Finding | None = None

    def fields(self, settings: Settings) -> ComposeResult:
        """A row for each."""
        with Horizontal(classes="row"):
            yield Static("Question", classes="label", markup=False)
            yield ManyLines(id="question", tab_behavior="focus", show_line_numbers=False, compact=True)
        named = settings.model is not None and not is_scripted(settings.model)
        thinkers = [LANGUAGE_MODELS, SHIPPED, OWN_SCRIPT]
        yield from _row("Thinking", Choice(thinkers, LANGUAGE_MODELS if named else SHIPPED, id="thinking"))
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
        yield from _field("Budget", "budget", dollars(settings.budget_usd), "the cap; nothing goes beyond it")
        yield from _field("Approve", "policy", settings.approve, "")
        literature = Choice([ASK_LITERATURE, NO_LITERATURE], ASK_LITERATURE, id="literature")
        yield from _row("Literature", literature)
        yield from _row("Paper", Choice(get_args(PaperSize), settings.paper_size, id="paper_size"))

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Mark where the keys go."""
        for row in self.query(".row"):
            row.set_class(event.widget in row.children, "-here")

    @property
    def is_untouched(self) -> bool:
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
            accept_process_only=self.asks_for_acceptance
            and self.query_one("#accept", Choice).chosen == ACCEPT,
            **text,
            **self.query_one(ModelFields).typed,
        )

    @property
    def asks_for_acceptance(self) -> bool:
        """Whether scripts that nobody has read would run without isolation."""
        without = self.isolation is not None and self.isolation.isolation == "process only"
        without = without and self.query_one("#sandbox", Choice).chosen == LOCAL
        return without and self.query_one("#thinking", Choice).chosen != SHIPPED

    def hint(self, field: str, words: str) -> None:
        """Say something behind a field."""
        self.row_of(field).query_one(".hint", Static).update(Content(words))

    def row_of(self, field: str) -> Widget:
        """What a field stands in, with its label and its hint."""
        row = self.query_one(field).parent
        assert isinstance(row, Widget)
        return row


def _row(label: str, widget: Widget, hint: str | None = None) -> Iterator[Widget]:
    parts = [Static(Content(label), classes="label"), widget]
    if hint is not None:
        parts.append(Static(Content(hint), classes="hint"))
    yield Horizontal(*parts, classes="row")


def _field(label: str, name: str, usual: str, hint: str) -> Iterator[Widget]:
    return _row(label, OneLine(id=name, placeholder=usual, compact=True), hint)
