"""Pacing: what repaints by itself waits for the terminal, and for nothing else."""

from __future__ import annotations

import asyncio

import pytest
from textual.messages import TerminalSupportsSynchronizedOutput

from tests.tui.conftest import Home
from tests.tui.console.shell import SIZE, shell
from tui.pacing import (
    FULL,
    LIGHT,
    LOST_SECONDS,
    QUERY,
    SILENT_SECONDS,
    SLOW,
    CutReply,
    Pacer,
    profile_for,
)
from tui.preferences import read_preferences


class FakeTerminal:
    """A terminal at the end of a line, with a clock that only the test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked = 0
        self.pacer = Pacer(FULL, self.hear, lambda: self.now)

    def hear(self, text: str) -> None:
        """Count a query."""
        assert text == QUERY
        self.asked += 1


@pytest.fixture
def terminal() -> FakeTerminal:
    return FakeTerminal()


def test_nothing_repaints_by_itself_until_the_terminal_has_answered(terminal: FakeTerminal) -> None:
    pacer = terminal.pacer
    assert pacer.may_repaint()
    pacer.painted()
    assert not pacer.may_repaint()
    terminal.now += SILENT_SECONDS / 2
    assert not pacer.may_repaint()
    pacer.answered()
    assert pacer.may_repaint()


def test_a_frame_that_a_key_asked_for_is_waited_for_as_well(terminal: FakeTerminal) -> None:
    pacer = terminal.pacer
    pacer.painted()
    pacer.painted()
    pacer.painted()
    assert terminal.asked == 1
    pacer.answered()
    assert terminal.asked == 2
    assert not pacer.may_repaint()
    pacer.answered()
    assert terminal.asked == 2
    assert pacer.may_repaint()


def test_a_terminal_that_never_answers_is_asked_once(terminal: FakeTerminal) -> None:
    pacer = terminal.pacer
    pacer.painted()
    terminal.now += SILENT_SECONDS
    assert pacer.may_repaint()
    for _ in range(5):
        pacer.painted()
        assert pacer.may_repaint()
    assert terminal.asked == 1


def test_a_terminal_that_answers_late_after_all_is_asked_again(terminal: FakeTerminal) -> None:
    pacer = terminal.pacer
    pacer.painted()
    terminal.now += SILENT_SECONDS
    assert pacer.may_repaint()
    pacer.answered()
    pacer.painted()
    assert terminal.asked == 2
    assert not pacer.may_repaint()


def test_a_slow_line_is_waited_for_until_an_answer_must_be_lost(terminal: FakeTerminal) -> None:
    pacer = terminal.pacer
    pacer.painted()
    pacer.answered()
    pacer.painted()
    terminal.now += LOST_SECONDS - 1
    assert not pacer.may_repaint()
    terminal.now += 1
    assert pacer.may_repaint()
    pacer.painted()
    assert terminal.asked == 3


def test_a_lost_answer_does_not_stop_the_asking_where_only_keys_paint(terminal: FakeTerminal) -> None:
    pacer = terminal.pacer
    pacer.painted()
    pacer.answered()
    pacer.painted()
    terminal.now += LOST_SECONDS
    pacer.painted()
    pacer.painted()
    assert terminal.asked == 3


def test_where_nobody_can_be_asked_only_the_rate_counts() -> None:
    pacer = Pacer()
    pacer.painted()
    assert pacer.may_repaint()


def test_the_profile_follows_the_terminal_and_the_wish() -> None:
    assert profile_for({}, slow=False) is FULL
    assert profile_for({"TMUX": "/tmp/tmux-0/default,1,0"}, slow=False) is LIGHT
    assert profile_for({"STY": "1.pts-0.host"}, slow=False) is LIGHT
    assert profile_for({"TMUX": "/tmp/tmux-0/default,1,0"}, slow=True) is SLOW


def test_the_light_profiles_keep_to_the_rates_that_were_measured() -> None:
    assert 2 <= 1 / LIGHT.frame_seconds <= 4
    assert LIGHT.spinner_seconds is not None
    assert 1 / LIGHT.spinner_seconds <= 2
    assert 1 / SLOW.frame_seconds <= 2
    assert SLOW.spinner_seconds is None
    assert 1 / FULL.frame_seconds <= 10


@pytest.mark.parametrize(
    ("keys", "swallowed"),
    [("[?2026;2$y", "y"), ("[?2048;0$y", "y"), ("$y", "y"), ("y", ""), ("$ny", ""), ("[A", ""), ("yy", "")],
)
def test_only_the_end_of_an_answer_is_swallowed(keys: str, swallowed: str) -> None:
    cut = CutReply()
    assert "".join(key for key in keys if cut.swallows(key)) == swallowed


def test_each_frame_of_the_console_is_asked_about_and_answers_count(home: Home) -> None:
    app = shell(home.data)
    queries: list[str] = []

    async def play() -> None:
        async with app.run_test(size=SIZE) as pilot:
            app.pacer = Pacer(FULL, queries.append)
            app.screen.refresh()
            await pilot.pause()
            assert queries == [QUERY]
            assert not app.may_repaint()
            while not app.may_repaint():
                app.post_message(TerminalSupportsSynchronizedOutput())
                await pilot.pause()

    asyncio.run(play())


def test_sparing_the_line_is_kept(home: Home) -> None:
    app = shell(home.data)
    assert (app.frame_seconds, app.spinner_seconds) == (FULL.frame_seconds, FULL.spinner_seconds)

    async def play() -> None:
        async with app.run_test(size=SIZE):
            app.spare_the_line(True)

    asyncio.run(play())
    assert (app.frame_seconds, app.spinner_seconds) == (SLOW.frame_seconds, None)
    assert read_preferences(app.settings).slow
    assert shell(home.data).slow
