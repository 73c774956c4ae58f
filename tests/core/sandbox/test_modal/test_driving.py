"""Engines of runs at Modal as processes: whom Modal lets in, what they say, and what they leave."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from core.driving import drive
from core.errors import ConfigError, FumehoodError, SandboxUnavailable
from core.keys.lookup import use_key_store
from core.keys.names import MODAL_ID, MODAL_SECRET
from core.record import events as e
from core.record.folder import RunFolder
from core.record.state import RunState
from core.sandbox.modal.prices import LIVE_SOURCE
from core.sandbox.modal.provider import ModalProvider
from tests.core.sandbox.test_modal.conftest import DEADLINE_SECONDS, ModalPlace
from tests.core.sandbox.test_modal.test_run_faults import WAITS, events, names, run_on
from tests.core.sandbox.test_modal.test_sandbox import ROOT
from tests.fakes.keys import keys_in_environment
from tests.fakes.tiny_run import MEASURE


def token(token_id: str, secret: str) -> None:
    """What the engine of this process finds."""
    use_key_store(keys_in_environment(**{MODAL_ID: token_id, MODAL_SECRET: secret}))


def refused(folder: RunFolder, error: type[FumehoodError]) -> e.EngineStopped:
    """Drive a run that is not let in; what its journal says then."""
    with pytest.raises(error) as raised:
        asyncio.run(asyncio.wait_for(drive(folder), 30))
    state = folder.state()
    stopped = state.engine_stopped
    assert stopped is not None
    assert (stopped.message, stopped.next_step) == (raised.value.message, raised.value.next_step)
    assert "\n" not in str(raised.value)
    assert (stopped.reason, state.ended, state.experiments) == ("paused", None, {})
    return stopped


def goes_on(place: ModalPlace, folder: RunFolder) -> RunState:
    """Drive a run with the right token."""
    token(*place.double.token)
    asyncio.run(asyncio.wait_for(drive(folder), 60))
    return folder.state()


def test_a_wrong_token_pauses_the_run_until_there_is_another(place: ModalPlace, folder: Path) -> None:
    run = run_on(place, folder, MEASURE)
    token("ak-wrong", "as-wrong")
    stopped = refused(run, SandboxUnavailable)
    assert "does not accept the token" in stopped.message
    assert goes_on(place, run).experiments["E1"].outcome == "done"


def test_rates_that_modal_does_not_say_again_stay_those_that_it_said(place: ModalPlace, folder: Path) -> None:
    run = run_on(place, folder, MEASURE)
    said = e.PricesTaken(
        gpus={"T4": Decimal("0.61")},
        cpu=Decimal("0.15"),
        memory=Decimal("0.03"),
        source=f"{LIVE_SOURCE}2026-11-22",
    )
    with run.journal() as journal:
        journal.append(said)
    place.double.call("fault", rpc="WorkspaceBillingRates", status="UNIMPLEMENTED", times=-1)
    state = goes_on(place, run)
    assert state.prices is not None
    assert (state.prices.source, state.prices.cpu) == (said.source, said.cpu)
    with run.journal() as journal:
        assert [event.type for event in journal.read()].count("prices.taken") == 1


def test_a_missing_token_pauses_the_run(place: ModalPlace, folder: Path) -> None:
    run = run_on(place, folder, MEASURE)
    use_key_store(keys_in_environment())
    assert MODAL_ID in refused(run, ConfigError).message
    assert goes_on(place, run).ended is not None


def test_a_modal_that_cannot_be_reached_pauses_the_run(
    place: ModalPlace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    defaults = ModalProvider.__init__.__kwdefaults__ or {}
    monkeypatch.setitem(defaults, "login_seconds", 0.5)
    run = run_on(place, folder, MEASURE)
    token(*place.double.token)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MODAL_SERVER_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
        assert "cannot be reached within 0.5 s" in refused(run, SandboxUnavailable).message
    monkeypatch.setenv("MODAL_SERVER_URL", place.double.url)
    monkeypatch.setitem(defaults, "login_seconds", 10.0)
    assert goes_on(place, run).ended is not None


def test_a_run_that_is_not_let_in_again_leaves_its_sandboxes_and_says_so(
    place: ModalPlace, folder: Path
) -> None:
    run = run_on(place, folder, WAITS, MEASURE)
    with engine(place, run) as process:
        wait_until(lambda: bool(run.state().execs))
        process.kill()
    token("ak-wrong", "as-wrong")
    with pytest.raises(SandboxUnavailable):
        asyncio.run(drive(run))
    stopped = run.state().engine_stopped
    assert stopped is not None
    assert (stopped.reason, stopped.sandboxes) == ("paused", "left")


ENGINE = """
import sys
from pathlib import Path
from core.agents.launching import Relaunches
from core.record.folder import RunFolder
from tests.core.sandbox.test_modal.test_run_faults import drive
from tests.core.sandbox.test_modal.conftest import ModalPlace
from types import SimpleNamespace
from tests.fakes.modal.world import TOKEN
place = ModalPlace(SimpleNamespace(token=TOKEN))
drive(place, RunFolder(Path(sys.argv[1])), relaunches=Relaunches(first_seconds=float(sys.argv[2])))
"""


def engine(place: ModalPlace, run: RunFolder, first_seconds: float = 0.05) -> subprocess.Popen[str]:
    """An engine in a process of its own, at the double."""
    return subprocess.Popen(
        [sys.executable, "-c", ENGINE, str(run.path), str(first_seconds)],
        cwd=ROOT,
        env={**os.environ, "MODAL_SERVER_URL": place.double.url, "MODAL_LOGLEVEL": "DEBUG"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_nothing_of_the_vendors_reaches_the_terminal_in_a_whole_run_with_faults(
    either: ModalPlace, folder: Path
) -> None:
    run = run_on(either, folder, MEASURE)
    either.double.call("warn", message="a warning of the server's")
    create = "SandboxCreate" if either.gpu else "SandboxCreateV2"
    either.double.call("fault", rpc=create, status="INTERNAL", times=5)
    either.double.call("fault", rpc="TaskExecStart", kind="disconnect", times=2)
    either.double.call("fault", rpc="TaskExecStdioRead", kind="cut connection", after_messages=1, times=3)
    either.double.call("fault", rpc="WorkspaceBillingRates", status="UNIMPLEMENTED", times=-1)
    with engine(either, run) as process:
        said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, ("", ""))
    assert run.state().experiments["E1"].outcome == "done"


def test_an_engine_killed_while_a_sandbox_is_to_be_had_again_leaves_that_to_the_next_one(
    either: ModalPlace, folder: Path
) -> None:
    run = run_on(either, folder, WAITS, MEASURE)
    with engine(either, run, first_seconds=300) as process:
        wait_until(lambda: any(script.records for script in run.state().execs.values()))
        sandbox = run.state().experiments["E1"].sandbox
        assert sandbox is not None
        either.double.call("end", sandbox_id=sandbox.sandbox_id, status="FAILURE", exit_code=1)
        wait_until(lambda: bool(run.state().experiments["E1"].failures))
        process.kill()
    with run.journal() as journal:  # Five minutes pass.
        [failed] = [event for event in journal.read() if isinstance(event, e.SandboxFailed)]
        journal.append(failed.model_copy(update={"seq": 0, "after_seconds": 0.1}))
    with engine(either, run, first_seconds=300) as process:
        assert process.communicate(timeout=60) == ("", "")
    state = run.state()
    assert (state.experiments["E1"].outcome, names(either)) == ("done", ["E1", "E1.2"])
    assert len(events(run, e.SandboxClosed)) == 2
    assert state.experiments["E1"].verdict is not None
    assert either.alive == []


def test_engines_killed_over_a_create_that_fails_make_one_sandbox(either: ModalPlace, folder: Path) -> None:
    create = "SandboxCreate" if either.gpu else "SandboxCreateV2"
    run = run_on(either, folder, MEASURE)
    either.double.call("fault", rpc=create, kind="drop reply", times=1)
    for seen in (1, 2):
        with engine(either, run) as process:
            wait_until(
                lambda seen=seen: (  # type: ignore[misc]
                    either.double.call("report")["calls"].get(create, 0) >= seen or process.poll() is not None
                )
            )
            process.kill()
    with engine(either, run) as process:
        assert process.communicate(timeout=60) == ("", "")
    assert run.state().experiments["E1"].outcome == "done"
    assert names(either) == ["E1"]
    assert either.alive == []
