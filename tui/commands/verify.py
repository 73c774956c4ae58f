"""``fumehood verify``: recompute a paper, and name what does not hold."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path

import click

from core.errors import InputError
from core.paper.verify import Verified
from core.paper.verify_apart import verify_file
from core.paper.verify_run import verify_run
from tui.exit_codes import ExitCode
from tui.open_run import named_run
from tui.safe_text import one_line
from tui.screen import Mark, Screen
from tui.wording import counted

HOLDS = Mark("✓", "holds", "green")
FAILS = Mark("✗", "does not hold", "red")
LONGEST_LINE = 400


@click.command()
@click.argument("run", required=False, metavar="[RUN | paper.pdf | evidence.json]")
@click.option("--json", "as_json", is_flag=True, help="The findings as JSON.")
def verify(run: str | None, as_json: bool) -> ExitCode:
    """Recompute every number, verdict and hash of a paper, and name what does not hold.

    A run's paper is compared with its journal too. A paper.pdf needs nothing else: its evidence is
    attached to it, and what it prints is compared with that. Exit code 1: something does not hold.
    """
    verified = _verified(run)
    screen = Screen.of()
    if as_json:
        screen.line(json.dumps(asdict(verified), ensure_ascii=False))
    else:
        _say(verified, screen)
    return ExitCode.DONE if verified.holds else ExitCode.RUN_FAILED


def _verified(name: str | None) -> Verified:
    try:
        path = Path(name).expanduser() if name else None
    except RuntimeError:  # no such home
        raise InputError(f"there is no home folder {name}", "Name a run, or a file by its path.") from None
    if path is None or not path.is_file():
        if path is not None and path.suffix in (".pdf", ".json"):
            raise InputError(f"there is no file {path.name}", "Name a run, a paper.pdf or an evidence.json.")
        return asyncio.run(verify_run(named_run(name)))
    return asyncio.run(verify_file(path))


def _say(verified: Verified, screen: Screen) -> None:
    looked_at = ", ".join(
        (
            counted(verified.numbers, "number"),
            counted(verified.verdicts, "verdict"),
            f"{verified.hashes} hashes" if verified.hashes != 1 else "1 hash",
        )
    )
    for failure in verified.failures:
        screen.line(f"{screen.paint(FAILS.glyph, FAILS.colour)} {one_line(failure, LONGEST_LINE)}")
    if verified.holds:
        screen.line(f"{screen.paint(HOLDS.glyph, HOLDS.colour)} All numbers hold: {looked_at} recomputed.")
    else:
        count = len(verified.failures)
        what = "finding" if count == 1 else "findings"
        screen.line(f"{count} {what}; {looked_at} recomputed.")
    for note in verified.notes:
        screen.line(f"  {one_line(note, LONGEST_LINE)}")
