"""The terminal: what it can do, and that it is left as it was, however the console ends."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from core.record.folder import RunFolder
from tests.tui.conftest import DEADLINE_SECONDS, Home, wait_until
from tui import terminal
from tui.terminal_driver import GIVE_BACK_TITLE, KEEP_TITLE, LastingFile

ALTERNATE, NORMAL = "\x1b[?1049h", "\x1b[?1049l"
MOUSE_ON, MOUSE_OFF = "\x1b[?1000h", "\x1b[?1000l"
COLOUR = re.compile(r"\x1b\[[0-9;]*(?:3[0-7]|4[0-7]|9[0-7]|10[0-7]|[34]8;[25])[0-9;]*m")
TRUECOLOUR = re.compile(r"\x1b\[[0-9;]*[34]8;[25];")


@pytest.mark.parametrize(
    ("environment", "colours"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "truecolor"),
        ({"TERM": "xterm-256color"}, "256"),
        ({"TERM": "screen-256color"}, "256"),
        ({"TERM": "xterm-direct"}, "truecolor"),
        ({"TERM": "xterm-16color"}, "standard"),
        ({"TERM": "linux"}, "standard"),
        ({"TERM": "of-nobody"}, "standard"),
        ({}, "standard"),
        ({"TERM": "linux", "TEXTUAL_COLOR_SYSTEM": "256"}, "256"),
        ({"TERM": "xterm-256color", "TEXTUAL_COLOR_SYSTEM": "auto"}, "256"),
    ],
)
def test_colours_are_counted_by_what_the_terminal_says(environment: dict[str, str], colours: str) -> None:
    assert terminal.colours_of(environment) == colours


def test_a_lone_escape_is_waited_for_longer_over_ssh() -> None:
    environment = {"TERM": "xterm-256color", "SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}
    terminal.prepare(environment)
    assert environment["ESCDELAY"] == "500"
    here = {"TERM": "xterm-256color"}
    terminal.prepare(here)
    assert "ESCDELAY" not in here
    wished = {"SSH_TTY": "/dev/pts/1", "ESCDELAY": "50"}
    terminal.prepare(wished)
    assert wished["ESCDELAY"] == "50"


def test_what_a_key_did_is_painted_at_once_unless_fewer_frames_were_asked_for() -> None:
    environment = {"TERM": "xterm-256color"}
    terminal.prepare(environment)
    assert int(environment["TEXTUAL_FPS"]) >= 200
    wished = {"TERM": "xterm-256color", "TEXTUAL_FPS": "15"}
    terminal.prepare(wished)
    assert wished["TEXTUAL_FPS"] == "15"


def test_an_empty_wish_for_no_colour_is_no_wish() -> None:
    environment = {"TERM": "xterm-256color", "NO_COLOR": ""}
    terminal.prepare(environment)
    assert "NO_COLOR" not in environment
    assert terminal.has_few_colours({"TERM": "xterm-256color", "NO_COLOR": "1"})
    assert not terminal.has_few_colours({"TERM": "xterm-256color", "NO_COLOR": ""})


def test_without_a_terminal_there_is_no_console() -> None:
    assert not terminal.can_show_console({"TERM": "xterm-256color"})
    assert terminal.can_show_console({"TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver"})


class Gone(io.StringIO):
    """A terminal that has gone."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor

    def write(self, text: str) -> int:
        """Fail as a terminal does."""
        raise OSError(5, "Input/output error")

    def fileno(self) -> int:
        """A descriptor that may be replaced."""
        return self._descriptor


def test_writing_to_a_terminal_that_has_gone_is_no_error(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / "terminal", os.O_WRONLY | os.O_CREAT)
    file = LastingFile(Gone(descriptor))
    assert file.write("words") == 5
    file.flush()
    assert file.gone
    os.write(descriptor, b"what was buffered")
    os.close(descriptor)
    assert (tmp_path / "terminal").read_bytes() == b""


class Pty:
    """A console on a terminal that keeps every byte it is sent."""

    def __init__(self, process: subprocess.Popen[bytes], master: int, modes: list[object]) -> None:
        self.process = process
        self.master = master
        self.received = ""
        self._modes = modes

    def until(self, words: str) -> None:
        """Read until something was sent."""
        wait_until(lambda: self._read() or words in self.received, repr(words))

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self.master, keys.encode())

    def ended(self) -> int:
        """Read until the console has ended; gives its exit code."""
        wait_until(lambda: self._read() or self.process.poll() is not None, "the console's end")
        self._read()
        return self.process.returncode

    @property
    def as_it_was(self) -> bool:
        """Whether the terminal was given back: modes, screen, mouse, title."""
        last = self.received.rpartition(NORMAL)[2]
        return (
            termios.tcgetattr(self.master) == self._modes
            and ALTERNATE not in last
            and self.received.count(ALTERNATE) == self.received.count(NORMAL)
            and self.received.rfind(MOUSE_ON) <= self.received.rfind(MOUSE_OFF)
            and self.received.count(KEEP_TITLE) == self.received.count(GIVE_BACK_TITLE)
        )

    def _read(self) -> bool:
        while select.select([self.master], [], [], 0)[0]:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                break
            if not data:
                break
            self.received += data.decode(errors="replace")
        return False


def own_terminal() -> None:
    """Make the standard input the terminal of this session."""
    import fcntl

    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@contextmanager
