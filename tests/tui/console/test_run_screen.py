"""What keys do on a run's screen, and what it shows when the journal grows."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from core.record import events as e
from core.record.folder import RunFolder
from core.record.journal import Journal
from tests.fakes import console_runs
from tests.tui.console.run_app import (
    NARROW,
    WIDE,
    opened,
    play,
    rows,
    seen,
    settle,
    shown_view,
    still,
    until,
)
from tui.app import Console
from tui.run_places import MOST_PLACES, Place, keep_place, last_place, places_path
from tui.screens.dialogs import Ask, Confirm
from tui.screens.paper import PaperScreen

__all__ = ["still"]


def grow(folder: RunFolder, *events: e.Event) -> None:
    """Another process appends."""
    with Journal(folder.journal_path) as journal:
        journal.append(*events)


def last_event(folder: RunFolder) -> e.Event:
    """What was appended last."""
    with folder.journal() as journal:
        return list(journal.read())[-1]


def test_the_head_tells_the_question_the_state_the_money_and_what_waits(still: Path) -> None:
    async def scene() -> None:
        folder = console_runs.running(still)
        with console_runs.driven(folder):
            async with opened(folder) as (screen, _):
                first, second = rows(screen)[:2]
                assert "Does bagging help every learner" in first
                assert "● running 9:30" in first
                assert "local · bubblewrap" in first
                assert "◆ 2 wait" in first
                for part in ("spent $", "$10.00 cap", "reserved $", "burning $7.20/h", "tokens 85k in"):
                    assert part in second

    play(scene)


def test_a_run_without_a_language_model_says_so(still: Path) -> None:
    async def scene() -> None:
        folder = console_runs.waiting(still, model="scripted:bagging")
        for size in (WIDE, NARROW):
            async with opened(folder, size) as (screen, _):
                assert "scripted" in seen(screen)

    play(scene)


def test_an_unknown_price_is_shown_as_unknown_and_never_as_nothing(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.unpriced(still)) as (screen, _):
            (line,) = [row for row in rows(screen) if " E1 " in row and "waits" in row]
            assert "≤?" in line

    play(scene)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_why_a_run_is_paused_and_the_next_step_are_shown_whole(still: Path, size: tuple[int, int]) -> None:
    reason = "gateway.example:8443 refused the key: this virtual key has been revoked by your team's owner"
    step = "Set another with 'fumehood keys set ANTHROPIC_API_KEY --no-check'"

    async def scene() -> None:
        folder = console_runs.running(still)
        grow(folder, e.EngineStopped(reason="paused", message=reason, next_step=step, sandboxes="left"))
        async with opened(folder, size) as (screen, _):
            notice = " ".join(" ".join(rows(screen)[2:8]).split())
            assert f"The run is paused: {reason}. {step}. Its sandboxes stay open" in notice
            assert "r resume" in notice

    play(scene)


def test_what_is_appended_elsewhere_is_shown(still: Path) -> None:
    async def scene() -> None:
        folder = console_runs.running(still)
        with console_runs.driven(folder):
            async with opened(folder) as (screen, pilot):
                grow(folder, e.LaunchingPaused(), e.BudgetSet(cap_usd=Decimal(25)))
                await until(pilot, lambda: "‖ paused" in seen(screen), "the pause")
                assert "$25.00 cap" in seen(screen)

    play(scene)


def test_number_keys_choose_the_view(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            await pilot.press("j", "j")
            for key, view in zip("12345", ("log", "thoughts", "metrics", "code", "report"), strict=True):
                await pilot.press(key)
                assert shown_view(screen) == view

    play(scene)


def test_each_kind_of_agent_remembers_its_own_view(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            await pilot.press("j", "j", "4")
            assert (screen.agent, shown_view(screen)) == ("E1", "code")
            await pilot.press("g")
            assert (screen.agent, shown_view(screen)) == ("orchestrator", "thoughts")
            await pilot.press("j", "j")
            assert (screen.agent, shown_view(screen)) == ("E1", "code")

    play(scene)


def test_every_view_shows_the_agent_that_was_chosen_while_it_was_hidden(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            await pilot.press("j", "j", "2")
            await settle(pilot)
            assert "It works. Now all seeds." in seen(screen)
            assert "I propose to test both" not in seen(screen)

    play(scene)


@pytest.mark.parametrize("view", ["2", "3", "5"])
def test_a_view_opened_on_a_narrow_screen_shows_the_chosen_agent(still: Path, view: str) -> None:
    words = {"2": "I try the script with one seed.", "3": "vote_error", "5": "Bagging 50 decision trees"}

    async def scene() -> None:
        async with opened(console_runs.running(still), NARROW) as (screen, pilot):
            await pilot.press("j", "j", view)
            await settle(pilot)
            if view == "2":
                await pilot.press("g")
            await until(pilot, lambda: words[view] in seen(screen), f"view {view}")

    play(scene)


def test_brackets_go_from_agent_to_agent_and_the_plan_goes_along(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            visited = []
            for _ in range(5):
                await pilot.press("]")
                visited.append(screen.agent)
            assert visited == ["E1", "E2", "E3", "E4", "orchestrator"]
            await pilot.press("[")
            assert screen.agent == "E4"
            await settle(pilot)
            (line,) = [row for row in rows(screen) if row.startswith("▌")]
            assert " E4 " in line

    play(scene)


def test_tab_changes_sides_and_turns_the_page_where_only_one_has_room(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still), NARROW) as (screen, pilot):
            assert "Round 1" in seen(screen)
            assert "thoughts" not in seen(screen)
            await pilot.press("tab")
            await settle(pilot)
            assert "Round 1" not in seen(screen)
            assert "thoughts" in seen(screen)
            assert screen.focused is not None
            assert screen.focused.id == "thoughts"
            await pilot.press("tab")
            await settle(pilot)
            assert "Round 1" in seen(screen)

    play(scene)


def test_zoom_gives_the_right_side_the_whole_screen_and_takes_it_back(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            await pilot.press("z")
            await settle(pilot)
            assert "Round 1" not in seen(screen)
            await pilot.press("z")
            await settle(pilot)
            assert "Round 1" in seen(screen)

    play(scene)


def test_the_next_waiting_request_opens_its_card_and_tab_comes_back(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.waiting(still)) as (screen, pilot):
            await pilot.press("!")
            await settle(pilot)
            assert screen.card.display
            assert "1 of 3 waiting" in seen(screen)
            await pilot.press("tab")
            await settle(pilot)
            assert screen.focused is screen.query_one("#tree")
            assert "1 of 3 waiting" not in seen(screen)

    play(scene)


def test_enter_on_a_waiting_experiment_opens_its_card(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            await pilot.press("G", "k", "enter")
            await settle(pilot)
            assert screen.agent == "E6"
            assert screen.card.display
            left = screen.query_one("#left").region.right
            assert any("Noisy labels" in row[left:] for row in rows(screen))

    play(scene)


def test_a_new_request_opens_nothing_and_takes_no_focus(still: Path) -> None:
    async def scene() -> None:
        folder = console_runs.running(still)
        async with opened(folder) as (screen, pilot):
            focused = screen.focused
            grow(
                folder,
                e.ApprovalRequested(
                    request_id="question:E2:q",
                    kind="question",
                    experiment_id="E2",
                    subject="7" * 64,
                    title="?",
                ),
            )
            await until(pilot, lambda: "◆ 3 wait" in seen(screen), "the badge")
            assert not screen.card.display
            assert screen.focused is focused

    play(scene)


def test_pausing_and_going_on_are_in_the_journal(still: Path) -> None:
    async def scene() -> None:
        folder = console_runs.running(still)
        async with opened(folder) as (_, pilot):
            await pilot.press("p")
            assert isinstance(last_event(folder), e.LaunchingPaused)
            await pilot.press("p")
            assert isinstance(last_event(folder), e.LaunchingContinued)

    play(scene)


def test_killing_asks_first_and_enter_alone_kills_nothing(
    still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.widgets.key_guard.HELD_SECONDS", 0.0)

    async def scene() -> None:
        folder = console_runs.running(still)
        async with opened(folder) as (screen, pilot):
            before = screen.feed.state.seq
            await pilot.press("j", "j", "j", "x")
            await until(pilot, lambda: isinstance(pilot.app.screen, Confirm), "the question")
            await pilot.press("enter")
            assert isinstance(pilot.app.screen, Confirm)
            await pilot.press("n")
            await until(pilot, lambda: pilot.app.screen is screen, "the run")
            assert screen.feed.folder.state().seq == before
            await pilot.press("x")
            await until(pilot, lambda: isinstance(pilot.app.screen, Confirm), "the question")
            await pilot.press("y")
            await until(pilot, lambda: isinstance(last_event(folder), e.KillRequested), "the kill")
            killed = last_event(folder)
            assert isinstance(killed, e.KillRequested)
            assert killed.experiment_id == "E2"

    play(scene)


def test_a_cut_off_arrow_key_changes_nothing_but_the_agent(still: Path) -> None:
    async def scene() -> None:
        folder = console_runs.running(still)
        async with opened(folder) as (screen, pilot):
            before = screen.feed.state.seq
            for rest in ("A", "B", "C", "D", "H", "F", "Z", "M"):
                await pilot.press("left_square_bracket", rest)
            assert pilot.app.screen is screen
            assert folder.state().seq == before

    play(scene)


def test_a_message_reaches_the_agent_that_is_looked_at(still: Path) -> None:
    async def scene() -> None:
        folder = console_runs.running(still)
        async with opened(folder) as (_, pilot):
            await pilot.press("j", "j", "j", "m")
            await until(pilot, lambda: isinstance(pilot.app.screen, Ask), "the dialog")
            await pilot.press(*"hello", "ctrl+s")
            await until(pilot, lambda: isinstance(last_event(folder), e.MessageSent), "the message")
            sent = last_event(folder)
            assert isinstance(sent, e.MessageSent)
            assert (sent.agent, sent.text) == ("E2", "hello")

    play(scene)


def test_the_cap_is_set_to_what_was_typed(still: Path) -> None:
    async def scene() -> None:
        folder = console_runs.running(still)
        async with opened(folder) as (_, pilot):
            await pilot.press("b")
            await until(pilot, lambda: isinstance(pilot.app.screen, Ask), "the dialog")
            await pilot.press("ctrl+u", *"25", "enter")
            await until(pilot, lambda: isinstance(last_event(folder), e.BudgetSet), "the cap")
            assert folder.state().cap_usd == 25

    play(scene)


def test_more_seeds_can_be_asked_for_where_an_experiment_is_done(still: Path) -> None:
    async def scene() -> None:
        folder = console_runs.running(still)
        async with opened(folder) as (_, pilot):
            await pilot.press("j", "j", "n")
            await until(pilot, lambda: isinstance(pilot.app.screen, Ask), "the dialog")
            await pilot.press("ctrl+u", *"5", "enter")
            await until(pilot, lambda: isinstance(last_event(folder), e.SeedsRequested), "the request")
            asked = last_event(folder)
            assert isinstance(asked, e.SeedsRequested)
            assert (asked.experiment_id, asked.count) == ("E1", 5)

    play(scene)


def test_an_interrupted_run_says_so_and_r_starts_an_engine(
    still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[RunFolder] = []
    monkeypatch.setattr("tui.screens.steering.start_engine", started.append)

    async def scene() -> None:
        folder = console_runs.interrupted(still)
        async with opened(folder) as (screen, pilot):
            assert "The engine is gone without a word" in seen(screen)
            await pilot.press("r")
            await until(pilot, lambda: started == [folder], "starting")

    play(scene)


def test_a_run_that_is_driven_cannot_be_resumed(still: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[RunFolder] = []
    monkeypatch.setattr("tui.screens.steering.start_engine", started.append)

    async def scene() -> None:
        folder = console_runs.running(still)
        with console_runs.driven(folder):
            async with opened(folder) as (screen, pilot):
                await pilot.press("r")
                await settle(pilot)
                assert started == []
                assert "resume" not in seen(screen)

    play(scene)


def test_nothing_waits_in_a_run_that_is_over(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.failed(still)) as (screen, _):
            assert "The run failed" in seen(screen)
            assert "wait" not in rows(screen)[0]
            assert "⊘ E3  not run" in seen(screen)

    play(scene)


def test_what_a_run_left_waiting_rings_no_bell_and_opens_no_card_once_it_is_over(
    still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[int] = []
    monkeypatch.setattr(Console, "bell", lambda self: rung.append(1))

    async def scene() -> None:
        async with opened(console_runs.failed(still)) as (screen, pilot):
            await pilot.press("!")
            await settle(pilot)
            assert not screen.card.display
            assert any("Nothing waits" in toast.message for toast in pilot.app._notifications)
            await pilot.press("G", "enter")
            await settle(pilot)
            assert not screen.card.display
            assert rung == []

    play(scene)


def test_a_run_that_ends_while_its_card_is_open_puts_the_card_away(still: Path) -> None:
    async def scene() -> None:
        folder = console_runs.waiting(still)
        async with opened(folder) as (screen, pilot):
            await pilot.press("!")
            await settle(pilot)
            assert screen.card.display
            grow(folder, e.RunEnded(outcome="killed", message=""))
            await until(pilot, lambda: not screen.card.display, "the end of the card")

    play(scene)


def test_a_title_stands_in_the_head_and_the_question_in_the_report(still: Path) -> None:
    async def scene() -> None:
        folder = console_runs.running(still)
        grow(folder, e.RunRenamed(title="Bags of trees"))
        async with opened(folder) as (screen, pilot):
            assert "Bags of trees" in rows(screen)[0]
            await pilot.press("5")
            await settle(pilot)
            assert "Does bagging help every learner" in seen(screen)

    play(scene)


def test_a_script_of_a_run_without_an_engine_is_not_said_to_run(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.interrupted(still)) as (screen, pilot):
            await pilot.press("j", "j", "j")
            for view in ("1", "4", "5"):
                await pilot.press(view)
                await settle(pilot)
                assert "no engine follows it" in seen(screen)

    play(scene)


def test_a_terminal_may_take_any_size_at_any_time(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still), (200, 50)) as (screen, pilot):
            for size in ((60, 20), (200, 12), (61, 12), (121, 40), (40, 10), (160, 30), (80, 24)):
                await pilot.resize_terminal(*size)
                await settle(pilot)
                await pilot.press("tab")
            assert "q detach" in seen(screen)

    play(scene)


def test_the_paper_can_be_read_once_there_is_one(still: Path) -> None:
    async def scene() -> None:
        async with opened(console_runs.running(still)) as (screen, pilot):
            await pilot.press("P")
            assert pilot.app.screen is screen
        async with opened(console_runs.done(still / "done")) as (_, pilot):
            await pilot.press("P")
            await until(pilot, lambda: isinstance(pilot.app.screen, PaperScreen), "the paper")

    play(scene)


def test_coming_back_shows_the_place_that_was_left(still: Path) -> None:
    async def scene() -> None:
        folder = console_runs.running(still)
        async with opened(folder) as (_, pilot):
            await pilot.press("j", "j", "j", "3")
            await settle(pilot)
        async with opened(folder) as (screen, pilot):
            await settle(pilot)
            assert (screen.agent, shown_view(screen)) == ("E2", "metrics")

    play(scene)


def test_a_place_that_makes_no_sense_any_more_is_the_beginning(still: Path) -> None:
    async def scene() -> None:
        folder = console_runs.running(still)
        keep_place(folder.run_id, Place(agent="E99", views={"conversation": "nothing"}))
        async with opened(folder) as (screen, _):
            assert (screen.agent, shown_view(screen)) == ("orchestrator", "thoughts")

    play(scene)


def test_a_damaged_file_of_places_is_as_good_as_none(still: Path) -> None:
    places_path().parent.mkdir(parents=True)
    for damaged in (b"\xff\xfe", b"[]", b'{"r": 7}', b'{"r": {"agent": 3}}'):
        places_path().write_bytes(damaged)
        assert last_place("r") == Place()
    keep_place("r", Place(agent="E2"))
    assert last_place("r").agent == "E2"


def test_only_so_many_places_are_kept_and_the_oldest_goes(still: Path) -> None:
    for number in range(MOST_PLACES + 1):
        keep_place(f"run-{number}", Place(agent="E1"))
    assert last_place("run-0") == Place()
    assert last_place("run-1").agent == "E1"


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_hostile_text_stays_text_in_every_view(still: Path, size: tuple[int, int]) -> None:
    async def scene() -> None:
        async with opened(console_runs.hostile_run(still), size) as (screen, pilot):
            await pilot.press("j", "j")
            text = ""
            for view in "12345":
                await pilot.press(view)
                await settle(pilot)
                text = seen(screen)
                assert not {character for character in text if ord(character) < 32 and character != "\n"}
                assert "\u202e" not in text
                assert "[bold red]markup[/]" in text

    play(scene)
