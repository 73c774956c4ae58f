"""Files that the human gives a run: what is taken in, how, and what is refused."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import InputError, StorageError
from core.record import data
from core.record.data import CHUNK_BYTES, Intake, taken_in
from core.record.events import DataAdded
from core.record.folder import RunFolder
from tests.fakes.specs import new_run


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return new_run(tmp_path)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The human's folder."""
    folder = tmp_path / "own"
    folder.mkdir()
    return folder


def kept(run: RunFolder, *files: Path, there: tuple[DataAdded, ...] = ()) -> tuple[DataAdded, ...]:
    with taken_in(run, files, there) as intake:
        intake.keep()
        return intake.files


def refused(run: RunFolder, *files: Path, there: tuple[DataAdded, ...] = ()) -> str:
    with pytest.raises(InputError) as error, taken_in(run, files, there):
        pass
    assert not run.data.exists()
    assert not (run.path / "data.unfinished").exists()
    return str(error.value)


def file_of(size_bytes: int, name: str = "there.csv") -> DataAdded:
    return DataAdded(name=name, sha256="0" * 64, size_bytes=size_bytes)


def test_a_file_is_kept_as_it_is_with_its_hash(run: RunFolder, own: Path) -> None:
    content = os.urandom(3 * CHUNK_BYTES + 17)
    (own / "table.csv").write_bytes(content)
    (own / "empty.bin").touch()
    table, empty = kept(run, own / "table.csv", own / "empty.bin")
    assert (table.name, table.size_bytes, table.by) == ("table.csv", len(content), "human")
    assert table.sha256 == hashlib.sha256(content).hexdigest()
    assert (empty.sha256, empty.size_bytes) == (hashlib.sha256().hexdigest(), 0)
    copy = run.data / "table.csv"
    assert copy.read_bytes() == content
    assert stat.S_IMODE(copy.stat().st_mode) == 0o444
    assert sorted(path.name for path in run.data.iterdir()) == ["empty.bin", "table.csv"]


def test_what_becomes_of_the_original_changes_nothing(run: RunFolder, own: Path) -> None:
    (own / "table.csv").write_text("a,b")
    (file,) = kept(run, own / "table.csv")
    (own / "table.csv").write_text("something else")
    assert hashlib.sha256((run.data / file.name).read_bytes()).hexdigest() == file.sha256


def test_holes_stay_holes_and_count_in_the_hash(run: RunFolder, own: Path) -> None:
    size = 64 * CHUNK_BYTES + 5
    with (own / "sparse.bin").open("wb") as file:
        file.truncate(size)
        file.seek(10 * CHUNK_BYTES)
        file.write(b"data")
    (added,) = kept(run, own / "sparse.bin")
    copy = run.data / "sparse.bin"
    assert added.sha256 == hashlib.sha256((own / "sparse.bin").read_bytes()).hexdigest()
    assert added.sha256 == hashlib.sha256(copy.read_bytes()).hexdigest()
    assert copy.stat().st_size == size
    assert copy.stat().st_blocks * 512 < 4 * CHUNK_BYTES


def test_a_link_to_a_file_is_the_file(run: RunFolder, own: Path) -> None:
    (own / "table.csv").write_text("a,b")
    (own / "link.csv").symlink_to("table.csv")
    kept(run, own / "link.csv")
    copy = run.data / "link.csv"
    assert not copy.is_symlink()
    assert copy.read_text() == "a,b"


def _nothing(path: Path) -> None:
    """There is nothing of that name."""


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_nothing, "there is no file"),
        (Path.mkdir, "is a folder. Name its files, or an archive: tar"),
        (os.mkfifo, "is no regular file"),
        (_loop, "cannot be read: Too many levels"),
        (lambda path: path.symlink_to("/dev/zero"), "is no regular file"),
        (lambda path: path.symlink_to("nowhere"), "there is no file"),
    ],
)
def test_what_is_no_file_is_refused_at_once(
    run: RunFolder, own: Path, make: Callable[[Path], None], said: str
) -> None:
    make(own / "thing")
    assert said in refused(run, own / "thing")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_said(run: RunFolder, own: Path) -> None:
    (own / "secret.csv").touch(mode=0)
    assert "cannot be read: Permission denied" in refused(run, own / "secret.csv")


