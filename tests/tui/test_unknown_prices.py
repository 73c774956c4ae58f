"""What people are told where the cap cannot hold a price, or has no room for it: before anything is paid."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from core.keys.lookup import use_key_store
from core.pricing import Estimate
from core.record import events as e
from core.record.fold import fold
from tests.fakes.keys import keys_in_environment
from tests.fakes.specs import new_run
from tests.tui.conftest import Home
from tests.tui.plans import ENGINE, PROPOSED, WAITING, requested
from tui.exit_codes import ExitCode
from tui.plain import CAP_CANNOT_HOLD
from tui.plain.narrator import Narrator
from tui.screen import Screen

AT_NO_PRICE = requested().model_copy(update={"estimate": Estimate()})


@pytest.mark.parametrize(
    ("words", "unknown"),
    [
        (("--model", "claude-opus-5-5"), ""),
        (("--model", "anthropic:qwen3", "--base-url", "http://localhost:11434"), "anthropic:qwen3"),
        (("--model", "claude-opus-5-5", "--writer-model", "claude-banana"), "claude-banana"),
        (
            ("--model", "claude-banana", "--researcher-model", "gemini-banana"),
            "claude-banana and gemini-banana",
        ),
    ],
)
def test_a_run_begins_by_saying_whose_price_nobody_knows(
    home: Home, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], unknown: str
) -> None:
    monkeypatch.setattr("tui.commands.start.start_and_watch", lambda folder, watch: ExitCode.DONE)
    use_key_store(keys_in_environment(ANTHROPIC_API_KEY="sk-ant-api03-1", GOOGLE_API_KEY="AIzaSy-2"))
    said = " ".join(home.type("run", "Why?", *words).stdout.split())
    assert (f"The price of {unknown} is unknown: the cap cannot hold" in said) == bool(unknown)
    assert ("is unknown" in said) == bool(unknown)
    assert ("under [models] in the settings" in said) == bool(unknown)


def waits(place: Path, request: e.ApprovalRequested, cap: str) -> list[str]:
    """What is told about a request that waits: its title, the machine, then what is wrong."""
    folder = new_run(place)
    with folder.journal() as journal:
        journal.append(ENGINE, e.BudgetSet(cap_usd=Decimal(cap)), PROPOSED, request)
        state = fold(journal.read())
    [waiting] = state.waiting
    return [line.strip() for line in Narrator(folder, Screen.of()).waits(state, waiting)]


def test_a_launch_of_unknown_price_waits_with_a_word_about_the_cap(tmp_path: Path) -> None:
    assert waits(tmp_path, AT_NO_PRICE, "10")[2] == CAP_CANNOT_HOLD


def test_a_launch_that_does_not_fit_waits_with_the_reason_and_the_way_to_raise_the_cap(
    tmp_path: Path,
) -> None:
    words = waits(tmp_path / "small", requested(), "2")[2]
    assert words.startswith("It does not fit: $2.00 of $2.00 is free. Raise the cap with 'fumehood budget 2")
    assert waits(tmp_path / "large", requested(), "10")[2].startswith("fumehood approve")


def test_who_approves_an_unknown_price_by_command_reads_what_that_means(home: Home) -> None:
    home.run_with(ENGINE, PROPOSED, AT_NO_PRICE)
    assert CAP_CANNOT_HOLD in home.type("approve", "E1").stdout


def test_who_approves_a_known_price_reads_nothing_of_the_kind(home: Home) -> None:
    home.run_with(*WAITING)
    assert CAP_CANNOT_HOLD not in home.type("approve", "E1").stdout
