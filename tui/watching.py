"""Watching a run that an engine drives: the one place where a run meets what people look at.

Headless output is all there is so far; a console takes its place here.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass

from core.record.folder import RunFolder
from tui.exit_codes import ExitCode
from tui.following import Follower
from tui.screen import Screen
from tui.voices import JsonVoice, PlainVoice


@dataclass(frozen=True)
class Watch:
    """How a run is watched.

    Attributes:
        headless: plain lines, even on a terminal.
        json: one event per line instead of words.
        after: events up to this ``seq`` are taken in without a word.
    """

    headless: bool = True
    json: bool = False
    after: int = 0


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
    screen = Screen.of()
    voice = JsonVoice(screen) if how.json else PlainVoice(folder, screen)
    return asyncio.run(Follower(folder, voice, how.after).run())
