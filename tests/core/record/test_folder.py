"""A run's folder: made whole or not at all, found by a part of its name, driven by one engine."""

from __future__ import annotations

import fcntl
import itertools
import os
import signal
import stat
from pathlib import Path

import pytest

from core.errors import InputError, JournalError, RunLocked, RunNotFound, StorageError
from core.record import folder as folder_module
from core.record.events import LaunchingPaused
from core.record.folder import (
    MAX_QUESTION_CHARACTERS,
    RunFolder,
    create_run,
    file_system_of,
    find_run,
    list_runs,
)
from tests.fakes.specs import new_run, run_settings


def test_a_new_run_says_what_it_is_about_and_is_for_its_owner_only(tmp_path: Path) -> None:
    folder = create_run(tmp_path / "runs", "  Does\n bagging help? ", run_settings(), "0.0", trajectory="{}")
    created = folder.state().created
    assert created is not None
    assert (created.question, created.run_id) == ("Does bagging help?", folder.run_id)
    assert "bagging" in folder.run_id
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert folder.trajectory_path.read_text(encoding="utf-8") == "{}"
    assert all(part.is_dir() for part in (folder.logs, folder.files, folder.paper))


@pytest.mark.parametrize("question", ["", " \n ", "x" * (MAX_QUESTION_CHARACTERS + 1)])
def test_a_question_that_is_empty_or_too_long_makes_no_run(tmp_path: Path, question: str) -> None:
    with pytest.raises(InputError):
        create_run(tmp_path / "runs", question, run_settings(), "0.0")
    assert list_runs(tmp_path / "runs") == []


def test_a_question_with_bytes_that_are_no_text_makes_a_run(tmp_path: Path) -> None:
    folder = new_run(tmp_path, "Is \udcff a letter?")
    created = folder.state().created
    assert created is not None
    assert created.question == "Is ? a letter?"


def test_a_name_that_is_taken_is_drawn_again_and_the_run_that_has_it_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws = itertools.chain(["aaaa", "aaaa", "bbbb"])
    monkeypatch.setattr("secrets.token_hex", lambda _: next(draws))
    first, second = new_run(tmp_path), new_run(tmp_path)
    assert first.run_id.endswith("aaaa")
    assert second.run_id.endswith("bbbb")
    assert first.state().created is not None


def test_a_run_that_cannot_be_made_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(StorageError, match="No space left"):
        create_run(tmp_path / "runs", "Why?", run_settings(), "0.0", trajectory="{}")
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_data_folder_that_is_a_file_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(StorageError, match="FUMEHOOD_DATA_FOLDER"):
        new_run(tmp_path)


def test_a_journal_that_says_nothing_is_a_journal_error(tmp_path: Path) -> None:
    (tmp_path / "journal.db").touch()
    with pytest.raises(JournalError, match="does not say"):
        RunFolder(tmp_path).state()


def test_a_run_is_found_by_any_part_of_its_name_that_no_other_has(tmp_path: Path) -> None:
    one, two = new_run(tmp_path, "Does bagging help?"), new_run(tmp_path, "Does boosting help?")
    runs = tmp_path / "runs"
    assert find_run(runs, "bagging") == one
    assert find_run(runs, two.run_id) == two
    with pytest.raises(RunNotFound, match="fits 2 runs"):
        find_run(runs, "help")
    with pytest.raises(RunNotFound, match="Did you mean"):
        find_run(runs, one.run_id.replace("bagging", "baging"))


def test_without_a_name_the_run_that_changed_last_is_meant(tmp_path: Path) -> None:
    older, newer = new_run(tmp_path, "First?"), new_run(tmp_path, "Second?")
    for place, folder in enumerate((older, newer)):
        os.utime(folder.journal_path, (1000 + place, 1000 + place))
    assert find_run(tmp_path / "runs", None) == newer
    with older.journal() as journal:
        journal.append(LaunchingPaused())
        assert older.journal_path.stat().st_mtime == 1000
        assert find_run(tmp_path / "runs", None) == older


def test_looking_at_a_run_does_not_make_it_the_one_that_changed_last(tmp_path: Path) -> None:
    older, newer = new_run(tmp_path, "First?"), new_run(tmp_path, "Second?")
    for place, folder in enumerate((older, newer)):
        os.utime(folder.journal_path, (1000 + place, 1000 + place))
    with older.journal() as journal:
        assert len(list(journal.read())) == 1
        assert find_run(tmp_path / "runs", None) == newer


def test_without_any_run_the_next_step_is_said(tmp_path: Path) -> None:
    assert list_runs(tmp_path / "runs") == []
    with pytest.raises(RunNotFound, match="fumehood demo"):
        find_run(tmp_path / "runs", None)


def test_a_second_engine_is_refused_with_the_first_one_named(folder: RunFolder) -> None:
    assert not folder.has_engine()
    with folder.locked():
        assert folder.has_engine()
        with pytest.raises(RunLocked, match=f"process {os.getpid()}"), folder.locked():
            pytest.fail("two engines hold the lock")
        assert folder.has_engine()
    assert not folder.has_engine()


def test_the_lock_of_an_engine_that_was_killed_is_free(folder: RunFolder) -> None:
    held, hold = os.pipe()
    child = os.fork()
    if child == 0:
        with folder.locked():
            os.write(hold, b"1")
            signal.pause()
        os._exit(0)
    assert os.read(held, 1) == b"1"
    os.close(held)
    os.close(hold)
    assert folder.has_engine()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert not folder.has_engine()
    with folder.locked():
        assert folder.has_engine()


def test_looking_whether_an_engine_runs_does_not_keep_one_from_starting(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``has_engine`` holds the lock for a moment; here that moment ends at the engine's first pause."""
    with folder.locked():
        pass
    looker = (folder.path / "lock").open("rb")
    fcntl.flock(looker, fcntl.LOCK_SH)
    monkeypatch.setattr("time.sleep", lambda _: looker.close())
    with folder.locked():
        assert folder.has_engine()


def test_the_file_system_of_a_path_is_that_of_its_longest_mount(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "disk / ext4 rw 0 0\nserver:/home /home nfs4 rw 0 0\nx /home/my\\040data tmpfs rw 0 0\n"
    )
    assert file_system_of(Path("/usr"), mounts) == "ext4"
    assert file_system_of(Path("/home/someone"), mounts) == "nfs4"
    assert file_system_of(Path("/home/my data/runs"), mounts) == "tmpfs"
    assert file_system_of(Path("/usr"), tmp_path / "none") == ""


def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module, "file_system_of", lambda _: "nfs4")
    with pytest.raises(StorageError, match="network file system"):
        new_run(tmp_path)
