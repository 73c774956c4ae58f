"""Files that sandboxes of a run share: data that the human gave, and what experiments hand on.

A run has two volumes at Modal, made with its first sandbox or its first data: one that every sandbox
sees read-only at ``/data``, one that every sandbox may write at ``/shared``. A sandbox sees them as they
were when it began, or when it last reloaded them; what it writes gets out when it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from core.errors import SandboxUnavailable
from core.sandbox.modal.account import Connection
from core.sandbox.modal.naming import APP, sandbox_name
from core.sandbox.modal.sdk import Sdk, one_line, vendor_errors

DATA = "/data"
SHARED = "/shared"
VERSION = 2
READ_ONLY_MODE = 0o444
RELOAD_SECONDS = 15
UPLOAD_SECONDS = 600.0
VOLUME_SECONDS = 15.0
"""How long finding or removing a run's volumes may take."""

SLOWEST_BYTES_PER_SECOND = 250_000
"""A connection slower than this is taken for a broken one."""

log = logging.getLogger("fumehood.modal")


def mounted(connection: Connection, run_id: str) -> dict[str, Any]:
    """What every sandbox of a run is made with: its volumes by path, made then if they are not there.

    Both are there from the first sandbox on, so that data can be added while sandboxes are open.
    """
    return {
        DATA: _volume(connection, run_id, "data").with_mount_options(read_only=True),
        SHARED: _volume(connection, run_id, "shared"),
    }


def volume_names(run_id: str) -> tuple[str, str]:
    """What a run's volumes are called at Modal: that of its data, and that of what experiments hand on."""
    return _name(run_id, "data"), _name(run_id, "shared")


async def list_volumes(connection: Connection, run_id: str) -> list[str]:
    """The names of a run's volumes that are there.

    Raises:
        SandboxUnavailable: Modal does not say.
    """
    sdk = connection.sdk
    found = []
    try:
        async with asyncio.timeout(VOLUME_SECONDS):
            for name in volume_names(run_id):
                with contextlib.suppress(sdk.exception.NotFoundError):
                    await sdk.Volume.from_name(name, client=connection.client).hydrate.aio()
                    found.append(name)
    except vendor_errors(sdk) as error:
        raise SandboxUnavailable(
            f"Modal does not say which volumes the run has: {one_line(error)}", "Try again", "unreachable"
        ) from error
    return found


async def remove_volumes(connection: Connection, run_id: str) -> None:
    """Remove a run's volumes with everything in them; nothing of any other name is ever removed.

    Raises:
        SandboxUnavailable: one may still be there.
    """
    sdk = connection.sdk
    try:
        async with asyncio.timeout(VOLUME_SECONDS):
            for name in volume_names(run_id):
                await sdk.Volume.objects.delete.aio(name, allow_missing=True, client=connection.client)
    except vendor_errors(sdk) as error:
        raise SandboxUnavailable(
            f"Modal does not remove the run's volumes: {one_line(error)}", "Try again", "unreachable"
        ) from error


async def reloaded(sdk: Sdk, sandbox: Any) -> None:
    """Let an open sandbox see what has got into its volumes meanwhile.

    Where that fails the sandbox goes on with what it has; a script that misses a file says so.
    """
    try:
        async with asyncio.timeout(RELOAD_SECONDS):
            await sandbox.reload_volumes.aio(timeout=RELOAD_SECONDS)
    except vendor_errors(sdk) as error:
        log.warning("the volumes of %s are not reloaded: %s", sandbox.object_id, one_line(error))


async def add_data(
    connection: Connection, run_id: str, files: Mapping[str, Path], progress: Callable[[str], None]
) -> None:
    """Put files where every sandbox of the run sees them, read-only, from its next script on.

    Args:
        connection: the workspace.
        run_id: the run.
        files: files of this machine, by the name that they get.
        progress: called with the name of each before it is brought there.

    Raises:
        SandboxUnavailable: not all of them could be brought there.
    """
    from aiohttp import ClientError

    sdk = connection.sdk
    # The SDK gives up by a RuntimeError where Modal still misses what was sent.
    errors: tuple[type[Exception], ...] = (*vendor_errors(sdk), ClientError, RuntimeError)
    try:
        async with asyncio.timeout(UPLOAD_SECONDS):
            volume = await _volume(connection, run_id, "data").hydrate.aio()
        for name, path in files.items():
            progress(name)
            seconds = math.ceil(path.stat().st_size / SLOWEST_BYTES_PER_SECOND)
            async with asyncio.timeout(UPLOAD_SECONDS + seconds):
                # Nothing is overwritten but what an interrupted command left.
                async with volume.batch_upload(force=True) as upload:
                    upload.put_file(path, f"/{name}", mode=READ_ONLY_MODE)
    except errors as error:
        raise SandboxUnavailable(
            f"The data could not be brought to Modal: {one_line(error)}",
            "Nothing was added. Check the network, and try again",
            "unreachable",
        ) from error


def _volume(connection: Connection, run_id: str, what: str) -> Any:
    return connection.sdk.Volume.from_name(
        _name(run_id, what),
        create_if_missing=True,
        version=VERSION,
        client=connection.client,
    )


def _name(run_id: str, what: str) -> str:
    return sandbox_name(APP, f"{run_id}.{what}")
