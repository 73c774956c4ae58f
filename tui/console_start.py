"""Opening the console from a command, and leaving it with an exit code and a line."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui import terminal
from tui.console_options import ConsoleOptions
from tui.exit_codes import ExitCode
from tui.first_look import first_look
from tui.outer_edge import silence
from tui.screen import Screen

if TYPE_CHECKING:
    from core.record.folder import RunFolder


def open_console(find: Callable[[], RunFolder | None], options: ConsoleOptions) -> ExitCode:
    """Open the console, and come back once the human has left it.

    Args:
        find: finds the run to show; None for the list of runs. It is called once something is on the
            screen, and may raise whatever keeps the console from opening.
        options: how it is to be.

    Returns:
        How the run on screen stood as the human left.

    Raises:
        ConfigError: the settings cannot be read.
        JournalError: the run's journal cannot be read.
        RunNotFound: ``find`` found none.
    """
    terminal.prepare()
    gc.disable()  # until the first screen is shown: next to nothing that is made before is ever garbage
    from tui.app import Console  # only now, because Textual looks at the environment as it is imported

    look = first_look()
    console = Console(None, find=find, slow=options.slow or None, theme=options.theme)
    console.look_like(options.theme or look.theme)
    if options.theme is None and terminal.has_few_colours():
        console.do_with_few_colours()
    console.run(mouse=options.mouse and look.mouse)
    if console.crash is not None:
        raise console.crash
    if console.farewell and not os.environ.get(terminal.DRIVER):
        try:
            Screen.of().line(console.farewell)
        except OSError:
            silence()  # the terminal is gone
    return ExitCode(console.return_code or 0)