def console(home: Home, *words: str, environment: Mapping[str, str] | None = None) -> Iterator[Pty]:
    """A console on a terminal of its own, once it is shown."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (30, 100))
    inherited = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TMUX", "STY")}
    process = subprocess.Popen(
        [sys.executable, "-m", "tui.cli", *words],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=inherited | {"TERM": "xterm-256color", "COLORTERM": "truecolor"} | dict(environment or {}),
        preexec_fn=own_terminal,
    )
    modes: list[object] = termios.tcgetattr(slave)
    os.close(slave)
    shown = Pty(process, master, modes)
    try:
        yield shown
    finally:
        process.kill()
        process.wait(DEADLINE_SECONDS)
        with suppress(OSError):
            os.close(master)


@pytest.fixture
def live_run(home: Home) -> Iterator[RunFolder]:
    folder = home.run_with()
    with folder.locked():
        yield folder


def test_leaving_gives_the_terminal_back_and_says_how_to_return(home: Home, live_run: RunFolder) -> None:
    with console(home, "attach") as shown:
        shown.until("detach")
        assert "\x1b]2;fumehood" in shown.received
        shown.press("q")
        assert shown.ended() == 5
        assert shown.as_it_was
        last = shown.received.rpartition(NORMAL)[2]
    assert f"The engine goes on. Come back with 'fumehood attach {live_run.run_id}'." in last


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_gives_the_terminal_back(home: Home, live_run: RunFolder, number: signal.Signals) -> None:
    with console(home, "attach") as shown:
        shown.until("detach")
        shown.process.send_signal(number)
        assert shown.ended() == 5
        assert shown.as_it_was


@pytest.mark.parametrize("ignoring", [False, True], ids=["", "nohup"])
def test_a_terminal_that_goes_away_ends_the_console_and_not_the_run(
    home: Home, live_run: RunFolder, ignoring: bool
) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN) if ignoring else None
    try:
        with console(home, "attach") as shown:
            shown.until("detach")
            os.close(shown.master)
            shown.process.wait(DEADLINE_SECONDS)
            assert shown.process.returncode == 5
    finally:
        if before is not None:
            signal.signal(signal.SIGHUP, before)
    assert live_run.has_engine()


def test_the_console_steps_aside_and_comes_back(home: Home) -> None:
    with console(home) as shown:
        shown.until("detach")
        shown.press("\x1a")
        wait_until(lambda: shown._read() or state_of(shown.process.pid) == "T", "stopping")
        assert shown.as_it_was
        shown.process.send_signal(signal.SIGCONT)
        wait_until(lambda: shown._read() or shown.received.count(ALTERNATE) == 2, "coming back")
        shown.press("q")
        assert shown.ended() == 0
        assert shown.as_it_was


def state_of(pid: int) -> str:
    """The state letter of a process."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_no_colour_means_none(home: Home) -> None:
    with console(home, environment={"NO_COLOR": "1"}) as shown:
        shown.until("detach")
        shown.press("q")
        assert shown.ended() == 0
        assert COLOUR.search(shown.received) is None


def test_a_terminal_of_sixteen_colours_gets_no_others(home: Home) -> None:
    with console(home, environment={"TERM": "xterm-16color", "COLORTERM": ""}) as shown:
        shown.until("detach")
        shown.press("q")
        assert shown.ended() == 0
        assert COLOUR.search(shown.received)
        assert TRUECOLOUR.search(shown.received) is None


def test_a_terminal_without_unicode_gets_ascii_and_nothing_else(home: Home, live_run: RunFolder) -> None:
    with console(home, "attach", environment={"LANG": "C", "LC_ALL": "", "LC_CTYPE": ""}) as shown:
        shown.until("detach")
        shown.press("q")
        shown.ended()
        assert shown.received.isascii()


def test_the_mouse_is_left_to_the_terminal_on_request(home: Home) -> None:
    with console(home, "--no-mouse") as shown:
        shown.until("detach")
        shown.press("q")
        assert shown.ended() == 0
        assert MOUSE_ON not in shown.received


def test_frames_wait_for_the_answers_of_the_terminal(home: Home) -> None:
    with console(home) as shown:
        shown.until("detach")
        shown.until("\x1b[?2026$p")
        asked = shown.received.count("\x1b[?2026$p")
        shown.press("\x1b[?2026;2$y" * asked + "?")
        shown.until("Everywhere")
        shown.press("\x1b[?2026;2$y" * 3)
        shown.press("\x1b[?2026;2$yq")
        wait_until(lambda: shown._read() or "\x1b[?2026h" in shown.received, "frames painted at once")
        shown.press("q")
        assert shown.ended() == 0
        assert shown.as_it_was


def test_a_dumb_terminal_gets_plain_words(home: Home) -> None:
    with console(home, environment={"TERM": "dumb"}) as shown:
        assert shown.ended() == 0
        assert "Usage: fumehood" in shown.received
        assert "\x1b" not in shown.received


def test_an_error_of_our_own_is_one_line_on_a_terminal_given_back(home: Home) -> None:
    broken = home.path / "sitecustomize.py"
    broken.write_text(
        "import sys\n"
        "class Break:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'tui.screens.help':\n"
        "            secret = 'sk-ant-a-key'\n"
        "            raise RuntimeError('broken on purpose')\n"
        "sys.meta_path.insert(0, Break())\n",
        encoding="utf-8",
    )
    with console(home, environment={"PYTHONPATH": str(home.path)}) as shown:
        shown.until("detach")
        shown.press("?")
        assert shown.ended() == 70
        assert shown.as_it_was
        last = shown.received.rpartition(NORMAL)[2]
    assert "fumehood: an error of fumehood's own (RuntimeError)" in last
    assert "Traceback" not in last
    assert "sk-ant" not in shown.received
    (crash,) = (home.data / "logs").glob("crash-*.txt")
    assert "broken on purpose" in crash.read_text()
    assert "sk-ant" not in crash.read_text()
