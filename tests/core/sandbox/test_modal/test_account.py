"""Logging in at Modal: with our credentials only, within a bound, and in silence."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import SandboxUnavailable
from core.keys.secret import Secret
from core.sandbox.modal.account import Account, Credentials
from core.sandbox.modal.prices import TABLE
from tests.core.sandbox.test_modal.conftest import ModalPlace
from tests.core.sandbox.test_modal.test_sandbox import ROOT

WRONG = Credentials(Secret("ak-wrong"), Secret("as-wrong"))


def right(place: ModalPlace) -> Credentials:
    token_id, token_secret = map(Secret, place.double.token)
    return Credentials(token_id, token_secret)


def test_a_wrong_token_is_one_clear_line(place: ModalPlace) -> None:
    with pytest.raises(SandboxUnavailable, match="does not accept the token") as refused:
        asyncio.run(Account(WRONG).connect())
    assert "modal.com/settings/tokens" in refused.value.next_step
    assert "as-wrong" not in str(refused.value)


def test_a_server_that_cannot_be_reached_is_given_up_in_time(
    place: ModalPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MODAL_SERVER_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(SandboxUnavailable, match=r"cannot be reached within 0\.5 s"):
            asyncio.run(asyncio.wait_for(Account(right(place), login_seconds=0.5).connect(), 10))


def test_a_server_that_never_answers_is_given_up_in_time(place: ModalPlace) -> None:
    place.double.call("fault", rpc="ClientHello", kind="hang", times=-1)
    with pytest.raises(SandboxUnavailable, match=r"cannot be reached within 0\.5 s"):
        asyncio.run(asyncio.wait_for(Account(right(place), login_seconds=0.5).connect(), 10))


PROBE = """
import asyncio, os, sys
from core.keys.secret import Secret
from core.sandbox.modal.account import Account, Credentials
async def main():
    account = Account(Credentials(Secret(sys.argv[1]), Secret(sys.argv[2])))
    connection = await account.connect()
    assert connection.app.app_id
    await account.close()
asyncio.run(main())
print(sorted(name for name in os.environ if name.startswith("MODAL")))
"""


def test_neither_the_users_own_settings_count_nor_is_anything_said(place: ModalPlace, folder: Path) -> None:
    (folder / ".modal.toml").write_text(
        '[default]\ntoken_id = "ak-the-users"\ntoken_secret = "as-the-users"\nserver_url = "http://127.0.0.1:1"\n'
        '[other]\nactive = true\nloglevel = "DEBUG"\n'
    )
    place.double.call("warn", message="a warning of the server's")
    place.double.call(
        "fault", rpc="AppGetOrCreate", status="RESOURCE_EXHAUSTED", retry_after_seconds=0.1, times=1
    )
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "MODAL_SERVER_URL": place.double.url,
        "MODAL_TOKEN_ID": "ak-the-environments",
        "MODAL_TOKEN_SECRET": "as-the-environments",
        "MODAL_OAUTH_REFRESH_TOKEN": "x",
        "MODAL_PROFILE": "other",
        "MODAL_LOGLEVEL": "DEBUG",
    }
    probe = subprocess.run(
        [sys.executable, "-c", PROBE, *place.double.token],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    kept = "['MODAL_CONFIG_PATH', 'MODAL_MAX_THROTTLE_WAIT', 'MODAL_SERVER_URL']\n"
    assert (probe.stdout, probe.stderr) == (kept, "")


def test_prices_are_the_workspaces_own_where_they_can_be_had(place: ModalPlace) -> None:
    async def usd_per_hour() -> tuple[Decimal | None, str]:
        account = Account(right(place))
        prices = await account.prices()
        await account.close()
        return prices.usd_per_hour(place.spec(gpu="H100!").compute), prices.source

    place.double.call("rates", rates={"GPU H100": "4.10", "Sandbox CPU": "0.15", "Sandbox Memory": "0.03"})
    price, source = asyncio.run(usd_per_hour())
    assert price == Decimal("4.10") + Decimal("0.15") + Decimal("4.5") * Decimal("0.03")
    assert "your workspace's rates" in source
    place.double.call("fault", rpc="WorkspaceBillingRates", status="UNIMPLEMENTED", times=-1)
    assert asyncio.run(usd_per_hour()) == (TABLE.usd_per_hour(place.spec(gpu="H100!").compute), TABLE.source)


def test_without_a_way_to_modal_prices_are_the_tables(place: ModalPlace) -> None:
    place.double.call("fault", rpc="ClientHello", kind="hang", times=-1)
    assert asyncio.run(Account(right(place), login_seconds=0.2).prices()) is TABLE
