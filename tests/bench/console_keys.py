"""Keys of ``tests.bench.console``: from a press to what it shows, here and elsewhere."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import IO

from core.record.folder import RunFolder
from tests.bench.console_home import (
    READY,
    SETTLE_SECONDS,
    Effort,
    Figures,
    log_of,
    place,
    processor_share,
    share_of,
)
from tests.bench.console_line import Line

WRITING = 16
STEPS = 14
"""Rows of the plan that the cursor goes down, and up again."""

LINK_BYTES_PER_SECOND = 100_000.0


def keys_of_sixteen(effort: Effort) -> Figures:
    """Keys while sixteen agents print 1,000 lines a second each."""
    return _keys(effort, WRITING, None)


def keys_of_a_thousand(effort: Effort) -> Figures:
    """The same with a thousand experiments in the plan."""
    return _keys(effort, 1000, None)


def keys_on_a_slow_line(effort: Effort) -> Figures:
    """As with sixteen, over a line of 100 kB/s."""
    return _keys(effort, WRITING, LINK_BYTES_PER_SECOND)


def keys_on_a_slow_line_spared(effort: Effort) -> Figures:
    """The same with ``--slow``."""
    return _keys(effort, WRITING, LINK_BYTES_PER_SECOND, "--slow")


def _keys(effort: Effort, experiments: int, rate: float | None, *options: str) -> Figures:
    """Go down and up the plan, and from log to log, at a person's irregular pace."""
    with (
        place() as home,
        home.run("--experiments", str(experiments), "--writing", str(WRITING)) as (run_id, _),
        home.console("attach", run_id, *options, bytes_per_second=rate) as line,
    ):
        line.until(READY)
        line.press("gjj")
        line.until(log_of(1))
        line.listen(SETTLE_SECONDS)
        pace = random.Random(7)
        cursor: list[float] = []
        log: list[float] = []
        with processor_share(line.pid) as busy:
            for number, key in _zigzag(effort.keys):
                line.listen(pace.uniform(0.1, 0.4))
                step = {1: "j", -1: "k"} if number % 2 else {1: "]", -1: "["}
                went = line.press_and_wait(step[key], _row(abs(number)) if number % 2 else log_of(number))
                (cursor if number % 2 else log).append(went * 1000)
        return {
            "cursor_p50": share_of(cursor, 50),
            "cursor_p95": share_of(cursor, 95),
            "log_p50": share_of(log, 50),
            "log_p95": share_of(log, 95),
            "processor": busy[0],
        }


def _zigzag(count: int) -> Iterator[tuple[int, int]]:
    """Which experiment a press goes to, and in which direction."""
    at, step = 1, 1
    for _ in range(count):
        if not 1 <= at + step <= 1 + STEPS:
            step = -step
        at += step
        yield at, step


def _row(number: int) -> re.Pattern[bytes]:
    """The plan's cursor on an experiment."""
    return re.compile("▌\\s+\\S+ E%d\\b".encode() % number)


def seen_elsewhere(effort: Effort) -> Figures:
    """How long after a decision is in the journal another console and a command tell of it, ms."""
    consoles: list[float] = []
    commands: list[float] = []
    with place() as home, home.run("--lines", "100") as (run_id, _):
        follower = [sys.executable, "-m", "tui.cli", "attach", run_id, "--json"]
        with (
            home.console("attach", run_id) as first,
            home.console("attach", run_id) as second,
            subprocess.Popen(follower, stdout=subprocess.PIPE, text=True, env=home.environment) as command,
        ):
            assert command.stdout is not None
            lines = command.stdout
            # A thread, because a console is waited for meanwhile.
            reader = threading.Thread(target=lambda: commands.extend(_told(lines)))
            reader.start()
            try:
                first.until(READY)
                second.until(READY)
                consoles += _seen(first, second, max(10, effort.keys // 10))
                second.listen(SETTLE_SECONDS)
            finally:
                command.kill()
                reader.join()
        with RunFolder(home.path / "runs" / run_id).journal() as journal:
            made = [event.at.timestamp() for event in journal.read() if event.type in DECIDED]
    late = {"console": consoles, "command": commands}
    figures: dict[str, float] = {}
    for name, times in late.items():
        delays = [1000 * (seen - at) for seen, at in zip(times, made, strict=True)]
        figures |= {f"{name}_p95": share_of(delays, 95), f"{name}_worst": max(delays)}
    return figures


def _seen(first: Line, second: Line, count: int) -> Iterator[float]:
    """Pause and go on in one console; when the other has shown each."""
    pace = random.Random(7)
    with first.read():
        for number in range(count):
            second.listen(pace.uniform(0.4, 0.8))
            first.press("p")
            second.until(CONTINUED if number % 2 else PAUSED, 5)
            yield time.time()


PAUSED, CONTINUED = re.compile(rb"go on"), re.compile(rb"p pause")
DECIDED = ("launching.paused", "launching.continued")


def _told(lines: IO[str]) -> Iterator[float]:
    """When a command told of each decision."""
    for line in lines:
        if any(f'"{name}"' in line for name in DECIDED):
            yield time.time()
