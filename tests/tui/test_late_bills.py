"""Bills of sandboxes whose run ended before Modal said what they cost."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from core.record import events as e
from core.record.folder import RunFolder
from tests.fakes.modal.double import ModalDouble
from tests.tui.conftest import Home
from tests.tui.modal_home import modal, open_at_modal, running_double, token
from tests.tui.plans import LAUNCHED

__all__ = ["modal", "running_double", "token"]

RECKONED = Decimal("7.50")
AGO = timedelta(hours=1)


def ended(
    home: Home, double: ModalDouble, gone: timedelta = AGO, cost: Decimal | None = RECKONED
) -> RunFolder:
    """A run that ended right after its one sandbox was closed."""
    folder = home.run_with(*LAUNCHED[:-2], sandbox="modal")
    sandbox_id = open_at_modal(double, folder.run_id, "E1", gpu="H100")
    assert home.type("sandboxes", "--kill", sandbox_id, "--yes").exit_code == 0
    at = e.now() - gone
    with folder.journal() as journal:
        journal.append(
            e.SandboxRequested(experiment_id="E1", name="E1", provider="modal", at=at),
            e.SandboxOpened(
                experiment_id="E1",
                sandbox_id=sandbox_id,
                isolation="remote machine",
                usd_per_hour=Decimal("3.60"),
                at=at,
            ),
            e.SandboxClosed(experiment_id="E1", sandbox_id=sandbox_id, seconds=60, cost_usd=cost, at=at),
            e.ExperimentEnded(experiment_id="E1", outcome="done", at=at),
            e.RunEnded(outcome="done", message="", at=at),
        )
    return folder


def kinds(folder: RunFolder) -> list[str]:
    with folder.journal() as journal:
        return [event.type for event in journal.read()]


def test_a_bill_is_taken_after_the_runs_end_and_counts(home: Home, modal: ModalDouble, token: None) -> None:
    folder = ended(home, modal)
    assert folder.state().spent_usd == RECKONED
    result = home.type("sandboxes")
    assert result.exit_code == 0, result.output
    state = folder.state()
    assert state.ended is not None
    assert state.ended.outcome == "done"
    assert kinds(folder)[-1] == "sandbox.billed"
    assert 0 < state.spent_usd < RECKONED
    cost = state.experiments["E1"].cost_usd
    assert cost is not None
    assert round(cost, 9) == round(state.spent_usd, 9)
    assert f"{folder.run_id}: Modal billed " in result.stdout
    assert " for 1 sandbox (reckoned $7.50)." in result.stdout
    assert "Modal billed" not in home.type("sandboxes").stdout
    assert kinds(folder).count("sandbox.billed") == 1


def test_a_bill_beside_json_goes_to_stderr_and_an_unknown_reckoning_is_said(
    home: Home, modal: ModalDouble, token: None
) -> None:
    folder = ended(home, modal, cost=None)
    assert folder.state().unknown_costs == 1
    result = home.type("sandboxes", "--json")
    assert result.stdout == ""
    assert "(reckoned ?)." in result.stderr
    assert folder.state().unknown_costs == 0


@pytest.mark.parametrize("gone", [timedelta(seconds=60), timedelta(days=31)])
def test_what_may_still_grow_and_what_is_long_gone_is_not_asked_for(
    home: Home, modal: ModalDouble, token: None, gone: timedelta
) -> None:
    folder = ended(home, modal, gone)
    before = modal.call("report")["calls"]["SandboxGetStats"]  # the list asks since when each is there
    assert "Modal billed" not in home.type("sandboxes").stdout
    assert folder.state().spent_usd == RECKONED
    assert modal.call("report")["calls"]["SandboxGetStats"] == before


def test_a_run_whose_lock_is_held_is_left_to_its_engine(home: Home, modal: ModalDouble, token: None) -> None:
    folder = ended(home, modal)
    with folder.locked():
        assert "Modal billed" not in home.type("sandboxes").stdout
    assert "sandbox.billed" not in kinds(folder)


def test_where_modal_does_not_say_nothing_is_written_and_it_is_asked_again(
    home: Home, modal: ModalDouble, token: None
) -> None:
    folder = ended(home, modal)
    modal.call("fault", rpc="SandboxGetStats", status="PERMISSION_DENIED", times=-1)
    result = home.type("sandboxes")
    assert (result.exit_code, "Modal billed" in result.stdout) == (0, False)
    assert folder.state().spent_usd == RECKONED
    modal.call("heal")
    assert "Modal billed" in home.type("sandboxes").stdout
