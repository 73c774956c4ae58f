"""``fumehood tell``, ``seeds``, ``budget``, ``pause``, ``continue`` and ``kill``: steering a run."""

from __future__ import annotations

import sys

import click

from core import decisions
from core.errors import InputError
from core.pricing import dollars
from core.record.folder import RunFolder
from core.record.state import RunState
from tui.exit_codes import ExitCode
from tui.open_run import decide, run_and_rest, run_to_change, say_if_no_engine
from tui.safe_text import one_line
from tui.screen import Screen, is_terminal
from tui.wording import usd


@click.command()
@click.argument("words", nargs=-1, metavar='[RUN] AGENT "TEXT"')
def tell(words: tuple[str, ...]) -> ExitCode:
    """Send an agent a message; it arrives at that agent's next turn.

    AGENT is orchestrator, writer or an experiment.
    """
    folder, rest = run_and_rest(words, rest=2)
    if len(rest) != 2:
        raise InputError(
            "say which agent and what to tell it", 'Like: fumehood tell RUN orchestrator "text".'
        )
    _, state = decide(folder, lambda state: decisions.tell(state, *rest))
    return _done(folder, state, f"told {state.messages[-1].agent}; it arrives at its next turn")


@click.command()
@click.argument("words", nargs=-1, metavar="[RUN] EXPERIMENT COUNT")
def seeds(words: tuple[str, ...]) -> ExitCode:
    """Run an experiment's scripts again with more seeds; that is priced and approved like any other."""
    folder, rest = run_and_rest(words, rest=2)
    if len(rest) != 2 or not rest[1].isdecimal():
        raise InputError("say which experiment and how many seeds", "Like: fumehood seeds RUN E1 10.")
    _, state = decide(folder, lambda state: decisions.seeds(state, rest[0], int(rest[1])))
    return _done(
        folder, state, f"asked for {rest[1]} more seeds of {rest[0].upper()}; they wait for approval next"
    )


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, metavar="[RUN] USD")
def budget(words: tuple[str, ...]) -> ExitCode:
    """Set the cap of a run."""
    folder, rest = run_and_rest(words, rest=1)
    if len(rest) != 1:
        raise InputError("say what the cap shall be", "Like: fumehood budget RUN 25.")
    cap = usd(rest[0])
    _, state = decide(folder, lambda state: decisions.budget(state, cap))
    return _done(
        folder, state, f"the cap is {dollars(state.cap_usd)}; {dollars(state.free_usd)} of it is free"
    )


@click.command()
@click.argument("run", required=False)
def pause(run: str | None) -> ExitCode:
    """Let nothing new start; what runs goes on."""
    folder = run_to_change(run)
    _, state = decide(folder, decisions.pause)
    return _done(folder, state, "paused: nothing new starts; what runs goes on")


@click.command("continue")
@click.argument("run", required=False)
def go_on(run: str | None) -> ExitCode:
    """Let approved experiments start again."""
    folder = run_to_change(run)
    _, state = decide(folder, decisions.go_on)
    return _done(folder, state, "continued: approved experiments start again")


@click.command()
@click.argument("words", nargs=-1, metavar="[RUN] [EXPERIMENT]")
@click.option("--note", default="", help="Why.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def kill(words: tuple[str, ...], note: str, yes: bool) -> ExitCode:
    """End an experiment, or a whole run, for good.

    To kill a whole run, name it. An experiment that was killed has no verdict.
    """
    if not words or len(words) > 2:
        raise InputError("say what to kill", "Name a run, or an experiment such as E1, or both.")
    folder, rest = run_and_rest(words)
    experiment_id = rest[0].upper() if rest else None
    decisions.kill(folder.state(), experiment_id, note)  # what cannot be killed is not asked about
    if not yes:
        _confirm(folder, experiment_id)
    _, state = decide(folder, lambda state: decisions.kill(state, experiment_id, note))
    return _done(folder, state, f"killing {experiment_id or folder.run_id}")


def _confirm(folder: RunFolder, experiment_id: str | None) -> None:
    """Ask before something is ended for good.

    Raises:
        InputError: nobody is there to be asked, or the answer is no.
    """
    if not is_terminal(sys.stdin):
        raise InputError("nobody is there to confirm the kill", "Use --yes.")
    created = folder.state().created
    question = one_line(created.question, 60) if created else ""
    what = (
        f"{experiment_id} of {folder.run_id}"
        if experiment_id
        else f"the whole run {folder.run_id} ({question})"
    )
    if not click.confirm(f"End {what} for good?", default=False):
        raise InputError("nothing was killed")


def _done(folder: RunFolder, state: RunState, text: str) -> ExitCode:
    screen = Screen.of()
    screen.line(text)
    say_if_no_engine(folder, state, screen)
    return ExitCode.DONE
