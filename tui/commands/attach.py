"""``fumehood attach``: following a run from anywhere."""

from __future__ import annotations

from typing import Any

import click

from tui.console_options import console_options, take_console_options
from tui.exit_codes import ExitCode
from tui.following import OUTCOMES
from tui.open_run import named_run
from tui.overview import Overview
from tui.screen import Screen
from tui.status import status_of
from tui.watching import Watch, watch


@click.command()
@click.argument("run", required=False)
@click.option("--headless", is_flag=True, help="Plain lines, even on a terminal.")
@click.option("--json", "as_json", is_flag=True, help="Every event from the first, one per line, as JSON.")
@console_options
def attach(run: str | None, headless: bool, as_json: bool, **typed: Any) -> ExitCode:
    """Follow a run from here. Turning away leaves the run going on."""
    folder = named_run(run)
    how = Watch(headless=headless, json=as_json, console=take_console_options(typed))
    if how.in_console:
        return watch(folder, how)
    state = folder.state()
    if as_json:
        return watch(folder, Watch(headless=headless, json=True))
    screen = Screen.of()
    for line in Overview(folder, state, screen).lines():
        screen.line(line)
    if state.ended is not None:
        return OUTCOMES[state.ended.outcome]
    if status_of(folder, state).resumable:
        return ExitCode.ENGINE_GONE
    screen.line()
    return watch(folder, Watch(headless=headless, after=state.seq))
