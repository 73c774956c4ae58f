"""A home whose commands find the double of Modal, with the token that it lets in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from core.experiment import Compute
from core.keys.lookup import use_key_store
from core.keys.names import MODAL_ID, MODAL_SECRET
from core.keys.secret import Secret
from core.sandbox.base import SandboxSpec
from core.sandbox.modal.account import Credentials
from core.sandbox.modal.provider import ModalProvider
from tests.fakes.keys import keys_in_environment
from tests.fakes.modal.double import ModalDouble
from tests.tui.conftest import Home

__all__ = ["modal", "running_double", "token"]


@pytest.fixture(scope="session")
def running_double(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModalDouble]:
    """One double for all tests of a process."""
    double = ModalDouble(tmp_path_factory.mktemp("double"))
    yield double
    double.close()


@pytest.fixture
def modal(home: Home, running_double: ModalDouble, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModalDouble]:
    """A double that knows nothing yet; commands find the way to it, and no token."""
    running_double.call("reset")
    running_double.call("approve", specification="")  # these sandboxes have no experiment
    monkeypatch.setenv("MODAL_SERVER_URL", running_double.url)
    yield running_double
    running_double.call("reset")


@pytest.fixture
def token(modal: ModalDouble) -> None:
    """The token that the double lets in, where commands find it."""
    use_key_store(keys_in_environment(**dict(zip((MODAL_ID, MODAL_SECRET), modal.token, strict=True))))


def provider(double: ModalDouble) -> ModalProvider:
    """What opens sandboxes at the double, as an engine does."""
    return ModalProvider(Credentials(*map(Secret, double.token)), patience_seconds=20)


def open_at_modal(
    double: ModalDouble, run_id: str, name: str, gpu: str | None = None, script: str = ""
) -> str:
    """Open a sandbox at the double, as an engine of that run would; gives Modal's id.

    Args:
        double: the double.
        run_id: the run that it belongs to.
        name: its name in the run.
        gpu: its GPU; None for none.
        script: the exec of a script that runs in it for long; empty for none.
    """

    async def whole() -> str:
        opener = provider(double)
        spec = SandboxSpec(run_id, Compute(gpu=gpu, timeout_seconds=600))
        sandbox = await opener.open(spec, name, lambda _: None)
        if script:
            await sandbox.start(script, "import time\ntime.sleep(600)\n")
        await opener.close()
        return sandbox.id

    return asyncio.run(whole())


def foreign_at_modal(double: ModalDouble, name: str, tags: dict[str, str]) -> str:
    """Open a sandbox in our app at the double that does not carry our tags; gives Modal's id."""

    async def whole() -> str:
        opener = provider(double)
        await double.acall("stranger", name=name)
        connection = await opener.account.connect()
        made: Any = await connection.sdk.Sandbox.create.aio(
            *("sleep", "99"),
            app=connection.app,
            client=connection.client,
            name=name,
            image=connection.sdk.Image.debian_slim(python_version="3.12"),
            tags=tags,
        )
        await opener.close()
        return str(made.object_id)

    return asyncio.run(whole())


def alive(double: ModalDouble) -> list[str]:
    """Ids of sandboxes that are still at the double."""
    sandboxes = double.call("report")["sandboxes"]
    return [name for name, sandbox in sandboxes.items() if sandbox["alive"]]
