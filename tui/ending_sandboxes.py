"""Ending sandboxes that are still there, so that nothing of ours costs without anybody's knowing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from core import decisions
from core.errors import DecisionError, FumehoodError, SandboxLost
from core.record.folder import RunFolder
from core.sandbox.asking_modal import end_sandboxes
from core.sandbox.base import OpenSandbox
from core.sandbox.local import LocalProvider
from core.sandbox.machines import MODAL
from core.sandbox.providers import modal_credentials
from tui.left_open import LeftOpen, left_in_words
from tui.open_run import decide
from tui.open_sandboxes import ModalLook, StillOpen, together
from tui.safe_text import one_line


async def kill_sandbox(found: StillOpen) -> None:
    """End a sandbox and everything that runs in it, as ``kill_sandboxes`` does.

    Raises:
        FumehoodError: it may still be there.
    """
    for error in (await kill_sandboxes([found])).values():
        raise error


async def kill_sandboxes(found: Sequence[StillOpen]) -> dict[str, FumehoodError]:
    """End sandboxes and everything that runs in them.

    An experiment that is open is killed by a decision in its journal; an engine that drives the run
    closes the sandbox itself, so that its bill is recorded. Where there is none, or the experiment has
    ended, the sandbox is ended from here.

    Returns:
        Why each that may still be there could not be ended, by its name.
    """
    left: dict[str, FumehoodError] = {}
    at_modal: list[StillOpen] = []
    for one in found:
        try:
            if not await _left_to_its_engine(one):
                if one.provider == MODAL:
                    at_modal.append(one)
                else:
                    await _end_local(one)
        except FumehoodError as error:
            left[one.name] = error
    if at_modal:
        ids = [one.sandbox.id for one in at_modal]
        try:
            left |= await end_sandboxes(await modal_credentials(), ids)
        except FumehoodError as error:
            left |= dict.fromkeys(ids, error)
    return left


async def _left_to_its_engine(found: StillOpen) -> bool:
    """Decide the end of a sandbox's experiment; whether an engine then ends the sandbox.

    Raises:
        FumehoodError: the decision cannot be written, and an engine needs it.
    """
    if found.folder is None or not found.open:
        return False
    try:
        await asyncio.to_thread(
            decide, found.folder, lambda state: decisions.kill(state, found.experiment_id, "")
        )
    except DecisionError:
        pass  # it has ended, or is being killed already
    except FumehoodError:
        # Where the disk is full, what costs money is ended all the same.
        if found.folder.has_engine():
            raise
    return found.folder.has_engine()


async def _end_local(found: StillOpen) -> None:
    if found.folder is not None:
        with contextlib.suppress(SandboxLost):
            await LocalProvider(found.folder.path).end(found.sandbox.id)


async def end_at_modal(sandboxes: Sequence[OpenSandbox]) -> None:
    """End sandboxes of ours at Modal, whatever runs in them.

    Raises:
        FumehoodError: one may still be there.
    """
    if sandboxes:
        for error in (await end_sandboxes(await modal_credentials(), [one.id for one in sandboxes])).values():
            raise error


async def close_sandboxes(folder: RunFolder) -> None:
    """End every sandbox that a run without an engine has on this machine.

    Raises:
        SandboxError: one cannot be ended.
    """
    provider = LocalProvider(folder.path)
    for sandbox in await provider.list():
        with contextlib.suppress(SandboxLost):
            await provider.end(sandbox.id)


def left_by(left: Sequence[LeftOpen], look: ModalLook) -> str:
    """What deleting a run means for what it has at Modal; empty where there is nothing to say.

    Args:
        left: what it may have left open, by its journal.
        look: what Modal says.
    """
    if look.sandboxes:
        names = ", ".join(one_line(sandbox.name) for sandbox in look.sandboxes)
        return f"Still open at Modal, and ended with it: {names}, {together(look.sandboxes)}."
    if not left or (look.trouble is None and not look.unasked):
        return ""
    why = look.unasked or f"Modal cannot be asked ({one_line(str(look.trouble)).rstrip('.')})"
    return (
        f"{why}. {left_in_words(left)}. That goes on, and costs, until its time is over or somebody ends it."
    )
