"""Typing or pasting something into the terminal that must not be seen."""

from __future__ import annotations

import os
import select
import sys
import termios

from tui.screen import is_terminal

REST_SECONDS = 0.15
"""How long to wait for the rest of a paste; a line of it that came later would go to the shell."""

MOST_BYTES = 16 * 1024


def can_ask() -> bool:
    """Whether a human sits at this command's stdin and stderr."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


def read_hidden(question: str) -> str:
    """Ask at the terminal, without showing what is typed; a paste of several lines is read whole.

    Args:
        question: what is asked.

    Returns:
        What was typed, line breaks included; empty for nothing.

    Raises:
        KeyboardInterrupt: the human does not want to.
    """
    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)
    silent = [*before]
    silent[3] = int(silent[3]) & ~termios.ECHO
    termios.tcsetattr(handle, termios.TCSAFLUSH, silent)  # before anyone is asked, so that nothing is seen
    try:
        sys.stderr.write(question)
        sys.stderr.flush()
        read = os.read(handle, MOST_BYTES)
        while len(read) < MOST_BYTES and select.select([handle], [], [], REST_SECONDS)[0]:
            more = os.read(handle, MOST_BYTES)
            if not more:
                break
            read += more
    finally:
        termios.tcsetattr(handle, termios.TCSAFLUSH, before)
        sys.stderr.write("\n")
        sys.stderr.flush()
    return read.decode(errors="replace").rstrip("\r\n")
