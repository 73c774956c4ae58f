"""One exec on this machine, seen from outside: its folder, whether it runs, and how it ended."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from core.sandbox.base import ExecEnd, ExecResult
from core.sandbox.following import open_regular

STATUS_LIMIT_BYTES = 64 * 1024
LOST = ExecResult("lost", None, 0.0)


@dataclass(frozen=True)
class ExecFolder:
    """The files of one exec; what they are is said in ``supervisor.py``.

    Attributes:
        path: the folder.
    """

    path: Path

    @property
    def lab(self) -> Path:
        """What the script's ``lab`` writes."""
        return self.path / "lab"

    @property
    def records(self) -> Path:
        """The records."""
        return self.lab / "records.jsonl"

    @property
    def output(self) -> Path:
        """What the script printed."""
        return self.path / "output"

    @property
    def claimed(self) -> bool:
        """Whether a supervisor has ever taken it."""
        return (self.path / "claim").exists()

    @property
    def supervised(self) -> bool:
        """Whether its supervisor lives: it holds a lock for just as long."""
        handle = open_regular(self.path / "claim")
        if handle is None:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False

    def result(self) -> ExecResult | None:
        """How it ended; None while it runs or was not started.

        An exec whose supervisor died without a word is ``lost``.
        """
        supervised = not self.claimed or self.supervised
        status = _read_json(self.path / "status.json")
        if status is not None:
            return exec_result(status)
        return None if supervised else LOST

    def ended(self) -> bool:
        """Whether it has ended. Whatever it wrote, it had written before."""
        return self.result() is not None

    def ask_to_end(self) -> None:
        """Have its supervisor end it, at once."""
        with contextlib.suppress(FileNotFoundError):
            (self.path / "kill").touch(mode=0o600)
        self._signal_supervisor(signal.SIGTERM)

    def force_to_end(self) -> None:
        """End a supervisor that does not answer; what it started dies with it."""
        self._signal_supervisor(signal.SIGKILL)

    def end_orphans(self) -> None:
        """End what a dead supervisor left behind, as far as it can be told (Linux).

        Only a script without a box can leave anything: in a box all dies with the first process.
        """
        mark = f"LAB_DIR={self.lab}".encode()
        for folder in Path("/proc").glob("[0-9]*") if sys.platform == "linux" else ():
            with contextlib.suppress(OSError):
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    os.kill(int(folder.name), signal.SIGKILL)

    def _signal_supervisor(self, number: signal.Signals) -> None:
        claim = _read_json(self.path / "claim")
        # The lock says that the process lives; without it the number may be another's by now.
        if claim is not None and self.supervised and isinstance(claim.get("pid"), int):
            with contextlib.suppress(ProcessLookupError):
                os.kill(claim["pid"], number)


def _read_json(path: Path) -> dict[str, Any] | None:
    handle = open_regular(path)
    if handle is None:
        return None
    with os.fdopen(handle, "rb") as file:
        content = file.read(STATUS_LIMIT_BYTES)
    try:
        fields = json.loads(content)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None


def exec_result(status: dict[str, Any]) -> ExecResult:
    """What a supervisor wrote about the end of its exec; ``lost`` where that makes no sense."""
    try:
        if status["end"] not in get_args(ExecEnd):
            return LOST
        exit_code = status["exit_code"]
        return ExecResult(
            end=status["end"],
            exit_code=None if exit_code is None else int(exit_code),
            seconds=float(status["seconds"]),
            peak_memory_bytes=int(status["peak_memory_bytes"]),
            output_bytes=int(status["output_bytes"]),
        )
    except (KeyError, TypeError, ValueError):
        return LOST
