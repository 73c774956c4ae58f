"""Which commands open the console, and when they print plain lines instead."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.record import events as e
from core.record.folder import RunFolder
from tests.tui.conftest import Home
from tui import console_start, terminal, watching
from tui.console_options import ConsoleOptions
from tui.exit_codes import ExitCode

ENDED = e.RunEnded(outcome="done")


class Opened:
    """Remembers how consoles were opened."""

    def __init__(self) -> None:
        self.calls: list[tuple[RunFolder | None, ConsoleOptions]] = []

    def __call__(self, find: Callable[[], RunFolder | None], options: ConsoleOptions) -> ExitCode:
        self.calls.append((find(), options))
        return ExitCode.DETACHED


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Opened:
    """A console that only remembers, on a terminal that can show it."""
    made = Opened()
    monkeypatch.setattr(console_start, "open_console", made)
    monkeypatch.setattr(watching, "open_console", made)
    for module in (terminal, watching):
        monkeypatch.setattr(module, "can_show_console", lambda: True)
    return made


def test_without_a_command_the_console_opens_on_the_list_of_runs(home: Home, opened: Opened) -> None:
    result = home.type()
    assert result.exit_code == 5
    assert opened.calls == [(None, ConsoleOptions())]


def test_options_of_the_console_reach_it(home: Home, opened: Opened) -> None:
    home.type("--slow", "--no-mouse", "--theme", "sixteen")
    assert opened.calls == [(None, ConsoleOptions(slow=True, mouse=False, theme="sixteen"))]


def test_without_a_terminal_no_command_means_help(home: Home) -> None:
    result = home.type()
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: fumehood")


def test_attach_opens_the_console_on_any_run(home: Home, opened: Opened) -> None:
    folder = home.run_with(ENDED)
    assert home.type("attach", folder.run_id, "--slow").exit_code == 5
    ((shown, options),) = opened.calls
    assert shown is not None
    assert shown.run_id == folder.run_id
    assert options == ConsoleOptions(slow=True)


@pytest.mark.parametrize("flag", ["--headless", "--json"])
def test_attach_prints_where_that_was_asked_for(home: Home, opened: Opened, flag: str) -> None:
    home.run_with(ENDED)
    result = home.type("attach", flag)
    assert result.stdout
    assert opened.calls == []


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start no engines; what is tested is which screen a run is seen on."""
    monkeypatch.setattr("core.process.start_engine", lambda folder: None)


@pytest.mark.usefixtures("no_engine")
@pytest.mark.parametrize(
    "words", [("demo",), ("run", "Does it help?", "--test-mode"), ("resume",)], ids=["demo", "run", "resume"]
)
def test_starting_a_run_opens_the_console_on_it(home: Home, opened: Opened, words: tuple[str, ...]) -> None:
    if words == ("resume",):
        home.run_with()
    result = home.type(*words, "--theme", "sixteen")
    assert result.exit_code == 5, result.output
    ((shown, options),) = opened.calls
    assert shown is not None
    assert shown.run_id == home.only_run().run_id
    assert options.theme == "sixteen"


@pytest.mark.usefixtures("no_engine")
def test_in_the_console_the_demo_asks(home: Home, opened: Opened) -> None:
    result = home.type("demo")
    assert home.only_run().state().settings.approve == "ask"
    assert "approve: auto" not in result.stdout


@pytest.mark.usefixtures("no_engine")
def test_without_the_console_the_demo_approves_by_itself(home: Home, opened: Opened) -> None:
    result = home.type("demo", "--headless")
    assert home.only_run().state().settings.approve == "auto"
    assert "approve: auto" in result.stdout
    assert opened.calls == []


@pytest.mark.parametrize("command", ["run", "demo", "attach", "resume"])
def test_every_command_that_opens_the_console_has_its_options(home: Home, command: str) -> None:
    text = home.type(command, "--help").stdout
    for option in ("--slow", "--no-mouse", "--theme"):
        assert option in text
