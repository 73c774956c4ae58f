"""Opening the console from a command, and leaving it with an exit code and a line."""

from __future__ import annotations

import gc
import os

from core.config import Settings, read_settings
from core.record.folder import RunFolder
from tui import terminal
from tui.console_options import ConsoleOptions
from tui.exit_codes import ExitCode
from tui.outer_edge import silence
from tui.screen import Screen


def open_console(
    folder: RunFolder | None, options: ConsoleOptions, settings: Settings | None = None
) -> ExitCode:
    """Open the console, and come back once the human has left it.

    Args:
        folder: the run to show; None for the list of runs.
        options: how it is to be.
        settings: what the user prefers; None to read it.

    Returns:
        How the run on screen stood as the human left.

    Raises:
        ConfigError: the settings cannot be read.
        JournalError: the run's journal cannot be read.
    """
    settings = read_settings() if settings is None else settings
    terminal.prepare()
    gc.disable()  # until the first screen is shown: next to nothing that is made before is ever garbage
    from tui.app import Console  # only now, because Textual looks at the environment as it is imported

    console = Console(settings, folder, slow=options.slow or None, theme=options.theme)
    if options.theme is None and terminal.has_few_colours():
        console.do_with_few_colours()
    console.run(mouse=options.mouse and console.preferences.mouse)
    if console.crash is not None:
        raise console.crash
    if console.farewell and not os.environ.get(terminal.DRIVER):
        try:
            Screen.of().line(console.farewell)
        except OSError:
            silence()  # the terminal is gone
    return ExitCode(console.return_code or 0)
