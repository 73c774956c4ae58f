"""What sandboxes on this machine have in common: the human's data, and what experiments hand on."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.experiment import Compute
from core.sandbox.base import ExecResult, Isolation, SandboxSpec
from core.sandbox.isolation import found_isolation
from core.sandbox.local import LocalProvider
from core.sandbox.setting import Places

LAB = Path(__file__).parents[3] / "core/sandbox"
TABLE = "a,b\n1,2\n"


@dataclass(frozen=True)
class Machine:
    """A run's folder, and how its scripts are kept from the user."""

    run: Path
    cache: Path
    isolation: Isolation

    def ran(self, code: str, name: str = "E1", **compute: Any) -> tuple[ExecResult, str]:
        """Run a script in a sandbox of that name."""

        async def whole() -> tuple[ExecResult, str]:
            provider = LocalProvider(self.run, isolation=self.isolation, cache=self.cache)
            spec = SandboxSpec("run", Compute(timeout_seconds=60, **compute))
            sandbox = await provider.open(spec, name, lambda _: None)
            await sandbox.start("x", code)
            printed = b"".join([chunk async for chunk in sandbox.output("x", 0)])
            result = await sandbox.wait("x")
            await sandbox.close()
            return result, printed.decode()

        return asyncio.run(whole())


@pytest.fixture(params=["namespaces", "process only"])
def machine(request: pytest.FixtureRequest, tmp_path: Path, cache: Path) -> Machine:
    """Either isolation, with a table among the run's data."""
    found = asyncio.run(found_isolation())
    if request.param == "namespaces" and found.isolation != "namespaces":
        pytest.skip(f"no box can be made here: {found.next_step}")
    (tmp_path / "run" / "data").mkdir(parents=True)
    (tmp_path / "run" / "data" / "table.csv").write_text(TABLE)
    return Machine(tmp_path / "run", cache, request.param)


def test_a_script_reads_the_humans_files_by_one_name_everywhere(machine: Machine) -> None:
    result, printed = machine.ran("import lab\nprint(open(lab.data_path('table.csv')).read(), end='')")
    assert (result.clean, printed) == (True, TABLE)


def test_a_file_that_is_not_there_is_said_with_those_that_are(machine: Machine) -> None:
    result, printed = machine.ran("import lab\nlab.data_path('tabel.csv')")
    assert result.exit_code == 1
    assert "the run has no file 'tabel.csv'; it has: table.csv" in printed


def test_in_a_box_data_is_at_data_and_cannot_be_changed(machine: Machine) -> None:
    if machine.isolation != "namespaces":
        pytest.skip("without a box there is no /data")
    code = """
import lab, os
print(lab.data_path("table.csv"), os.listdir("/data"))
for act in (lambda: open("/data/table.csv", "a"), lambda: open("/data/new", "w"),
            lambda: os.remove("/data/table.csv"), lambda: os.rename("/data/table.csv", "/data/x"),
            lambda: os.chmod("/data/table.csv", 0o777)):
    try:
        act()
        print("it could")
    except OSError as error:
        print(error.strerror)
"""
    _, printed = machine.ran(code)
    assert printed.splitlines() == ["/data/table.csv ['table.csv']", *["Read-only file system"] * 5]
    assert (machine.run / "data" / "table.csv").read_text() == TABLE


def test_without_a_box_no_path_is_promised_that_is_not_there(machine: Machine) -> None:
    if machine.isolation == "namespaces":
        pytest.skip("this is about scripts without a box")
    _, printed = machine.ran("import lab\nprint(lab.data_path('table.csv'), lab.shared_path('x'))")
    assert printed.split() == [str(machine.run / "data/table.csv"), str(machine.run / "shared/x")]


def test_data_that_comes_later_is_seen_by_the_next_script(machine: Machine) -> None:
    async def whole() -> bytes:
        provider = LocalProvider(machine.run, isolation=machine.isolation, cache=machine.cache)
        sandbox = await provider.open(SandboxSpec("run", Compute(timeout_seconds=60)), "E1", lambda _: None)
        await sandbox.start("before", "pass")
        await sandbox.wait("before")
        (machine.run / "data" / "later.csv").write_text("later")
        await sandbox.start("after", "import lab\nprint(open(lab.data_path('later.csv')).read())")
        printed = b"".join([chunk async for chunk in sandbox.output("after", 0)])
        await sandbox.close()
        return printed

    assert asyncio.run(whole()) == b"later\n"


def test_what_one_experiment_hands_on_outlives_its_sandbox(machine: Machine) -> None:
    wrote, _ = machine.ran("import lab\nopen(lab.shared_path('E1/model'), 'w').write('trained')", "E1")
    read, printed = machine.ran("import lab\nprint(open(lab.shared_path('E1/model')).read())", "E2")
    assert (wrote.clean, read.clean, printed) == (True, True, "trained\n")


def test_what_is_handed_on_takes_of_the_room_of_who_wrote_it_alone(machine: Machine) -> None:
    write = """
import lab, time
for number in range(60):
    with open(lab.shared_path(str(number)), "wb") as file:
        file.write(b"x" * 1048576)
    time.sleep(0.02)
"""
    result, _ = machine.ran(write, "E1", disk_gib=0.02)
    assert result.end == "disk"
    (machine.run / "shared" / "big").write_bytes(b"x" * 40 * 1024**2)
    result, _ = machine.ran("import time\nopen('own', 'w').write('x')\ntime.sleep(1.5)", "E2", disk_gib=0.02)
    assert result.clean


def test_links_lead_the_count_of_what_was_handed_on_nowhere(tmp_path: Path) -> None:
    places = Places(tmp_path / "data", tmp_path / "shared").made()
    (places.data / "big").write_bytes(b"x" * 1024**2)
    (places.shared / "link").symlink_to(places.data)
    (places.shared / "loop").symlink_to(places.shared)
    (places.shared / "file").write_bytes(b"x" * 8192)
    assert places.shared_bytes() == 4096 + 4096 + 8192


@pytest.mark.parametrize(
    ("environment", "data", "shared"),
    [
        ({}, "data/table.csv", "shared/x"),
        ({"LAB_DATA": "{here}/mine", "LAB_SHARED": "{here}/ours"}, "mine/table.csv", "ours/x"),
    ],
)
def test_the_same_script_finds_its_files_outside_the_app(
    tmp_path: Path, environment: dict[str, str], data: str, shared: str
) -> None:
    (tmp_path / data).parent.mkdir()
    (tmp_path / data).write_text(TABLE)
    code = "import lab, os\nprint(os.path.relpath(lab.data_path('table.csv')), lab.shared_path('x'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(LAB),
            **{name: value.format(here=tmp_path) for name, value in environment.items()},
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found, handed = done.stdout.split()
    assert (found, (tmp_path / handed).relative_to(tmp_path).as_posix()) == (data, shared)
