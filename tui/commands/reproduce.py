"""``fumehood reproduce``: run every script of a run again, and say which measurements held."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from core import decisions
from core.errors import InputError, RunLocked
from core.record.folder import RunFolder
from core.record.state import RunState
from tui.console_options import console_options, take_console_options
from tui.env_file_option import env_file_option, use_env_file
from tui.exit_codes import ExitCode
from tui.missing_keys import keys_needed, take_missing_keys
from tui.open_run import decide, named_run
from tui.reproduction import as_json, compared, held, reproduction_lines
from tui.screen import Screen
from tui.watching import Watch, start_and_watch


@click.command()
@click.argument("run", required=False)
@click.option("--report", is_flag=True, help="Run nothing; say what earlier reproductions gave.")
@click.option("--all", "every", is_flag=True, help="A line for every measurement.")
@click.option("--headless", is_flag=True, help="Plain lines, even on a terminal.")
@click.option("--json", "as_lines", is_flag=True, help="One event, and one measurement, per line, as JSON.")
@env_file_option
@console_options
def reproduce(
    run: str | None,
    report: bool,
    every: bool,
    headless: bool,
    as_lines: bool,
    env_file: Path | None,
    **typed: Any,
) -> ExitCode:
    """Run every script of an ended run again in fresh sandboxes, and compare what they measure.

    Each experiment is priced and waits for approval like any other; no model is asked. A measurement
    that comes out the same is raised to 'reproduced', in the paper, too.
    """
    folder = named_run(run)
    if report:
        return _report(folder, every=every, as_lines=as_lines)
    use_env_file(env_file)
    how = Watch(headless, as_lines, _asked_for(folder).seq, take_console_options(typed))
    code = start_and_watch(folder, how)
    if how.in_console or folder.state().ended is None:
        return code
    return _report(folder, every=every, as_lines=as_lines)


def _asked_for(folder: RunFolder) -> RunState:
    """The run as it is once a reproduction was asked for; one that was stopped goes on.

    Raises:
        DecisionError: it cannot be reproduced.
        RunLocked: an engine drives it.
    """
    state = folder.state()
    if state.reproduction is None:
        decisions.reproduce(state)  # before anybody is asked for a key
    if folder.has_engine():
        raise RunLocked(
            f"an engine drives {folder.run_id} already", f"Follow it: 'fumehood attach {folder.run_id}'."
        )
    take_missing_keys(keys_needed(set(), state.settings.sandbox, state.settings))
    if state.reproduction is None:
        _, state = decide(folder, decisions.reproduce)
    return state


def _report(folder: RunFolder, *, every: bool, as_lines: bool) -> ExitCode:
    """Say what was found; a measurement that did not hold is a failure for programs, too."""
    found = compared(folder)
    if not found:
        raise InputError(
            f"nothing of {folder.run_id} was run again yet",
            f"Start with 'fumehood reproduce {folder.run_id}'.",
        )
    screen = Screen.of()
    if as_lines:
        for one in found:
            screen.line(json.dumps(as_json(one)))
    else:
        for line in reproduction_lines(folder.state(), found, screen, every=every):
            screen.line(line)
    return ExitCode.DONE if held(found) else ExitCode.RUN_FAILED
