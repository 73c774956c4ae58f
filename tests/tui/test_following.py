"""Following a run whose engine is played by the test: it holds the lock and appends events."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest

from core.record import events as e
from core.record.events import Event
from core.record.folder import RunFolder
from tests.tui.conftest import DEADLINE_SECONDS, Home, listens, wait_until
from tests.tui.plans import ENDED, ENGINE, LAUNCHED, PROPOSED, SCRIPT, SCRIPT_ENDED, requested


class Seen:
    """A follower that another process runs, and what it printed."""

    def __init__(self, process: subprocess.Popen[str], output: Any) -> None:
        self.process = process
        self._output = output

    @property
    def text(self) -> str:
        return str(self._output.read_text(encoding="utf-8"))

    def shows(self, words: str) -> None:
        wait_until(lambda: words in self.text, f"{words!r} in {self.text!r}")

    def code(self) -> int:
        return self.process.wait(DEADLINE_SECONDS)


@contextmanager
def following(home: Home, *words: str, **options: Any) -> Iterator[Seen]:
    """A follower as a process of its own, which does not outlive the test."""
    output = home.path / "output"
    with output.open("w", encoding="utf-8") as stream:
        process = home.start("attach", *words, **({"stdout": stream, "stderr": stream} | options))
    try:
        wait_until(lambda: process.poll() is not None or listens(process.pid), "listening for signals")
        assert process.poll() is None, output.read_text(encoding="utf-8")
        yield Seen(process, output)
    finally:
        process.kill()
        process.wait(DEADLINE_SECONDS)


def append(folder: RunFolder, *events: Event) -> None:
    with folder.journal() as journal:
        journal.append(*events)


def test_what_happens_is_told_as_it_happens_and_the_exit_code_says_how_it_ended(home: Home) -> None:
    folder = home.run_with(ENGINE, PROPOSED)
    with folder.locked(), following(home) as seen:
        seen.shows("Bagged trees")
        append(folder, *LAUNCHED[2:])
        seen.shows("approved by policy auto, ≤ $2.40")
        append(folder, *ENDED[len(LAUNCHED) :])
        assert seen.code() == 0
    for words in (
        "E1-1 exit code 0 after 1.5 s",
        "finding: Bagged trees err less.",
        "✓ supported  effect −0.104 [−0.12, −0.088], 3 seeds",
        "paper refused: 1 problem; the writer repairs",
        "line 3: 15.9 is no measurement",
        "34 numbers bound to measurements",
        "spent $1.21 of $10.00 cap",
        f"Paper: {folder.path / 'paper/paper.md'}",
    ):
        assert words in seen.text


@pytest.mark.parametrize(
    ("outcome", "code", "words"), [("failed", 1, "! The run failed: no"), ("killed", 4, "killed: no")]
)
def test_a_run_that_did_not_get_done_has_a_code_of_its_own(
    home: Home, outcome: e.RunOutcome, code: int, words: str
) -> None:
    folder = home.run_with(ENGINE)
    with folder.locked(), following(home) as seen:
        append(folder, e.RunEnded(outcome=outcome, message="no"), e.EngineStopped(reason="finished"))
        assert seen.code() == code
    assert words in seen.text


def test_an_engine_that_is_gone_without_a_word_is_called_interrupted(home: Home) -> None:
    folder = home.run_with(ENGINE, PROPOSED)
    with ExitStack() as engine:
        engine.enter_context(folder.locked())
        with following(home) as seen:
            engine.close()
            assert seen.code() == 3
    assert "! interrupted" in seen.text
    assert f"fumehood resume {folder.run_id}" in seen.text


def test_an_engine_that_was_stopped_leaves_a_run_that_can_be_resumed(home: Home) -> None:
    folder = home.run_with(ENGINE)
    with folder.locked(), following(home) as seen:
        append(folder, e.StopRequested(), e.EngineStopped(reason="asked", sandboxes="left"))
        assert seen.code() == 3
    assert "the engine ended as asked; sandboxes were left open" in seen.text
    assert f"fumehood resume {folder.run_id}" in seen.text


def test_attaching_without_an_engine_says_how_to_go_on(home: Home) -> None:
    folder = home.run_with(ENGINE, PROPOSED)
    result = home.type("attach")
    assert result.exit_code == 3
    assert f"fumehood resume {folder.run_id}" in result.stdout


def test_attaching_to_an_ended_run_shows_it_and_ends_with_its_code(home: Home) -> None:
    home.run_with(*ENDED)
    result = home.type("attach")
    assert result.exit_code == 0
    assert "✓ supported" in result.stdout


def test_what_scripts_print_comes_prefixed_and_safe_and_floods_are_thinned(home: Home) -> None:
    folder = home.run_with(*LAUNCHED)
    with folder.locked(), following(home) as seen:
        seen.shows("E1")
        append(folder, SCRIPT)
        log = folder.log_path("E1-1")
        log.write_bytes(b" 1%\r 2%\r\x1b]0;owned\x07epoch 1\n")
        seen.shows("E1    │ epoch 1\n")
        with log.open("ab") as file:
            file.write(b"".join(b"line %d\n" % number for number in range(5000)) + b"last words")
        append(folder, SCRIPT_ENDED)
        seen.shows("E1-1 exit code 0")
    assert "lines more" in seen.text
    assert "line 17\n" not in seen.text
    assert seen.text.index("last words") < seen.text.index("E1-1 exit code 0")
    assert "\x1b" not in seen.text


def test_what_waits_comes_with_the_commands_that_decide_it(home: Home) -> None:
    folder = home.run_with(ENGINE)
    with folder.locked(), following(home) as seen:
        append(folder, PROPOSED, requested())
        seen.shows(f"fumehood approve {folder.run_id} E1\n")
        seen.shows("$0.90 – $1.60, never more than $2.40")


def test_without_a_terminal_an_interrupt_detaches_and_says_how_to_come_back(home: Home) -> None:
    folder = home.run_with(ENGINE, PROPOSED)
    with folder.locked(), following(home) as seen:
        seen.shows("Bagged trees")
        seen.process.send_signal(signal.SIGINT)
        assert seen.code() == 5
    assert f"fumehood attach {folder.run_id}" in seen.text
    assert folder.state().stop is None


def test_a_polite_end_of_the_follower_leaves_the_run_alone_and_says_nothing(home: Home) -> None:
    folder = home.run_with(ENGINE, PROPOSED)
    with folder.locked(), following(home) as seen:
        seen.shows("Bagged trees")
        before = seen.text
        seen.process.send_signal(signal.SIGTERM)
        assert seen.code() == 5
        assert seen.text == before
    assert folder.state().stop is None


@pytest.mark.parametrize(
    ("typed", "code", "stops"), [(b"s\n", 3, True), (b"d\n", 5, False), (b"\n", 5, False)]
)
def test_on_a_terminal_an_interrupt_asks_once(home: Home, typed: bytes, code: int, stops: bool) -> None:
    folder = home.run_with(ENGINE, PROPOSED)
    with folder.locked(), on_a_terminal(home) as (process, terminal):
        terminal.until("Bagged trees")
        process.send_signal(signal.SIGINT)
        terminal.until("[d]etach / [s]top")
        os.write(terminal.master, typed)
        if stops:
            wait_until(lambda: folder.state().stop, "the stop request")
            append(folder, e.EngineStopped(reason="asked"))
        assert process.wait(DEADLINE_SECONDS) == code
    assert (folder.state().stop is not None) == stops


def test_a_second_interrupt_detaches(home: Home) -> None:
    folder = home.run_with(ENGINE, PROPOSED)
    with folder.locked(), on_a_terminal(home) as (process, terminal):
        terminal.until("Bagged trees")
        process.send_signal(signal.SIGINT)
        terminal.until("[d]etach / [s]top")
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE_SECONDS) == 5
    assert folder.state().stop is None


def test_as_json_every_event_is_one_line_with_its_place_unknown_ones_too(home: Home) -> None:
    folder = home.run_with(ENGINE, e.UnknownEvent(type="moon.rose"))
    with folder.locked(), following(home, "--json") as seen:
        seen.shows("moon.rose")
        append(folder, e.RunEnded(outcome="done", message="\x9b2J"), e.EngineStopped(reason="finished"))
        assert seen.code() == 0
    events = [json.loads(line) for line in seen.text.splitlines()]
    assert [event["seq"] for event in events] == [1, 2, 3, 4, 5]
    assert [event["type"] for event in events][2:4] == ["moon.rose", "run.ended"]
    assert seen.text.isascii()


def test_a_follower_whose_output_nobody_reads_detaches_quietly(home: Home) -> None:
    folder = home.run_with(ENGINE, PROPOSED)
    reader, writer = os.pipe()
    with folder.locked(), following(home, "--json", stdout=writer) as seen:
        os.close(writer)
        os.close(reader)
        append(folder, e.LaunchingPaused())
        assert seen.code() == 5
    assert seen.text == ""


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_a_follower_that_nobody_reads_any_more_detaches_even_if_nothing_happens(
    home: Home, words: tuple[str, ...]
) -> None:
    home_run = home.run_with(ENGINE, PROPOSED)
    reader, writer = os.pipe()
    with home_run.locked(), following(home, *words, stdout=writer) as seen:
        os.close(writer)
        assert os.read(reader, 1)
        os.close(reader)
        assert seen.code() == 5


class Terminal:
    """The other end of a terminal."""

    def __init__(self, master: int) -> None:
        self.master = master
        self.text = ""

    def until(self, words: str) -> None:
        """Read until something was printed."""
        os.set_blocking(self.master, False)

        def arrived() -> bool:
            with suppress(BlockingIOError):
                self.text += os.read(self.master, 65536).decode(errors="replace")
            return words in self.text

        wait_until(arrived, words)


@contextmanager
def on_a_terminal(home: Home) -> Iterator[tuple[subprocess.Popen[str], Terminal]]:
    """A follower on a terminal; it listens for signals once it has printed what it begins with."""
    master, slave = pty.openpty()
    process = home.start("attach", "--headless", stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    terminal = Terminal(master)
    try:
        wait_until(lambda: listens(process.pid), "listening for signals")
        yield process, terminal
    finally:
        process.kill()
        process.wait(DEADLINE_SECONDS)
        os.close(master)
