"""Data that the human gives to a run's sandboxes at Modal, and what those hand to each other."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from pathlib import Path

import pytest

from core.errors import SandboxUnavailable
from core.keys.secret import Secret
from core.sandbox import asking_modal
from core.sandbox.asking_modal import list_volumes, remove_volumes
from core.sandbox.modal.account import Credentials
from core.sandbox.modal.naming import sandbox_name
from core.sandbox.modal.volumes import add_data, volume_names
from tests.core.sandbox.test_modal.conftest import RUN, ModalPlace, ran

LOOK = """
import lab, os
print(lab.data_path('table.csv'), open('/data/table.csv').read())
for act in (lambda: open('/data/new', 'w'), lambda: os.remove('/data/table.csv')):
    try:
        act()
        print('it could')
    except OSError as error:
        print(error.strerror)
"""

needs_mounts = pytest.mark.skipif(
    shutil.which("bwrap") is None, reason="the double mounts nothing without bubblewrap"
)


async def added(place: ModalPlace, *files: Path, run_id: str = RUN) -> list[str]:
    """Bring files to the run's volume, as a command does; gives what was said of it."""
    provider = place.provider()
    told: list[str] = []
    try:
        connection = await provider.account.connect()
        await add_data(connection, run_id, {file.name: file for file in files}, told.append)
    finally:
        await provider.close()
    return told


@needs_mounts
def test_data_is_seen_read_only_at_its_path(either: ModalPlace, folder: Path) -> None:
    (folder / "table.csv").write_text("a,b")
    (folder / "more.csv").write_text("c")
    told = asyncio.run(added(either, folder / "table.csv", folder / "more.csv"))
    assert told == ["table.csv", "more.csv"]
    _, printed = either.use(lambda sandbox: ran(sandbox, LOOK))
    assert printed.decode().splitlines() == ["/data/table.csv a,b", *["Read-only file system"] * 2]


@needs_mounts
def test_data_that_comes_later_is_seen_by_the_next_script_of_an_open_sandbox(
    either: ModalPlace, folder: Path
) -> None:
    (folder / "table.csv").write_text("later")

    async def run() -> list[bytes]:
        provider = either.provider()
        sandbox = await either.open(provider)
        look = "import os; print(os.listdir('/data'))"
        printed = [(await ran(sandbox, look, "before"))[1]]
        await added(either, folder / "table.csv")
        printed.append((await ran(sandbox, look, "after"))[1])
        await sandbox.close()
        await provider.close()
        return printed

    assert asyncio.run(run()) == [b"[]\n", b"['table.csv']\n"]


@needs_mounts
def test_what_an_experiment_hands_on_is_there_for_others_once_its_sandbox_has_ended(
    either: ModalPlace,
) -> None:
    async def run() -> list[bytes]:
        provider = either.provider()
        first, second = await either.open(provider, "E1"), await either.open(provider, "E2")
        await ran(first, "import lab\nopen(lab.shared_path('E1/model'), 'w').write('trained')")
        look = "import os; print(os.listdir('/shared'))"
        printed = [(await ran(second, look, "before"))[1]]
        await first.close()
        printed.append((await ran(second, "print(open('/shared/E1/model').read())", "after"))[1])
        await second.close()
        await provider.close()
        return printed

    assert asyncio.run(run()) == [b"[]\n", b"trained\n"]


@needs_mounts
def test_a_large_file_comes_whole(place: ModalPlace, folder: Path) -> None:
    content = os.urandom(20 * 1024 * 1024 + 3)
    (folder / "large.bin").write_bytes(content)
    asyncio.run(added(place, folder / "large.bin"))
    code = "import hashlib\nprint(hashlib.sha256(open('/data/large.bin', 'rb').read()).hexdigest())"
    _, printed = place.use(lambda sandbox: ran(sandbox, code))
    assert printed.decode().strip() == hashlib.sha256(content).hexdigest()


def test_each_run_has_volumes_of_its_own(place: ModalPlace) -> None:
    place.use(lambda sandbox: ran(sandbox, ""))
    volumes = place.double.call("report")["volumes"]
    assert set(volumes) == {sandbox_name("fumehood", f"{RUN}.{what}") for what in ("data", "shared")}


