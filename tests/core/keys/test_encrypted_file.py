"""The encrypted file: what it keeps, and everything that it refuses without losing anything."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from core.errors import KeysError, KeysLocked
from core.keys import key_file
from core.keys.encrypted_file import PASSPHRASE_FILE, EncryptedFile
from core.keys.key_file import opened, sealed
from core.keys.names import ANTHROPIC, GOOGLE
from core.keys.secret import Secret

PASSPHRASE = Secret("correct horse battery")
KEY = Secret("sk-ant-api03-0123456789abcdefXYZ")
OTHER = Secret("AIzaSyA0123456789abcdefghijklmnopqrstuv")
NOBODY = 65534

Use: TypeAlias = Callable[[EncryptedFile], Awaitable[object]]
READING: Use = lambda file: file.get([ANTHROPIC])  # noqa: E731 - named to have a type
WRITING: Use = lambda file: file.set(GOOGLE, OTHER)  # noqa: E731
REMOVING: Use = lambda file: file.remove(ANTHROPIC)  # noqa: E731


def use(how: Use, file: EncryptedFile) -> object:
    async def wait() -> object:
        return await how(file)

    return asyncio.run(wait())


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The least cost that a file may have, so that each test takes milliseconds."""
    monkeypatch.setattr(key_file, "COST", key_file.LEAST_COST)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that holds one key."""
    path = tmp_path / "keys" / "keys.encrypted"
    asyncio.run(file_at(path).set(ANTHROPIC, KEY))
    return path


def file_at(path: Path, passphrase: Secret | None = PASSPHRASE) -> EncryptedFile:
    file = EncryptedFile(path, {})
    file.passphrase = passphrase
    return file


def test_what_is_set_can_be_read_by_another_process_and_removed(path: Path) -> None:
    asyncio.run(file_at(path).set(GOOGLE, OTHER))
    assert asyncio.run(file_at(path).get([ANTHROPIC, GOOGLE])) == {ANTHROPIC: KEY, GOOGLE: OTHER}
    assert asyncio.run(file_at(path).remove(ANTHROPIC))
    assert not asyncio.run(file_at(path).remove(ANTHROPIC))
    assert asyncio.run(file_at(path).get([ANTHROPIC, GOOGLE])) == {GOOGLE: OTHER}


def test_only_its_owner_can_read_it_and_nothing_in_it_is_plain(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    content = path.read_bytes()
    assert KEY.reveal().encode() not in content
    assert ANTHROPIC.encode() not in content
    assert content.startswith(b"fumehood keys 1\n")
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_without_a_file_there_is_nothing_and_nobody_is_asked(tmp_path: Path) -> None:
    file = file_at(tmp_path / "keys" / "keys.encrypted", None)
    assert asyncio.run(file.get([ANTHROPIC])) == {}
    assert not asyncio.run(file.remove(ANTHROPIC))
    assert not file.path.parent.exists()


def test_without_a_passphrase_it_is_locked(path: Path) -> None:
    before = path.read_bytes()
    for how in (READING, WRITING):
        with pytest.raises(KeysLocked, match="needs its passphrase") as caught:
            use(how, file_at(path, None))
        assert PASSPHRASE_FILE in caught.value.next_step
    assert path.read_bytes() == before


def test_a_passphrase_file_opens_it(path: Path, tmp_path: Path) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text(f"{PASSPHRASE.reveal()}\n")
    passphrase.chmod(0o600)
    file = EncryptedFile(path, {PASSPHRASE_FILE: str(passphrase)})
    assert asyncio.run(file.get([ANTHROPIC])) == {ANTHROPIC: KEY}


def _readable(path: Path) -> None:
    path.chmod(0o644)


def _empty(path: Path) -> None:
    path.write_text("\n")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_readable, "can be used by other users"),
        (_empty, "is empty"),
        (Path.unlink, "there is no passphrase"),
    ],
)
def test_a_passphrase_file_that_is_unsafe_or_missing_is_refused(
    path: Path, tmp_path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text(PASSPHRASE.reveal())
    passphrase.chmod(0o600)
    spoil(passphrase)
    with pytest.raises(KeysError, match=words):
        asyncio.run(EncryptedFile(path, {PASSPHRASE_FILE: str(passphrase)}).get([ANTHROPIC]))


def _mode(path: Path) -> None:
    path.chmod(0o644)


def _link(path: Path) -> None:
    path.rename(path.with_name("real"))
    path.symlink_to("real")


def _hard_link(path: Path) -> None:
    path.with_name("twin").hardlink_to(path)


def _folder_mode(path: Path) -> None:
    path.parent.chmod(0o755)


def _folder_link(path: Path) -> None:
    path.parent.rename(path.parent.with_name("real"))
    path.parent.symlink_to("real")


def _foreign_folder(path: Path) -> None:
    os.chown(path.parent, NOBODY, NOBODY)


def _foreign_file(path: Path) -> None:
    os.chown(path, NOBODY, NOBODY)


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def _cut_in_its_head(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:40])


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _tampered(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def _lengthened(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


def _weakened(path: Path) -> None:
    """Ask for less work, which also makes another key of the passphrase."""
    path.write_bytes(path.read_bytes().replace(b'"p": 1', b'"p": 2'))


def _costly(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"n": 16384', b'"n": 1073741824'))


def _newer(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"fumehood keys 1\n", b"fumehood keys 2\n"))


def _another(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04 something else")


def _huge(path: Path) -> None:
    path.write_bytes(path.read_bytes() + bytes(key_file.MOST_FILE_BYTES))


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


SPOILT: dict[str, tuple[Callable[[Path], None], str]] = {
    "mode 0644": (_mode, r"can be used by other users \(mode 0644\)"),
    "a link": (_link, "is a link"),
    "a hard link": (_hard_link, "has other names"),
    "a folder of mode 0755": (_folder_mode, r"can be used by other users \(mode 0755\)"),
    "a folder that is a link": (_folder_link, "is a link"),
    "a folder of another user": (_foreign_folder, "belongs to another user"),
    "a file of another user": (_foreign_file, "belongs to another user"),
    "truncated": (_truncated, "is cut short"),
    "truncated in its head": (_cut_in_its_head, "is cut short"),
    "empty": (_emptied, "is not one that fumehood wrote"),
    "tampered": (_tampered, "was changed since it was written"),
    "lengthened": (_lengthened, "was changed since it was written"),
    "with parameters changed": (_weakened, "the passphrase is wrong, or someone has changed"),
    "asking for a terabyte": (_costly, "is damaged"),
    "of a newer form": (_newer, "form 2, which is newer"),
    "another file": (_another, "is not one that fumehood wrote"),
    "huge": (_huge, "is too long"),
    "a pipe": (_pipe, "is no plain file"),
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_file_that_is_unsafe_or_damaged_is_refused_in_one_line_and_left_as_it_is(
    path: Path, how: str
) -> None:
    spoil, words = SPOILT[how]
    if how.endswith("another user") and os.geteuid() != 0:
        pytest.skip("only root can give files away")
    spoil(path)
    before = _state(path.parent.parent)
    for attempt in (READING, WRITING, REMOVING):
        with pytest.raises(KeysError, match=words) as caught:
            use(attempt, file_at(path))
        assert "\n" not in str(caught.value)
        assert caught.value.next_step
    assert _state(path.parent.parent) == before


def test_a_wrong_passphrase_is_refused_and_changes_nothing(path: Path) -> None:
    before = _state(path.parent)
    for how in (READING, WRITING):
        with pytest.raises(KeysError, match="the passphrase is wrong"):
            use(how, file_at(path, Secret("another")))
    with pytest.raises(KeysError, match="the passphrase is wrong"):
        asyncio.run(file_at(path, None).unlock(Secret("another")))
    assert _state(path.parent) == before


def test_one_wrong_try_does_not_spoil_the_next(path: Path) -> None:
    file = file_at(path, None)
    with pytest.raises(KeysError):
        asyncio.run(file.unlock(Secret("another")))
    asyncio.run(file.unlock(PASSPHRASE))
    assert asyncio.run(file.get([ANTHROPIC])) == {ANTHROPIC: KEY}


def test_a_full_disk_loses_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _state(path.parent)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.keys.private_files.os.fsync", full)
    with pytest.raises(KeysError, match="No space left on device; what was there is unchanged"):
        asyncio.run(file_at(path).set(GOOGLE, OTHER))
    assert _state(path.parent) == before


def test_many_that_write_at_once_lose_nothing(path: Path) -> None:
    names = [f"KEY_{number}" for number in range(6)]

    async def write() -> None:
        async with asyncio.TaskGroup() as group:
            for name in names:
                group.create_task(file_at(path).set(name, KEY))

    asyncio.run(write())
    assert len(asyncio.run(file_at(path).get([ANTHROPIC, *names]))) == 7


def test_each_writing_has_a_salt_and_a_nonce_of_its_own() -> None:
    first, second = (sealed({"NAME": "value"}, PASSPHRASE) for _ in range(2))
    heads = [json.loads(content.split(b"\n")[1]) for content in (first, second)]
    assert heads[0]["salt"] != heads[1]["salt"]
    assert heads[0]["nonce"] != heads[1]["nonce"]
    assert opened(first, PASSPHRASE) == {"NAME": "value"}


def test_the_cost_of_a_try_is_what_is_recommended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    head = json.loads(sealed({}, PASSPHRASE).split(b"\n")[1])
    assert (head["n"], head["r"], head["p"]) == (2**17, 8, 1)


def _state(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every name below a folder with its mode, owner and content."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            path.lstat().st_uid,
            path.read_bytes() if path.is_file() and not path.is_symlink() else b"",
        )
        for path in sorted(folder.rglob("*"))
    }
