"""``fumehood attach``: following a run from anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tui.console_options import console_options, take_console_options
from tui.exit_codes import ExitCode

if TYPE_CHECKING:
    from core.record.folder import RunFolder


@click.command()
@click.argument("run", required=False)
@click.option("--headless", is_flag=True, help="Plain lines, even on a terminal.")
@click.option("--json", "as_json", is_flag=True, help="Every event from the first, one per line, as JSON.")
@console_options
def attach(run: str | None, headless: bool, as_json: bool, **typed: Any) -> ExitCode:
    """Follow a run from here. Turning away leaves the run going on."""
    # Imported only now: the console paints its first frame before it needs most of it.
    from tui.terminal import can_show_console

    if headless or as_json or not can_show_console():
        return _in_lines(run, headless, as_json)
    from tui.console_start import open_console

    return open_console(lambda: _find(run), take_console_options(typed))


def _find(run: str | None) -> RunFolder:
    from tui.open_run import named_run

    return named_run(run)


def _in_lines(run: str | None, headless: bool, as_json: bool) -> ExitCode:
    """Tell what the run has come to, and what happens next."""
    from tui.following import OUTCOMES
    from tui.overview import Overview
    from tui.screen import Screen
    from tui.status import status_of
    from tui.watching import Watch, watch

    folder = _find(run)
    if as_json:
        return watch(folder, Watch(headless=headless, json=True))
    state = folder.state()
    screen = Screen.of()
    for line in Overview(folder, state, screen).lines():
        screen.line(line)
    if state.ended is not None:
        return OUTCOMES[state.ended.outcome]
    if status_of(folder, state).resumable:
        return ExitCode.ENGINE_GONE
    screen.line()
    return watch(folder, Watch(headless=headless, after=state.seq))
