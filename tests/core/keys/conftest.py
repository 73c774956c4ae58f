"""A real Secret Service, where one can be had, and places for keys."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.secret_service import SecretService, missing_programs


@pytest.fixture
def service() -> Iterator[SecretService]:
    if missing := missing_programs():
        pytest.skip(f"not installed: {', '.join(missing)} (apt install gnome-keyring dbus-daemon)")
    with tempfile.TemporaryDirectory(prefix="fumehood-") as folder:
        service = SecretService(Path(folder), sys.executable)
        yield service
        service.close()
