"""``fumehood doctor``: what works on this machine, and how to mend the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import click

from tui import machine
from tui.exit_codes import ExitCode
from tui.glyphs import DONE, FAILED
from tui.machine import Finding
from tui.safe_text import one_line
from tui.screen import Mark, Screen

CHECKS: tuple[Callable[[], Finding], ...] = (
    machine.python,
    machine.uv,
    machine.isolation,
    machine.data_folder,
    machine.models,
    machine.modal,
    machine.keyring,
    machine.terminal,
    machine.logging_out,
)

NOTED = Mark("≈", "limited", "yellow")


@click.command()
def doctor() -> ExitCode:
    """Say what works on this machine, and how to mend the rest.

    Ends with 0 if a demo can be run here, with 1 otherwise. Nothing is stored or changed.
    """
    screen = Screen.of()
    # Threads, because several checks wait for another program; each is bounded by its own time limit.
    with ThreadPoolExecutor() as pool:
        findings = list(pool.map(lambda check: check(), CHECKS))
    _print(screen, findings)
    if any(finding.state == "broken" and finding.needed for finding in findings):
        screen.line("\nA demo cannot be run here yet.")
        return ExitCode.RUN_FAILED
    screen.line("\nA demo can be run here: 'fumehood demo'.")
    return ExitCode.DONE


def _print(screen: Screen, findings: Iterable[Finding]) -> None:
    marks = {"works": DONE._replace(word="works"), "limited": NOTED, "broken": FAILED._replace(word="broken")}
    for finding in findings:
        screen.line(f"{screen.mark(marks[finding.state], 11)} {finding.name:<13} {one_line(finding.text)}")
        if finding.fix:
            screen.line(f"{'':25} → {one_line(finding.fix)}")
