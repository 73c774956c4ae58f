"""Finding sandboxes at Modal again, by id or by the name they were made under."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from core.errors import SandboxLost, SandboxUnavailable
from core.sandbox.modal.account import Connection
from core.sandbox.modal.naming import APP, identity, sandbox_name
from core.sandbox.modal.sdk import one_line, vendor_errors

ASK_SECONDS = 30.0
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
ID_PREFIX = "sb-"

Result = TypeVar("Result")


class Finder:
    """Asks Modal about sandboxes, again where that failed, until patience is over.

    Args:
        connection: the workspace.
        patience_seconds: how long to go on asking, in seconds.
    """

    def __init__(self, connection: Connection, patience_seconds: float) -> None:
        self.connection = connection
        self._patience_seconds = patience_seconds

    async def find(self, sandbox_id: str, run_id: str) -> Any:
        """The SDK's sandbox of an id of Modal's, or of a name in a run.

        Raises:
            SandboxLost: there is none, or Modal does not say.
        """
        sandboxes, client = self.connection.sdk.Sandbox, self.connection.client
        if sandbox_id.startswith(ID_PREFIX):
            return await self.ask(sandbox_id, lambda: sandboxes.from_id.aio(sandbox_id, client=client))
        name = sandbox_name(run_id, sandbox_id)
        return await self.ask(sandbox_id, lambda: sandboxes.from_name.aio(APP, name, client=client))

    async def tags(self, sandbox: Any) -> dict[str, str]:
        """A sandbox's tags.

        Raises:
            SandboxLost: it is gone, or Modal does not say.
        """
        tags: dict[str, str] = await self.ask(sandbox.object_id, sandbox.get_tags.aio)
        return tags

    async def own(self, run_id: str, name: str) -> Any:
        """The sandbox that has our name, if it is ours.

        Raises:
            SandboxLost: there is none, or Modal does not say.
            SandboxUnavailable: another has the name.
        """
        found = await self.find(name, run_id)
        if not identity(run_id, name).items() <= (await self.tags(found)).items():
            raise SandboxUnavailable(
                f"Another sandbox at Modal is called {sandbox_name(run_id, name)}",
                "End it, and resume the run",
            )
        return found

    async def ask(self, sandbox_id: str, call: Callable[[], Awaitable[Result]]) -> Result:
        """Ask Modal something about a sandbox.

        Raises:
            SandboxLost: it is gone, or Modal does not say.
        """
        sdk = self.connection.sdk
        pause, deadline = FIRST_PAUSE_SECONDS, time.monotonic() + self._patience_seconds
        while True:
            try:
                async with asyncio.timeout(ASK_SECONDS):
                    return await call()
            except sdk.exception.NotFoundError as error:
                raise SandboxLost(
                    f"There is no sandbox {sandbox_id} at Modal any more", fault="ended"
                ) from error
            except vendor_errors(sdk) as error:
                if time.monotonic() > deadline:
                    raise SandboxLost(
                        f"Modal does not answer about the sandbox {sandbox_id}: {one_line(error)}",
                        "It ends itself when it has stood idle",
                        "silent",
                    ) from error
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
