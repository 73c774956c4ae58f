"""No key leaves the places where it is kept: unique fake keys, every command, every fault, and a search.

The keys lie in the environment, a real keyring, the encrypted file, a named ``.env`` and the session. What
is searched: every file written, everything printed or painted, every process's command line and environment,
and what a script in a sandbox can see.
"""

from __future__ import annotations

import base64
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from core.record.folder import RunFolder, list_runs
from tests.fakes.canaries import Canaries, forms, gzipped, tarred, zipped
from tests.fakes.secret_service import SecretService, missing_programs
from tests.fakes.terminal import Terminal
from tests.tui.conftest import end_engine, wait_until
from tests.tui.tiny_study import MEASURE, write_tiny_study

SECONDS = 60.0

LOOKS_AROUND = (
    """
import os, pathlib, time
def readable(path):
    try:
        return pathlib.Path(path).read_bytes()
    except OSError as error:
        return str(error).encode()
print(dict(os.environ))
pid = os.getpid()
while pid > 1:
    for name in ("environ", "cmdline"):
        print(pid, name, readable(f"/proc/{pid}/{name}"))
    status = readable(f"/proc/{pid}/status").decode()
    pid = int(status.split("PPid:")[1].split()[0]) if "PPid:" in status else 0
for place in ("XDG_DATA_HOME", "HOME"):
    for path in list(pathlib.Path(os.environ.get(place, "/nowhere")).rglob("*"))[:1000]:
        print(path)
print("looked around", flush=True)
while not os.path.exists("go"):
    time.sleep(0.02)
"""
    + MEASURE
)
"""A script that prints whatever of its surroundings it can see, and waits until it is told to go on."""

WITH_A_SESSION_KEY = """
import sys
from core.keys.lookup import key_store
from core.keys.names import OPENALEX
from core.keys.secret import Secret
from tui.cli import main
key_store().session[OPENALEX] = Secret(sys.stdin.readline().strip())
sys.argv[0] = "fumehood"
main()
"""
"""``fumehood`` as it is once somebody has typed a key that is kept for the session only."""

BREAKS_IN_A_COMMAND = """
import asyncio, sys
import tui.commands.keys as keys
from core.keys.lookup import find_key
from tui.cli import main
name = sys.argv.pop()
def search(*_):
    key = asyncio.run(find_key(name)).reveal()
    raise RuntimeError(f"GET https://example.org/?key={key} failed") from ValueError({"x-api-key": key})
keys.search = search
main()
"""

BREAKS_IN_THE_CONSOLE = """
import sys
from core.keys.names import ANTHROPIC
import tui.screens.keys as keys
from tui.cli import main
row = keys.KeysScreen._row
def breaks(screen, name):
    if screen.found is None or ANTHROPIC not in screen.found.found:
        return row(screen, name)
    value = screen.found.found[ANTHROPIC].secret.reveal()
    raise RuntimeError(f"cannot paint {value}")
keys.KeysScreen._row = breaks
main()
"""


