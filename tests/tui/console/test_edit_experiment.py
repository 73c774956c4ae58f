"""The form that edits an experiment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static, TextArea

from core import decisions
from core.experiment import Equivalent, InRange
from core.record.folder import RunFolder
from tests.fakes.specs import experiment, hypothesis
from tests.tui.conftest import Home
from tests.tui.console.card_app import CardApp, Time
from tests.tui.plans import PROPOSED, WAITING, requested
from tui.run_feed import RunFeed
from tui.screens.dialogs import Confirm
from tui.screens.edit_experiment import EditExperiment
from tui.screens.edit_fields import edit_fields, edited_spec, read_seeds, seeds_text

pytestmark = pytest.mark.usefixtures("home")


class Form:
    """A human before the form."""

    def __init__(self, pilot: Pilot[int], time: Time, folder: RunFolder) -> None:
        self.pilot, self.time, self.folder = pilot, time, folder
        self.answers: list[bool | None] = []

    async def fill(self, place: str, text: str) -> None:
        widget = self.pilot.app.screen.query_one(f"#{place.replace('.', '-')}")
        if isinstance(widget, TextArea):
            widget.text = text
        else:
            assert isinstance(widget, Input)
            widget.value = text
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        for key in keys:
            self.time.passes()
            await self.pilot.press(key)
        await self.pilot.pause()

    def text(self) -> str:
        shown = (str(one.content) for one in self.pilot.app.screen.query(Static) if one.display)
        return " ".join("\n".join(shown).split())

    def wrong(self, place: str) -> str:
        line = self.pilot.app.screen.query_one(f"#wrong-{place.replace('.', '-')}", Static)
        return str(line.content) if line.display else ""


def at_the_form(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch, acts: Callable[[Form], Awaitable[None]]
) -> list[bool | None]:
    """Open the form on E1 and let a human act; what it answered, if it did."""
    time, answers = Time(monkeypatch), list[bool | None]()

    async def session() -> None:
        app, feed = CardApp(folder), RunFeed(folder)
        feed.refresh()
        async with app.run_test(size=(100, 40)) as pilot:
            await pilot.pause()
            app.push_screen(EditExperiment(feed, "E1"), answers.append)
            await pilot.pause()
            await acts(Form(pilot, time, folder))
        feed.close()

    asyncio.run(session())
    return answers


def test_an_edit_is_saved_and_has_to_be_approved_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home.run_with(*WAITING, sandbox="modal")

    async def acts(form: Form) -> None:
        await form.fill("compute.timeout_seconds", "600")
        await form.fill("plan", "Train both arms.\nTwice.")
        await form.fill("hypothesis.seeds", "0-4, 9")
        await form.fill("hypothesis.criterion.min_effect", "0.02")
        await form.fill("compute.packages", "numpy>=1,<3, scipy")
        await form.fill("compute.gpu", "h100:2")
        await form.fill("compute.network", "allowed")
        await form.fill("compute.domains", "*.b.example, A.example")
        await form.press("ctrl+s")
        (toast,) = form.pilot.app._notifications
        assert "has to be approved again" in toast.message

    assert at_the_form(folder, monkeypatch, acts) == [True]
    state = folder.state()
    spec = state.experiments["E1"].spec
    assert spec.hypothesis is not None
    assert (spec.compute.timeout_seconds, spec.compute.gpu, spec.compute.network) == (
        600,
        "H100:2",
        "allowed",
    )
    assert spec.compute.domains == ("*.b.example", "a.example")
    assert spec.compute.packages == ("numpy<3,>=1", "scipy")
    assert spec.plan == "Train both arms.\nTwice."
    assert spec.hypothesis.seeds == (0, 1, 2, 3, 4, 9)
    assert state.live_request("E1") is None


def test_price_and_differences_follow_what_is_typed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home.run_with(*WAITING, local_usd_per_hour=Decimal(6))

    async def acts(form: Form) -> None:
        assert "never more than $3.00" in form.text()
        await form.fill("compute.timeout_seconds", "600")
        assert "never more than $1.00" in form.text()
        assert "time limit 1800 s → 600 s" in form.text()

    assert at_the_form(folder, monkeypatch, acts) == []


def test_a_second_edit_is_compared_with_what_was_proposed_and_not_with_the_first(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = home.run_with(*WAITING, local_usd_per_hour=Decimal(6))
    with folder.journal() as journal:
        journal.append(*decisions.edit(folder.state(), "E1", {"compute.timeout_seconds": 900}))

    async def acts(form: Form) -> None:
        assert "time limit 1800 s → 900 s" in form.text()
        await form.fill("compute.timeout_seconds", "600")
        assert "time limit 1800 s → 600 s" in form.text()
        await form.fill("compute.timeout_seconds", "1800")
        assert "time limit" not in form.text().partition("Price")[2]

    at_the_form(folder, monkeypatch, acts)


def test_a_price_that_only_the_engine_can_know_is_a_question_mark(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = home.run_with(*WAITING, researcher_model="claude-that-nobody-priced")

    async def acts(form: Form) -> None:
        assert "? the engine prices it" in form.text()

    at_the_form(folder, monkeypatch, acts)


@pytest.mark.parametrize(
    ("place", "text", "words"),
    [
        ("title", "", "at least 1 character"),
        ("title", "x" * 121, "at most 120 characters"),
        ("compute.timeout_seconds", "0", "greater than or equal to 1"),
        ("compute.timeout_seconds", "soon", "type a whole number"),
        ("compute.cpus", "1000", "less than or equal to 64"),
        ("compute.memory_gib", "-1", "greater than 0"),
        ("compute.packages", "evil @ http://x", "names an address"),
        ("compute.packages", "not a package", "is not a package requirement"),
        ("compute.network", "ajar", "'blocked', 'allowed' or 'open'"),
        ("hypothesis.criterion.min_effect", "-1", "greater than or equal to 0"),
        ("hypothesis.criterion.min_effect", "nan", "finite number"),
        ("hypothesis.criterion.direction", "sideways", "'greater' or 'less'"),
        ("hypothesis.seeds", "1, x", "type seeds like 0-9, 12"),
        ("hypothesis.seeds", "1, 1", "named twice"),
        ("hypothesis.seeds", "7", "at least 2"),
        ("hypothesis.seeds", "0-999999999999", "at most 1,000 seeds"),
    ],
)
def test_what_does_not_fit_is_said_at_its_field_and_not_saved(
    home: Home, monkeypatch: pytest.MonkeyPatch, place: str, text: str, words: str
) -> None:
    folder = home.run_with(*WAITING)
    before = folder.state().seq

    async def acts(form: Form) -> None:
        await form.fill(place, text)
        assert words in form.wrong(place)
        await form.press("ctrl+s")
        assert form.pilot.app.screen.query_one(f"#{place.replace('.', '-')}").has_focus

    assert at_the_form(folder, monkeypatch, acts) == []
    assert folder.state().seq == before


def test_saving_without_a_change_says_so(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home.run_with(*WAITING)
    before = folder.state().seq

    async def acts(form: Form) -> None:
        await form.press("f2")
        (toast,) = form.pilot.app._notifications
        assert "Nothing differs" in toast.message

    assert at_the_form(folder, monkeypatch, acts) == []
    assert folder.state().seq == before


def test_escape_asks_before_changes_are_dropped(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home.run_with(*WAITING)

    async def acts(form: Form) -> None:
        await form.fill("title", "Other")
        await form.press("escape", "[", "A")
        assert isinstance(form.pilot.app.screen, Confirm)
        await form.press("n")
        assert isinstance(form.pilot.app.screen, EditExperiment)
        await form.press("escape", "y")

    assert at_the_form(folder, monkeypatch, acts) == [False]
    assert folder.state().experiments["E1"].spec.title == "Bagged trees"


def test_escape_without_changes_closes_the_form(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    async def acts(form: Form) -> None:
        await form.press("escape")

    assert at_the_form(home.run_with(*WAITING), monkeypatch, acts) == [False]


@pytest.mark.parametrize("elsewhere", ["edited", "ended"])
def test_an_edit_of_what_changed_meanwhile_is_refused_and_nothing_typed_is_lost(
    home: Home, monkeypatch: pytest.MonkeyPatch, elsewhere: str
) -> None:
    folder = home.run_with(*WAITING)

    async def acts(form: Form) -> None:
        await form.fill("title", "Mine")
        other = RunFeed(folder)
        if elsewhere == "edited":
            other.decide(lambda state: decisions.edit(state, "E1", {"title": "Theirs"}))
        else:
            other.decide(lambda state: decisions.reject(state, "E1", ""))
            other.decide(lambda state: decisions.edit(state, "E1", {"plan": "Other."}))
        other.close()
        await form.press("ctrl+s")
        assert isinstance(form.pilot.app.screen, EditExperiment)
        assert form.pilot.app.screen.query_one("#title", Input).value == "Mine"
        (toast,) = form.pilot.app._notifications
        assert "changed by someone else" in toast.title

    assert at_the_form(folder, monkeypatch, acts) == []
    assert folder.state().experiments["E1"].spec.title != "Mine"


def test_the_focused_field_goes_on_in_the_editor(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    handed = list[str]()

    def editor(app: object, text: str, extension: str) -> str:
        handed.append(text)
        return "Written outside.\nAt length."

    monkeypatch.setattr("tui.screens.edit_experiment.edited_outside", editor)

    async def acts(form: Form) -> None:
        await form.press("tab", "tab", "ctrl+e", "ctrl+s")

    folder = home.run_with(*WAITING)
    assert at_the_form(folder, monkeypatch, acts) == [True]
    assert handed == ["Train both arms."]
    assert folder.state().experiments["E1"].spec.plan == "Written outside.\nAt length."


def test_hostile_text_stays_as_it_was_unless_it_is_edited(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = "[b]Train[/b]\x1b]52;c;b3duZWQ=\x07 \u202eboth\x00 arms"
    spec = experiment(1, plan=plan, title="[red]x[/red]\u200b")
    folder = home.run_with(PROPOSED.model_copy(update={"experiment": spec}), requested(spec))

    async def acts(form: Form) -> None:
        assert form.pilot.app.screen.query_one("#plan", TextArea).text == "[b]Train[/b] both arms"
        await form.fill("compute.cpus", "2")
        await form.press("ctrl+s")

    assert at_the_form(folder, monkeypatch, acts) == [True]
    assert folder.state().experiments["E1"].spec.plan == plan


def test_each_kind_of_criterion_has_its_fields() -> None:
    places = {field.place for field in edit_fields(experiment(hypothesis=None))}
    assert not any(place.startswith("hypothesis") for place in places)
    margin = edit_fields(experiment(hypothesis=hypothesis(criterion=Equivalent(margin=0.1))))
    assert "hypothesis.criterion.margin" in {field.place for field in margin}
    spec = experiment(hypothesis=hypothesis(criterion=InRange(low=0.1, high=0.3), baseline=None))
    fields = {field.place: field for field in edit_fields(spec)}
    assert fields["hypothesis.criterion.high"].read("none") is None
    edited, wrong = edited_spec(spec, {"hypothesis.criterion.low": 0.9})
    assert edited is None
    assert wrong == {"hypothesis.criterion.low": "the lower limit must be below the upper limit"}


@pytest.mark.parametrize("seeds", [(0, 1, 2, 3), (0, 2, 4), (5, 1, 2, 3, 9)])
def test_seeds_read_back_as_they_are_shown(seeds: tuple[int, ...]) -> None:
    assert read_seeds(seeds_text(seeds)) == sorted(seeds)
    assert read_seeds("0 – 3") == [0, 1, 2, 3]
