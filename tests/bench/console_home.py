"""Homes for what ``tests.bench.console`` measures, and what a process uses."""

from __future__ import annotations

import contextlib
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tests.bench.console_line import Line

Figures: TypeAlias = Mapping[str, float]

SETTLE_SECONDS = 2.0
"""For which a console is left alone before it is measured."""

READY = re.compile(rb"Learner 2")
"""A run is on the screen."""


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    Attributes:
        keys: presses whose echo is waited for.
        log_lines: lines of the long log.
        seconds: for how long a busy screen is listened to.
        hour_seconds: in which an hour of events is played.
        starts: of each program, for the ratio of their first paints.
    """

    keys: int
    log_lines: int
    seconds: float
    hour_seconds: float
    starts: int


WHOLE = Effort(keys=300, log_lines=10_000_000, seconds=20.0, hour_seconds=120.0, starts=11)
SHORT = Effort(keys=40, log_lines=1_000_000, seconds=4.0, hour_seconds=15.0, starts=3)


class Place:
    """A home for the runs and consoles of one part."""

    def __init__(self, path: Path) -> None:
        self.path = path
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        folders = {f"XDG_{name}_HOME": str(path / name.lower()) for name in ("CONFIG", "STATE", "CACHE")}
        self.environment = (
            kept
            | folders
            | {"HOME": str(path), "FUMEHOOD_DATA_FOLDER": str(path), "LANG": "C.UTF-8"}
            | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        )

    def console(self, *words: str, bytes_per_second: float | None = None) -> Line:
        """A command at a line of 160 × 45 characters."""
        command = [sys.executable, "-m", "tui.cli", *words]
        return Line(command, self.environment, bytes_per_second=bytes_per_second)

    @contextlib.contextmanager
    def run(self, *words: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
        """A run that is written to, and who writes it."""
        command = [sys.executable, "-m", "tests.bench.console_run", str(self.path), *words]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self.environment
        ) as writer:
            try:
                assert writer.stdout is not None
                yield writer.stdout.readline().strip(), writer
            finally:
                writer.kill()


@contextlib.contextmanager
def place() -> Iterator[Place]:
    """A home that goes when it is not needed any more."""
    with tempfile.TemporaryDirectory(prefix="fumehood-bench-") as folder:
        yield Place(Path(folder))


def log_of(number: int) -> re.Pattern[bytes]:
    """A line that an experiment's script printed."""
    return re.compile(rb"\bE%d step " % number)


def share_of(values: list[float], percent: int) -> float:
    """The value that so many percent of the values do not exceed."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def memory(pid: int) -> float:
    """The resident memory of a process, MiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


@contextlib.contextmanager
def processor_share(pid: int) -> Iterator[list[float]]:
    """How much of a processor a process uses meanwhile, %; in the list when it is over."""
    share: list[float] = []
    begin, before = time.monotonic(), _processor_seconds(pid)
    yield share
    share.append(100 * (_processor_seconds(pid) - before) / (time.monotonic() - begin))


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