@dataclass
class Scene:
    """A home with a key in every place.

    Attributes:
        path: the home.
        environment: of commands; holds one of the keys.
        keys: every key, by its place.
        own: files that the test itself wrote keys into.
        given: processes that the test itself gave keys to.
        told: everything that was printed.
    """

    path: Path
    environment: dict[str, str]
    keys: dict[str, str]
    own: set[Path] = field(default_factory=set)
    given: set[int] = field(default_factory=set)
    told: list[tuple[str, bytes]] = field(default_factory=list)
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def canaries(self) -> Canaries:
        return Canaries(self.keys)

    def start(self, *words: str, program: str = "", **options: Any) -> subprocess.Popen[bytes]:
        """Start a command."""
        command = ["-c", program] if program else ["-m", "tui.cli"]
        usual: dict[str, Any] = {"stdin": subprocess.PIPE, "env": self.environment}
        process = subprocess.Popen(
            [sys.executable, *command, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **(usual | options),
        )
        self.given.add(process.pid)
        self.running.append(process)
        return process

    def type(self, *words: str, typed: str = "", program: str = "", **options: Any) -> tuple[int, str]:
        """Run a command to its end; gives its exit code and all that it printed."""
        process = self.start(*words, program=program, **options)
        out, err = process.communicate(typed.encode(), timeout=SECONDS)
        self.told.append((" ".join(words), out + err))
        return process.returncode, (out + err).decode()

    def only_run(self) -> RunFolder:
        (folder,) = list_runs(self.path / "data" / "runs")
        return folder

    def leaks(self) -> list[str]:
        """Every leak up to now."""
        found = self.canaries.leaks_below(self.path, frozenset(self.own))
        found += self.canaries.leaks_in_processes(frozenset({os.getpid(), *self.given}))
        for words, data in self.told:
            found += self.canaries.leaks_in(data, f"what '{words}' printed")
        return found


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    if missing := missing_programs():
        pytest.skip(f"not installed: {', '.join(missing)} (apt install gnome-keyring dbus-daemon)")
    token = secrets.token_hex(12)
    keys = {
        "the environment": f"sk-ant-api03-env{token}+/=Q-Zx1",
        "the keyring": f"AIzaSyRing{token}_-Zx2ab",
        "the encrypted file": f"ak-file{token}Zx3abcdefgh",
        "the .env": f"as-dotenv{token}Zx4abcdefg",
        "the session": f"session{token}Zx5abcdefghij",
        "the passphrase file": f"passphrase {token} Zx6 & more",
    }
    with tempfile.TemporaryDirectory(prefix="fumehood-") as folder:
        service = SecretService(Path(folder), sys.executable)
        made = _scene(tmp_path, keys, service)
        yield made
        for process in made.running:
            process.kill()
            process.communicate()
        for run in list_runs(tmp_path / "data" / "runs"):
            end_engine(run)
        service.close()


def _scene(path: Path, keys: dict[str, str], service: SecretService) -> Scene:
    passphrase, dotenv = path / "passphrase", path / ".env"
    passphrase.write_text(keys["the passphrase file"])
    passphrase.chmod(0o600)
    dotenv.write_text(f"MODAL_TOKEN_SECRET={keys['the .env']}\n")
    environment = {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "HOME": str(path / "home"),
        "TERM": "xterm-256color",
        "XDG_CONFIG_HOME": str(path / "config"),
        "XDG_CACHE_HOME": str(path / "cache"),
        "XDG_DATA_HOME": str(path / "share"),
        "XDG_STATE_HOME": str(path / "state"),
        "XDG_RUNTIME_DIR": service.environment["XDG_RUNTIME_DIR"],
        "DBUS_SESSION_BUS_ADDRESS": service.environment["DBUS_SESSION_BUS_ADDRESS"],
        "FUMEHOOD_DATA_FOLDER": str(path / "data"),
        "FUMEHOOD_PASSPHRASE_FILE": str(passphrase),
        "ANTHROPIC_API_KEY": keys["the environment"],
    }
    (path / "home").mkdir()
    made = Scene(path, environment, keys, own={passphrase, dotenv})
    for name, place, where in (
        ("GOOGLE_API_KEY", "the keyring", ()),
        ("MODAL_TOKEN_ID", "the encrypted file", ("--place", "file")),
    ):
        code, told = made.type("keys", "set", name, "--no-check", *where, typed=f"'{keys[place]}'\n")
        assert code == 0, told
    return made


# The search itself


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda data: b"before " + data + b" after",
    "gzip": gzipped,
    "gzip behind something": lambda data: b"junk" + gzipped(data) + b"junk",
    "zip": zipped,
    "tar": tarred,
    "gzip in zip": lambda data: zipped(gzipped(data)),
    "gzipped tar": lambda data: gzipped(tarred(data)),
}

PLANTED = "sk-ant-planted-0123+/=abcXYZ&9"


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("form", forms(PLANTED))
def test_the_search_finds_a_planted_key_in_every_form_and_packing(form: str, packing: str) -> None:
    data = PACKINGS[packing](forms(PLANTED)[form])
    assert any(form in leak for leak in Canaries({"a place": PLANTED}).leaks_in(data, "data"))


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
def test_the_search_finds_a_key_in_the_base64_of_a_longer_text(before: str) -> None:
    encoded = base64.b64encode(f"{before}{PLANTED} and more".encode())
    assert Canaries({"a place": PLANTED}).leaks_in(encoded, "data")


