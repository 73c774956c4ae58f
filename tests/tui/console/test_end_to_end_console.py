"""The real program in real terminals, played by keys alone, with the real engine and sandbox."""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from core import decisions
from core.errors import JournalError
from core.record import events as e
from core.record.folder import RunFolder, list_runs
from core.record.state import RunState
from tests.fakes.console_runs import driven, running, waiting
from tests.fakes.terminal import Terminal
from tests.fakes.tiny_run import let_go
from tests.tui.conftest import Home, wait_until
from tests.tui.console.tiny_story import console, write_story
from tui.open_run import decide

GENEROUS_SECONDS = 2.0
"""How late anybody may see what another did; ``tests.bench.console`` says how late they really do."""


def the_run(home: Home) -> RunFolder:
    """The one run, as soon as there is one."""
    wait_until(lambda: list_runs(home.runs), "a run")
    return home.only_run()


def decided(folder: RunFolder, name: str) -> bool:
    """Whether a request has its decision."""
    with suppress(JournalError):
        return not folder.state().requests[name].waits
    return False


def held(terminal: Terminal) -> None:
    """Let the moment pass in which the card takes no key, because what it shows is new."""
    terminal.look_on(0.5)


def test_a_run_is_played_by_keys_alone_through_detaching_a_kill_and_a_lost_line(home: Home) -> None:
    study = write_story(home.path / "study")
    with console(home, "run", "Is new fruit better?", "--model", f"scripted:{study}") as terminal:
        terminal.until("2 wait")
        terminal.until("apples")
        terminal.press("!")
        terminal.until("1 of 2 waiting")
        terminal.until("Of apples, the new one scores higher.")
        held(terminal)
        terminal.press("a")
        terminal.until("Of pears, the new one scores higher.")
        held(terminal)
        terminal.press("r")
        terminal.until("Reject E2")
        terminal.press("pears are no fruit\r")
        terminal.until(lambda text: "rejected" in text and "running" in text)
        folder = the_run(home)
        assert folder.state().experiments["E2"].message == "pears are no fruit"

        terminal.press("]")
        terminal.press("1")
        terminal.until("step 5")
        terminal.press("3")
        terminal.until("loss")
        terminal.press("1")
        terminal.until(lambda text: "step 10" in text and "both seeds" in text)
        terminal.press("q")
        assert terminal.ended() == 5
        assert f"The engine goes on. Come back with 'fumehood attach {folder.run_id}'." in terminal.text
        assert terminal.given_back

    with console(home, "attach") as terminal:
        terminal.until(lambda text: "step " in text and "both seeds" in text)  # the same agent and view
        terminal.signal(signal.SIGKILL)
        assert terminal.ended() == -signal.SIGKILL
    assert folder.has_engine()

    with console(home, "attach") as terminal:
        terminal.until("step ")
        terminal.hang_up()
        assert terminal.ended() == 5
    assert folder.has_engine()

    with console(home, "attach") as terminal:
        terminal.until("step ")
        let_go(folder)
        terminal.until("measured both")
        terminal.until("supported")
        terminal.until("paper is written")
        terminal.press("P")
        terminal.until("The mean is")
        terminal.press("\x1b")
        terminal.until("supported")
        terminal.press("q")
        assert terminal.ended() == 0
        assert terminal.given_back
    wait_until(lambda: not folder.has_engine(), "the engine's end")
    assert processes_of(folder) == []


def processes_of(folder: RunFolder) -> list[str]:
    """Command lines of processes that still have to do with a run."""
    lines = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(folder.path) in line and entry.parent.name != str(os.getpid()):
                lines.append(line)
    return lines


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 5), (signal.SIGHUP, 5)])
def test_a_console_that_is_told_to_end_gives_the_terminal_back(
    home: Home, number: signal.Signals, code: int
) -> None:
    with driven(running(home.data)) as folder, console(home, "attach", folder.run_id) as terminal:
        terminal.until("supported")
        terminal.signal(number)
        assert terminal.ended() == code
        assert terminal.given_back, terminal.text
        assert "Traceback" not in terminal.text


def test_an_arrow_key_that_comes_apart_decides_nothing_and_ends_nothing(home: Home) -> None:
    with driven(waiting(home.data)) as folder, console(home, "attach", folder.run_id) as terminal:
        seq = folder.state().seq
        terminal.until("3 wait")
        for key in ("A", "D", "1;5A", "3~"):  # on the card, which the escape closes, and behind it
            terminal.press("!")
            terminal.until("of 3 waiting")
            held(terminal)
            terminal.press_apart("\x1b", f"[{key}")
        terminal.until(lambda text: "of 3 waiting" not in text)
        terminal.press_apart("\x1b", "[A")  # in the plan, which the escape leaves for the list of runs
        terminal.until("n new run")
        terminal.press_apart("\x1b", "[A")
        terminal.press("\r")
        terminal.until("Round 1")
        terminal.press("!")
        terminal.until("of 3 waiting")
        held(terminal)
        terminal.press("*")
        held(terminal)
        terminal.press("a")
        terminal.until("at once?")
        held(terminal)
        terminal.press_apart("\x1b", "[A")  # in the question about all
        terminal.until(lambda text: "at once?" not in text)
        terminal.press("x")
        terminal.until("Kill ")
        held(terminal)
        terminal.press_apart("\x1b", "[A")  # in the question before killing
        terminal.until(lambda text: "Kill " not in text)
        assert terminal.exit_code is None
        assert folder.state().seq == seq


def test_two_consoles_and_a_command_see_the_same_and_one_decision_counts(home: Home) -> None:
    output = home.path / "lines"
    with ExitStack() as open_now:
        folder = open_now.enter_context(driven(waiting(home.data)))
        first = open_now.enter_context(console(home, "attach", folder.run_id))
        second = open_now.enter_context(console(home, "attach", folder.run_id))
        lines = open_now.enter_context(output.open("w", encoding="utf-8"))
        follower = home.start("attach", folder.run_id, "--headless", stdout=lines, stderr=lines)
        for terminal in (first, second):
            terminal.until("3 wait")
            terminal.press("!")
            terminal.until("1 of 3 waiting")
        wait_until(lambda: "fumehood approve" in output.read_text(encoding="utf-8"), "its first words")
        for terminal in (first, second):
            held(terminal)
        first.press("a")
        wait_until(lambda: decided(folder, "E1.1"), "the decision")
        begin = time.monotonic()
        second.until("approved by a human")
        first.until("2 wait")
        wait_until(
            lambda: "approved by human" in output.read_text(encoding="utf-8"), "the command's word of it"
        )
        assert time.monotonic() - begin < GENEROUS_SECONDS
        second.press("a")  # too late for E1, too early for what comes next
        second.until("1 of 2 waiting")
        state = folder.state()
        assert [name for name, request in state.requests.items() if not request.waits] == ["E1.1"]
        follower.terminate()


def test_a_decision_made_by_a_command_shows_in_an_open_console(home: Home) -> None:
    with driven(waiting(home.data)) as folder, console(home, "attach", folder.run_id) as terminal:
        terminal.until("3 wait")

        def paused(state: RunState) -> tuple[e.Event, ...]:
            return tuple(decisions.pause(state))

        decide(folder, paused)
        terminal.until("paused")
