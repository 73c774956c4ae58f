"""Which machines each provider has."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.errors import SandboxUnavailable
from core.experiment import Compute
from core.sandbox.base import SandboxSpec
from core.sandbox.local import LocalProvider
from core.sandbox.machines import checked_machine, gpu_in_words, gpus_in_words

ROOT = Path(__file__).parents[3]


def compute(**fields: Any) -> Compute:
    return Compute.model_validate(fields)


@pytest.mark.parametrize(
    ("asked", "named"),
    [("h100", "H100"), ("A100-80gb:2", "A100-80GB:2"), ("T4:1", "T4"), ("Any", "any"), (None, None)],
)
def test_modals_gpus_go_by_modals_names(asked: str | None, named: str | None) -> None:
    assert checked_machine("modal", compute(gpu=asked)).gpu == named


@pytest.mark.parametrize("gpu", ["H1000", "H100:9", "A10:5", "any:2", "H100:", ""])
def test_gpus_that_modal_does_not_have_are_refused_with_those_it_has(gpu: str) -> None:
    with pytest.raises(SandboxUnavailable, match="Modal has no GPU") as refused:
        checked_machine("modal", compute(gpu=gpu))
    assert "B200" in refused.value.next_step


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"gpu": "H100"}, "no GPU, and H100 was asked for"),
        ({"network": "allowed", "domains": ["a.example"]}, "cannot tell domains apart, and only a.example"),
    ],
)
def test_the_local_sandbox_refuses_what_it_cannot_keep_and_never_opens_more(
    fields: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(SandboxUnavailable, match=said):
        checked_machine("local", compute(**fields))
    provider = LocalProvider(tmp_path, isolation="process only", cache=tmp_path / "cache")
    with pytest.raises(SandboxUnavailable, match=said) as refused:
        asyncio.run(provider.open(SandboxSpec("run", compute(**fields)), "E1", lambda _: None))
    assert refused.value.next_step
    assert not (tmp_path / "sandboxes").exists()


def test_whoever_decides_reads_what_a_gpu_may_turn_out_to_be() -> None:
    assert gpu_in_words("modal", None) == "no GPU"
    assert gpu_in_words("modal", "any") == "the cheapest GPU with room"
    assert gpu_in_words("modal", "H100:2") == "2 × H100 (or an H200)"
    assert gpu_in_words("modal", "H100!") == "1 × H100!"
    assert gpu_in_words("local", "H100") == "1 × H100"
    assert "H200" in gpus_in_words("modal")


def test_machines_are_judged_without_the_vendors_sdk() -> None:
    probe = "import sys, core.sandbox.machines, core.sandbox.modal.prices; print('modal' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ran.stdout == "False\n"
