"""What ``tests.bench.console`` measures, part by part; each gives its figures by name."""

from __future__ import annotations

import contextlib
import os
import re
import select
import statistics
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

from core.record.events import now
from core.record.folder import RunFolder
from tests.bench import console_keys
from tests.bench.console_home import READY, SETTLE_SECONDS, Effort, Figures, log_of, memory, place
from tests.bench.console_line import Line
from tests.bench.console_run import CODE
from tests.fakes.console_story import Story, bagging

BARE = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("nothing but words")
Bare().run()
"""


def traffic(effort: Effort) -> Figures:
    """What a busy screen sends, by default and spared, kB/s."""
    figures = {}
    for name, options in (("default", ()), ("slow", ("--slow",))):
        with (
            place() as home,
            home.run() as (run_id, _),
            home.console("attach", run_id, *options) as line,
        ):
            line.until(READY)
            line.press("gjj")
            line.until(log_of(1))
            line.listen(SETTLE_SECONDS)
            figures[name] = line.listen(effort.seconds) / effort.seconds / 1000
    return figures


def long_log(effort: Effort) -> Figures:
    """Opening a very long log at its end, and what memory that takes."""
    with place() as home:
        story = Story(home.path)
        story.at = now()
        story.engine()
        specs = [bagging(number, f"Learner {number}", "It is long.") for number in (1, 2)]
        for spec in specs:
            story.propose(spec)
            story.launch(spec)
            story.script(spec.id, 1, CODE)
        _print_long(story.told().log_path("E1-1"), effort.log_lines)
        with story.folder.locked(), home.console("attach", story.folder.run_id) as line:
            line.until(READY)
            line.press("gj")
            line.listen(SETTLE_SECONDS)
            before = memory(line.pid)
            opened = line.press_and_wait("j", re.compile(rb"line %d loss" % effort.log_lines))
            at_once = memory(line.pid)
            counted = opened + line.press_and_wait(
                "", re.compile(rb"%b lines" % f"{effort.log_lines:,}".encode()), 60.0
            )
            line.listen(1.0)
            return {
                "opened": opened * 1000,
                "counted": counted,
                "before": before,
                "memory": max(at_once, memory(line.pid)),
            }


def _print_long(log: Path, lines: int) -> None:
    with log.open("wb") as file:
        for first in range(1, lines + 1, 100_000):
            last = min(first + 100_000, lines + 1)
            file.write(
                b"".join(
                    b"line %d loss 0.123456 accuracy 0.9876 rate 0.0003\n" % n for n in range(first, last)
                )
            )


def start(effort: Effort) -> Figures:
    """First paint of the console and of a bare app: from the start of their interpreters, in turn."""
    times: dict[str, list[float]] = {}
    with place() as home, home.run("--lines", "1") as (run_id, _):
        programs: dict[str, tuple[Callable[[], Line], re.Pattern[bytes]]] = {
            "bare": (
                lambda: Line([sys.executable, "-c", BARE], home.environment),
                re.compile(rb"[A-Za-z]{3}"),
            ),
            "console": (lambda: home.console("attach", run_id), re.compile(rb"[A-Za-z]{3}")),
            "run": (lambda: home.console("attach", run_id), READY),
        }
        for name in ("warm", "cold"):
            for _ in range(effort.starts):
                for program, (begin, painted) in programs.items():
                    if name == "cold":
                        forget_files()
                    with begin() as line:
                        took = line.until(painted) - line.begun
                    times.setdefault(f"{name}_{program}", []).append(took * 1000)
    figures = {name: statistics.median(values) for name, values in times.items()}
    for name in ("warm", "cold"):
        figures[f"{name}_ratio"] = figures[f"{name}_console"] / figures[f"{name}_bare"]
        figures[f"{name}_run_ratio"] = figures[f"{name}_run"] / figures[f"{name}_bare"]
    return figures


def forget_files() -> None:
    """Let the system forget what it has read of Python's files, as if they were never used."""
    if not hasattr(os, "posix_fadvise"):
        return
    here = Path(__file__).parents[2]
    for folder in (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), here / "tui", here / "core"):
        for path in Path(folder).rglob("*"):
            if path.suffix in (".py", ".pyc", ".so", ".toml"):
                with contextlib.suppress(OSError), path.open("rb") as file:
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def an_hour(effort: Effort) -> Figures:
    """Memory while an hour of events is played fast: after its first tenth, and at its end, MiB."""
    words = ("--hour-in", str(effort.hour_seconds), "--lines", "20")
    with (
        place() as home,
        home.run(*words) as (run_id, writer),
        home.console("attach", run_id) as line,
    ):
        assert writer.stdin is not None
        assert writer.stdout is not None
        line.until(READY)
        line.press("gjj")
        line.until(re.compile(rb"running"))
        writer.stdin.write("begin\n")
        writer.stdin.flush()
        line.listen(effort.hour_seconds / 10)
        early = memory(line.pid)
        while writer.poll() is None and not select.select([writer.stdout], [], [], 0)[0]:
            line.listen(0.5)
        line.listen(SETTLE_SECONDS)
        events = RunFolder(home.path / "runs" / run_id).state().seq
        return {
            "early": early,
            "late": memory(line.pid),
            "growth": memory(line.pid) - early,
            "events": events,
        }


PARTS: dict[str, Callable[[Effort], Figures]] = {
    part.__name__: part
    for part in (
        console_keys.keys_of_sixteen,
        console_keys.keys_of_a_thousand,
        console_keys.keys_on_a_slow_line,
        console_keys.keys_on_a_slow_line_spared,
        traffic,
        long_log,
        start,
        an_hour,
        console_keys.seen_elsewhere,
    )
}
