"""``fumehood logs``: what scripts printed."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import click

from core.errors import InputError
from core.record.folder import RunFolder
from core.record.live import LiveRun
from core.record.state import RunState
from tui.exit_codes import ExitCode
from tui.log_tail import LogTail
from tui.open_run import named_run, run_and_rest
from tui.screen import NobodyReads, Screen, is_terminal

POLL_SECONDS = 0.25
ENGINE = "engine"


@click.command()
@click.argument("words", nargs=-1, metavar="[RUN] [EXEC|EXPERIMENT|engine]")
@click.option("-f", "--follow", is_flag=True, help="Go on until the script has ended.")
@click.option("--raw", is_flag=True, help="The very bytes; not on a terminal.")
def logs(words: tuple[str, ...], follow: bool, raw: bool) -> ExitCode:
    """Show what a script printed; of an experiment, its latest script.

    Nothing but colours reaches the terminal. 'engine' shows the engine's own log.
    """
    folder, rest = run_and_rest(words, find=named_run)
    if len(rest) > 1:
        raise InputError("name one script", "Like: fumehood logs RUN E1-2.")
    name = _exec_id(folder.state(), rest[0] if rest else None)
    path = folder.log_path(name)
    if not path.exists() and not follow:
        raise InputError(f"{name} has printed nothing yet", "Use -f to wait for it.")
    if raw:
        if follow or is_terminal(sys.stdout):
            raise InputError("--raw is for files and pipes, and not for -f", "Leave it out.")
        _copy(path)
        return ExitCode.DONE
    _print(folder, name, follow=follow)
    return ExitCode.DONE


def _exec_id(state: RunState, name: str | None) -> str:
    """The exec that is meant.

    Raises:
        InputError: there is none.
    """
    if name == ENGINE:
        return ENGINE
    known = f"There are: {', '.join(state.execs) or 'none yet'}."
    if name is None:
        if not state.execs:
            raise InputError("no script has been started yet", f"See 'fumehood logs RUN {ENGINE}'.")
        return next(reversed(state.execs))
    wanted = name.upper()
    if wanted in state.execs:
        return wanted
    if wanted in state.experiments:
        if not state.experiments[wanted].execs:
            raise InputError(f"{wanted} has started no script yet", known)
        return state.experiments[wanted].execs[-1]
    raise InputError(f"there is no script {name!r}", known)


def _copy(log: Path) -> None:
    try:
        with log.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise NobodyReads from None


def _print(folder: RunFolder, name: str, *, follow: bool) -> None:
    """Print a log as lines that are safe for a terminal, from its first byte."""
    screen = Screen.of()
    tail = LogTail(folder.log_path(name), skips=False)
    with folder.journal() as journal:
        live = LiveRun(folder, journal)
        while True:
            # First ask whether it has ended, then read: nothing can come after.
            goes_on = follow and _runs(live, name)
            while tail.behind:
                for line in tail.take(colours=screen.colours):
                    screen.line(line)
            if not goes_on:
                break
            screen.must_be_read()
            time.sleep(POLL_SECONDS)
    for line in tail.take(colours=screen.colours, ended=True):
        screen.line(line)


def _runs(live: LiveRun, name: str) -> bool:
    if not live.folder.has_engine():
        return False
    live.refresh()
    script = live.state.execs.get(name)
    return script is None or script.ended is None
