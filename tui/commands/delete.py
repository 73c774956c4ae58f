"""``fumehood delete``: removing a run for good, with what it has at Modal."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from core.errors import FumehoodError, InputError
from core.keys.lookup import key_store
from core.keys.names import MODAL_ID, MODAL_SECRET
from core.record.archive import refuse_if_driven
from core.record.folder import RunFolder
from core.record.state import RunState
from core.sandbox.machines import MODAL
from tui import deleting
from tui.env_file_option import env_file_option, use_env_file
from tui.exit_codes import ExitCode
from tui.key_entry import say, search
from tui.left_open import left_open, may_have_volumes
from tui.open_run import named_run
from tui.safe_text import one_line
from tui.screen import Screen, is_terminal


@click.command()
@click.argument("run")
@click.option("--yes", is_flag=True, help="Do not ask; what the run has at Modal goes, too.")
@click.option("--keep-volumes", is_flag=True, help="Leave its volumes at Modal where they are.")
@env_file_option
def delete(run: str, yes: bool, keep_volumes: bool, env_file: Path | None) -> ExitCode:
    """Remove a run for good: journal, paper, logs, measurements, data.

    Sandboxes that it has left open are ended. Its volumes at Modal are removed, too, unless you say no. No
    engine may drive it.
    """
    use_env_file(env_file)
    folder = named_run(run)
    refuse_if_driven(folder)
    if not yes and not is_terminal(sys.stdin):
        raise InputError("nobody is there to confirm the deletion", "Use --yes.")
    state = _state(folder)
    at_modal = _at_modal(folder, state)
    for line in deleting.warnings(left_open(folder, state), at_modal):
        say(one_line(line, 600))
    volumes = bool(at_modal.volumes) and not keep_volumes
    if not yes:
        _confirm(folder, state)
        if volumes:
            say(deleting.what_they_hold(at_modal))
            volumes = click.confirm(deleting.volumes_question(at_modal), default=False, err=True)
    asyncio.run(deleting.delete(folder, at_modal, volumes=volumes))
    screen = Screen.of()
    screen.line(f"deleted {one_line(folder.run_id)}")
    if at_modal.volumes:
        removed = "Its volumes at Modal are removed."
        screen.line(f"  {removed if volumes else deleting.kept_in_words(at_modal)}")
    return ExitCode.DONE


def _state(folder: RunFolder) -> RunState:
    """What the run looks like; nothing where that cannot be read, which must not keep anybody from it."""
    try:
        return folder.state()
    except (FumehoodError, OSError) as error:
        say(f"fumehood: {one_line(str(error))} What it may have at Modal is not known.")
        return RunState()


def _at_modal(folder: RunFolder, state: RunState) -> deleting.AtModal:
    if state.created is None or state.settings.sandbox != MODAL:
        return deleting.AtModal()
    search(key_store(), (MODAL_ID, MODAL_SECRET))  # where a file is locked, its passphrase is asked for
    return asyncio.run(deleting.look_at_run(folder.run_id, volumes=may_have_volumes(state)))


def _confirm(folder: RunFolder, state: RunState) -> None:
    """Ask before the run is removed.

    Raises:
        InputError: the answer is no.
    """
    title = f" ({one_line(state.title, 60)})" if state.title else ""
    if not click.confirm(f"Delete {one_line(folder.run_id)}{title} for good?", default=False, err=True):
        raise InputError("nothing was deleted")
