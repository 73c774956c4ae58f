"""Keeping a process that holds keys from being read by others of the same user."""

from __future__ import annotations

import contextlib
import ctypes
import resource
import sys

SET_DUMPABLE = 4
"""``PR_SET_DUMPABLE`` of Linux."""


def harden() -> None:
    """Let no other process of this user read this one's memory or environment, nor a crash dump it.

    On Linux its files below ``/proc`` belong to root from now on, and debuggers cannot attach without
    root's rights. Programs that it starts are as readable as ever. Elsewhere only crash dumps are off.
    """
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(SET_DUMPABLE, 0, 0, 0, 0)
