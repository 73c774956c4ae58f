"""Data that the user gives to a run's sandboxes at Modal."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from core.sandbox.modal.volumes import add_data
from tests.core.sandbox.test_modal.conftest import RUN, ModalPlace, ran

LOOK = """
import os
print(open('/data/table.csv').read(), open('/data/more/deep.txt').read())
try:
    open('/data/new', 'w')
except OSError as error:
    print('read-only')
"""


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="the double mounts nothing without bubblewrap")
def test_data_is_seen_read_only_and_what_is_shared_can_be_read_by_the_next(
    either: ModalPlace, folder: Path
) -> None:
    (folder / "table.csv").write_text("a,b")
    (folder / "more").mkdir()
    (folder / "more" / "deep.txt").write_text("deep")

    async def run() -> list[bytes]:
        provider = either.provider()
        connection = await provider.account.connect()
        await add_data(connection, RUN, [folder / "table.csv", folder / "more"])
        first, second = await either.open(provider, "E1"), await either.open(provider, "E2")
        printed = [(await ran(first, LOOK))[1]]
        await ran(first, "open('/shared/model', 'w').write('trained')", "y")
        printed.append((await ran(second, "print(open('/shared/model').read())"))[1])
        await first.close()
        await second.close()
        await provider.close()
        return printed

    assert asyncio.run(run()) == [b"a,b deep\nread-only\n", b"trained\n"]


def test_a_run_without_data_has_no_volumes(place: ModalPlace) -> None:
    place.use(lambda sandbox: ran(sandbox, ""))
    calls = place.double.call("report")["calls"]
    assert (calls["VolumeGetOrCreate"], place.double.call("report")["volumes"]) == (1, {})
