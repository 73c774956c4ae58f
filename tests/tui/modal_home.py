"""A home whose commands find the double of Modal, with the token that it lets in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.keys.lookup import use_key_store
from core.keys.names import MODAL_ID, MODAL_SECRET
from core.keys.secret import Secret
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