@pytest.mark.parametrize(
    "painted",
    [
        "<text>sk-ant-planted</text><text class='r'>-0123+/=abcXYZ&amp;9</text>",
        "\x1b[31msk-ant-planted\x1b[0m-0123+/=\x1b[1mabcXYZ&9\x1b[0m",
        "<b>sk-ant-planted-0123</b>\n│  +/=abcXYZ&9".replace("│", "|"),
    ],
)
def test_the_search_finds_a_key_that_is_painted_in_pieces(painted: str) -> None:
    assert Canaries({"a place": PLANTED}).leaks_in(painted.encode(), "data")


def test_the_search_finds_a_key_in_files_names_command_lines_and_environments(tmp_path: Path) -> None:
    canaries = Canaries({"a place": PLANTED})
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file.bin").write_bytes(b"\0" + PLANTED.encode("utf-16-le"))
    assert canaries.leaks_below(tmp_path)
    (tmp_path / "deep" / "file.bin").unlink()
    (tmp_path / f"log-{PLANTED[-16:]}".replace("/", "_")).touch()
    assert not canaries.leaks_below(tmp_path)  # a slash cannot stand in a name
    for argument, environment in ((PLANTED, {}), ("", {"KEY": PLANTED})):
        holder = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()", argument],
            stdin=subprocess.PIPE,
            env=environment,
        )
        with holder:
            wait_until(lambda: canaries.leaks_in_processes(), "the leak")
            assert holder.stdin is not None
            holder.stdin.close()
    assert canaries.leaks_in_processes() == []


def test_the_search_finds_nothing_where_nothing_is() -> None:
    innocent = secrets.token_bytes(4096) + gzipped(b"nothing here") + PLANTED[:-17].encode()
    assert Canaries({"a place": PLANTED}).leaks_in(innocent, "data") == []


# The search in everything that fumehood does


def test_no_command_about_keys_shows_or_writes_one(scene: Scene) -> None:
    code, listed = scene.type("keys", "--env-file", str(scene.path / ".env"), "list")
    assert code == 0
    for place in ("environment", "Secret Service", "encrypted file", "--env-file"):
        assert place in listed
    assert listed.count("••••") == 4  # all found, and each shown by its end
    for words, typed in (
        (("keys", "where"), ""),
        (("keys", "check"), ""),
        (("doctor",), ""),
        (("keys", "set", "ANTHROPIC_API_KEY", "--no-check"), scene.keys["the keyring"]),
        (("keys", "set", "GOOGLE_API_KEY"), f"{scene.keys['the keyring']} with words ä"),
        (("keys", "set", "GOOGLE_API_KEY", "--place", "file"), scene.keys["the keyring"]),
        (("keys", "remove", "GOOGLE_API_KEY"), ""),
        (("keys", "set", scene.keys["the keyring"][:-20]), ""),
    ):
        scene.type(*words, typed=typed)
    assert scene.leaks() == []


def test_a_run_that_is_killed_resumed_and_read_leaks_no_key_and_its_script_sees_none(scene: Scene) -> None:
    study = write_tiny_study(scene.path / "study")
    (study / "measure.py").write_text(LOOKS_AROUND)
    started = scene.start(
        *("run", "Is new better?", "--model", f"scripted:{study}", "--headless", "--approve", "auto"),
        *("--confirm-scripts", "--accept-process-only"),
        program=WITH_A_SESSION_KEY,
    )
    assert started.stdin is not None
    started.stdin.write(f"{scene.keys['the session']}\n".encode())
    started.stdin.flush()
    wait_until(lambda: list_runs(scene.path / "data" / "runs"), "the run")
    run = scene.only_run()
    wait_until(lambda: _waits(run, "script:E1"), "the script that waits for a yes")
    assert scene.type("approve", "script:E1")[0] == 0
    wait_until(lambda: _printed(run, b"looked around"), "the script")
    assert scene.leaks() == []

    engine = _engine_of(run)
    os.kill(engine, signal.SIGKILL)
    out, err = started.communicate(timeout=SECONDS)
    scene.told.append(("run", out + err))
    resumed = scene.start("resume", run.run_id, "--headless")
    wait_until(run.has_engine, "the resumed engine")
    (work,) = (run.path / "sandboxes").glob("*/work")
    (work / "go").touch()
    out, err = resumed.communicate(timeout=SECONDS)
    scene.told.append(("resume", out + err))
    assert resumed.returncode == 0, (out, err)
    for words in (("runs",), ("show",), ("logs", "E1"), ("paper", "--print"), ("doctor",), ("budget", "20")):
        scene.type(*words)
    assert scene.leaks() == []


