"""``fumehood export``: a run as one folder or zip file for others."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from core.bundle import export_run
from core.errors import InputError
from core.keys.lookup import key_store
from core.keys.names import KEY_NAMES
from core.record.folder import RunFolder
from tui.exit_codes import ExitCode
from tui.open_run import named_run
from tui.screen import Screen
from tui.wording import counted, size_in_words


@click.command()
@click.argument("run", required=False)
@click.option("--zip", "zipped", is_flag=True, help="One zip file instead of a folder.")
@click.option(
    "--to",
    "place",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The folder or file to make; inside it where it is a folder already.  [default: here]",
)
@click.option("--force", is_flag=True, help="Replace an earlier bundle.")
@click.option(
    "--with-data", is_flag=True, help="With the files that you gave the run; else they are named by hash."
)
@click.option("--allow-lookalikes", is_flag=True, help="Go on where something only looks like a key.")
def export(
    run: str | None, zipped: bool, place: Path | None, force: bool, with_data: bool, allow_lookalikes: bool
) -> ExitCode:
    """Write a run as one folder or zip file: paper, code, logs, measurements (CSV), journal, RO-Crate.

    No key can be in it: everything is searched first, and nothing is written where one is found. The
    same run gives the same bytes.
    """
    folder = named_run(run)
    zipped = zipped or (place is not None and place.suffix == ".zip" and not place.is_dir())
    target = _target(folder, place, zipped=zipped)
    _know_keys()
    made = export_run(
        folder,
        target,
        zipped=zipped,
        replace=force,
        allow_lookalikes=allow_lookalikes,
        with_data=with_data,
    )
    screen = Screen.of()
    screen.line(f"{made.path}   {counted(made.files, 'file')}, {size_in_words(made.size_bytes)}")
    if folder.state().ended is None:
        screen.line("  The run has not ended; this is what there is so far.")
    return ExitCode.DONE


def _target(folder: RunFolder, place: Path | None, *, zipped: bool) -> Path:
    name = f"{folder.run_id}.zip" if zipped else folder.run_id
    if place is None:
        return Path.cwd() / name
    try:
        place = place.expanduser().absolute()
    except RuntimeError:  # no such home
        raise InputError(f"there is no home folder {place}", "Choose another place with --to.") from None
    return place / name if place.is_dir() and not (place / "ro-crate-metadata.json").is_file() else place


def _know_keys() -> None:
    """Let every key of the user's be known, so that it is recognised wherever it is."""
    search = asyncio.run(key_store().search(tuple(KEY_NAMES)))
    for trouble in search.troubles.values():
        note = f"fumehood: {trouble.message}, so what only that place has cannot be recognised"
        Screen.of(sys.stderr).line(note)
