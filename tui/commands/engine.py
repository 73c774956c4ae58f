"""``fumehood stop`` and ``resume``: ending a run's engine and starting another."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from core import decisions
from core.errors import InputError, RunLocked
from core.record.state import RunState
from tui.console_options import console_options, take_console_options
from tui.env_file_option import env_file_option, use_env_file
from tui.exit_codes import ExitCode
from tui.left_open import left_in_words, left_open
from tui.missing_keys import keys_needed, take_missing_keys
from tui.open_run import decide, named_run, run_to_change
from tui.screen import Screen
from tui.watching import Watch, start_and_watch

STOP_SECONDS = 30.0
"""How long ``stop`` waits to see the engine end; it ends anyway."""

POLL_SECONDS = 0.1


@click.command()
@click.argument("run", required=False)
@click.option("--close-sandboxes", is_flag=True, help="End what runs in sandboxes, too.")
def stop(run: str | None, close_sandboxes: bool) -> ExitCode:
    """End a run's engine; the run can be resumed.

    Scripts that run go on without it for a while, so that a resumed engine finds them.
    """
    folder = run_to_change(run)
    if not folder.has_engine():
        decisions.stop(folder.state(), close_sandboxes=close_sandboxes)  # an ended run has its own words
        see = f"See 'fumehood show {folder.run_id}'"
        left = left_in_words(left_open(folder, folder.state()))
        raise InputError(f"no engine drives {folder.run_id}", f"{left or see}.")
    decide(folder, lambda state: decisions.stop(state, close_sandboxes=close_sandboxes))
    screen = Screen.of()
    deadline = time.monotonic() + STOP_SECONDS
    while folder.has_engine():
        if time.monotonic() > deadline:
            screen.line(f"The engine of {folder.run_id} was asked to stop and is still writing things down.")
            return ExitCode.DONE
        time.sleep(POLL_SECONDS)
    screen.line(f"The engine of {folder.run_id} has stopped; go on with 'fumehood resume {folder.run_id}'.")
    if left := left_in_words(left_open(folder, folder.state())):
        screen.line(f"{left}.")
    return ExitCode.DONE


def model_names(state: RunState) -> set[str]:
    """The models that an engine of a run asks; none where it only reproduces."""
    settings = state.settings
    if state.reproduction is not None:
        return set()
    return {settings.model, settings.researcher_model, settings.writer_model}


@click.command()
@click.argument("run", required=False)
@click.option("--headless", is_flag=True, help="Plain lines, even on a terminal.")
@click.option("--json", "as_json", is_flag=True, help="One event per line, as JSON.")
@env_file_option
@console_options
def resume(run: str | None, headless: bool, as_json: bool, env_file: Path | None, **typed: Any) -> ExitCode:
    """Start an engine for a run that has none, and follow it."""
    folder = named_run(run)
    state = folder.state()
    if state.ended is not None:
        raise InputError(
            f"{folder.run_id} has ended: {state.ended.outcome}", f"See 'fumehood show {folder.run_id}'."
        )
    if folder.has_engine():
        raise RunLocked(
            f"an engine drives {folder.run_id} already", f"Follow it: 'fumehood attach {folder.run_id}'."
        )
    use_env_file(env_file)
    settings = state.settings
    models = model_names(state)
    take_missing_keys(keys_needed(models, settings.sandbox, settings))
    return start_and_watch(folder, Watch(headless, as_json, state.seq, take_console_options(typed)))
