"""``fumehood approve``, ``reject`` and ``answer``: deciding what waits."""

from __future__ import annotations

from decimal import Decimal

import click

from core import decisions
from core.budget import fits
from core.errors import InputError
from core.pricing import at_most_dollars, dollars
from core.record.events import ApprovalDecided
from core.record.folder import RunFolder
from core.record.state import RunState
from tui.exit_codes import ExitCode
from tui.open_run import decide, run_and_rest, say_if_no_engine
from tui.plain import CAP_CANNOT_HOLD
from tui.safe_text import one_line
from tui.screen import Screen


@click.command()
@click.argument("words", nargs=-1, metavar="[RUN] WHAT...")
@click.option("--all", "everything", is_flag=True, help="Every launch and script that waits.")
def approve(words: tuple[str, ...], everything: bool) -> ExitCode:
    """Approve what waits, at the price that 'fumehood show' shows.

    WHAT is an experiment, such as E1, or the id of another request; RUN can be left out
    while only one is under way.
    """
    folder, names = run_and_rest(words)
    if everything == bool(names):
        raise InputError("say what to approve", "Name it, such as E1, or use --all.")
    names = [decisions.ALL] if everything else names
    decided, state = decide(
        folder, lambda state: [one for name in dict.fromkeys(names) for one in decisions.approve(state, name)]
    )
    return _report(folder, [one for one in decided if isinstance(one, ApprovalDecided)], state)


@click.command()
@click.argument("words", nargs=-1, metavar="[RUN] WHAT")
@click.option("--note", default="", help="Why; the agents read it.")
def reject(words: tuple[str, ...], note: str) -> ExitCode:
    """Reject what waits; the reason reaches the agents."""
    folder, names = run_and_rest(words)
    if len(names) != 1:
        raise InputError("say what to reject", "Name one, such as E1.")
    decided, state = decide(folder, lambda state: decisions.reject(state, names[0], note))
    return _report(folder, [one for one in decided if isinstance(one, ApprovalDecided)], state)


@click.command()
@click.argument("words", nargs=-1, metavar='[RUN] REQUEST "TEXT"')
def answer(words: tuple[str, ...]) -> ExitCode:
    """Answer a question of an agent."""
    folder, rest = run_and_rest(words, rest=2)
    if len(rest) != 2:
        raise InputError(
            "say which question and what the answer is", 'Like: fumehood answer RUN REQUEST "text".'
        )
    decided, state = decide(folder, lambda state: decisions.answer(state, *rest))
    return _report(folder, [one for one in decided if isinstance(one, ApprovalDecided)], state)


def _needed_usd(state: RunState) -> Decimal:
    """What everything that is approved but not yet reserved for may cost, USD; unknown prices left out."""
    requests = (state.live_request(experiment.id) for experiment in state.in_stage("approved"))
    maxima = (request.decision.maximum_usd for request in requests if request and request.decision)
    return sum((maximum for maximum in maxima if maximum is not None), Decimal(0))


def _report(folder: RunFolder, decided: list[ApprovalDecided], state: RunState) -> ExitCode:
    """Say what was decided, with the price that was accepted."""
    screen = Screen.of()
    for one in decided:
        asked = state.requests[one.request_id].asked
        name = asked.experiment_id if asked.kind == "launch" else asked.request_id
        what = {"approve": "approved", "reject": "rejected", "answer": "answered"}[one.decision]
        limit = (
            f", {at_most_dollars(one.maximum_usd)}"
            if asked.kind == "launch" and one.decision == "approve"
            else ""
        )
        screen.line(f"{what} {name}  {one_line(asked.title)}{limit}")
        if limit and one.maximum_usd is None:
            screen.line(f"  {CAP_CANNOT_HOLD}")
        if asked.kind == "isolation" and one.decision == "reject":
            screen.line(f"  Nothing of this run will start now; end it with 'fumehood kill {folder.run_id}'.")
    if not fits(state, _needed_usd(state)):
        screen.line(
            f"  That is more than the {dollars(state.free_usd)} of {dollars(state.cap_usd)} that is free:"
            " what does not fit is asked for again."
            f" Raise the cap with 'fumehood budget {folder.run_id} USD'."
        )
    left = [request.asked for request in state.waiting]
    if left:
        names = ", ".join(
            str(asked.experiment_id if asked.kind == "launch" else asked.request_id) for asked in left
        )
        screen.line(f"  Still waiting: {names}.")
    say_if_no_engine(folder, state, screen)
    return ExitCode.DONE
