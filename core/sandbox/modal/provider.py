"""Where sandboxes at Modal come from, and what is there of ours."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.errors import SandboxError, SandboxLost, SandboxUnavailable
from core.experiment import Compute
from core.sandbox.base import Isolation, OpenSandbox, SandboxSpec
from core.sandbox.modal.account import Account, Connection, Credentials
from core.sandbox.modal.commands import why_gone
from core.sandbox.modal.finding import ASK_SECONDS, Finder
from core.sandbox.modal.gpus import candidates
from core.sandbox.modal.images import Images
from core.sandbox.modal.making import Maker
from core.sandbox.modal.naming import GPU, NAME, OURS, RUN, compute_of, is_ours
from core.sandbox.modal.prices import Prices
from core.sandbox.modal.sandbox import ModalSandbox
from core.sandbox.modal.sdk import one_line, vendor_errors
from core.sandbox.modal.volumes import mounted

IDLE_SECONDS = 900
"""A sandbox in which nothing runs ends itself after these. Longer than the lease, so that how a script
ended can still be read by the engine that comes back."""

ROOM_SECONDS = 600.0
"""How long to wait for room on a GPU that was asked for."""

ANY_ROOM_SECONDS = 60.0
"""How long to wait for each but the last of those that ``any`` tries."""

PATIENCE_SECONDS = 120.0
RUNNING_SECONDS = 10.0


class ModalProvider:
    """Opens sandboxes in the user's workspace at Modal.

    Args:
        credentials: the workspace's token.
        lease_seconds: how long execs go on without an engine's heartbeat, in seconds.
        idle_seconds: how long a sandbox stays in which nothing runs, in seconds.
        patience_seconds: how long nothing may be heard of a sandbox before it counts as lost.
        room_seconds: how long to wait for room on a GPU, in seconds.
        any_room_seconds: how long for each but the last of those that ``any`` tries, in seconds.
        login_seconds: how long logging in may take, in seconds.
    """

    name = "modal"
    closing_seconds = 20.0

    def __init__(
        self,
        credentials: Credentials,
        *,
        lease_seconds: float = 600,
        idle_seconds: int = IDLE_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        room_seconds: float = ROOM_SECONDS,
        any_room_seconds: float = ANY_ROOM_SECONDS,
        login_seconds: float = 10.0,
    ) -> None:
        self.account = Account(credentials, login_seconds)
        self._lease_seconds = lease_seconds
        self._idle_seconds = idle_seconds
        self._patience_seconds = patience_seconds
        self._room_seconds = room_seconds
        self._any_room_seconds = any_room_seconds
        self._images = Images()

    async def isolation(self) -> tuple[Isolation, str]:
        """Every sandbox is another machine."""
        return "remote machine", ""

    async def open(self, spec: SandboxSpec, name: str, progress: Callable[[str], None]) -> ModalSandbox:
        """Open a sandbox under a name, or find the one that has this name."""
        candidates(spec.compute.gpu)  # A GPU that nobody has is refused before an image is built.
        finder = await self._finder()
        image = await self._images.image(finder.connection, spec.compute.packages, progress)
        maker = Maker(
            finder,
            idle_seconds=self._idle_seconds,
            room_seconds=self._room_seconds,
            any_room_seconds=self._any_room_seconds,
            volumes=mounted(finder.connection, spec.run_id),
        )
        sandbox = self._sandbox(finder.connection, await maker.make(spec, name, image, progress), name, spec)
        await sandbox.furnish()
        return sandbox

    async def reopen(self, sandbox_id: str, spec: SandboxSpec) -> ModalSandbox:
        """Find a sandbox again, by Modal's id or by the name it was opened under."""
        finder = await self._finder()
        found = await finder.find(sandbox_id, spec.run_id)
        tags = await finder.tags(found)
        if not is_ours(tags) or tags[RUN] != spec.run_id:
            raise SandboxLost(f"The sandbox {sandbox_id} is not one of this run")
        exit_code = await finder.ask(sandbox_id, found.poll.aio)
        if exit_code is not None:
            raise await why_gone(finder.connection.sdk, found, tags[NAME], exit_code)
        sandbox = self._sandbox(finder.connection, found, tags[NAME], spec)
        await sandbox.furnish()
        return sandbox

    async def list(self, run_id: str | None = None, *, inside: bool = True) -> list[OpenSandbox]:
        """Every sandbox of ours that is still there, with what it costs.

        Args:
            run_id: only those of this run; None for all of the workspace.
            inside: whether to look inside for what runs. That is a command, and a command makes Modal
                count the idle time of a sandbox anew: whoever looks often must not look inside.

        Raises:
            SandboxUnavailable: Modal does not say.
        """
        connection = await self.account.connect()
        prices = await self.account.prices()
        tags = {OURS: "1"} if run_id is None else {OURS: "1", RUN: run_id}
        sandboxes = connection.sdk.Sandbox
        try:
            async with asyncio.timeout(ASK_SECONDS):
                listed = sandboxes.list.aio(app_id=connection.app.app_id, tags=tags, client=connection.client)
                found = [sandbox async for sandbox in listed]
            described = await asyncio.gather(
                *(self._described(connection, one, prices, inside) for one in found)
            )
        except vendor_errors(connection.sdk) as error:
            raise SandboxUnavailable(
                f"Modal does not say which sandboxes there are: {one_line(error)}", "Try again", "unreachable"
            ) from error
        return [sandbox for sandbox in described if sandbox is not None]

    async def end(self, sandbox_id: str) -> None:
        """End a sandbox of ours, whatever runs in it.

        Raises:
            SandboxLost: there is none of ours by that id.
        """
        finder = await self._finder()
        found = await finder.find(sandbox_id, "")
        tags = await finder.tags(found)
        if not is_ours(tags):
            raise SandboxLost(f"The sandbox {sandbox_id} is not one of ours")
        spec = SandboxSpec(run_id=tags[RUN], compute=Compute())
        await self._sandbox(finder.connection, found, tags[NAME], spec).close()

    async def billed(self, sandbox_id: str) -> Decimal | None:
        """What Modal says that a sandbox has cost, USD; None where it does not say (yet)."""
        connection = await self.account.connect()
        # The vendor calls this experimental: it may go.
        errors: tuple[type[Exception], ...] = (*vendor_errors(connection.sdk), AttributeError)
        try:
            async with asyncio.timeout(ASK_SECONDS):
                sandbox = await connection.sdk.Sandbox.from_id.aio(sandbox_id, client=connection.client)
                stats = await sandbox._experimental_stats.aio()
        except errors:
            return None
        cost: Decimal | None = stats.cost
        return cost

    async def close(self) -> None:
        """Let go of the connection; sandboxes stay."""
        await self.account.close()

    async def _finder(self) -> Finder:
        return Finder(await self.account.connect(), self._patience_seconds)

    def _sandbox(self, connection: Connection, found: Any, name: str, spec: SandboxSpec) -> ModalSandbox:
        return ModalSandbox(
            connection.sdk,
            found,
            name,
            spec,
            lease_seconds=self._lease_seconds,
            patience_seconds=self._patience_seconds,
        )

    async def _described(
        self, connection: Connection, found: Any, prices: Prices, inside: bool
    ) -> OpenSandbox | None:
        """What a listed sandbox is; None where it is not ours, or has ended meanwhile."""
        try:
            tags = await found.get_tags.aio()
        except connection.sdk.exception.NotFoundError:
            return None
        if not is_ours(tags):
            return None
        spec = SandboxSpec(run_id=tags[RUN], compute=compute_of(tags))
        running: tuple[str, ...] | None = None
        if inside:
            with contextlib.suppress(SandboxError, OSError, ValueError):
                async with asyncio.timeout(RUNNING_SECONDS):
                    running = await self._sandbox(connection, found, tags[NAME], spec).running()
        return OpenSandbox(
            id=found.object_id,
            name=tags[NAME],
            run_id=tags[RUN],
            running=running,
            usd_per_hour=prices.usd_per_hour(spec.compute),
            gpu=tags.get(GPU) or None,
            opened_at=await self._opened_at(connection, found),
        )

    async def _opened_at(self, connection: Connection, found: Any) -> datetime | None:
        """Since when a sandbox is there; only its statistics say so, which the vendor calls experimental."""
        errors: tuple[type[Exception], ...] = (*vendor_errors(connection.sdk), AttributeError)
        with contextlib.suppress(*errors):
            async with asyncio.timeout(RUNNING_SECONDS):
                since: datetime = (await found._experimental_stats.aio()).since
                return since if since.timestamp() > 0 else None
        return None
