"""The engine's process stays light: what it may not need is not loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import core

HEAVY = ("textual", "tui", "click", "scipy", "anthropic", "google.genai", "modal")

PROBE = f"""
import sys
import core.driving, core.process
print([name for name in {HEAVY!r} if name in sys.modules])
"""


def test_starting_an_engine_imports_neither_the_console_nor_provider_sdks_nor_scipy() -> None:
    root = Path(core.__file__).parents[1]
    probe = subprocess.run(
        [sys.executable, "-c", PROBE], cwd=root, capture_output=True, text=True, timeout=60
    )
    assert (probe.stdout.strip(), probe.stderr) == ("[]", "")
