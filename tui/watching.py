"""Watching a run that an engine drives: the one place where a run meets what people look at.

That is the console on a terminal that can show it, and plain lines anywhere else.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field

from core.record.folder import RunFolder
from tui.console_options import ConsoleOptions
from tui.console_start import open_console
from tui.exit_codes import ExitCode
from tui.following import Follower
from tui.screen import Screen
from tui.terminal import can_show_console
from tui.voices import JsonVoice, PlainVoice


@dataclass(frozen=True)
class Watch:
    """How a run is watched.

    Attributes:
        headless: plain lines, even on a terminal.
        json: one event per line instead of words.
        after: events up to this ``seq`` are taken in without a word.
        console: how the console is to be, where it is shown.
    """

    headless: bool = True
    json: bool = False
    after: int = 0
    console: ConsoleOptions = field(default_factory=ConsoleOptions)

    @property
    def in_console(self) -> bool:
        """Whether this is watched in the console."""
        return not (self.headless or self.json) and can_show_console()


def start_and_watch(folder: RunFolder, how: Watch) -> ExitCode:
    """Start an engine for a run, and watch it.

    Raises:
        EngineError: the engine did not come up.
        JournalError: the journal cannot be read.
    """
    from core.process import start_engine

    try:
        start_engine(folder)
        return watch(folder, how)
    except KeyboardInterrupt:  # before the follower listens: the engine may be there already, and stays
        run = folder.run_id
        Screen.of(sys.stderr).line(f"Detached while the engine was starting. See 'fumehood show {run}'.")
        return ExitCode.DETACHED


def watch(folder: RunFolder, how: Watch) -> ExitCode:
    """Watch a run until it is over, its engine is gone or the human turns away.

    Raises:
        JournalError: the journal cannot be read.
    """
    if how.in_console:
        return open_console(lambda: folder, how.console)
    screen = Screen.of()
    voice = JsonVoice(screen) if how.json else PlainVoice(folder, screen)
    return asyncio.run(Follower(folder, voice, how.after).run())
