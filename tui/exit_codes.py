"""What a command's exit code says."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ended; scripts can rely on these numbers."""

    DONE = 0
    RUN_FAILED = 1
    BAD_INPUT = 2
    ENGINE_GONE = 3
    RUN_KILLED = 4
    DETACHED = 5
    CRASHED = 70
    INTERRUPTED = 130


MEANING = {
    ExitCode.DONE: "the run is done, or the command did its work",
    ExitCode.RUN_FAILED: "the run failed, a measurement was not reproduced, or a paper does not hold",
    ExitCode.BAD_INPUT: "bad input, or a run or disk that cannot be used",
    ExitCode.ENGINE_GONE: "the engine could not start or ended before the run did; 'fumehood resume'",
    ExitCode.RUN_KILLED: "the run was killed",
    ExitCode.DETACHED: "detached: the run goes on",
    ExitCode.CRASHED: "an error of fumehood's own; a file says more",
    ExitCode.INTERRUPTED: "the command was interrupted",
}
"""The codes in words, for ``fumehood --help``."""
