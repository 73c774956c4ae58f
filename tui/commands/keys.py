"""``fumehood keys``: which keys there are, where they are kept, and putting them there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import click

from core.errors import InputError, KeysError
from core.keys.asking import Verdict
from core.keys.encrypted_file import PASSPHRASE_FILE
from core.keys.lookup import key_store
from core.keys.names import KEY_NAMES
from core.keys.store import Found, Place, Search
from tui.env_file_option import env_file_option, use_env_file
from tui.exit_codes import ExitCode
from tui.key_checks import OTHER_HALF, is_blamed, set_the_other_half
from tui.key_entry import checked, in_words, keep, say, search, typed_key, where_from
from tui.safe_text import one_line
from tui.screen import Screen

NAME_COLUMNS = 20
MASK_COLUMNS = 10


class _Name(click.ParamType[str]):
    """A key's name, in capitals or not."""

    name = "NAME"

    def convert(self, value: str, param: click.Parameter | None, context: click.Context | None) -> str:
        """Find the key that is meant.

        Raises:
            InputError: there is none.
        """
        name = value.strip().upper().replace("-", "_")
        if name not in KEY_NAMES:
            raise InputError("that is no key that fumehood knows", f"There are: {', '.join(KEY_NAMES)}.")
        return name


@click.group()
@env_file_option
def keys(env_file: Path | None) -> None:
    """See which keys there are and where they are kept; set, check and remove them.

    They are kept in the system's keyring or, where there is none, in an encrypted file. Never in plain text.
    """
    use_env_file(env_file)


@keys.command("list")
def list_keys() -> ExitCode:
    """List all keys, with their last characters and where they are kept."""
    found = search(key_store(), list(KEY_NAMES))
    screen = Screen.of()
    for key in KEY_NAMES.values():
        if (known := found.found.get(key.name)) is not None:
            screen.line(
                f"{key.name:<{NAME_COLUMNS}}{known.secret.masked:<{MASK_COLUMNS}}{one_line(known.title)}"
            )
        else:
            word = "unknown" if found.troubles else "missing"
            screen.line(f"{key.name:<{NAME_COLUMNS}}{word:<{MASK_COLUMNS}}{key.use}: {key.url}")
    return _troubles(found)


@keys.command("set")
@click.argument("name", type=_Name())
@click.option("--place", type=click.Choice(["keyring", "file"]), help="Where to keep it.")
@click.option("--no-check", is_flag=True, help="Take it unasked and unseen, as for a server of your own.")
def set_key(name: str, place: Place | None, no_check: bool) -> ExitCode:
    """Keep a key. It is read from the terminal, without echo, or from stdin; never from the command line."""
    store = key_store()
    secret = typed_key(name, any_shape=no_check)
    verdict = None if no_check else checked(Found(name, secret, "session", ""))
    if verdict is not None and is_blamed(name, verdict):
        raise InputError(
            f"{name} was not kept: {in_words(verdict)}",
            f"{where_from(name)}. If it is for a server of your own: --no-check.",
        )
    kept = keep(store, name, secret, place)
    if kept.place == "session":
        raise KeysError(
            f"{name} was not kept: {kept.note}",
            f"Name a file with a passphrase in {PASSPHRASE_FILE}, or set the key in a terminal.",
        )
    if kept.note:
        say(f"{kept.note}.")
    words = "" if verdict is None else f", {in_words(verdict)}"
    Screen.of().line(f"{name}  {secret.masked}  {kept.title}{words}")
    if verdict is not None and verdict.state == "refused":
        say(f"{set_the_other_half(name)}.")
    if name in store.environment:
        say(f"The environment has a {name}, too, and goes before this one.")
    return ExitCode.DONE


@keys.command("check")
@click.argument("names", type=_Name(), nargs=-1, metavar="[NAME]...")
def check(names: Sequence[str]) -> ExitCode:
    """Ask the providers whether they accept the keys; of all that there are unless some are named."""
    found = search(key_store(), list(names or KEY_NAMES))
    screen = Screen.of()
    refused = False
    token: Verdict | None = None
    for name in names or found.found:
        if name in found.found:
            whole = name in OTHER_HALF and token is not None
            verdict = token if whole and token is not None else checked(found.found[name])
            token = verdict if name in OTHER_HALF else token
            refused = refused or verdict.state == "refused"
            screen.line(f"{name:<{NAME_COLUMNS}}{found.found[name].secret.masked}  {in_words(verdict)}")
        else:
            refused = True
            screen.line(f"{name:<{NAME_COLUMNS}}missing: {where_from(name)}")
    if not names and not found.found:
        screen.line("There is no key. See 'fumehood keys list'.")
    return max(_troubles(found), ExitCode.RUN_FAILED if refused else ExitCode.DONE)


@keys.command("remove")
@click.argument("name", type=_Name())
def remove(name: str) -> ExitCode:
    """Forget a key wherever fumehood keeps it."""
    store = key_store()
    search(store, [name])  # asks for the passphrase of the encrypted file where that has to be opened
    gone = asyncio.run(store.remove(name))
    words = f"removed from {', '.join(gone)}" if gone else "was not kept anywhere"
    Screen.of().line(f"{name}: {words}")
    if name in store.environment:
        say(f"The environment still has {name}; take it out of your shell's files.")
    return ExitCode.DONE


@keys.command("where")
def where() -> ExitCode:
    """Say where keys are looked for, in order, and what each place is like now."""
    store = key_store()
    screen = Screen.of()
    found = asyncio.run(store.search(list(KEY_NAMES)))
    held = [name for name in KEY_NAMES if name in store.environment]
    screen.line(f"1. environment     {', '.join(held) or 'holds no key'}")
    trouble = found.absent or found.troubles.get("keyring")
    screen.line(f"2. {store.keyring.title:<15} {one_line(str(trouble)) if trouble else 'answers'}")
    state = "there" if store.file.exists else "not there; made when it is needed"
    trouble = found.troubles.get("file")
    screen.line(f"3. encrypted file  {store.file.path}: {one_line(str(trouble)) if trouble else state}")
    screen.line("4. this session    keys that are asked for when a run starts; forgotten when it ends")
    return ExitCode.DONE


def _troubles(found: Search) -> ExitCode:
    for error in found.troubles.values():
        say(f"fumehood: {one_line(str(error))}")
    return ExitCode.BAD_INPUT if found.troubles else ExitCode.DONE
