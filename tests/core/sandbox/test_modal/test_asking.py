"""Asking Modal from a process of its own: what is there, ending it, and whether it accepts a token."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from core.errors import SandboxUnavailable
from core.keys.secret import Secret
from core.sandbox import asking_modal
from core.sandbox.asking_modal import check_token, end_sandboxes, list_sandboxes
from core.sandbox.modal.account import Credentials
from core.sandbox.modal.provider import ModalProvider
from tests.core.sandbox.test_modal.conftest import RUN, ModalPlace
from tests.fakes.canaries import Canaries

WRONG = Credentials(Secret("ak-wrong"), Secret("as-wrong"))


def token(place: ModalPlace) -> Credentials:
    """The token that the double lets in."""
    return Credentials(*map(Secret, place.double.token))


async def foreign(provider: ModalProvider, name: str, tags: dict[str, str]) -> str:
    """Open a sandbox in our app that is not ours; gives its id."""
    connection = await provider.account.connect()
    made: Any = await connection.sdk.Sandbox.create.aio(
        *("sleep", "99"),
        app=connection.app,
        client=connection.client,
        name=name,
        image=connection.sdk.Image.debian_slim(python_version="3.12"),
        tags=tags,
    )
    return str(made.object_id)


def test_every_sandbox_is_listed_with_what_it_is_and_ended(either: ModalPlace) -> None:
    async def run() -> None:
        provider = either.provider()
        sandbox = await either.open(provider, "E1")
        await sandbox.start("E1-1", "import time; time.sleep(99)")
        (found,) = await list_sandboxes(token(either))
        assert (found.id, found.name, found.run_id, found.gpu) == (sandbox.id, "E1", RUN, either.gpu)
        assert found.running == ("E1-1",)
        assert found.usd_per_hour == (await provider.account.prices()).usd_per_hour(either.spec().compute)
        assert found.opened_at is not None
        assert await list_sandboxes(token(either), "another-run") == []
        assert await end_sandboxes(token(either), [found.id, found.id]) == {}
        assert await list_sandboxes(token(either)) == []
        assert await end_sandboxes(token(either), [found.id]) == {}
        await provider.close()

    asyncio.run(run())
    assert either.alive == []


def test_a_look_from_outside_starts_nothing_in_a_sandbox_so_that_its_idle_time_goes_on(
    place: ModalPlace,
) -> None:
    async def run() -> None:
        provider = place.provider()
        await place.open(provider)
        before = (await place.double.acall("report"))["calls"]["TaskExecStart"]
        (found,) = await list_sandboxes(token(place), inside=False)
        assert found.running is None
        assert (await place.double.acall("report"))["calls"]["TaskExecStart"] == before
        await list_sandboxes(token(place))
        assert (await place.double.acall("report"))["calls"]["TaskExecStart"] == before + 1
        await provider.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"whose": "somebody else's"},
        {"fumehood": "1"},
        {"fumehood": "0", "fumehood-run": RUN, "fumehood-experiment": "E1"},
        {"fumehood-run": RUN, "fumehood-experiment": "E1"},
    ],
)
def test_what_does_not_carry_our_tags_is_neither_listed_nor_ended(
    place: ModalPlace, tags: dict[str, str]
) -> None:
    async def run() -> str:
        provider = place.provider()
        await place.double.acall("stranger", name="theirs")
        other = await foreign(provider, "theirs", tags)
        ours = await place.open(provider)
        assert [found.id for found in await list_sandboxes(token(place))] == [ours.id]
        left = await end_sandboxes(token(place), [other, ours.id])
        assert list(left) == [other]
        assert "not one of ours" in left[other].message
        await provider.close()
        return other

    other = asyncio.run(run())
    assert place.alive == [other]
    assert not any("attendant" in " ".join(argv) for argv in argvs_of_foreign(place))


def argvs_of_foreign(place: ModalPlace) -> list[list[str]]:
    """Everything that was ever run in a sandbox that is not ours."""
    sandboxes = place.double.call("report")["sandboxes"].values()
    return [argv for sandbox in sandboxes if sandbox["name"] == "theirs" for argv in sandbox["argvs"]]


def test_a_sandbox_that_ends_while_all_are_listed_hides_no_other(place: ModalPlace) -> None:
    async def run() -> None:
        provider = place.provider()
        await place.open(provider, "E1")
        await place.open(provider, "E2")
        await place.double.acall("fault", rpc="SandboxTagsGetV2", status="NOT_FOUND", times=1)
        assert len(await list_sandboxes(token(place), inside=False)) == 1
        await provider.close()

    asyncio.run(run())


def test_a_token_is_checked_without_making_anything(place: ModalPlace) -> None:
    assert asyncio.run(check_token(token(place))).state == "works"
    refused = asyncio.run(check_token(WRONG))
    assert refused.state == "refused"
    assert "MODAL_TOKEN_ID" in refused.reason
    assert "as-wrong" not in refused.reason
    assert "AppGetOrCreate" not in place.double.call("report")["calls"]


def test_the_right_half_with_the_wrong_one_is_refused(place: ModalPlace) -> None:
    half = Credentials(token(place).token_id, WRONG.token_secret)
    assert asyncio.run(check_token(half)).state == "refused"


def test_modal_out_of_reach_is_said_in_time_and_refuses_no_token(
    place: ModalPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CHECK_SECONDS", "LIST_SECONDS", "END_SECONDS"):
        monkeypatch.setattr(asking_modal, name, 2.0)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MODAL_SERVER_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")

        async def run() -> None:
            async with asyncio.timeout(15):
                assert (await check_token(token(place))).state == "not checked"
                with pytest.raises(SandboxUnavailable, match="does not answer") as listing:
                    await list_sandboxes(token(place))
                assert listing.value.fault == "unreachable"
                with pytest.raises(SandboxUnavailable, match="does not answer"):
                    await end_sandboxes(token(place), ["sb-1"])

        asyncio.run(run())


def test_a_refused_token_is_told_from_a_modal_that_does_not_answer(place: ModalPlace) -> None:
    with pytest.raises(SandboxUnavailable, match="does not accept the token") as refused:
        asyncio.run(list_sandboxes(WRONG))
    assert refused.value.fault == "refused"
    place.double.call("fault", rpc="SandboxListV2", status="INTERNAL", times=-1)
    with pytest.raises(SandboxUnavailable, match="does not say which") as silent:
        asyncio.run(list_sandboxes(token(place)))
    assert silent.value.fault == "unreachable"


def test_what_cannot_be_ended_is_named_and_the_rest_is_ended(place: ModalPlace) -> None:
    async def run() -> None:
        provider = place.provider()
        ids = [(await place.open(provider, name)).id for name in ("E1", "E2")]
        left = await end_sandboxes(token(place), [*ids, "sb-neverwas0000000000000000000"])
        assert left == {}
        await provider.close()

    asyncio.run(run())
    assert place.alive == []


def test_the_process_that_asks_gets_its_token_by_stdin_only(
    place: ModalPlace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place.double.call("fault", rpc="ClientHello", kind="hang", times=-1)
    monkeypatch.setenv("MODAL_TOKEN_SECRET", "as-canary-of-the-environment-0123456789")
    monkeypatch.setattr(asking_modal, "CHECK_SECONDS", 3.0)
    canaries = Canaries({"the question": "as-canary-0123456789abcdef", "a variable": "as-canary-of-the-env"})
    asked = Credentials(Secret("ak-canary-0123456789abcdef"), Secret("as-canary-0123456789abcdef"))

    async def run() -> int:
        looked = 0
        checking = asyncio.create_task(check_token(asked))
        async with asyncio.timeout(20):
            while not checking.done():
                children = [
                    path
                    for path in Path("/proc").glob("[0-9]*/cmdline")
                    if b"core.sandbox.asking_modal" in _bytes(path)
                ]
                for path in children:
                    seen = _bytes(path) + _bytes(path.parent / "environ")
                    assert canaries.leaks_in(seen, str(path)) == []
                    looked += bool(seen)
                await asyncio.sleep(0.05)
        assert (await checking).state == "not checked"
        return looked

    assert asyncio.run(run()) > 0


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
