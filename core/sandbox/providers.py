"""The provider that a run's settings name, with the user's own credentials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from core.config import RunSettings
from core.keys.lookup import find_keys
from core.keys.names import MODAL_ID, MODAL_SECRET
from core.sandbox.local import LocalProvider
from core.sandbox.machines import MODAL, modal_token_missing
from core.sandbox.modal.account import Account, Credentials
from core.sandbox.modal.provider import ModalProvider
from core.sandbox.modal.volumes import add_data


async def provider_for(run_folder: Path, settings: RunSettings) -> LocalProvider | ModalProvider:
    """Where the experiments of a run get their sandboxes.

    Args:
        run_folder: the run's folder.
        settings: the run's.

    Raises:
        ConfigError: the run needs Modal, and its token is missing.
        KeysError: it is missing, and a place that may have it cannot be read.
    """
    if settings.sandbox != MODAL:
        return LocalProvider(run_folder, lease_seconds=settings.lease_seconds)
    return ModalProvider(await modal_credentials(), lease_seconds=settings.lease_seconds)


async def data_brought(
    run_id: str, settings: RunSettings, files: Mapping[str, Path], progress: Callable[[str], None]
) -> None:
    """Bring files to where a run's sandboxes see them; those on this machine see the run's own copies.

    Args:
        run_id: the run.
        settings: the run's.
        files: what to bring, by name; nothing only looks whether it could be brought.
        progress: called with the name of each before it is brought there.

    Raises:
        ConfigError: the run needs Modal, and its token is missing.
        KeysError: it is missing, and a place that may have it cannot be read.
        SandboxUnavailable: Modal does not let us in, cannot be reached, or does not take them.
    """
    if settings.sandbox != MODAL:
        return
    account = Account(await modal_credentials())
    try:
        connection = await account.connect()
        if files:
            await add_data(connection, run_id, files, progress)
    finally:
        await account.close()


async def modal_credentials() -> Credentials:
    """The user's token for Modal.

    Raises:
        ConfigError: it is missing.
        KeysError: it is missing, and a place that may have it cannot be read.
    """
    found = await find_keys((MODAL_ID, MODAL_SECRET))
    for name in (MODAL_ID, MODAL_SECRET):
        if name not in found:
            raise modal_token_missing(name)
    return Credentials(found[MODAL_ID], found[MODAL_SECRET])
