"""Images for experiments: one for each list of packages, built at Modal and kept there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from core.errors import PackagesUnavailable, SandboxUnavailable
from core.sandbox.modal.account import Connection
from core.sandbox.modal.sdk import BuildLog, one_line, vendor_errors

PYTHON = "3.12"
DEFAULT_PACKAGES = ("matplotlib", "numpy", "pandas", "scikit-learn", "torch")
"""What an image has where an experiment names nothing."""

FOLDER = "/fumehood"
"""Where our files are in a sandbox; commands start there."""

TAIL_CHARACTERS = 300
BUILD_SECONDS = 3600.0


class Images:
    """Makes images, each once."""

    def __init__(self) -> None:
        self._built: dict[tuple[str, ...], Any] = {}
        # What the SDK tells of builds does not say of which: one is made at a time.
        self._lock = asyncio.Lock()

    async def image(
        self, connection: Connection, packages: Sequence[str], progress: Callable[[str], None]
    ) -> Any:
        """The image with these packages; built now if Modal does not have it.

        Args:
            connection: the workspace.
            packages: requirements as pip writes them; none for the usual ones.
            progress: called with each line that the build prints.

        Raises:
            PackagesUnavailable: the packages cannot be installed.
            SandboxUnavailable: the image cannot be built for other reasons.
        """
        wanted = tuple(packages) or DEFAULT_PACKAGES
        async with self._lock:
            if wanted not in self._built:
                self._built[wanted] = await _build(connection, wanted, progress)
            return self._built[wanted]


async def _build(connection: Connection, packages: tuple[str, ...], progress: Callable[[str], None]) -> Any:
    sdk = connection.sdk
    image = sdk.Image.debian_slim(python_version=PYTHON).uv_pip_install(*packages).workdir(FOLDER)
    printed: list[str] = []

    def hear(text: str) -> None:
        for line in text.splitlines():
            if line.strip():
                printed.append(line.strip())
                progress(line.rstrip())

    progress(f"Asking Modal for an image with {', '.join(packages)}")
    try:
        async with asyncio.timeout(BUILD_SECONDS):
            with BuildLog(sdk, hear):
                await image.build.aio(connection.app)
    except sdk.exception.ImageBuildError as error:
        await asyncio.sleep(0)  # The last lines are on their way from the SDK's thread.
        raise PackagesUnavailable(
            f"No image with {', '.join(packages)} can be built at Modal",
            f"Check the names and versions. Modal says: {_reason(error, printed)}",
        ) from error
    except vendor_errors(sdk) as error:
        raise SandboxUnavailable(
            f"Modal does not build the image: {one_line(error)}",
            "Try again; the run can be resumed",
            "unreachable",
        ) from error
    return image


def _reason(error: Exception, printed: list[str]) -> str:
    """Why a build failed: the end of what it printed, or else what the vendor says."""
    exception = str(error).partition("exception:\n")[2]
    return " ".join((*printed, exception)).strip()[-TAIL_CHARACTERS:] or one_line(error)
