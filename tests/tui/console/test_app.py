"""What the console does around its screens: leaving, crashing, telling, and what it never imports."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys

import pytest
from textual.worker import WorkerFailed

from core.errors import DecisionError
from core.record import events as e
from core.record.state import RunState
from tests.tui.conftest import Home
from tests.tui.console.shell import SIZE, First, Shell, shell
from tui.run_feed import RunFeed
from tui.screens.help import HelpScreen
from tui.screens.too_small import TooSmall
from tui.terminal_driver import TerminalDriver


def left_with(app: Shell, *keys: str) -> int | None:
    """Press keys and give the exit code."""

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.press(*keys)

    asyncio.run(play())
    return app.return_code


def test_leaving_the_list_of_runs_is_success(home: Home) -> None:
    app = shell(home.data)
    assert (left_with(app, "q"), app.farewell) == (0, "")


def test_leaving_a_run_that_goes_on_says_how_to_come_back(home: Home) -> None:
    folder = home.run_with()
    app = shell(home.data, folder)
    with folder.locked():
        assert left_with(app, "q") == 5
    assert app.farewell == f"The engine goes on. Come back with 'fumehood attach {folder.run_id}'."


def test_leaving_a_run_without_an_engine_says_how_to_go_on(home: Home) -> None:
    folder = home.run_with()
    app = shell(home.data, folder)
    assert left_with(app, "q") == 3
    assert f"fumehood resume {folder.run_id}" in app.farewell


@pytest.mark.parametrize(("outcome", "code"), [("done", 0), ("failed", 1), ("killed", 4)])
def test_leaving_an_ended_run_gives_its_outcome(home: Home, outcome: e.RunOutcome, code: int) -> None:
    folder = home.run_with(e.RunEnded(outcome=outcome))
    app = shell(home.data, folder)
    assert left_with(app, "q") == code


def test_leaving_from_a_screen_over_a_run_is_leaving_that_run(home: Home) -> None:
    folder = home.run_with()
    app = shell(home.data, folder)

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.press("question_mark")
            assert isinstance(app.screen, HelpScreen)
            app.leave()

    with folder.locked():
        asyncio.run(play())
    assert app.return_code == 5


def test_escape_goes_from_a_run_to_the_list(home: Home) -> None:
    app = shell(home.data, home.run_with())

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.press("escape")
            assert isinstance(app.screen, First)
            await pilot.press("escape")
            assert isinstance(app.screen, First)

    asyncio.run(play())


def test_an_interrupt_says_how_to_leave_and_does_not(home: Home) -> None:
    app = shell(home.data)

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.press("ctrl+c")
            assert any("q detaches" in toast for toast in app.toasts)
            assert app.is_running

    asyncio.run(play())


def test_a_small_terminal_is_told_so_and_can_still_be_left(home: Home) -> None:
    app = shell(home.data)

    async def play() -> None:
        async with app.run_test(size=(40, 10)) as pilot:
            await pilot.pause()
            assert isinstance(app.screen, TooSmall)
            await pilot.press("question_mark", "comma", "escape")
            assert isinstance(app.screen, TooSmall)
            await pilot.resize_terminal(60, 12)
            await pilot.pause()
            assert isinstance(app.screen, First)
            await pilot.resize_terminal(59, 12)
            await pilot.pause()
            assert isinstance(app.screen, TooSmall)
            await pilot.press("q")

    asyncio.run(play())
    assert app.return_code == 0


def test_a_decision_that_cannot_be_made_is_told_with_its_next_step(home: Home) -> None:
    folder = home.run_with()
    app = shell(home.data, folder)

    def refuse(state: RunState) -> list[e.Event]:
        raise DecisionError("nothing waits for [b]E1[/b]", "See what does.")

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            feed = RunFeed(folder)
            assert not app.decide(feed, refuse)
            await pilot.pause()
            assert app.toasts == ["nothing waits for [b]E1[/b] See what does."]
            assert app.decide(feed, lambda _: [e.LaunchingPaused()], "paused")
            await pilot.pause()
            assert app.toasts[-1] == "paused"
            feed.close()

    asyncio.run(play())
    assert folder.state().paused


def test_the_end_of_a_cut_answer_never_says_yes(home: Home) -> None:
    app = shell(home.data)

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.press("[", "2", "0", "2", "6", ";", "2", "$", "y")
            assert app.first.pressed == []
            await pilot.press("y")
            assert app.first.pressed == ["yes"]

    asyncio.run(play())


def test_a_dollar_sign_and_a_y_can_be_typed_into_a_field(home: Home) -> None:
    app = shell(home.data)

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            field = app.first.query_one("Input")
            field.focus()
            await pilot.press("$", "y", "q", "question_mark")
            assert getattr(field, "value") == "$yq?"  # noqa: B009 - no widget class is needed here

    asyncio.run(play())


def test_a_cut_arrow_key_does_nothing(home: Home) -> None:
    app = shell(home.data)

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            app.first.query_one("Shelf").focus()
            await pilot.press("escape", "[", "A", "escape", "O", "P", "escape", "[", "1", ";", "5", "D")
            assert app.is_running
            assert (app.first.approvals, app.first.pressed) == (0, [])

    asyncio.run(play())


class Broken(Shell):
    """Fails in an action, with a value that nobody may see."""

    def action_redraw(self) -> None:
        """Fail."""
        secret = "sk-ant-a-key"
        raise RuntimeError(f"broken {len(secret)}")


def test_an_error_of_our_own_ends_the_console_without_a_traceback(
    home: Home, capfd: pytest.CaptureFixture[str]
) -> None:
    app = Broken(shell(home.data).settings)

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.press("ctrl+l")

    with pytest.raises(RuntimeError, match="broken"):
        asyncio.run(play())
    assert isinstance(app.crash, RuntimeError)
    captured = capfd.readouterr()
    assert "Traceback" not in captured.out + captured.err
    assert "sk-ant" not in captured.out + captured.err


def test_the_error_of_a_worker_is_the_one_that_is_told(home: Home) -> None:
    app = shell(home.data)

    async def fail() -> None:
        raise ValueError("in a worker")

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            app.run_worker(fail())
            await pilot.pause()

    with pytest.raises(WorkerFailed):
        asyncio.run(play())
    assert isinstance(app.crash, ValueError)


class Driver(TerminalDriver):
    """Remembers what windows are called."""

    def __init__(self) -> None:
        self.titles: list[str] = []

    def call_window(self, title: str) -> None:
        """Remember it."""
        self.titles.append(title)


def test_attention_is_called_once_for_each_new_request(home: Home) -> None:
    app = shell(home.data)
    rung: list[str] = []
    app.bell = lambda: rung.append("bell")  # type: ignore[method-assign]
    app._driver = driver = Driver()
    for count in (0, 1, 1, 3, 2, 2, 0):
        app.call_attention(count)
    assert driver.titles == [
        "(1) fumehood: waits for you",
        "(3) fumehood: waits for you",
        "(2) fumehood: waits for you",
        "fumehood",
    ]
    assert len(rung) == 2


def test_garbage_is_collected_again_but_seldom_once_the_first_screen_is_shown(home: Home) -> None:
    app = shell(home.data)

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause()
            assert gc.isenabled()
            assert gc.get_threshold() > usual

    usual = gc.get_threshold()
    gc.disable()
    try:
        asyncio.run(play())
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()
        gc.enable()


def test_the_console_never_imports_what_only_engines_need() -> None:
    program = (
        "import sys\n"
        "import tui.cli, tui.commands.start, tui.commands.engine, tui.commands.attach, tui.commands.console\n"
        "assert 'textual' not in sys.modules, 'the environment is prepared before textual is imported'\n"
        "import tui.app\n"
        "from tui.keymap import known_bindings\n"
        "known_bindings()\n"
        "unwanted = {'anthropic', 'google.genai', 'modal', 'scipy', 'numpy', 'aiohttp', 'torch'}\n"
        "print(sorted(unwanted & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")
