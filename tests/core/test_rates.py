"""What a run is priced with: the same for its engine and for whoever looks at it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from core.budget import estimate
from core.experiment import Compute
from core.pricing import SECONDS_PER_HOUR
from core.rates import gpu_offer_in_words, prices_in_words, prices_taken, rates_of
from core.record.events import RunCreated
from core.record.fold import fold
from core.record.state import RunState
from core.sandbox.modal.prices import TABLE, Prices
from tests.fakes.specs import experiment, run_settings

LIVE = Prices({"H200": Decimal(5)}, Decimal("0.2"), Decimal("0.03"), "your workspace's rates of today")


def run(**settings: Any) -> RunState:
    created = RunCreated(run_id="r", question="?", settings=run_settings(**settings), version="0")
    return fold([created])


def test_the_local_sandbox_costs_what_the_user_says() -> None:
    state = run(local_usd_per_hour=Decimal("3.60"))
    assert rates_of(state).sandbox(Compute()) == Decimal("3.60")
    assert prices_in_words(state) == ""


def test_modal_costs_what_the_dated_table_says_until_the_workspace_was_asked() -> None:
    state = run(sandbox="modal", local_usd_per_hour=Decimal(1))
    assert rates_of(state).sandbox(Compute(gpu="H100")) == TABLE.usd_per_hour(Compute(gpu="H100"))
    assert prices_in_words(state) == "Modal's prices of 2026-09-20"
    fold([prices_taken(LIVE)], state)
    assert rates_of(state).sandbox(Compute(gpu="H100")) == LIVE.usd_per_hour(Compute(gpu="H100"))
    assert prices_in_words(state) == "your workspace's rates of today"


def test_an_experiment_at_modal_costs_at_most_its_machine_for_its_whole_time() -> None:
    spec = experiment(compute=Compute(gpu="H100", cpus=2, memory_gib=7.5, timeout_seconds=600))
    hourly = Decimal("4.54") + 2 * Decimal("0.1419") + 8 * Decimal("0.024")
    assert estimate(spec, rates_of(run(sandbox="modal"))).maximum == hourly * 600 / SECONDS_PER_HOUR


def test_a_gpu_without_a_price_is_unknown_and_never_free() -> None:
    state = fold([prices_taken(LIVE)], run(sandbox="modal"))
    assert estimate(experiment(gpu="T4"), rates_of(state)).maximum is None


def test_a_researcher_whose_price_nobody_knows_makes_the_experiments_unknown() -> None:
    assert estimate(experiment(), rates_of(run(researcher_model="claude-banana"))).maximum is None
    assert rates_of(run(researcher_model="m")).researcher.maximum is None


def test_what_a_gpus_name_may_turn_out_to_be_is_said_with_prices() -> None:
    state = run(sandbox="modal")
    assert gpu_offer_in_words(state, "any") == (
        "now T4 $0.59, L4 $0.80, A10 $1.10 or L40S $1.95 per hour; the maximum is for the dearest"
    )
    hourly = Decimal("1.95") + Decimal("0.1419") + Decimal("4.5") * Decimal("0.024")
    assert rates_of(state).sandbox(Compute(gpu="any")) == hourly
    words = "Modal may give an H200 instead, now {} per hour{}; the maximum is for that"
    assert gpu_offer_in_words(state, "H100") == words.format("$4.54", "")
    assert gpu_offer_in_words(state, "H100:2") == words.format("$4.54", " each")
    fold([prices_taken(LIVE)], state)
    assert gpu_offer_in_words(state, "H100") == words.format("$5.00", "")
    assert "T4 ?" in gpu_offer_in_words(state, "any")
    for gpu in (None, "H100!", "T4", "A100", "a GPU of tomorrow"):
        assert gpu_offer_in_words(state, gpu) == ""
    assert gpu_offer_in_words(run(sandbox="local"), "any") == ""
