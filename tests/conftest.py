"""Which tests are slow, and how properties are tried: always alike, or in search of new examples."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("search", max_examples=1_000, deadline=None)
settings.load_profile("steady")

HERE = Path(__file__).parent

SLOW = (
    "core/keys/test_keyring.py",
    "core/paper/test_hostile.py",
    "core/paper/test_latex.py",
    "core/paper/test_other_rules.py",
    "core/paper/test_pdf.py",
    "core/paper/test_verify_figures.py",
    "core/paper/test_verify_pdf.py",
    "core/paper/test_verify_refusals.py",
    "core/paper/test_verify_run.py",
    "core/sandbox/test_attacks.py",
    "core/sandbox/test_modal",
    "core/test_published_runs.py",
    "core/test_reproduction.py",
    "core/test_resume.py",
    "core/test_whole_runs.py",
    "tui/console/test_end_to_end_console.py",
    "tui/console/test_hostile_output.py",
    "tui/console/test_new_run_pictures.py",
    "tui/console/test_sandboxes.py",
    "tui/console/test_sixteen_pictures.py",
    "tui/console/test_terminal.py",
    "tui/console/test_typed_ahead.py",
    "tui/test_adopting.py",
    "tui/test_asking_models.py",
    "tui/test_canary.py",
    "tui/test_data_at_modal.py",
    "tui/test_deleting.py",
    "tui/test_end_to_end.py",
    "tui/test_keys_command.py",
    "tui/test_late_bills.py",
    "tui/test_left_open.py",
    "tui/test_missing_keys.py",
    "tui/test_modal_end_to_end.py",
    "tui/test_modal_token.py",
    "tui/test_paper_command.py",
    "tui/test_reproducing.py",
    "tui/test_sandboxes_command.py",
    "tui/test_verifying.py",
)
"""What ``make test`` leaves to ``make test-slow``: tests that play whole programs, processes and machines."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them."""
    slow = [HERE / place for place in SLOW]
    for item in items:
        if any(item.path.is_relative_to(place) for place in slow):
            item.add_marker(pytest.mark.slow)


def pytest_sessionstart() -> None:
    """See that a file that was moved is not forgotten here.

    Raises:
        pytest.UsageError: one is not there.
    """
    if gone := [place for place in SLOW if not (HERE / place).exists()]:
        raise pytest.UsageError(f"tests/conftest.py names what is not there: {', '.join(gone)}")
