"""How sandboxes come to be at Modal: found again, priced, bounded, and never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import subprocess
import sys
import time

import pytest

from core.errors import PackagesUnavailable, SandboxLost, SandboxUnavailable
from core.sandbox.modal.images import DEFAULT_PACKAGES
from core.sandbox.modal.naming import APP, sandbox_name
from tests.core.sandbox.test_modal.conftest import RUN, ModalPlace, in_the_end, ran
from tests.core.sandbox.test_modal.test_sandbox import ENGINE, ROOT


def opened(place: ModalPlace, name: str = "E1", **settings: object) -> str:
    """Open a sandbox, leave it, and give its id."""

    async def run() -> str:
        provider = place.provider(**settings)
        try:
            return (await place.open(provider, name)).id
        finally:
            await provider.close()

    return asyncio.run(run())


def create_method(place: ModalPlace) -> str:
    return "SandboxCreate" if place.gpu else "SandboxCreateV2"


def test_each_generation_makes_its_own_kind_of_sandbox(either: ModalPlace) -> None:
    opened(either)
    calls = either.double.call("report")["calls"]
    assert calls[create_method(either)] == 1
    assert ("SandboxCreate" in calls) != ("SandboxCreateV2" in calls)


def test_every_create_is_named_tagged_and_limited(either: ModalPlace) -> None:
    opened(either)
    [create] = either.creates
    assert create["name"] == sandbox_name(RUN, "E1")
    assert create["tags"] == {
        "fumehood": "1",
        "fumehood-run": RUN,
        "fumehood-experiment": "E1",
        "fumehood-specification": "5" * 64,
        "fumehood-gpu": either.gpu or "",
        "fumehood-cpus": "1",
        "fumehood-memory-gib": "4",
    }
    assert (create["timeout_seconds"], create["idle_timeout_seconds"]) == (120, 120)
    assert create["milli_cpu"] == [1000, 1000]
    assert create["memory_mb"] == [4096, 4096 + 512]


def test_a_sandbox_that_nobody_uses_ends_itself(either: ModalPlace) -> None:
    opened(either, idle_seconds=1)

    async def ended() -> bool:
        report = await either.double.acall("report")
        return not any(one["alive"] for one in report["sandboxes"].values())

    asyncio.run(in_the_end(ended))


def test_a_script_that_runs_and_is_followed_keeps_its_sandbox(place: ModalPlace) -> None:
    result, output = place.use(
        lambda sandbox: ran(sandbox, "import time; time.sleep(2.5); print('whole')"), idle_seconds=1
    )
    assert (result.clean, output) == (True, b"whole\n")


@pytest.mark.parametrize(
    ("network", "domains", "expected"),
    [
        ("blocked", [], "BLOCKED"),
        ("allowed", ["*.example.org", "example.com"], "ALLOWLIST"),
        ("open", [], "OPEN"),
    ],
)
def test_the_network_is_what_was_approved(
    either: ModalPlace, network: str, domains: list[str], expected: str
) -> None:
    from modal_proto import api_pb2

    async def run() -> None:
        provider = either.provider()
        await either.open(provider, network=network, domains=domains)
        await provider.close()

    asyncio.run(run())
    [create] = either.creates
    assert api_pb2.NetworkAccess.NetworkAccessType.Name(create["network"]) == expected
    assert create["domains"] == domains


@pytest.mark.parametrize("kind", ["drop reply", "cut connection"])
def test_a_sandbox_whose_reply_was_lost_is_found_again(either: ModalPlace, kind: str) -> None:
    either.double.call("fault", rpc=create_method(either), kind=kind, times=-1)
    sandbox_id = opened(either)
    assert either.alive == [sandbox_id]
    assert len(either.creates) == 1


def test_an_engine_killed_between_create_and_reply_leaves_a_sandbox_that_the_next_one_uses(
    either: ModalPlace,
) -> None:
    either.double.call("fault", rpc=create_method(either), kind="silence")
    engine = subprocess.Popen([sys.executable, "-c", ENGINE, either.gpu or "", ""], cwd=ROOT)
    with engine:
        deadline = time.monotonic() + 20
        while not either.creates and time.monotonic() < deadline:
            time.sleep(0.01)
        engine.kill()
    [made] = either.alive
    assert opened(either) == made
    assert len(either.creates) == 1


def test_an_open_that_is_called_off_leaves_nothing_that_its_name_does_not_find(
    either: ModalPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.sandbox.modal.making.SETTLE_SECONDS", 0.5)
    either.double.call("fault", rpc=create_method(either), kind="hang", times=1)

    async def call_off() -> None:
        provider = either.provider()
        opening = asyncio.ensure_future(either.open(provider))

        async def asked() -> bool:
            return create_method(either) in (await either.double.acall("report"))["calls"]

        await in_the_end(asked)
        await asyncio.sleep(0.05)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        with contextlib.suppress(SandboxLost):
            await (await provider.reopen("E1", either.spec())).close()
        await provider.close()

    asyncio.run(call_off())
    assert either.alive == []


def test_a_sandbox_that_was_approved_otherwise_is_ended_and_never_used(either: ModalPlace) -> None:
    """Its reply was lost, and a human has edited the machine since."""
    made = opened(either)
    edited = dataclasses.replace(either.spec(), specification="6" * 64)
    either.double.call("approve", specification=edited.specification)

    async def open_again() -> str:
        provider = either.provider()
        try:
            with pytest.raises(SandboxUnavailable, match="approved otherwise") as error:
                await provider.open(edited, "E1", either.progress.append)
            assert error.value.fault == "gone"
            return (await provider.open(edited, "E1", either.progress.append)).id
        finally:
            await provider.close()

    another = asyncio.run(open_again())
    assert another != made
    assert either.alive == [another]


def test_a_name_that_another_has_is_not_touched(place: ModalPlace) -> None:
    async def run() -> None:
        provider = place.provider()
        connection = await provider.account.connect()
        await place.double.acall("stranger", name=sandbox_name(RUN, "E1"))
        other = await connection.sdk.Sandbox.create.aio(
            "sleep",
            "99",
            app=connection.app,
            client=connection.client,
            name=sandbox_name(RUN, "E1"),
            image=connection.sdk.Image.debian_slim(python_version="3.12"),
            tags={"whose": "somebody else's"},
        )
        with pytest.raises(SandboxUnavailable, match="Another sandbox at Modal is called"):
            await place.open(provider)
        with pytest.raises(SandboxLost, match="not one of"):
            await provider.end(other.object_id)
        with pytest.raises(SandboxLost, match="not one of"):
            await provider.reopen(other.object_id, place.spec())
        assert await provider.list() == []
        assert await other.poll.aio() is None
        await provider.close()

    asyncio.run(run())


def test_everything_of_ours_is_listed_with_what_it_costs_and_can_be_ended(either: ModalPlace) -> None:
    async def run() -> None:
        provider = either.provider()
        first = await either.open(provider, "E1")
        await either.open(provider, "E2", cpus=4, memory_gib=8)
        await first.start("x", "import time; time.sleep(99)")
        listed = {sandbox.name: sandbox for sandbox in await provider.list()}
        assert listed["E1"].running == ("x",)
        assert listed["E2"].running == ()
        for name, compute in (
            ("E1", either.spec().compute),
            ("E2", either.spec(cpus=4, memory_gib=8).compute),
        ):
            assert listed[name].run_id == RUN
            assert listed[name].usd_per_hour == (await provider.account.prices()).usd_per_hour(compute)
        assert await provider.list("another-run") == []
        for sandbox in listed.values():
            await provider.end(sandbox.id)
        assert await provider.list(RUN) == []
        assert (await provider.billed(first.id) or 0) > 0
        await provider.close()

    asyncio.run(run())
    assert either.alive == []


def test_a_gpu_that_modal_does_not_have_is_refused_before_anything_is_asked(place: ModalPlace) -> None:
    async def run() -> None:
        provider = place.provider()
        with pytest.raises(SandboxUnavailable, match="no GPU 'H1000'"):
            await place.open(provider, gpu="H1000")

    asyncio.run(run())
    assert place.double.call("report")["calls"] == {}


def test_no_room_is_said_so_and_nothing_is_left(place: ModalPlace) -> None:
    place.gpu = "H100"
    place.double.call("no room", gpus=["H100"])
    with pytest.raises(SandboxUnavailable, match="no room for H100") as refused:
        opened(place, room_seconds=0.5)
    assert refused.value.next_step
    assert place.alive == []


def test_any_takes_the_cheapest_with_room(place: ModalPlace) -> None:
    place.gpu = "any"
    place.double.call("no room", gpus=["T4", "L4"])
    sandbox_id = opened(place, any_room_seconds=0.5)
    assert [create["gpu"] for create in place.creates] == ["T4", "L4", "A10"]
    assert place.alive == [sandbox_id]
    assert "Modal has no L4 now" in place.progress


@pytest.mark.parametrize("status", ["RESOURCE_EXHAUSTED", "PERMISSION_DENIED", "FAILED_PRECONDITION"])
def test_a_workspace_without_quota_is_one_clear_line(place: ModalPlace, status: str) -> None:
    place.gpu = "H100"
    place.double.call(
        "fault", rpc="SandboxCreate", times=-1, status=status, message="GPU quota of 0 is used up"
    )
    with pytest.raises(SandboxUnavailable, match="H100: GPU quota of 0 is used up") as refused:
        opened(place)
    assert "limits" in refused.value.next_step
    assert "\n" not in str(refused.value)


def test_a_throttled_create_is_tried_again_when_modal_says(place: ModalPlace) -> None:
    place.double.call(
        "fault", rpc="SandboxCreateV2", status="RESOURCE_EXHAUSTED", retry_after_seconds=0.1, times=2
    )
    opened(place)
    assert place.double.call("report")["calls"]["SandboxCreateV2"] == 3


def test_a_failed_create_is_one_clear_line(either: ModalPlace) -> None:
    either.double.call("fault", rpc=create_method(either), times=-1, status="INTERNAL", message="oh no")
    with pytest.raises(SandboxUnavailable, match="oh no"):
        opened(either)
    assert either.alive == []


def test_an_image_is_built_once_and_its_log_is_shown(place: ModalPlace) -> None:
    place.double.call("build", log=["Resolved 3 packages\nInstalled 3", " packages\n"])
    opened(place, "E1")
    opened(place, "E2")
    assert "Resolved 3 packages" in place.progress
    assert place.double.call("report")["calls"]["ImageJoinStreaming"] == 1
    [image] = [one for one in place.double.call("report")["images"] if "RUN" in one["commands"][-1]]
    assert image["packages"] == ["numpy"]


def test_without_packages_there_are_the_usual_ones(place: ModalPlace) -> None:
    async def run() -> None:
        provider = place.provider()
        await place.open(provider, packages=())
        await provider.close()

    asyncio.run(run())
    images = place.double.call("report")["images"]
    assert list(DEFAULT_PACKAGES) in [image["packages"] for image in images]


def test_packages_that_cannot_be_installed_are_named_with_the_reason(place: ModalPlace) -> None:
    place.double.call("build", log=["× No solution found: nunpy was not found\n"], error="exit code 1")
    with pytest.raises(PackagesUnavailable, match="numpy") as refused:
        opened(place)
    assert "nunpy was not found" in refused.value.next_step
    assert place.creates == []


def test_a_long_name_is_kept_apart_by_its_digest() -> None:
    names = {sandbox_name("20261123-" + "a" * 60, f"E{number}") for number in range(50)}
    assert len(names) == 50
    assert all(len(name) <= 64 for name in names)
    assert sandbox_name("run", "E1") == "run.E1"
    assert APP == "fumehood"
