"""Dialogs: what says yes, what says no, and what says nothing."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widgets import Input, Static, TextArea

from core.errors import InputError
from core.record.folder import RunFolder
from tests.fakes import console_runs as runs
from tests.fakes.specs import new_run
from tests.tui.console.card_app import CardApp, Time
from tui import external_editor
from tui.screens.dialogs import Ask, Confirm
from tui.screens.steering_questions import (
    budget_question,
    kill_question,
    message_question,
    repeat_price,
    seeds_question,
)

pytestmark = pytest.mark.usefixtures("home")

HOSTILE = "\x1b]52;c;b3duZWQ=\x07[bold]x[/bold]\u202ereversed\x00\x1b[31mred"


def at_a_dialog(
    folder: RunFolder,
    monkeypatch: pytest.MonkeyPatch,
    dialog: ModalScreen[Any],
    acts: Callable[[Pilot[int], Time], Awaitable[None]],
) -> list[Any]:
    """Show a dialog and let a human act; what it answered, if it did."""
    time, answers = Time(monkeypatch), list[Any]()

    async def session() -> None:
        app = CardApp(folder)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            app.push_screen(dialog, answers.append)
            await pilot.pause()
            await acts(pilot, time)
            await pilot.pause()

    asyncio.run(session())
    return answers


def text_of(pilot: Pilot[int]) -> str:
    return "\n".join(str(one.content) for one in pilot.app.screen.query(Static) if one.display)


def presses(*keys: str) -> Callable[[Pilot[int], Time], Awaitable[None]]:
    async def acts(pilot: Pilot[int], time: Time) -> None:
        for key in keys:
            time.passes()
            await pilot.press(key)

    return acts


@pytest.mark.parametrize(
    ("keys", "answer"),
    [(("y",), [True]), (("n",), [False]), (("escape",), [False]), (("enter", "y"), [True])],
)
def test_a_question_is_answered_by_y_n_or_escape(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...], answer: list[bool]
) -> None:
    assert at_a_dialog(new_run(tmp_path), monkeypatch, Confirm("Sure?"), presses(*keys)) == answer


@pytest.mark.parametrize("keys", [("enter",), ("Y",), ("space",), ("enter", "enter", "tab", "enter")])
def test_nothing_else_answers_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...]
) -> None:
    assert at_a_dialog(new_run(tmp_path), monkeypatch, Confirm("Sure?"), presses(*keys)) == []


def test_a_key_that_was_on_its_way_before_the_question_answers_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def acts(pilot: Pilot[int], time: Time) -> None:
        time.passes(0.39)
        await pilot.press("y", "n", "escape", "y")

    assert at_a_dialog(new_run(tmp_path), monkeypatch, Confirm("Sure?"), acts) == []


def test_a_split_escape_sequence_never_says_yes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = at_a_dialog(new_run(tmp_path), monkeypatch, Confirm("Sure?"), presses("escape", "[", "A", "y"))
    assert answers == [False]


def test_yes_can_be_clicked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def acts(pilot: Pilot[int], time: Time) -> None:
        await pilot.click("KeyLine", offset=(0, 0))
        time.passes()
        await pilot.click("KeyLine", offset=(0, 0))

    assert at_a_dialog(new_run(tmp_path), monkeypatch, Confirm("Sure?"), acts) == [True]


def test_hostile_text_is_shown_as_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def acts(pilot: Pilot[int], time: Time) -> None:
        shown = text_of(pilot)
        assert "[bold]x[/bold]reversedred" in shown
        assert not {"\x1b", "\x00", "\u202e"} & set(shown)

    at_a_dialog(new_run(tmp_path), monkeypatch, Confirm(HOSTILE, HOSTILE, HOSTILE), acts)
    at_a_dialog(new_run(tmp_path), monkeypatch, Ask(HOSTILE, HOSTILE, initial=HOSTILE), acts)


@pytest.mark.parametrize(
    ("multiline", "keys", "answer"),
    [
        (False, (*" hi ", "enter"), ["hi"]),
        (False, (*"hi", "ctrl+s"), ["hi"]),
        (True, (*"a", "enter", *"b", "ctrl+s"), ["a\nb"]),
        (True, (*"a", "f2"), ["a"]),
        (False, ("escape",), [None]),
        (False, ("enter",), []),
        (True, ("space", "ctrl+s"), []),
    ],
)
def test_words_are_sent_or_given_up(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    multiline: bool,
    keys: tuple[str, ...],
    answer: list[str | None],
) -> None:
    dialog = Ask("What?", multiline=multiline)
    assert at_a_dialog(new_run(tmp_path), monkeypatch, dialog, presses(*keys)) == answer


def test_what_may_be_empty_is_sent_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dialog = Ask("Why?", required=False)
    assert at_a_dialog(new_run(tmp_path), monkeypatch, dialog, presses("enter")) == [""]


def test_typed_words_are_dropped_only_by_a_second_escape(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = (*"hi", "escape", "[", "A")
    folder = new_run(tmp_path)
    assert at_a_dialog(folder, monkeypatch, Ask("What?", multiline=True), presses(*split)) == []
    kept = (*split, "escape", "x", "escape")
    assert at_a_dialog(folder, monkeypatch, Ask("What?"), presses(*kept)) == []
    dropped = (*"hi", "escape", "escape")
    assert at_a_dialog(folder, monkeypatch, Ask("What?"), presses(*dropped)) == [None]


@pytest.mark.parametrize("multiline", [False, True])
def test_long_text_goes_on_in_the_editor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, multiline: bool
) -> None:
    handed = list[str]()

    def editor(app: object, text: str, extension: str) -> str:
        handed.append(text)
        return "from\noutside"

    monkeypatch.setattr("tui.screens.dialogs.edited_outside", editor)
    dialog = Ask("What?", multiline=multiline)
    answers = at_a_dialog(new_run(tmp_path), monkeypatch, dialog, presses(*"begun", "ctrl+e", "ctrl+s"))
    assert handed == ["begun"]
    assert answers == ["from\noutside" if multiline else "from outside"]


def test_a_terminal_that_cannot_be_handed_over_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def acts(pilot: Pilot[int], time: Time) -> None:
        await pilot.press("ctrl+e")
        assert "cannot be handed to an editor" in text_of(pilot)

    assert at_a_dialog(new_run(tmp_path), monkeypatch, Ask("What?"), acts) == []


class Terminal:
    """An app that can step aside."""

    def suspend(self) -> Terminal:
        return self

    def __enter__(self) -> None: ...

    def __exit__(self, *error: object) -> None: ...


def test_what_an_editor_saves_comes_back_without_control_characters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "editor.py"
    script.write_text("import sys\nopen(sys.argv[1], 'a').write('\\x1b[2Jmore\\n')\n")
    monkeypatch.setenv("VISUAL", f"{sys.executable} {script}")
    assert external_editor.edited_outside(Terminal(), "begun") == "begun\nmore"  # type: ignore[arg-type]
    monkeypatch.setenv("VISUAL", f"{tmp_path}/missing")
    with pytest.raises(InputError, match="does not start"):
        external_editor.edited_outside(Terminal(), "begun")  # type: ignore[arg-type]


def test_a_kill_says_what_it_has_cost_and_what_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = runs.running(tmp_path)

    async def acts(pilot: Pilot[int], time: Time) -> None:
        shown = " ".join(text_of(pilot).split())
        assert "Kill E2?" in shown
        assert "$" in shown
        assert "the logs and measurements of 1 script and 1 finding" in shown
        assert "without a verdict" in shown

    at_a_dialog(folder, monkeypatch, kill_question(folder.state(), "E2", runs.LOOKED_AT), acts)


def test_a_kill_of_what_has_not_started_costs_nothing_and_the_runs_kill_names_the_paper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = runs.running(tmp_path)

    async def planned(pilot: Pilot[int], time: Time) -> None:
        assert "has cost nothing" in text_of(pilot)

    async def whole(pilot: Pilot[int], time: Time) -> None:
        assert "2 experiments running" in " ".join(text_of(pilot).split())
        assert "gets no paper" in text_of(pilot)

    at_a_dialog(folder, monkeypatch, kill_question(folder.state(), "E5"), planned)
    at_a_dialog(folder, monkeypatch, kill_question(folder.state(), None, runs.LOOKED_AT), whole)


def test_more_seeds_say_what_a_repeat_costs_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = runs.running(tmp_path)
    state = folder.state()
    limit = state.experiments["E1"].spec.compute.timeout_seconds
    price = state.settings.local_usd_per_hour * limit / 3600
    assert f"${price:.2f}" in repeat_price(state, state.experiments["E1"])

    async def acts(pilot: Pilot[int], time: Time) -> None:
        field = pilot.app.screen.query_one(Input)
        field.value = "1"
        await pilot.press("enter")
        assert "not between 2 and 1,000" in text_of(pilot)
        field.value = "many"
        await pilot.press("enter")
        assert "type a whole number" in text_of(pilot)
        field.value = "20"
        await pilot.pause()
        assert "20 new seeds, for never more than $1.20" in text_of(pilot)
        await pilot.press("enter")

    assert at_a_dialog(folder, monkeypatch, seeds_question(state, "E1"), acts) == ["20"]


def test_the_cap_cannot_go_below_what_is_committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = runs.running(tmp_path)
    state = folder.state()

    async def acts(pilot: Pilot[int], time: Time) -> None:
        assert f"${state.spent_usd:.2f} is spent" in text_of(pilot)
        field = pilot.app.screen.query_one(Input)
        assert Decimal(field.value) == state.cap_usd
        for refused in ("0.01", "plenty", "-3", "nan"):
            field.value = refused
            await pilot.press("enter")
        field.value = "$25"
        await pilot.pause()
        assert "of $25.00 would be free" in text_of(pilot)
        await pilot.press("enter")

    assert at_a_dialog(folder, monkeypatch, budget_question(state), acts) == ["$25"]


def test_a_message_that_is_too_long_is_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def acts(pilot: Pilot[int], time: Time) -> None:
        pilot.app.screen.query_one(TextArea).text = "x" * 8001
        await pilot.press("ctrl+s")
        assert "this has 8,001 characters" in text_of(pilot)

    assert at_a_dialog(new_run(tmp_path), monkeypatch, message_question("E1"), acts) == []
