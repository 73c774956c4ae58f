"""What the terminal can do, found out before Textual is imported, because Textual looks only once."""

from __future__ import annotations

import curses
import os
import sys
from collections.abc import Mapping, MutableMapping
from typing import Literal, cast, get_args

from tui.screen import is_terminal

Colours = Literal["truecolor", "256", "standard"]
"""How many colours there are, in Textual's words; ``standard`` is sixteen."""

COLOUR_SYSTEM = "TEXTUAL_COLOR_SYSTEM"
FRAMES = "TEXTUAL_FPS"
DRIVER = "TEXTUAL_DRIVER"

FRAMES_PER_SECOND = 200
"""How often Textual looks whether anything is to be painted. It paints what a key did only then, and one or
two looks later where it was busy, which at its own 60 a second takes up to 33 ms. What paints by itself is
paced elsewhere."""

SSH_ESCAPE_DELAY_MILLISECONDS = 500
"""On a slow line the bytes of an arrow key come apart; a lone escape is one only after this long."""

NO_TERMINALS = frozenset({"dumb", "unknown"})


def can_show_console(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the console can be shown: on a terminal that moves its cursor, or to a browser."""
    if environment.get(DRIVER):
        return True
    return (
        is_terminal(sys.stdin) and is_terminal(sys.stdout) and environment.get("TERM", "") not in NO_TERMINALS
    )


def colours_of(environment: Mapping[str, str]) -> Colours:
    """How many colours the terminal shows, by what it says of itself."""
    for said in get_args(Colours):
        if environment.get(COLOUR_SYSTEM) == said:
            return cast("Colours", said)
    if environment.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return "truecolor"
    name = environment.get("TERM", "")
    if name.endswith("-direct"):
        return "truecolor"
    return "256" if "256color" in name or _colours_by_terminfo(name) >= 256 else "standard"


def _colours_by_terminfo(name: str) -> int:
    """The number of colours in the terminal's description; 0 where it has none."""
    try:
        curses.setupterm(name or None, sys.__stdout__.fileno() if sys.__stdout__ else 1)
        return max(0, curses.tigetnum("colors"))
    except (curses.error, OSError, ValueError):
        return 0


def has_few_colours(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the theme has to do with sixteen colours or none."""
    return bool(environment.get("NO_COLOR")) or colours_of(environment) == "standard"


def prepare(environment: MutableMapping[str, str] = os.environ) -> None:
    """Tell Textual what it would guess wrongly. Call this before Textual is imported.

    Args:
        environment: of this process; it is changed.
    """
    environment[COLOUR_SYSTEM] = colours_of(environment)
    environment.setdefault(FRAMES, str(FRAMES_PER_SECOND))
    if environment.get("NO_COLOR"):
        environment["TEXTUAL_THEME"] = "ansi-dark"  # only then are colours left out rather than made grey
    else:
        environment.pop("NO_COLOR", None)  # set but empty, it asks for nothing
    if environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"):
        environment.setdefault("ESCDELAY", str(SSH_ESCAPE_DELAY_MILLISECONDS))


def window_title(waiting: int) -> str:
    """What the terminal's window is called.

    Args:
        waiting: how many requests wait for the human.
    """
    return f"({waiting}) fumehood: waits for you" if waiting else "fumehood"