@pytest.mark.parametrize(
    "name",
    [
        "my data.csv",
        ".env",
        "-rf",
        "tab\tle",
        "new\nline.csv",
        "é.csv",
        "a;b",
        "$(x).csv",
        "x" * 101,
        "</data>",
    ],
)
def test_a_name_that_not_everything_takes_is_refused(run: RunFolder, own: Path, name: str) -> None:
    file = own / name.replace("/", "∕")
    file.touch()
    assert "cannot be the name of data. Rename it" in refused(run, file)


def test_no_name_is_given_twice(run: RunFolder, own: Path) -> None:
    (own / "more").mkdir()
    for file in (own / "table.csv", own / "more" / "table.csv"):
        file.write_text("a,b")
    assert "named twice" in refused(run, own / "table.csv", own / "more" / "table.csv")
    assert "table.csv already" in refused(run, own / "table.csv", there=(file_of(3, "table.csv"),))


def test_more_than_a_run_can_keep_is_refused_before_it_is_copied(run: RunFolder, own: Path) -> None:
    with (own / "huge.bin").open("wb") as file:
        file.truncate(data.MOST_BYTES)
    assert "a copy stays with the run" in refused(run, own / "huge.bin", there=(file_of(1),))
    (own / "one.csv").touch()
    many = tuple(file_of(1, f"{number}.csv") for number in range(data.MOST_FILES))
    assert "Put them into one archive" in refused(run, own / "one.csv", there=many)


def test_a_disk_without_room_is_said_before_anything_is_copied(
    run: RunFolder, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own / "table.csv").write_text("a,b")
    monkeypatch.setattr(data, "SPARE_BYTES", 1 << 62)
    with (
        pytest.raises(StorageError, match=r"are free in .* Make room there"),
        taken_in(run, [own / "table.csv"], ()),
    ):
        pass


def test_a_file_that_grows_while_it_is_read_is_refused(run: RunFolder, own: Path) -> None:
    growing = own / "log.txt"
    growing.write_bytes(b"x" * 3 * CHUNK_BYTES)

    def write_on(name: str, done: int, size: int) -> None:
        with growing.open("ab") as file:
            file.write(b"more")

    with pytest.raises(InputError, match="changed while it was read"), taken_in(run, [growing], (), write_on):
        pass
    assert not run.data.exists()


def test_all_files_are_taken_or_none(run: RunFolder, own: Path) -> None:
    (own / "good.csv").write_text("a,b")
    refused(run, own / "good.csv", own / "missing.csv")


def test_two_commands_do_not_add_at_once(run: RunFolder, own: Path) -> None:
    (own / "table.csv").write_text("a,b")
    with (
        taken_in(run, [own / "table.csv"], ()),
        pytest.raises(InputError, match="another command adds data"),
        taken_in(run, [own / "table.csv"], ()),
    ):
        pass


def test_what_an_interrupted_command_left_is_in_nobodys_way(run: RunFolder, own: Path) -> None:
    (own / "table.csv").write_text("new")
    for left in (run.path / "data.unfinished", run.data):
        left.mkdir()
        (left / "table.csv").write_text("left")
        (left / "table.csv").chmod(0o444)
    kept(run, own / "table.csv")
    assert (run.data / "table.csv").read_text() == "new"


def test_what_was_not_kept_leaves_nothing(run: RunFolder, own: Path) -> None:
    (own / "table.csv").write_text("a,b")
    with taken_in(run, [own / "table.csv"], ()) as intake:
        assert isinstance(intake, Intake)
        assert intake.path(intake.files[0]).read_text() == "a,b"
    assert not (run.path / "data.unfinished").exists()
    assert not run.data.exists()
