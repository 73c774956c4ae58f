"""``fumehood data``: files that the human gives a run."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from core.errors import InputError
from core.keys.lookup import MOST_HANDED_BYTES, take_over
from tui.env_file_option import env_file_option, use_env_file
from tui.exit_codes import ExitCode
from tui.open_run import named_run, say_if_no_engine
from tui.run_data import TellingPrograms, add_files, where_in_words
from tui.safe_text import one_line
from tui.screen import Screen
from tui.wording import data_lines


@click.group()
def data() -> None:
    """Give a run files that all its experiments can read and none can change; list them."""


@data.command()
@click.argument("words", nargs=-1, metavar="RUN FILE...")
@click.option("--json", "as_json", is_flag=True, help="One step per line, as JSON.")
@click.option("--keys-on-stdin", is_flag=True, hidden=True)
@env_file_option
def add(words: tuple[str, ...], as_json: bool, keys_on_stdin: bool, env_file: Path | None) -> ExitCode:
    """Add files to a run. Its sandboxes see them at /data, and its agents are told.

    A copy is kept with the run; where the run's sandboxes are at Modal, another goes there at once, into a
    volume of the run's own. Data of a run never changes: a name is given once.
    """
    if len(words) < 2:
        raise InputError("say which run, and which files", "Like: fumehood data add RUN table.csv.")
    if keys_on_stdin:  # the console's, which knows keys that nobody else does
        take_over(sys.stdin.buffer.read(MOST_HANDED_BYTES))
    use_env_file(env_file)
    folder = named_run(words[0])
    paths = [Path(word) for word in words[1:]]
    if as_json:
        telling = TellingPrograms()
        for file in add_files(folder, paths, telling)[0]:
            telling.added(file)
        return ExitCode.DONE
    files, state = add_files(folder, paths)
    screen = Screen.of()
    for line in data_lines(state)[-len(files) :]:
        screen.line(line)
    screen.line(f"  {where_in_words(state)}")
    say_if_no_engine(folder, state, screen)
    return ExitCode.DONE


@data.command("list")
@click.argument("run", required=False)
def list_data(run: str | None) -> ExitCode:
    """List a run's files, with their sizes and hashes."""
    folder = named_run(run)
    lines = data_lines(folder.state())
    screen = Screen.of()
    for line in lines:
        screen.line(line)
    if not lines:
        name = one_line(folder.run_id)
        screen.line(f"{name} has no data. Add some: 'fumehood data add {name} FILE …'.")
    return ExitCode.DONE