def _waits(run: RunFolder, name: str) -> bool:
    return any(name in request.asked.request_id for request in run.state().waiting)


def _engine_of(run: RunFolder) -> int:
    engine = run.state().engine
    assert engine is not None
    return engine.pid


def _printed(run: RunFolder, text: bytes) -> bool:
    return any(text in log.read_bytes() for log in run.logs.glob("E1*.log"))


@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "MODAL_TOKEN_ID"])
def test_a_crash_of_a_command_with_a_key_in_its_error_reports_all_but_the_key(
    scene: Scene, name: str
) -> None:
    code, told = scene.type("keys", "list", name, program=BREAKS_IN_A_COMMAND)
    assert code == 70, told
    (report,) = (scene.path / "data" / "logs").glob("crash-*.txt")
    assert "RuntimeError: GET https://example.org/?key=•••• failed" in report.read_text()
    assert "ValueError" in report.read_text()
    assert scene.leaks() == []


def in_terminal(scene: Scene, act: Callable[[Terminal], None], *command: str) -> None:
    """Play the human at a terminal, and keep every byte that it was sent."""
    received: list[bytes] = []
    with Terminal([sys.executable, *command], scene.environment) as terminal:
        scene.given.add(terminal.pid)
        feed = terminal.emulation.feed

        def keep(data: bytes) -> bytes:
            received.append(data)
            return feed(data)

        terminal.emulation.feed = keep  # type: ignore[method-assign]
        act(terminal)
        scene.told.append(("the terminal", b"".join(received)))
        scene.told.append(("the screen", terminal.text.encode()))


def test_the_console_paints_no_key_also_while_one_is_typed_and_when_it_is_killed(scene: Scene) -> None:
    def act(terminal: Terminal) -> None:
        terminal.until("play the demo")
        terminal.press("k")
        terminal.until("••••")
        scene.told.append(("the keys", terminal.text.encode()))
        terminal.press("s")
        terminal.until("gives it out")
        terminal.press(scene.keys["the session"])
        terminal.look_on(0.5)
        scene.told.append(("the field", terminal.text.encode()))
        terminal.signal(signal.SIGKILL)
        terminal.ended()

    in_terminal(scene, act, "-m", "tui.cli")
    assert scene.leaks() == []


def test_a_crash_of_the_console_leaves_no_key_on_the_screen_or_in_its_report(scene: Scene) -> None:
    def act(terminal: Terminal) -> None:
        terminal.until("play the demo")
        terminal.press("k")
        assert terminal.ended() == 70
        assert "an error of fumehood's own (RuntimeError)" in terminal.text

    in_terminal(scene, act, "-c", BREAKS_IN_THE_CONSOLE)
    (report,) = (scene.path / "data" / "logs").glob("crash-*.txt")
    assert "cannot paint ••••" in report.read_text()
    assert scene.leaks() == []


def test_a_key_typed_at_a_prompt_is_not_echoed_though_it_is_pasted_over_lines(scene: Scene) -> None:
    key = scene.keys["the session"]

    def act(terminal: Terminal) -> None:
        terminal.until("OPENALEX_API_KEY (not shown):")
        terminal.press(f"{key[:14]}\n{key[14:]}\n")
        terminal.until(key[-4:])
        assert terminal.ended() == 0

    in_terminal(scene, act, "-m", "tui.cli", "keys", "set", "OPENALEX_API_KEY", "--no-check")
    code, listed = scene.type("keys", "list")
    assert code == 0
    assert f"OPENALEX_API_KEY    ••••{key[-4:]}" in listed
    assert scene.leaks() == []


def test_the_search_would_have_found_a_leak_of_a_run(scene: Scene) -> None:
    folder = scene.path / "data" / "runs" / "leaky" / "logs"
    folder.mkdir(parents=True)
    (folder / "engine.log").write_text(f"GET https://example.org/?key={scene.keys['the keyring']}\n")
    (leak, *_) = scene.leaks()
    assert "the key in the keyring" in leak
    assert "engine.log" in leak
