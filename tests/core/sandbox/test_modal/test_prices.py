"""What sandboxes at Modal cost, and which GPUs there are."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from core.errors import SandboxUnavailable
from core.experiment import Compute
from core.rates import gpu_price_in_words
from core.sandbox.modal.gpus import ANY_OF, KNOWN, candidates, gpu_name, in_words, nearest
from core.sandbox.modal.prices import TABLE, TABLE_DATE, live

TODAY = date(2026, 11, 23)


def gpu_price(gpu: str) -> Decimal:
    price, machine = TABLE.usd_per_hour(Compute(gpu=gpu)), TABLE.usd_per_hour(Compute())
    assert price is not None
    assert machine is not None
    return price - machine


def test_a_machine_costs_its_cores_and_its_memory_with_our_own() -> None:
    assert TABLE.usd_per_hour(Compute(cpus=2, memory_gib=8)) == 2 * Decimal("0.1419") + Decimal("0.204")


@pytest.mark.parametrize(
    ("gpu", "usd"),
    [
        ("T4", "0.59"),
        ("h100", "4.54"),
        ("H100!", "3.95"),
        ("A100", "2.10"),
        ("A100-80GB:2", "5.00"),
        ("B200+", "7.10"),
        ("any", "1.95"),
    ],
)
def test_gpus_cost_what_the_table_says_and_any_what_its_dearest_does(gpu: str, usd: str) -> None:
    assert gpu_price(gpu) == Decimal(usd)


def test_every_known_gpu_has_a_price_and_an_unknown_one_has_none() -> None:
    assert all(gpu_price(gpu) > 0 for gpu in KNOWN)
    assert TABLE.usd_per_hour(Compute(gpu="H1000")) is None


def test_names_are_taken_in_any_case_and_counts_within_what_modal_has() -> None:
    assert gpu_name(" a100-80gb ") == "A100-80GB"
    assert gpu_name("h100:8") == "H100:8"
    assert gpu_name("l4:1") == "L4"
    for wrong in ("H100:9", "A10:5", "any:2", "T4:0", "T4:x", "", ":", "RTX"):
        with pytest.raises(SandboxUnavailable, match="Modal has no GPU"):
            gpu_name(wrong)


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("H10", "H100"),
        ("a100-8gb", "A100-80GB"),
        ("h100:16", "H100:8"),
        ("A10:6", "A10:4"),
        ("l40", "L40S"),
        ("RTX-6000", "RTX-PRO-6000"),
        ("banana", ""),
        ("", ""),
    ],
)
def test_the_gpu_that_was_meant_is_said(typed: str, near: str) -> None:
    assert nearest(typed) == near
    with pytest.raises(SandboxUnavailable) as refused:
        gpu_name(typed)
    assert ("Did you mean" in refused.value.next_step) == bool(near)


@pytest.mark.parametrize(
    ("gpu", "words"),
    [
        ("t4", "$0.59/h"),
        ("A100-80GB:2", "$5.00/h"),
        ("H100", "$3.95/h, or $4.54/h where Modal gives an H200"),
        ("H100!", "$3.95/h"),
        ("B200+", "$6.25/h, or $7.10/h where Modal gives a B300"),
        ("any", "T4 $0.59/h, L4 $0.80/h, A10 $1.10/h, L40S $1.95/h"),
        ("H1000", ""),
    ],
)
def test_a_gpu_is_priced_in_words_before_there_is_a_run(gpu: str, words: str) -> None:
    assert TABLE.gpu_in_words(gpu) == words
    assert gpu_price_in_words(gpu).startswith(words)
    assert (str(TABLE_DATE) in gpu_price_in_words(gpu)) == bool(words)


def test_any_means_the_cheapest_first_and_says_so() -> None:
    assert candidates("any") == ANY_OF
    assert [gpu_price(gpu) for gpu in ANY_OF] == sorted(gpu_price(gpu) for gpu in ANY_OF)
    assert in_words("any") == "the cheapest of T4, L4, A10, L40S with room"
    assert candidates(None) == (None,)


def test_live_rates_are_taken_by_name_whatever_the_vendors_spelling() -> None:
    rates = {"gpu_h100_usd_per_hour": Decimal(4), "sandbox_cpu_core": Decimal("0.2"), "volume": Decimal(1)}
    prices = live(rates, TODAY)
    assert (prices.gpus["H100"], prices.gpus["H200"]) == (Decimal(4), Decimal("4.54"))
    assert (prices.cpu, prices.memory) == (Decimal("0.2"), TABLE.memory)
    assert prices.source == f"your workspace's rates of 2026-11-23, and for the rest {TABLE.source}"


def test_a_rate_in_other_units_is_not_believed() -> None:
    assert live({"GPU H100": Decimal("0.001097"), "CPU": Decimal(1)}, TODAY) is TABLE
