"""Deleting a run for good, with what it has at Modal: sandboxes that are open, and volumes that are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.errors import ConfigError, FumehoodError, SandboxUnavailable
from core.record.archive import delete_run, refuse_if_driven
from core.record.folder import RunFolder
from core.sandbox.asking_modal import list_volumes, remove_volumes
from core.sandbox.modal.volumes import volume_names
from core.sandbox.providers import modal_credentials
from tui.ending_sandboxes import close_sandboxes, end_at_modal, left_by
from tui.left_open import LeftOpen
from tui.open_sandboxes import ModalLook, look_at_modal
from tui.safe_text import one_line

WHERE = "Delete them at modal.com/storage, or by 'modal volume delete NAME'."
"""How people delete volumes at Modal themselves."""


@dataclass(frozen=True)
class AtModal:
    """What a run has at Modal, as far as anybody can say.

    Attributes:
        look: what Modal says of its sandboxes.
        volumes: its volumes that are there.
        unsure: its volumes that may be there, where Modal did not say.
        why: why Modal did not say; empty where it did.
    """

    look: ModalLook = field(default_factory=ModalLook)
    volumes: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    why: str = ""


async def look_at_run(run_id: str, *, volumes: bool) -> AtModal:
    """Ask Modal what a run has there, in bounded time.

    Args:
        run_id: the run.
        volumes: whether it may have volumes.
    """
    async with asyncio.TaskGroup() as group:
        sandboxes = group.create_task(look_at_modal(run_id, inside=False))
        found = group.create_task(_volumes(run_id)) if volumes else None
    if found is None:
        return AtModal(sandboxes.result())
    names, why = found.result()
    return AtModal(sandboxes.result(), names, volume_names(run_id) if why else (), why)


async def _volumes(run_id: str) -> tuple[tuple[str, ...], str]:
    """The volumes that are there, and why Modal did not say; empty where it did."""
    try:
        return tuple(await list_volumes(await modal_credentials(), run_id)), ""
    except ConfigError as error:
        return (), f"Modal was not asked: {error.message}"
    except FumehoodError as error:
        return (), f"Modal cannot be asked ({one_line(str(error)).rstrip('.')})"


def warnings(left: Sequence[LeftOpen], at_modal: AtModal) -> list[str]:
    """What deleting a run means for what it has at Modal, before anybody says yes.

    Args:
        left: what it may have left open, by its journal.
        at_modal: what Modal says.
    """
    said = [left_by(left, at_modal.look)]
    if at_modal.unsure:
        why = "" if said[0] and not at_modal.look.sandboxes else f"{at_modal.why}. "
        names = " and ".join(at_modal.unsure)
        said.append(f"{why}Its volumes {names} may be there, and would stay. {WHERE}")
    return [line for line in said if line]


def volumes_question(at_modal: AtModal) -> str:
    """The question whether a run's volumes are removed, too; one line."""
    its = "its volume" if len(at_modal.volumes) == 1 else f"its {len(at_modal.volumes)} volumes"
    return f"Remove {its} at Modal, too?"


def what_they_hold(at_modal: AtModal) -> str:
    """What a run's volumes are for, and what becomes of them if they are kept."""
    return (
        f"{', '.join(at_modal.volumes)}: copies of its data, and files that its experiments handed on."
        " Kept, they stay in your workspace until you delete them."
    )


def kept_in_words(at_modal: AtModal) -> str:
    """That a run's volumes were not removed, and where people can do it."""
    return f"Its volumes at Modal are kept: {', '.join(at_modal.volumes)}. {WHERE}"


async def delete(folder: RunFolder, at_modal: AtModal, *, volumes: bool) -> None:
    """Remove a run for good, and what it has here and at Modal.

    Args:
        folder: the run.
        at_modal: what Modal says that it has there.
        volumes: whether its volumes there are removed, too.

    Raises:
        RunLocked: an engine drives it.
        FumehoodError: something may still be there; the run is kept.
    """
    refuse_if_driven(folder)
    await end_at_modal(at_modal.look.sandboxes)
    if volumes and at_modal.volumes:
        try:
            await remove_volumes(await modal_credentials(), folder.run_id)
        except FumehoodError as error:
            said = f"{one_line(error.message).rstrip('.')}, so the run is kept"
            again = f"Try again, or keep {' and '.join(at_modal.volumes)}. {WHERE}"
            raise SandboxUnavailable(said, again, "unreachable") from None
    await close_sandboxes(folder)
    # A thread, because a run may hold many files.
    await asyncio.to_thread(delete_run, folder)
