"""``--env-file``: the one way in which a ``.env`` is ever read."""

from __future__ import annotations

from pathlib import Path

import click

from core.keys.env_file import read_env_file
from core.keys.lookup import key_store
from tui.key_entry import say

env_file_option = click.option(
    "--env-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Take keys from a .env file, too. Without this none is read.",
)
"""The option, for commands that need keys."""


def use_env_file(path: Path | None) -> None:
    """Take keys from a file that was named, and say so; the environment goes before it.

    Raises:
        InputError: it cannot be read.
    """
    if path is None:
        return
    found = read_env_file(path)
    key_store().env_file = found
    names = ", ".join(found) or "no key"
    say(f"Read {names} from {path}: a plain file, which every program of yours can read.")
