"""Files that sandboxes of a run share: data that the user gave, and what experiments hand on.

A run has two volumes at Modal, made when something is first put there: one that every sandbox sees
read-only at ``/data``, one that every sandbox may write at ``/shared``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.errors import SandboxUnavailable
from core.sandbox.modal.account import Connection
from core.sandbox.modal.naming import sandbox_name
from core.sandbox.modal.sdk import one_line, vendor_errors

DATA = "/data"
SHARED = "/shared"
VERSION = 2
ASK_SECONDS = 30.0
UPLOAD_SECONDS = 3600.0


async def mounted(connection: Connection, run_id: str) -> dict[str, Any]:
    """What a run's sandboxes are made with: its volumes by path, none if the user gave no data.

    Raises:
        SandboxUnavailable: Modal does not say whether there is any.
    """
    sdk = connection.sdk
    data = sdk.Volume.from_name(_name(run_id, "data"), client=connection.client)
    try:
        async with asyncio.timeout(ASK_SECONDS):
            await data.hydrate.aio()
    except sdk.exception.NotFoundError:
        return {}
    except vendor_errors(sdk) as error:
        raise SandboxUnavailable(
            f"Modal does not say whether the run has data: {one_line(error)}",
            "Try again; the run can be resumed",
            "unreachable",
        ) from error
    return {DATA: data.with_mount_options(read_only=True), SHARED: _made(connection, run_id, "shared")}


async def add_data(connection: Connection, run_id: str, files: Sequence[Path]) -> None:
    """Put files where every later sandbox of the run sees them, read-only, under their own names.

    Args:
        connection: the workspace.
        run_id: the run.
        files: files and folders of the user's.

    Raises:
        SandboxUnavailable: they could not be uploaded.
    """
    sdk = connection.sdk
    try:
        async with asyncio.timeout(UPLOAD_SECONDS):
            volume = await _made(connection, run_id, "data").hydrate.aio()
            async with volume.batch_upload(force=True) as upload:
                for file in files:
                    if file.is_dir():
                        upload.put_directory(file, f"/{file.name}")
                    else:
                        upload.put_file(file, f"/{file.name}")
    except vendor_errors(sdk) as error:
        raise SandboxUnavailable(
            f"The data could not be brought to Modal: {one_line(error)}", "Try again", "unreachable"
        ) from error


def _made(connection: Connection, run_id: str, what: str) -> Any:
    return connection.sdk.Volume.from_name(
        _name(run_id, what), create_if_missing=True, version=VERSION, client=connection.client
    )


def _name(run_id: str, what: str) -> str:
    return sandbox_name("fumehood", f"{run_id}.{what}")
