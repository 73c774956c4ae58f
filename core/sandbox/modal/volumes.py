"""Files that sandboxes of a run share: data that the human gave, and what experiments hand on.

A run has two volumes at Modal, made with its first sandbox or its first data: one that every sandbox
sees read-only at ``/data``, one that every sandbox may write at ``/shared``. A sandbox sees them as they
were when it began, or when it last reloaded them; what it writes gets out when it ends.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from core.errors import SandboxUnavailable
from core.sandbox.modal.account import Connection
from core.sandbox.modal.naming import sandbox_name
from core.sandbox.modal.sdk import Sdk, one_line, vendor_errors

DATA = "/data"
SHARED = "/shared"
VERSION = 2
READ_ONLY_MODE = 0o444
RELOAD_SECONDS = 15
UPLOAD_SECONDS = 600.0
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
        sandbox_name("fumehood", f"{run_id}.{what}"),
        create_if_missing=True,
        version=VERSION,
        client=connection.client,
    )
