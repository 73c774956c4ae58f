"""The list of runs: what it shows of each, and what its keys do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from core.config import Settings
from core.errors import EngineError, JournalError
from core.record import events as e
from core.record.folder import RunFolder, list_runs
from core.record.journal import Journal
from tests.fakes import console_runs
from tests.fakes.console_runs import driven
from tests.fakes.specs import new_run
from tests.tui.console.run_app import still
from tests.tui.console.several_runs import DONE, FAILED, INTERRUPTED, LIVE, WAITING, all_read, several_runs
from tests.tui.console.told_paper import until
from tui.app import Console
from tui.run_history import RunHistory
from tui.screens.dialogs import Ask, Confirm
from tui.screens.keys import KeysScreen
from tui.screens.new_run import NewRunScreen
from tui.screens.paper import PaperScreen
from tui.screens.run import RunScreen
from tui.screens.runs import RunsScreen
from tui.screens.sandboxes import SandboxesScreen
from tui.widgets.key_guard import HELD_SECONDS
from tui.widgets.run_list import RunList
from tui.widgets.welcome import Welcome

__all__ = ["still"]

Play = Callable[[RunsScreen, Pilot[int]], Awaitable[None]]


def play(data: Path, act: Play, size: tuple[int, int] = (120, 30)) -> None:
    """Open the list of runs, wait until all are read, and act."""

    async def run() -> None:
        async with Console(Settings(data_folder=data)).run_test(size=size) as pilot:
            screen = pilot.app.screen
            assert isinstance(screen, RunsScreen)
            await until(pilot, lambda: all_read(screen), "reading")
            await pilot.pause()
            await act(screen, pilot)

    asyncio.run(run())


def ids(screen: RunsScreen) -> list[str]:
    """The runs as they are listed."""
    return [run.folder.run_id for run in screen.query_one(RunList).shown]


def lines(screen: RunsScreen) -> list[str]:
    """The list as it is drawn."""
    return [line.plain for line in screen.query_one(RunList).lines]


async def answered(pilot: Pilot[int], key: str) -> None:
    """Answer a dialog once it takes keys."""
    await pilot.pause(HELD_SECONDS + 0.1)
    await pilot.press(key)
    await pilot.pause()


def toasts(pilot: Pilot[int]) -> str:
    """What was said in toasts."""
    return "\n".join(f"{it.title} {it.message}" for it in pilot.app._notifications)


def test_runs_are_listed_with_state_verdicts_cost_and_age(still: Path) -> None:
    async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
        assert ids(screen) == [LIVE, WAITING, DONE, INTERRUPTED, FAILED]
        shown = [" ".join(line.split()) for line in lines(screen)]
        assert "running Does bagging help" in shown[0]
        assert "◆2" in shown[0]
        assert "◆ waits" in shown[1]
        assert shown[2].endswith("✓2 ✗1 ≈1 $2.40 1 d")
        assert "scripted" in shown[2]
        assert "! interrupted" in shown[3]
        assert "! failed" in shown[4]

    with several_runs(still):
        play(still, act)


def test_an_empty_list_teaches_where_to_begin(still: Path) -> None:
    console_runs.no_runs(still)

    async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
        def on_top(kind: type[object]) -> bool:
            return isinstance(pilot.app.screen, kind)

        assert screen.query_one(Welcome).display
        await pilot.press("k")
        assert on_top(KeysScreen)
        await pilot.press("escape", "n")
        assert on_top(NewRunScreen)

    play(still, act)


def test_the_folder_of_runs_need_not_exist(still: Path) -> None:
    async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
        assert screen.query_one(Welcome).display
        await pilot.press("enter", "x", "e", "r", "p", "o", "slash", "j")
        assert pilot.app.screen is screen

    play(still / "nowhere", act)


def test_a_run_that_begins_elsewhere_appears_and_moves(still: Path) -> None:
    console_runs.no_runs(still)

    async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
        folder = new_run(still, "Is it so?")
        await until(pilot, lambda: ids(screen) == [folder.run_id], "the run's appearance")
        with folder.locked():
            with folder.journal() as journal:
                journal.append(e.EngineStarted(pid=1, host="h", isolation="namespaces"))
            await until(pilot, lambda: "● running" in lines(screen)[0], "its start")
        await until(pilot, lambda: "! interrupted" in lines(screen)[0], "its engine's death")
        with folder.journal() as journal:
            journal.append(e.RunEnded(outcome="done"))
        await until(pilot, lambda: "✓ done" in lines(screen)[0], "its end")

    play(still, act)


@pytest.mark.parametrize("content", [b"", b"not a database" * 1000])
def test_a_run_that_cannot_be_read_says_so_and_the_others_are_listed(still: Path, content: bytes) -> None:
    good = console_runs.waiting(still)
    bad = RunFolder(still / "runs" / "20261101-bad-0000")
    bad.path.mkdir()
    bad.journal_path.write_bytes(content)

    async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
        assert set(ids(screen)) == {good.run_id, bad.run_id}
        assert any("! unreadable" in line for line in lines(screen))

    play(still, act)


def test_enter_opens_the_run_and_escape_comes_back_to_it(still: Path) -> None:
    async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
        await pilot.press("j", "j", "enter")
        opened = pilot.app.screen
        assert isinstance(opened, RunScreen)
        assert opened.feed.folder.run_id == DONE
        await pilot.press("escape")
        assert pilot.app.screen is screen
        run = screen.query_one(RunList).run
        assert run is not None
        assert run.folder.run_id == DONE

    with several_runs(still):
        play(still, act)


def test_p_opens_a_paper_where_there_is_one(still: Path) -> None:
    async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
        await pilot.press("p")
        assert pilot.app.screen is screen
        await pilot.press("j", "j", "p")
        assert isinstance(pilot.app.screen, PaperScreen)

    with several_runs(still):
        play(still, act)


def test_the_filter_hides_what_does_not_fit_and_escape_shows_all(still: Path) -> None:
    async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
        await pilot.press("slash", *"help x")
        assert ids(screen) == []
        await pilot.press("backspace", "backspace", "enter")
        assert ids(screen) == [LIVE, WAITING]
        assert screen.query_one(RunList).has_focus
        await pilot.press("escape")
        assert len(ids(screen)) == 5
        await pilot.press("slash", *"interrupted", "escape")
        assert len(ids(screen)) == 5
        assert not screen.query_one(Input).has_focus

    with several_runs(still):
        play(still, act)


def test_o_sorts_by_state_cost_and_question(still: Path) -> None:
    async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
        await pilot.press("o")
        assert ids(screen)[2:] == [INTERRUPTED, DONE, FAILED]
        await pilot.press("o")
        assert ids(screen)[0] == DONE
        assert ids(screen)[-1] == FAILED
        await pilot.press("o")
        assert ids(screen)[0] == FAILED
        await pilot.press("o")
        assert ids(screen)[0] == LIVE

    with several_runs(still):
        play(still, act)


def test_e_gives_the_run_a_title(still: Path) -> None:
    folder = console_runs.waiting(still)

    async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
        await pilot.press("e")
        await pilot.pause()
        assert isinstance(pilot.app.screen, Ask)
        await pilot.press("ctrl+u", *"Trees", "enter")
        await until(pilot, lambda: "Trees" in lines(screen)[0], "the new title")
        assert folder.state().title == "Trees"

    play(still, act)


def test_x_deletes_only_after_y(still: Path) -> None:
    folder = console_runs.failed(still)

    async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
        await pilot.press("x")
        await pilot.pause()
        assert isinstance(pilot.app.screen, Confirm)
        await answered(pilot, "enter")
        assert folder.path.exists()
        await answered(pilot, "n")
        assert folder.path.exists()
        await pilot.press("x")
        await pilot.pause()
        await answered(pilot, "y")
        await until(pilot, lambda: not folder.path.exists(), "the deletion")
        await until(pilot, lambda: screen.query_one(Welcome).display, "the empty list")

    play(still, act)


def test_a_run_that_an_engine_drives_is_not_deleted(still: Path) -> None:
    with driven(console_runs.waiting(still)) as folder:

        async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
            await pilot.press("x")
            await until(pilot, lambda: "an engine drives" in toasts(pilot), "the refusal")
            assert pilot.app.screen is screen
            assert folder.path.exists()

        play(still, act)


def test_an_engine_that_comes_while_the_question_is_open_keeps_its_run(still: Path) -> None:
    folder = console_runs.failed(still)

    async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
        await pilot.press("x")
        await pilot.pause()
        with driven(folder):
            await answered(pilot, "y")
            await until(pilot, lambda: "an engine drives" in toasts(pilot), "the refusal")
        assert folder.journal_path.exists()

    play(still, act)


def test_d_starts_the_demo_with_every_launch_waiting_for_a_yes(
    still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    console_runs.no_runs(still)
    started: list[RunFolder] = []
    monkeypatch.setattr("core.process.start_engine", started.append)

    async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
        await pilot.press("d", "d")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen), "the demo's screen")
        (folder,) = started
        settings = folder.state().settings
        assert settings.approve == "ask"
        assert settings.model == "scripted:bagging"
        assert list_runs(still / "runs") == [folder]

    play(still, act)


def test_an_engine_that_does_not_come_up_is_said_and_the_run_is_kept(
    still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    console_runs.no_runs(still)

    def refuse(folder: RunFolder) -> None:
        raise EngineError("the engine ended at once", "See the log.")

    monkeypatch.setattr("core.process.start_engine", refuse)

    async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
        await pilot.press("d")
        await until(pilot, lambda: "the engine ended at once" in toasts(pilot), "the message")
        await until(pilot, lambda: len(ids(screen)) == 1, "the kept run")

    play(still, act)


def test_r_resumes_only_what_has_no_engine(still: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setattr("core.process.start_engine", lambda folder: started.append(folder.run_id))

    async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
        await pilot.press("r", "j", "j", "r")
        assert started == []
        await pilot.press("j", "r")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen), "the run's screen")
        assert started == [INTERRUPTED]

    with several_runs(still):
        play(still, act)


def test_b_shows_the_sandboxes(still: Path) -> None:
    async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
        await pilot.press("b")
        assert isinstance(pilot.app.screen, SandboxesScreen)

    play(still, act)


def test_a_click_chooses_a_run_and_a_second_one_opens_it(still: Path) -> None:
    async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
        await pilot.click(RunList, offset=(30, 2))
        run = screen.query_one(RunList).run
        assert run is not None
        assert run.folder.run_id == DONE
        await pilot.double_click(RunList, offset=(30, 2))
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen), "the run's screen")

    with several_runs(still):
        play(still, act)


def test_the_cursor_goes_through_a_long_list(still: Path) -> None:
    for number in range(40):
        new_run(still, f"Question {number}")

    async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
        runs = screen.query_one(RunList)
        places = []
        for key in ("G", "g", "ctrl+d", "ctrl+u", "down", "up", "end", "k"):
            await pilot.press(key)
            await pilot.pause()
            places.append(runs._cursor)
            top = runs.scroll_offset.y
            assert top <= runs._cursor < top + runs.size.height
            assert lines(screen)[runs._cursor]
        assert places[0] == places[6] == 39
        assert places[1] == places[3] == 0
        assert places[-1] == 38

    play(still, act, (80, 24))


def test_a_hostile_question_does_nothing_on_the_list(still: Path) -> None:
    with driven(console_runs.hostile_run(still)):

        async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
            (line,) = lines(screen)
            assert not set(line) & set("\x1b\x07\x00\u202e")
            assert "[bold red]markup[/]" in line
            await pilot.press("e")
            await pilot.pause()
            await pilot.press("escape", "x")
            await pilot.pause()

        play(still, act)


def test_a_live_run_costs_more_as_time_goes_by(still: Path) -> None:
    with driven(console_runs.running(still)):

        async def act(screen: RunsScreen, pilot: Pilot[int]) -> None:
            (run,) = screen.history.summaries
            assert run.changed_at is not None
            now, later = (run.cost_usd(run.changed_at.replace(hour=hour)) for hour in (13, 14))
            assert now is not None
            assert later is not None
            assert later - now == Decimal("7.20")

        play(still, act)


def test_only_journals_that_changed_are_read_again(still: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quiet, busy = new_run(still, "Quiet?"), new_run(still, "Busy?")
    read: list[str] = []
    journal = RunFolder.journal

    def counted(folder: RunFolder) -> Journal:
        read.append(folder.run_id)
        return journal(folder)

    async def until_true(condition: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110 - it polls files
                await asyncio.sleep(0.01)

    async def follow() -> None:
        history = RunHistory(still / "runs")
        following = asyncio.create_task(history.follow(lambda: None))
        await until_true(lambda: history.listed and not history.reading)
        read.clear()
        with journal(busy) as opened:
            opened.append(e.RunEnded(outcome="done"))
        await until_true(lambda: any(run.mark.word == "done" for run in history.summaries))
        following.cancel()

    monkeypatch.setattr(RunFolder, "journal", counted)
    asyncio.run(follow())
    assert busy.run_id in read
    assert quiet.run_id not in read


def test_a_journal_that_is_being_read_is_closed_when_nobody_looks_any_more(
    still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_run(still, "Who looks?")
    opened: list[Journal] = []
    journal = RunFolder.journal

    def kept(folder: RunFolder) -> Journal:
        opened.append(journal(folder))
        return opened[-1]

    monkeypatch.setattr(RunFolder, "journal", kept)
    monkeypatch.setattr("tui.run_history.SLICE_SECONDS", 0.0)
    monkeypatch.setattr("tui.run_history.REST_SECONDS", 60.0)

    async def look() -> None:
        history = RunHistory(still / "runs")
        history._list()
        steps = history._refresh()
        looking = asyncio.create_task(history._in_slices(steps, lambda: None))
        while not opened:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking
        with pytest.raises(JournalError, match="closed"):
            list(opened[0].read())
        steps.close()

    asyncio.run(look())
