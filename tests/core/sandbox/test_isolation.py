"""Isolation is found by trying, and what is missing is said."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import pytest

from core.sandbox.isolation import next_step, probe


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has bubblewrap")
def test_without_bubblewrap_the_next_step_is_to_install_it() -> None:
    found = asyncio.run(probe("no-such-bubblewrap"))
    assert found.isolation == "process only"
    assert "apt install bubblewrap" in found.next_step


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has bubblewrap")
@pytest.mark.parametrize(
    ("complaint", "step"),
    [
        ("bwrap: setting up uid map: Permission denied", "apparmor"),
        ("bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted", "apparmor"),
        ("bwrap: No permissions to create new namespace, likely because the kernel...", "container"),
        ("bwrap: Can't mount proc on /newroot/proc: Operation not permitted", "container"),
        ("bwrap: Unknown option --disable-userns", "0.8"),
        ("bwrap: something else", "something else"),
    ],
)
def test_a_bubblewrap_that_is_there_but_fails_is_not_believed(
    tmp_path: Path, complaint: str, step: str
) -> None:
    program = tmp_path / "bwrap"
    program.write_text(f'#!/bin/sh\necho "{complaint}" >&2\nexit 1\n')
    program.chmod(0o755)
    found = asyncio.run(probe(str(program)))
    assert found.isolation == "process only"
    assert step in found.next_step


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_a_probe_says_namespaces_only_without_anything_left_to_do() -> None:
    found = asyncio.run(probe())
    assert (found.isolation == "namespaces") == (found.next_step == "")


def test_a_sysctl_that_forbids_namespaces_is_named() -> None:
    complaint = (
        "bwrap: No permissions to creating new namespace, likely because the kernel does not allow "
        "non-privileged user namespaces. On e.g. debian this can be enabled with "
        "'sysctl kernel.unprivileged_userns_clone=1'"
    )
    assert "sudo sysctl kernel.unprivileged_userns_clone=1" in next_step(complaint)
