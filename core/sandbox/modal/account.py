"""The user's workspace at Modal: logging in, within a bound, and saying plainly why not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from core.errors import SandboxUnavailable
from core.keys.names import MODAL_ID, MODAL_SECRET
from core.keys.secret import Secret
from core.sandbox.modal.naming import APP
from core.sandbox.modal.prices import TABLE, Prices, live
from core.sandbox.modal.sdk import Sdk, load_sdk, one_line, vendor_errors

LOGIN_SECONDS = 10.0
LOGOUT_SECONDS = 5.0
TOKENS = "modal.com/settings/tokens"


@dataclass(frozen=True)
class Credentials:
    """A token of Modal's.

    Attributes:
        token_id: its public half.
        token_secret: its secret half.
    """

    token_id: Secret
    token_secret: Secret


@dataclass(frozen=True)
class Connection:
    """A workspace that let us in.

    Attributes:
        sdk: the vendor's SDK.
        client: what every call is made with.
        app: our app there.
    """

    sdk: Sdk
    client: Any
    app: Any


class Account:
    """A workspace at Modal.

    Args:
        credentials: handed over explicitly; nothing else is ever used.
        login_seconds: how long logging in may take, in seconds.
    """

    def __init__(self, credentials: Credentials, login_seconds: float = LOGIN_SECONDS) -> None:
        self._credentials = credentials
        self._login_seconds = login_seconds
        self._connection: Connection | None = None
        self._lock = asyncio.Lock()

    async def connect(self) -> Connection:
        """Log in, once.

        Raises:
            SandboxUnavailable: the token is wrong, or Modal cannot be reached in time.
        """
        async with self._lock:
            if self._connection is None:
                self._connection = await self._log_in()
            return self._connection

    async def hello(self) -> None:
        """Ask whether Modal accepts the token; that costs nothing, and makes nothing there.

        Raises:
            SandboxUnavailable: the token is wrong, or Modal cannot be reached in time.
        """
        sdk = await load_sdk()
        client = await self._let_in(sdk)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOGOUT_SECONDS):
                await client.close.aio()

    async def close(self) -> None:
        """Let go of the connection."""
        async with self._lock:
            if self._connection is not None:
                connection, self._connection = self._connection, None
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOGOUT_SECONDS):
                        await connection.client.close.aio()

    async def prices(self) -> Prices:
        """What things cost: the workspace's own rates where they are to be had, else the dated table."""
        try:
            connection = await self.connect()
        except SandboxUnavailable:
            return TABLE
        sdk = connection.sdk
        try:
            async with asyncio.timeout(self._login_seconds):
                workspace = sdk.Workspace.from_context(client=connection.client)
                rates: Mapping[str, Decimal] = await workspace.billing.rates.aio()
        except vendor_errors(sdk):
            return TABLE
        return live(dict(rates.items()), datetime.now(UTC).date())

    async def _log_in(self) -> Connection:
        sdk = await load_sdk()
        client = await self._let_in(sdk)
        try:
            async with asyncio.timeout(self._login_seconds):
                app = await sdk.App.lookup.aio(APP, client=client, create_if_missing=True)
        except vendor_errors(sdk) as error:
            await asyncio.shield(client.close.aio())
            raise self._refused(sdk, error) from error
        return Connection(sdk, client, app)

    async def _let_in(self, sdk: Sdk) -> Any:
        """The SDK's client, once Modal has accepted the token."""
        client = None
        try:
            async with asyncio.timeout(self._login_seconds):
                client = await sdk.Client.from_credentials.aio(
                    self._credentials.token_id.reveal(), self._credentials.token_secret.reveal()
                )
                await client.hello.aio()
        except vendor_errors(sdk) as error:
            if client is not None:
                await asyncio.shield(client.close.aio())
            raise self._refused(sdk, error) from error
        return client

    def _refused(self, sdk: Sdk, error: Exception) -> SandboxUnavailable:
        if isinstance(error, sdk.exception.AuthError):
            return SandboxUnavailable(
                "Modal does not accept the token",
                f"Make another at {TOKENS}, then: 'fumehood keys set {MODAL_ID}' and '… {MODAL_SECRET}'",
            )
        if isinstance(error, (OSError, sdk.exception.ConnectionError)):
            return SandboxUnavailable(
                f"Modal cannot be reached within {self._login_seconds:g} s",
                "Check the network, and status.modal.com; the run can be resumed",
                "unreachable",
            )
        return SandboxUnavailable(
            f"Modal does not let us in: {one_line(error)}",
            "Look at status.modal.com; the run can be resumed",
            "unreachable",
        )
