"""The options of every command that can open the console."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class ConsoleOptions:
    """How the console is to be.

    Attributes:
        slow: spare a slow line; False for as it was kept.
        mouse: use the mouse; True for as it was kept.
        theme: the theme; None for the one that was set or kept.
    """

    slow: bool = False
    mouse: bool = True
    theme: str | None = None


NAMES = ("slow", "no_mouse", "theme")


def console_options(command: Command) -> Command:
    """Give a command the options of the console; ``take_console_options`` reads them."""
    for option in (
        click.option("--theme", metavar="NAME", help="The console's theme."),
        click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal."),
        click.option("--slow", is_flag=True, help="Paint less often, to spare a slow line."),
    ):
        command = option(command)
    return command


def take_console_options(typed: MutableMapping[str, Any]) -> ConsoleOptions:
    """Take the console's options out of what was typed."""
    slow, no_mouse, theme = (typed.pop(name, None) for name in NAMES)
    return ConsoleOptions(slow=bool(slow), mouse=not no_mouse, theme=theme)
