"""A new run: what is missing is said before it starts, and what was filled in is what runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static, TextArea

from core.config import Settings
from core.demo import study_path
from core.errors import EngineError, RunError
from core.keys.lookup import use_key_store
from core.pricing import TokenPrices
from core.record.folder import RunFolder, list_runs
from core.sandbox.isolation import Finding
from tests.fakes.keys import keys_in_environment
from tests.tui.console.run_app import still
from tests.tui.console.told_paper import until
from tui.app import Console
from tui.run_form import LANGUAGE_MODELS, OWN_SCRIPT, RunForm, folder_problems, policy_in_words, read_form
from tui.screens.keys import KeysScreen
from tui.screens.new_run import NewRunScreen
from tui.screens.new_run_fields import ACCEPT, NO_LITERATURE
from tui.screens.run import RunScreen
from tui.screens.runs import RunsScreen
from tui.widgets.choice import Choice
from tui.widgets.model_fields import UNKNOWN_PRICE, price_words

__all__ = ["still"]

Play = Callable[[NewRunScreen, Pilot[int]], Awaitable[None]]
ISOLATED = Finding("namespaces")
OPEN = Finding("process only", "Install bubblewrap (Debian, Ubuntu: sudo apt install bubblewrap)")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[RunFolder]:
    """Runs whose engine was started; none really is."""
    runs: list[RunFolder] = []
    monkeypatch.setattr("core.process.start_engine", runs.append)
    return runs


def found(monkeypatch: pytest.MonkeyPatch, finding: Finding) -> None:
    """Let the machine have this isolation."""

    async def find() -> Finding:
        return finding

    monkeypatch.setattr("tui.screens.new_run.found_isolation", find)


def play(data: Path, act: Play, size: tuple[int, int] = (100, 40)) -> None:
    """Open the form from the list of runs, and act."""

    async def run() -> None:
        async with Console(Settings(data_folder=data)).run_test(size=size) as pilot:
            await pilot.press("n")
            screen = pilot.app.screen
            assert isinstance(screen, NewRunScreen)
            await until(pilot, lambda: said(screen, "#isolation"), "the probe")
            await pilot.pause()
            await act(screen, pilot)

    asyncio.run(run())


def said(screen: NewRunScreen, part: str) -> str:
    """What a part of the form says."""
    return str(screen.query_one(part, Static).render())


def hint(screen: NewRunScreen, field: str) -> str:
    """What stands beside a field."""
    row = screen.query_one(f"#{field}").parent
    assert row is not None
    return str(row.query_one(".hint", Static).render())


def fill(screen: NewRunScreen, **fields: str) -> None:
    """Fill in fields."""
    for name, value in fields.items():
        screen.query_one(f"#{name}", Input).value = value


def test_a_question_is_asked_with_what_was_filled_in(
    still: Path, started: list[RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    found(monkeypatch, ISOLATED)

    async def act(screen: NewRunScreen, pilot: Pilot[int]) -> None:
        await pilot.press(*"Why so?", "tab", "tab", "right")
        fill(screen, rounds="4", per_round="5", at_once="1", budget="$2.50", policy="under:0.10")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen), "the run's screen")
        (folder,) = started
        state = folder.state()
        assert state.title == "Why so?"
        settings = state.settings
        assert settings.model == "scripted:double_descent"
        assert (settings.max_rounds, settings.num_agents, settings.max_parallel) == (4, 5, 1)
        assert (settings.budget_usd, settings.approve) == (Decimal("2.50"), "under:0.10")
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, RunsScreen)

    play(still, act)


def test_an_empty_form_plays_the_study_on_its_own_question(
    still: Path, started: list[RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    found(monkeypatch, ISOLATED)

    async def act(screen: NewRunScreen, pilot: Pilot[int]) -> None:
        assert "Nothing is missing" in said(screen, ".missing")
        await pilot.press("ctrl+s", "ctrl+s", "f2")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen), "the run's screen")
        (folder,) = started
        state = folder.state()
        assert state.title.startswith("Does bagging help")
        assert state.settings.approve == "ask"
        assert (state.settings.max_rounds, state.settings.num_agents) == (2, 2)

    play(still, act)


def test_a_question_of_ones_own_is_said_not_to_be_researched(
    still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(monkeypatch, ISOLATED)

    async def act(screen: NewRunScreen, pilot: Pilot[int]) -> None:
        assert "not being researched" not in said(screen, "#about")
        await pilot.press("W")
        await pilot.pause()
        assert "not being researched" in said(screen, "#about")

    play(still, act)


def test_everything_that_is_wrong_is_said_at_once_and_the_first_is_gone_to(
    still: Path, started: list[RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    found(monkeypatch, ISOLATED)

    async def act(screen: NewRunScreen, pilot: Pilot[int]) -> None:
        fill(screen, rounds="99", at_once="two", budget="much", policy="yolo")
        await pilot.press("ctrl+s")
        await pilot.pause()
        shown = said(screen, ".missing")
        for words in (
            "'99' is not a number",
            "'two' is not",
            "'much' is not an amount",
            "'yolo' cannot be read",
        ):
            assert words in shown
        assert screen.query_one("#rounds").has_focus
        assert list_runs(still / "runs") == []

    play(still, act)
    assert started == []


def test_without_isolation_the_fix_is_said_and_accepting_it_is_a_choice_of_its_own(
    still: Path, started: list[RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    found(monkeypatch, OPEN)

    async def act(screen: NewRunScreen, pilot: Pilot[int]) -> None:
        assert "sudo apt install bubblewrap" in said(screen, "#isolation")
        accept = screen.query_one("#accept", Choice)
        assert not accept.parent.display  # type: ignore[union-attr]  # it stands in a row
        screen.query_one("#thinking", Choice).choose(OWN_SCRIPT)
        fill(screen, path=str(study_path("bagging")))
        await pilot.pause()
        assert accept.parent.display  # type: ignore[union-attr]  # it stands in a row
        assert not screen.form.accept_process_only
        accept.choose(ACCEPT)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: started, "the start")
        settings = started[0].state().settings
        assert settings.accept_process_only
        assert settings.confirm_scripts is None

    play(still, act)


def test_what_was_accepted_for_a_script_of_ones_own_does_not_hold_where_there_is_isolation(
    still: Path, started: list[RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    found(monkeypatch, ISOLATED)

    async def act(screen: NewRunScreen, pilot: Pilot[int]) -> None:
        screen.query_one("#thinking", Choice).choose(OWN_SCRIPT)
        screen.query_one("#accept", Choice).choose(ACCEPT)
        await pilot.pause()
        assert not screen.form.accept_process_only

    play(still, act)


def test_where_a_key_is_language_models_think_and_their_prices_are_shown(
    still: Path, started: list[RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    found(monkeypatch, ISOLATED)
    use_key_store(keys_in_environment(ANTHROPIC_API_KEY="sk-ant-api03-1"))

    async def act(screen: NewRunScreen, pilot: Pilot[int]) -> None:
        thinking = screen.query_one("#thinking", Choice)
        await until(pilot, lambda: thinking.chosen == LANGUAGE_MODELS, "the key")
        await until(pilot, lambda: "$4 in, $20 out" in hint(screen, "model"), "the price")
        assert screen.query_one("#model", Input).placeholder == "claude-opus-5-5"
        assert screen.query_one("#researcher_model", Input).placeholder == "claude-sonnet-5-5"
        assert "There is no question" in said(screen, ".missing")
        await pilot.press(*"Why so?")
        fill(screen, researcher_model="claude-banana")
        await pilot.pause()
        assert "price unknown" in hint(screen, "researcher_model")
        assert "Thinking costs from the start" in said(screen, ".missing")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: started, "the start")
        settings = started[0].state().settings
        assert (settings.model, settings.researcher_model) == ("claude-opus-5-5", "claude-banana")
        assert settings.writer_model == "claude-opus-5-5"
        assert settings.confirm_scripts is None
        assert not settings.accept_process_only

    play(still, act)


def test_a_missing_key_is_said_before_the_start_with_where_to_get_it(
    still: Path, started: list[RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    found(monkeypatch, ISOLATED)

    async def act(screen: NewRunScreen, pilot: Pilot[int]) -> None:
        assert screen.query_one("#thinking", Choice).chosen != LANGUAGE_MODELS
        await pilot.press(*"Why?", "tab", "left")
        await until(pilot, lambda: "nor GOOGLE_API_KEY is there" in said(screen, ".missing"), "the keys")
        assert "^t sets them here.  Get a key at" in " ".join(said(screen, ".missing").split("\n"))
        fill(screen, writer_model="gemini-4-argon", model="claude-opus-5-5")
        await pilot.pause()
        shown = said(screen, ".missing")
        assert "ANTHROPIC_API_KEY is missing, which claude-opus-5-5 needs" in shown
        assert "GOOGLE_API_KEY is missing, which gemini-4-argon needs" in shown
        await pilot.press("ctrl+s")
        assert screen.query_one("#model").has_focus

    play(still, act)
    assert started == []


def test_a_model_is_suggested_as_it_is_typed(still: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch, ISOLATED)

    async def act(screen: NewRunScreen, pilot: Pilot[int]) -> None:
        await pilot.press("tab", "left", "tab", *"claude-son")
        field = screen.query_one("#model", Input)
        await until(pilot, lambda: field._suggestion, "a suggestion")
        await pilot.press("right")
        assert field.value == "claude-sonnet-5-5"

    play(still, act)


def test_scripts_of_language_models_run_without_isolation_only_where_that_was_accepted(
    still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(monkeypatch, OPEN)

    async def act(screen: NewRunScreen, pilot: Pilot[int]) -> None:
        screen.query_one("#thinking", Choice).choose(LANGUAGE_MODELS)
        await pilot.pause()
        accepted = [screen.form.accept_process_only]
        screen.query_one("#accept", Choice).choose(ACCEPT)
        await pilot.pause()
        accepted.append(screen.form.accept_process_only)
        screen.query_one("#thinking", Choice).choose("a shipped study")
        await pilot.pause()
        accepted.append(screen.form.accept_process_only)
        assert accepted == [False, True, False]

    play(still, act)


def test_an_engine_that_does_not_come_up_leaves_the_run_in_the_list(
    still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(monkeypatch, ISOLATED)

    def refuse(folder: RunFolder) -> None:
        raise EngineError("the engine ended at once", "See the log.")

    monkeypatch.setattr("core.process.start_engine", refuse)

    async def act(screen: NewRunScreen, pilot: Pilot[int]) -> None:
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunsScreen), "the list")
        (toast,) = pilot.app._notifications
        assert "The run is kept" in toast.message
        assert len(list_runs(still / "runs")) == 1

    play(still, act)


def test_escape_drops_what_was_typed_only_the_second_time(
    still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(monkeypatch, ISOLATED)

    async def act(screen: NewRunScreen, pilot: Pilot[int]) -> None:
        await pilot.press(*"Why", "escape")
        assert pilot.app.screen is screen
        assert "Escape once more" in said(screen, ".missing")
        await pilot.press("?")
        await pilot.pause()
        await pilot.press("escape")
        assert pilot.app.screen is screen
        assert screen.query_one("#question", TextArea).text == "Why?"
        await pilot.press("escape")
        assert screen not in pilot.app.screen_stack

    play(still, act)


def test_data_paper_and_literature_are_as_they_were_filled_in(
    still: Path, started: list[RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    found(monkeypatch, ISOLATED)
    use_key_store(keys_in_environment(ANTHROPIC_API_KEY="sk-ant-api03-1"))
    table = still.parent / "table.csv"
    table.write_text("a,b")

    async def act(screen: NewRunScreen, pilot: Pilot[int]) -> None:
        await until(pilot, lambda: "$4" in hint(screen, "model"), "the key")
        await pilot.press(*"Why so?")
        fill(screen, data=f"{table} {still.parent}")
        await pilot.pause()
        assert "is a folder" in said(screen, ".missing")
        assert not screen.query_one("DataField .about").parent.display  # type: ignore[union-attr]
        fill(screen, data=str(table))
        screen.query_one("#literature", Choice).choose(NO_LITERATURE)
        screen.query_one("#paper_size", Choice).choose("a4")
        await pilot.pause()
        assert "1 file: table.csv 3 bytes. A copy is kept" in said(screen, "DataField .about")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen), "the run's screen")
        await until(pilot, lambda: started, "the engine")
        state = started[0].state()
        assert list(state.data) == ["table.csv"]
        assert (state.settings.literature, state.settings.paper_size) == (False, "a4")

    play(still, act)


def test_an_engine_is_not_started_without_the_data_that_was_named(
    still: Path, started: list[RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    found(monkeypatch, ISOLATED)
    table = still.parent / "table.csv"
    table.write_text("a,b")

    async def refuse(*_: object) -> list[str]:
        raise RunError("no room.")

    monkeypatch.setattr("tui.giving_data.add_in_process", refuse)

    async def act(screen: NewRunScreen, pilot: Pilot[int]) -> None:
        screen.query_one("#thinking", Choice).choose(OWN_SCRIPT)
        fill(screen, path=str(study_path("bagging")), data=str(table))
        await pilot.pause()
        await pilot.press("ctrl+s")
        await until(pilot, lambda: len(pilot.app._notifications) > 1, "the refusal")
        *_, toast = pilot.app._notifications
        assert "no room. The run is kept" in toast.message
        assert isinstance(pilot.app.screen, RunScreen)

    play(still, act)
    assert started == []


def test_what_belongs_to_another_choice_is_hidden_and_does_not_count(
    still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(monkeypatch, ISOLATED)

    def shows(screen: NewRunScreen, field: str) -> bool:
        return all(node.display for node in screen.query_one(field).ancestors_with_self if node is not screen)

    async def act(screen: NewRunScreen, pilot: Pilot[int]) -> None:
        fill(screen, data="/no/such/file", gpu="H1000")
        thinking = screen.query_one("#thinking", Choice)
        seen = {}
        for chosen in ("a shipped study", OWN_SCRIPT, LANGUAGE_MODELS):
            thinking.choose(chosen)
            await pilot.pause()
            seen[chosen] = [shows(screen, field) for field in ("#data", "#literature", "#gpu", "#paper_size")]
            assert ("no file /no/such/file" in said(screen, ".missing")) == seen[chosen][0]
        assert seen == {
            "a shipped study": [False, False, False, True],
            OWN_SCRIPT: [True, False, False, True],
            LANGUAGE_MODELS: [True, True, False, True],
        }
        assert "H1000" not in said(screen, ".missing")

    play(still, act)


def test_at_modal_a_missing_token_is_set_on_the_spot_and_gpus_are_priced(
    still: Path, started: list[RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    found(monkeypatch, ISOLATED)

    async def act(screen: NewRunScreen, pilot: Pilot[int]) -> None:
        screen.query_one("#sandbox", Choice).choose("modal")
        fill(screen, gpu="H10")
        await pilot.pause()
        shown = said(screen, ".missing")
        assert "MODAL_TOKEN_ID and MODAL_TOKEN_SECRET are missing" in shown
        assert "^t sets them here" in shown
        assert "Modal has no GPU 'H10'.  Did you mean H100?" in shown
        await pilot.press("ctrl+s")
        assert started == []
        fill(screen, gpu="h100:2")
        await pilot.pause()
        assert hint(screen, "gpu").startswith(
            "$7.90/h, or $9.08/h where Modal gives an H200; Modal's prices of 2026-"
        )
        await pilot.press("ctrl+t")
        await until(pilot, lambda: isinstance(pilot.app.screen, KeysScreen), "the keys")
        use_key_store(keys_in_environment(MODAL_TOKEN_ID="ak-1", MODAL_TOKEN_SECRET="as-1"))
        await pilot.press("escape")
        await until(pilot, lambda: "Nothing is missing" in said(screen, ".missing"), "the token")

    play(still, act)


@pytest.mark.parametrize("path", ["", "/no/such/file", "\0", "~nobody-here/x", "/etc/passwd", "."])
def test_a_script_that_cannot_be_played_is_said_at_its_path(tmp_path: Path, path: str) -> None:
    request, problems = read_form(RunForm(study=OWN_SCRIPT, path=path), Settings(data_folder=tmp_path))
    assert request is None
    assert [problem.field for problem in problems] == ["path"]


FORM = RunForm(study="bagging")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"study": "no such study"}, "model"),
        ({"question": "x" * 4001}, "question"),
        ({"rounds": "0"}, "rounds"),
        ({"rounds": "²"}, "rounds"),
        ({"mode": "single"}, "mode"),
        ({"per_round": "257"}, "per_round"),
        ({"at_once": "-1"}, "at_once"),
        ({"budget": "NaN"}, "budget"),
        ({"policy": "under:"}, "policy"),
    ],
)
def test_what_does_not_fit_is_said_at_its_field(tmp_path: Path, changes: dict[str, Any], field: str) -> None:
    request, problems = read_form(replace(FORM, **changes), Settings(data_folder=tmp_path))
    assert request is None
    assert [problem.field for problem in problems] == [field]


def test_a_data_folder_that_cannot_be_written_is_said_before_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.touch()
    assert "cannot be written" in folder_problems(Settings(data_folder=file))[0].message
    assert folder_problems(Settings(data_folder=tmp_path / "new" / "deep")) == []
    monkeypatch.setattr("tui.run_form.file_system_of", lambda path: "nfs4")
    assert "network file system" in folder_problems(Settings(data_folder=tmp_path))[0].message


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("ask", "waits for you"),
        ("auto", "known price"),
        ("cpu", "without a GPU"),
        ("under:2", "$2.00"),
        ("x", ""),
    ],
)
def test_a_policy_is_said_in_words(policy: str, words: str) -> None:
    assert words in policy_in_words(policy)
    assert bool(policy_in_words(policy)) == bool(words)


CLAUDES = RunForm(question="Why?", study=LANGUAGE_MODELS, model="claude-opus-5-5")


@pytest.mark.parametrize(
    ("changes", "keys", "fields"),
    [
        ({}, {"ANTHROPIC_API_KEY"}, []),
        ({"mode": "single"}, {"ANTHROPIC_API_KEY"}, []),
        ({"question": ""}, {"ANTHROPIC_API_KEY"}, ["question"]),
        ({}, (), ["model"]),
        ({}, {"GOOGLE_API_KEY"}, ["model"]),
        ({"writer_model": "gemini-4-argon"}, {"ANTHROPIC_API_KEY"}, ["writer_model"]),
        ({"writer_model": "gemini-4-argon"}, {"ANTHROPIC_API_KEY", "GOOGLE_API_KEY"}, []),
        ({"researcher_model": "qwen3"}, {"ANTHROPIC_API_KEY"}, ["researcher_model"]),
        ({"model": ""}, {"GOOGLE_API_KEY"}, []),
        ({"model": ""}, (), ["model"]),
        ({"model": ""}, None, ["model"]),
    ],
)
def test_language_models_are_asked_for_only_where_they_can_answer(
    tmp_path: Path, changes: dict[str, Any], keys: set[str] | None, fields: list[str]
) -> None:
    request, problems = read_form(replace(CLAUDES, **changes), Settings(data_folder=tmp_path), keys)
    assert [problem.field for problem in problems] == fields
    assert all(problem.next_step for problem in problems)
    assert (request is None) == bool(fields)


@pytest.mark.parametrize(
    ("usd", "words"),
    [(("2", "10"), "$2 in, $10 out per million tokens"), (("0.10", "0.50"), "$0.1 in"), (("0", "0"), "free")],
)
def test_a_price_of_tokens_is_said_in_words(usd: tuple[str, str], words: str) -> None:
    assert words in price_words(TokenPrices(Decimal(usd[0]), Decimal(usd[1])))
    assert price_words(None) == UNKNOWN_PRICE
