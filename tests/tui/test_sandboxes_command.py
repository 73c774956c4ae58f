"""``fumehood sandboxes``: everything of ours that still runs is listed and can be ended, and nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.errors import KeysLocked
from core.experiment import Compute
from core.keys.lookup import use_key_store
from core.record import events as e
from core.record.folder import RunFolder
from core.sandbox.base import SandboxSpec
from core.sandbox.local import LocalProvider
from tests.fakes.console_runs import driven
from tests.fakes.keys import NoKeyring, keys_in_environment
from tests.fakes.modal.double import ModalDouble
from tests.fakes.terminal import Terminal
from tests.tui.conftest import Home, refusal
from tests.tui.modal_home import (
    alive,
    foreign_at_modal,
    modal,
    open_at_modal,
    running_double,
    token,
)
from tests.tui.plans import LAUNCHED
from tui.exit_codes import ExitCode

__all__ = ["modal", "running_double", "token"]

PRICE = Decimal("3.60")
OTHER_RUN = "20261101-a-run-of-a-colleague-0c44"


def launched(home: Home, sandbox_id: str, provider: str, *events: e.Event) -> RunFolder:
    """A run with one open experiment, whose sandbox its journal knows."""
    opened = e.SandboxOpened(
        experiment_id="E1",
        sandbox_id=sandbox_id,
        isolation="remote machine",
        usd_per_hour=PRICE,
        at=e.now() - timedelta(minutes=30),
    )
    requested = e.SandboxRequested(experiment_id="E1", name="E1", provider=provider)
    return home.run_with(*LAUNCHED[:-2], requested, opened, *events, sandbox="modal")


def at_modal(home: Home, double: ModalDouble, *events: e.Event, **fields: Any) -> tuple[RunFolder, str]:
    """Such a run, whose sandbox really is at Modal."""
    folder = launched(home, "sb-later", "modal", *events)
    sandbox_id = open_at_modal(double, folder.run_id, "E1", **fields)
    with folder.journal() as journal:
        journal.append(
            e.SandboxOpened(
                experiment_id="E1",
                sandbox_id=sandbox_id,
                isolation="remote machine",
                usd_per_hour=PRICE,
                at=e.now() - timedelta(minutes=30),
            )
        )
    return folder, sandbox_id


def local(home: Home) -> RunFolder:
    """Such a run, whose sandbox is on this machine."""
    folder = launched(home, "E1", "local")
    opening = LocalProvider(folder.path, isolation="process only").open(
        SandboxSpec(folder.run_id, Compute()), "E1", lambda _: None
    )
    asyncio.run(opening)
    return folder


def listed(home: Home) -> list[dict[str, Any]]:
    """What is listed, as scripts read it."""
    result = home.type("sandboxes", "--json")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_where_nothing_is_open_that_is_said(home: Home, modal: ModalDouble, token: None) -> None:
    result = home.type("sandboxes")
    assert (result.exit_code, result.stdout) == (
        0,
        "No sandbox is open: nothing runs, and nothing costs anything.\n",
    )


def test_each_sandbox_is_listed_with_its_run_its_machine_its_script_and_its_cost(
    home: Home, modal: ModalDouble, token: None
) -> None:
    folder, sandbox_id = at_modal(home, modal, gpu="H100", script="E1-1")
    result = home.type("sandboxes")
    assert result.exit_code == 0, result.output
    for part in (
        "E1 · Modal H100 · E1-1 runs",
        "$3.60/h · $1.80 so far · open for 30 m",
        f"Does bagging help? ({folder.run_id})",
        "no engine drives it",
        f"fumehood resume {folder.run_id}  or  fumehood sandboxes --kill {sandbox_id}",
        "1 sandbox at $3.60/h.",
    ):
        assert part in result.stdout
    with driven(folder):
        assert "its engine drives it" in home.type("sandboxes").stdout


def test_sandboxes_here_and_at_modal_stand_in_one_list(home: Home, modal: ModalDouble, token: None) -> None:
    folder, sandbox_id = at_modal(home, modal)
    here = local(home)
    colleagues = open_at_modal(modal, OTHER_RUN, "E7", gpu="T4", script="E7-1")
    found = {one["id"]: one for one in listed(home)}
    assert set(found) == {sandbox_id, f"{here.run_id}/E1", colleagues}
    assert found[sandbox_id]["standing"] == "no engine"
    assert found[sandbox_id]["run"] == folder.run_id
    assert found[f"{here.run_id}/E1"]["provider"] == "local"
    other = found[colleagues]
    assert (other["standing"], other["experiment"], other["run"]) == ("elsewhere", "E7", OTHER_RUN)
    assert (other["gpu"], other["running"]) == ("T4", ["E7-1"])
    assert Decimal(other["usd_per_hour"]) > Decimal("0.59")
    assert Decimal(other["usd_so_far"]) >= 0
    assert "of another machine or a deleted run" in home.type("sandboxes").stdout


def test_what_a_run_has_left_over_is_listed_though_its_experiment_or_it_has_ended(
    home: Home, modal: ModalDouble, token: None
) -> None:
    ended = e.ExperimentEnded(experiment_id="E1", outcome="done")
    _, first = at_modal(home, modal, ended)
    _, second = at_modal(home, modal, e.RunEnded(outcome="failed", message=""))
    assert {one["id"]: one["standing"] for one in listed(home)} == dict.fromkeys((first, second), "left over")
    assert home.type("sandboxes", "--kill", first, second, "--yes").exit_code == 0
    assert alive(modal) == []


def test_what_an_experiment_had_before_its_sandbox_of_now_is_left_over_and_its_end_is_not_the_experiments(
    home: Home, modal: ModalDouble, token: None
) -> None:
    folder, first = at_modal(home, modal)
    second = open_at_modal(modal, folder.run_id, "E1.2")
    closed = e.SandboxClosed(experiment_id="E1", sandbox_id=first, seconds=60, cost_usd=Decimal("0.06"))
    requested = e.SandboxRequested(experiment_id="E1", name="E1.2", provider="modal")
    with folder.journal() as journal:
        journal.append(closed, requested)
    standing = {one["id"]: one["standing"] for one in listed(home)}
    assert standing == {first: "left over", second: "no engine"}
    assert home.type("sandboxes", "--kill", first, "--yes").exit_code == 0
    assert folder.state().experiments["E1"].kill is None
    assert alive(modal) == [second]


def test_a_run_whose_journal_cannot_be_read_hides_no_sandbox_that_costs(
    home: Home, modal: ModalDouble, token: None
) -> None:
    folder, sandbox_id = at_modal(home, modal)
    folder.journal_path.write_bytes(b"nonsense")
    (one,) = listed(home)
    assert (one["id"], one["standing"]) == (sandbox_id, "unreadable")
    assert home.type("sandboxes", "--kill-all", "--yes").exit_code == 0
    assert alive(modal) == []


def test_an_id_at_modal_is_never_taken_for_a_path(home: Home, modal: ModalDouble, token: None) -> None:
    folder = local(home)
    open_at_modal(modal, f"../runs/{folder.run_id}", "E1")
    found = {one["run"]: one["standing"] for one in listed(home)}
    assert found[f"../runs/{folder.run_id}"] == "elsewhere"


def test_killing_an_open_experiments_sandbox_is_a_decision_in_its_journal(
    home: Home, modal: ModalDouble, token: None
) -> None:
    folder, sandbox_id = at_modal(home, modal, script="E1-1")
    result = home.type("sandboxes", "--kill", sandbox_id, "--yes")
    assert (result.exit_code, result.stdout) == (0, f"{sandbox_id}: E1 has ended\n")
    assert folder.state().experiments["E1"].kill is not None
    assert alive(modal) == []


def test_where_an_engine_drives_the_run_it_ends_the_sandbox_itself(
    home: Home, modal: ModalDouble, token: None
) -> None:
    folder, sandbox_id = at_modal(home, modal)
    with driven(folder):
        result = home.type("sandboxes", "--kill", sandbox_id, "--yes")
    assert "is being ended by its engine" in result.stdout
    assert folder.state().experiments["E1"].kill is not None
    assert alive(modal) == [sandbox_id]


def test_a_local_sandbox_is_killed_by_its_whole_name_or_by_a_name_that_no_other_has(
    home: Home, modal: ModalDouble, token: None
) -> None:
    first, second = local(home), local(home)
    line = refusal(home.type("sandboxes", "--kill", "E1", "--yes"))
    assert "fits 2 sandboxes" in line
    assert home.type("sandboxes", "--kill", f"{first.run_id}/E1", "--yes").exit_code == 0
    (left,) = listed(home)
    assert left["id"] == f"{second.run_id}/E1"
    assert home.type("sandboxes", "--kill", "E1", "--yes").exit_code == 0
    assert listed(home) == []


def test_killing_all_ends_all_of_ours_and_nothing_else(home: Home, modal: ModalDouble, token: None) -> None:
    at_modal(home, modal)
    local(home)
    open_at_modal(modal, OTHER_RUN, "E7")
    theirs = [
        foreign_at_modal(modal, "theirs", {"whose": "somebody else's"}),
        foreign_at_modal(modal, "half", {"fumehood": "1"}),
        foreign_at_modal(modal, "bare", {}),
    ]
    assert not {one["id"] for one in listed(home)} & set(theirs)
    for sandbox_id in theirs:
        assert "so none was killed" in refusal(home.type("sandboxes", "--kill", sandbox_id, "--yes"))
    result = home.type("sandboxes", "--kill-all", "--yes")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 3
    assert sorted(alive(modal)) == sorted(theirs)
    assert listed(home) == []


def test_one_name_that_is_not_there_kills_none(home: Home, modal: ModalDouble, token: None) -> None:
    _, sandbox_id = at_modal(home, modal)
    line = refusal(home.type("sandboxes", "--kill", sandbox_id, "sb-nothing", "--yes"))
    assert "called sb-nothing, so none was killed" in line
    assert alive(modal) == [sandbox_id]


def test_one_that_has_just_ended_is_said_to_have_ended_already(
    home: Home, modal: ModalDouble, token: None
) -> None:
    here = local(home)
    _, ended = at_modal(home, modal)
    _, still = at_modal(home, modal)
    assert home.type("sandboxes", "--kill", ended, f"{here.run_id}/E1", "--yes").exit_code == 0
    result = home.type("sandboxes", "--kill", ended, "--yes")
    assert (result.exit_code, result.stdout) == (0, f"{ended}: has ended already\n")
    machine_read = home.type("sandboxes", "--kill", ended, "--yes", "--json")
    assert json.loads(machine_read.stdout) == {"id": ended, "killed": False, "error": None}
    assert alive(modal) == [still]
    result = home.type("sandboxes", "--kill", ended, still, "--yes")
    assert result.stdout == f"{ended}: has ended already\n{still}: E1 has ended\n"
    use_key_store(keys_in_environment())
    unknown = home.type("sandboxes", "--kill", ended, "--yes")
    assert (unknown.exit_code, "so none was killed" in unknown.stderr) == (ExitCode.BAD_INPUT, True)


def test_a_local_one_that_has_ended_is_known_by_its_whole_name(
    home: Home, modal: ModalDouble, token: None
) -> None:
    opened = e.SandboxOpened(experiment_id="E1", sandbox_id="E1", isolation="", usd_per_hour=PRICE)
    name = f"{home.run_with(*LAUNCHED[:-2], opened).run_id}/E1"
    result = home.type("sandboxes", "--kill", name, "--yes")
    assert (result.exit_code, result.stdout) == (0, f"{name}: has ended already\n")
    assert "so none was killed" in refusal(home.type("sandboxes", "--kill", f"{name}2", "--yes"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sb-1",), "--kill ID"),
        (("--kill",), "say which"),
        (("--kill", "--kill-all"), "do not go together"),
        (("--kill-all", "sb-1"), "--kill ID"),
    ],
)
def test_what_is_not_clear_is_refused(home: Home, words: tuple[str, ...], said: str) -> None:
    assert said in refusal(home.type("sandboxes", *words))


def test_without_a_yes_and_a_terminal_nothing_is_killed(home: Home, modal: ModalDouble, token: None) -> None:
    folder, sandbox_id = at_modal(home, modal)
    assert "--yes" in refusal(home.type("sandboxes", "--kill", sandbox_id))
    assert "--yes" in refusal(home.type("sandboxes", "--kill-all"))
    assert alive(modal) == [sandbox_id]
    assert folder.state().experiments["E1"].kill is None


def test_at_a_terminal_the_count_and_the_price_are_confirmed(
    home: Home, modal: ModalDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_modal(home, modal)
    open_at_modal(modal, OTHER_RUN, "E7", gpu="H100")
    for name, value in zip(("MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET"), modal.token, strict=True):
        monkeypatch.setenv(name, value)
    command = [sys.executable, "-m", "tui.cli", "sandboxes", "--kill-all"]
    for key, left in (("\n", 2), ("y\n", 0)):
        with Terminal(command, dict(os.environ), columns=140) as terminal:
            terminal.until("of another machine or a deleted run")
            terminal.until("its experiment ends as killed")
            terminal.until("End 2 sandboxes at $")
            terminal.press(key)
            assert terminal.ended() == (0 if left == 0 else ExitCode.BAD_INPUT)
        assert len(alive(modal)) == left


def test_without_a_token_only_this_machine_is_listed_and_that_is_no_error(
    home: Home, modal: ModalDouble
) -> None:
    folder = local(home)
    result = home.type("sandboxes")
    assert result.exit_code == 0
    assert f"{folder.run_id}/E1" in result.stdout
    assert "Modal was not asked: MODAL_TOKEN_ID is missing" in result.stdout
    machine_read = home.type("sandboxes", "--json")
    assert "Modal was not asked" in machine_read.stderr
    assert "Modal was not asked" not in machine_read.stdout
    assert modal.call("report")["calls"] == {}


def test_where_modal_was_not_asked_an_empty_list_says_so_first(home: Home, modal: ModalDouble) -> None:
    first, second = home.type("sandboxes").stdout.splitlines()
    assert first.startswith("Modal was not asked: MODAL_TOKEN_ID is missing")
    assert second == "No sandbox is open on this machine; what is open at Modal is not known."


def test_a_place_for_keys_that_cannot_be_read_is_a_trouble(home: Home, modal: ModalDouble) -> None:
    use_key_store(keys_in_environment(NoKeyring(KeysLocked("the keyring is locked", "Unlock it."))))
    folder = local(home)
    result = home.type("sandboxes")
    assert result.exit_code == ExitCode.BAD_INPUT
    assert f"{folder.run_id}/E1" in result.stdout
    assert "the keyring is locked" in result.stderr


def test_a_refused_token_is_one_line_and_what_is_here_is_listed_all_the_same(
    home: Home, modal: ModalDouble
) -> None:
    use_key_store(keys_in_environment(MODAL_TOKEN_ID="ak-wrong-0123", MODAL_TOKEN_SECRET="as-wrong-0123"))
    folder = local(home)
    result = home.type("sandboxes")
    assert result.exit_code == ExitCode.BAD_INPUT
    assert f"{folder.run_id}/E1" in result.stdout
    (line,) = result.stderr.splitlines()
    assert line.startswith("fumehood: Modal does not accept the token")
    assert "wrong-0123" not in result.output


def test_a_modal_out_of_reach_is_one_line_within_bounds(
    home: Home, modal: ModalDouble, token: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.sandbox.asking_modal.LIST_SECONDS", 2.0)
    modal.call("fault", rpc="ClientHello", kind="hang", times=-1)
    folder = local(home)
    result = home.type("sandboxes")
    assert result.exit_code == ExitCode.BAD_INPUT
    assert f"{folder.run_id}/E1" in result.stdout
    (line,) = result.stderr.splitlines()
    assert "Modal does not answer within 2 s" in line
    assert "Only sandboxes on this machine are listed" in line


def test_what_may_still_be_there_is_said_and_fails(
    home: Home, modal: ModalDouble, token: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.sandbox.asking_modal.END_SECONDS", 3.0)
    folder, sandbox_id = at_modal(home, modal)
    here = local(home)
    modal.call("fault", rpc="SandboxTerminateV2", status="UNAVAILABLE", times=-1)
    result = home.type("sandboxes", "--kill-all", "--yes")
    assert result.exit_code == ExitCode.RUN_FAILED
    assert f"{sandbox_id} may still be there" in result.stderr
    assert f"{here.run_id}/E1: E1 has ended" in result.stdout
    assert folder.state().experiments["E1"].kill is not None
    modal.call("heal")
    (left,) = listed(home)
    assert left["id"] == sandbox_id


def test_names_and_tags_with_escapes_in_them_reach_no_terminal(
    home: Home, modal: ModalDouble, token: None
) -> None:
    open_at_modal(modal, "\x1b]0;gotcha\x07run\u202e", "E\x1b[31m1")
    result = home.type("sandboxes")
    assert result.exit_code == 0
    assert not set(result.stdout) & set("\x1b\x07\u202e")