def test_a_reload_that_fails_ends_no_script(place: ModalPlace) -> None:
    place.double.call("fault", rpc="TaskReloadVolumes", times=-1, status="INTERNAL", message="oh no")
    result, printed = place.use(lambda sandbox: ran(sandbox, "print('ran')"))
    assert (result.clean, printed) == (True, b"ran\n")


def test_data_that_does_not_get_to_modal_is_one_clear_line(place: ModalPlace, folder: Path) -> None:
    (folder / "table.csv").write_text("a,b")
    place.double.call("fault", rpc="VolumePutFiles2", times=-1, status="INTERNAL", message="oh no")
    with pytest.raises(SandboxUnavailable, match=r"could not be brought to Modal: .*oh no") as refused:
        asyncio.run(added(place, folder / "table.csv"))
    assert refused.value.next_step.startswith("Nothing was added")


@needs_mounts
def test_bringing_the_same_file_again_mends_what_was_interrupted(place: ModalPlace, folder: Path) -> None:
    (folder / "table.csv").write_text("half")
    asyncio.run(added(place, folder / "table.csv"))
    (folder / "table.csv").write_text("whole")
    asyncio.run(added(place, folder / "table.csv"))
    _, printed = place.use(lambda sandbox: ran(sandbox, "print(open('/data/table.csv').read())"))
    assert printed == b"whole\n"


ANOTHER = f"{RUN}-2"
"""A run whose volumes are called nearly as those of the first."""

THEIRS = (f"fumehood.{RUN}", f"fumehood.{RUN}.data.old", f"{RUN}.data", "data", "fumehood")
"""Volumes of the user's own."""


def token(place: ModalPlace) -> Credentials:
    """The token that the double lets in."""
    return Credentials(*map(Secret, place.double.token))


async def make_volumes(place: ModalPlace, *names: str) -> None:
    """Make volumes at the double."""
    provider = place.provider()
    connection = await provider.account.connect()
    for name in names:
        volume = connection.sdk.Volume.from_name(
            name, create_if_missing=True, version=2, client=connection.client
        )
        await volume.hydrate.aio()
    await provider.close()


def test_a_runs_volumes_are_removed_and_none_of_any_other_name(place: ModalPlace, folder: Path) -> None:
    (folder / "table.csv").write_text("a,b")

    async def run() -> None:
        await added(place, folder / "table.csv", run_id=RUN)
        await make_volumes(place, volume_names(RUN)[1], *volume_names(ANOTHER), *THEIRS)
        assert await list_volumes(token(place), RUN) == list(volume_names(RUN))
        await remove_volumes(token(place), RUN)
        assert await list_volumes(token(place), RUN) == []
        await remove_volumes(token(place), RUN)  # what is not there needs no removal

    asyncio.run(run())
    assert set(place.double.call("report")["volumes"]) == {*volume_names(ANOTHER), *THEIRS}


def test_a_run_without_volumes_gets_none_by_being_asked_about(place: ModalPlace) -> None:
    assert asyncio.run(list_volumes(token(place), RUN)) == []
    assert not place.double.call("report")["volumes"]


@pytest.mark.parametrize(
    ("rpc", "said"),
    [("VolumeDelete", "does not remove"), ("VolumeGetOrCreate", "does not say which volumes")],
)
def test_volumes_that_modal_does_not_remove_or_name_are_one_clear_line(
    place: ModalPlace, rpc: str, said: str
) -> None:
    asyncio.run(make_volumes(place, *volume_names(RUN)))
    place.double.call("fault", rpc=rpc, times=-1, status="INTERNAL", message="oh no")
    act = remove_volumes if rpc == "VolumeDelete" else list_volumes
    with pytest.raises(SandboxUnavailable, match=f"{said}.*oh no"):
        asyncio.run(act(token(place), RUN))
    assert set(place.double.call("report")["volumes"]) == set(volume_names(RUN))


def test_a_modal_that_does_not_answer_about_volumes_is_given_up(
    place: ModalPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking_modal, "VOLUMES_SECONDS", 2.0)
    place.double.call("fault", rpc="ClientHello", kind="hang", times=-1)
    with pytest.raises(SandboxUnavailable, match="does not answer within 2 s"):
        asyncio.run(remove_volumes(token(place), RUN))
