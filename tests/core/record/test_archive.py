"""Removing runs for good, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import RunLocked, StorageError
from core.record.archive import delete_run, refuse_if_driven
from core.record.folder import RunFolder, list_runs
from tests.fakes.specs import new_run


def test_a_deleted_run_is_gone_and_the_others_stay(tmp_path: Path) -> None:
    gone, kept = new_run(tmp_path), new_run(tmp_path)
    (gone.logs / "E1-1.log").write_text("x")
    delete_run(gone)
    assert not gone.path.exists()
    assert list_runs(tmp_path / "runs") == [kept]


def test_a_run_that_an_engine_drives_is_not_deleted(tmp_path: Path) -> None:
    folder = new_run(tmp_path)
    with folder.locked():
        with pytest.raises(RunLocked):
            refuse_if_driven(folder)
        with pytest.raises(RunLocked):
            delete_run(folder)
    assert folder.journal_path.exists()
    refuse_if_driven(folder)


def test_folders_that_scripts_locked_are_removed_without_following_their_links(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis").write_text("dear")
    mine.chmod(0o500)
    folder = new_run(tmp_path)
    work = folder.path / "sandboxes" / "E1" / "work"
    inner = work / "locked"
    inner.mkdir(parents=True)
    (inner / "file").write_text("x")
    (work / "link").symlink_to(mine)
    inner.chmod(0o000)
    delete_run(folder)
    assert not folder.path.exists()
    assert mine.stat().st_mode & 0o777 == 0o500
    assert (mine / "thesis").read_text() == "dear"


def test_a_run_that_is_a_link_is_left_alone(tmp_path: Path) -> None:
    real = new_run(tmp_path)
    link = tmp_path / "runs" / "link"
    link.symlink_to(real.path)
    with pytest.raises(StorageError):
        delete_run(RunFolder(link))
    assert real.journal_path.exists()


def test_deleting_what_somebody_else_deleted_changes_nothing(tmp_path: Path) -> None:
    folder = new_run(tmp_path)
    delete_run(folder)
    delete_run(folder)
    assert list_runs(tmp_path / "runs") == []
