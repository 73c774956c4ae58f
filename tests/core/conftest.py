"""A run on disk, open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.record.folder import RunFolder
from core.record.journal import Journal
from core.record.live import LiveRun
from tests.fakes.specs import new_run


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return new_run(tmp_path)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.db", create=True) as journal:
        yield journal


@pytest.fixture
def live(folder: RunFolder) -> Iterator[LiveRun]:
    with folder.journal() as journal:
        yield LiveRun(folder, journal)
