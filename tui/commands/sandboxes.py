"""``fumehood sandboxes``: what of ours still runs, here and at Modal, what it costs, and ending it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from core.config import read_settings
from core.errors import FumehoodError, InputError
from core.keys.lookup import key_store
from core.keys.names import MODAL_ID, MODAL_SECRET
from core.pricing import dollars
from core.record.events import now
from tui.ended_sandboxes import has_ended
from tui.ending_sandboxes import kill_sandboxes
from tui.env_file_option import env_file_option, use_env_file
from tui.exit_codes import ExitCode
from tui.glyphs import QUEUED, RUNNING
from tui.key_entry import say, search
from tui.late_bills import take_late_bills
from tui.open_sandboxes import (
    IN_WORDS,
    ModalLook,
    StillOpen,
    look_at_modal,
    open_sandboxes,
    together,
)
from tui.safe_text import one_line
from tui.screen import Screen, is_terminal
from tui.wording import age

IDLE = QUEUED._replace(word="idle")
UNKNOWN = QUEUED._replace(glyph="?", word="")
INDENT = "    "


@click.command()
@click.argument("names", nargs=-1, metavar="[ID]...")
@click.option("--kill", is_flag=True, help="End those whose IDs follow, and what runs in them.")
@click.option("--kill-all", is_flag=True, help="End all that are listed, those of other machines, too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="One sandbox per line, as JSON.")
@env_file_option
def sandboxes(
    names: tuple[str, ...], kill: bool, kill_all: bool, yes: bool, as_json: bool, env_file: Path | None
) -> ExitCode:
    """List every sandbox that is still open, here and at Modal, with what it costs; or end some.

    Where a run has no engine, 'fumehood resume RUN' goes on with its sandboxes. Of those that were
    closed in the last 30 days, Modal is asked for the bills that are still missing.
    """
    _refuse_unclear(names, kill, kill_all)
    use_env_file(env_file)
    look, found = _look()
    if kill or kill_all:
        told = _tell(look, as_json=as_json)  # before anybody confirms that this is all
        chosen = _chosen(found, names, look, as_json=as_json) if kill else found
        return max(told, _kill(chosen, yes=yes, as_json=as_json) if chosen or kill_all else told)
    told = _tell(look, as_json=as_json)  # before it is said that this is all
    _list(found, look, as_json=as_json)
    if _modal_said(look):
        _take_late_bills(as_json=as_json)
    return told


def _refuse_unclear(names: Sequence[str], kill: bool, kill_all: bool) -> None:
    """Refuse to guess what is to be ended.

    Raises:
        InputError: it is not clear.
    """
    if names and not kill:
        raise InputError(f"say what to do with {one_line(names[0])}", "To end it: --kill ID.")
    if kill and kill_all:
        raise InputError("--kill and --kill-all do not go together", "Use one of them.")
    if kill and not names:
        raise InputError("say which sandboxes to kill", "Name their IDs, or use --kill-all.")


def _look() -> tuple[ModalLook, list[StillOpen]]:
    """What there is; a human is asked for the passphrase of the key file where that is needed."""
    search(key_store(), (MODAL_ID, MODAL_SECRET))

    async def both() -> tuple[ModalLook, list[StillOpen]]:
        look = await look_at_modal()
        return look, await open_sandboxes(read_settings().runs_folder, look.sandboxes)

    return asyncio.run(both())


def _modal_said(look: ModalLook) -> bool:
    return look.trouble is None and not look.unasked


def _take_late_bills(*, as_json: bool) -> None:
    """Learn what closed sandboxes have cost where no engine asks any more, and say it."""
    for bill in asyncio.run(take_late_bills(read_settings().runs_folder)):
        line = one_line(f"{bill}.")
        if as_json:
            say(line)
        else:
            Screen.of().line(line)


def _tell(look: ModalLook, *, as_json: bool) -> ExitCode:
    """Say what Modal did not say; only that it could not be asked makes the command fail."""
    if look.unasked:
        line = one_line(f"{look.unasked}.")
        if as_json:
            say(line)
        else:
            Screen.of().line(line)
    if look.trouble is None:
        return ExitCode.DONE
    say(f"fumehood: {one_line(str(look.trouble)).rstrip('.')}. Only sandboxes on this machine are listed.")
    return ExitCode.BAD_INPUT


def _list(found: Sequence[StillOpen], look: ModalLook, *, as_json: bool) -> None:
    screen = Screen.of()
    if as_json:
        for one in found:
            screen.line(json.dumps(_as_json(one)))
        return
    for one in found:
        for line in _lines(one, screen):
            screen.line(line)
    unknown = "" if _modal_said(look) else " on this machine; what is open at Modal is not known"
    if found:
        screen.line(f"\n{together(found)}{unknown}.")
    else:
        screen.line(f"No sandbox is open{unknown or ': nothing runs, and nothing costs anything'}.")


def _lines(one: StillOpen, screen: Screen) -> list[str]:
    """A sandbox: what it is, what it costs, whose it is and what one can do."""
    at = now()
    if one.running is None:
        mark, runs = UNKNOWN, "what runs is not known"
    elif one.running:
        mark, runs = RUNNING, f"{', '.join(one.running)} runs"
    else:
        mark, runs = IDLE, "nothing runs"
    facts = (
        f"{dollars(one.usd_per_hour)}/h",
        f"{dollars(one.cost_usd(at))} so far",
        f"open for {age(one.opened_at, at)}" if one.opened_at else "open since nobody knows when",
    )
    run_id = one_line(one.sandbox.run_id)
    adopt = f"fumehood resume {run_id}  or  " if one.standing == "no engine" else ""
    glyph = screen.paint(mark.glyph, mark.colour)
    head = f"{one.experiment_id} · {one.machine} · {runs}"
    return [
        f"{glyph} {screen.paint(one_line(head), bold=True)}",
        INDENT + " · ".join(facts),
        INDENT + one_line(f"{one.title} ({run_id})" if one.title != run_id else run_id),
        f"{INDENT}{IN_WORDS[one.standing]}",
        f"{INDENT}→ {adopt}fumehood sandboxes --kill {one_line(one.name)}",
    ]


def _as_json(one: StillOpen) -> dict[str, object]:
    cost = one.cost_usd(now())
    return {
        "id": one.name,
        "provider": one.provider,
        "run": one.sandbox.run_id,
        "experiment": one.experiment_id,
        "title": one.title,
        "standing": one.standing,
        "running": None if one.running is None else list(one.running),
        "gpu": one.sandbox.gpu,
        "opened_at": one.opened_at.isoformat() if one.opened_at else None,
        "usd_per_hour": None if one.usd_per_hour is None else str(one.usd_per_hour),
        "usd_so_far": None if cost is None else str(round(cost, 4)),
    }


def _chosen(
    found: Sequence[StillOpen], names: Sequence[str], look: ModalLook, *, as_json: bool
) -> list[StillOpen]:
    """The sandboxes of these names, all or none; of those that have ended already, that is said.

    Raises:
        InputError: one was never there as far as we know, or two go by a name.
    """
    chosen: dict[str, StillOpen] = {}
    ended: list[str] = []
    for name in names:
        fitting = [one for one in found if one.name == name]
        fitting = fitting or [one for one in found if one.sandbox.id == name]
        if len(fitting) > 1:
            raise InputError(
                f"{one_line(name)} fits {len(fitting)} sandboxes",
                f"Name one whole: {', '.join(one_line(one.name) for one in fitting)}.",
            )
        if not fitting and has_ended(read_settings().runs_folder, name, look):
            ended.append(name)
            continue
        if not fitting:
            unsaid = look.unasked or ("Modal does not say what is there" if look.trouble else "")
            raise InputError(
                f"no sandbox that is open is called {one_line(name)}, so none was killed",
                f"{unsaid}. See 'fumehood sandboxes'." if unsaid else "See 'fumehood sandboxes'.",
            )
        chosen[fitting[0].name] = fitting[0]
    for name in ended:
        told = {"id": name, "killed": False, "error": None}
        Screen.of().line(json.dumps(told) if as_json else one_line(f"{name}: has ended already"))
    return list(chosen.values())


def _kill(found: Sequence[StillOpen], *, yes: bool, as_json: bool) -> ExitCode:
    """End sandboxes, once that was confirmed, and say of each what came of it."""
    if not found:
        if not as_json:
            Screen.of().line("No sandbox is open, so none was killed.")
        return ExitCode.DONE
    if not yes:
        _confirm(found)
    left = asyncio.run(kill_sandboxes(found))
    for one in found:
        _say_killed(one, left, as_json=as_json)
    return ExitCode.RUN_FAILED if left else ExitCode.DONE


def _confirm(found: Sequence[StillOpen]) -> None:
    """Ask before sandboxes are ended for good.

    Raises:
        InputError: nobody is there to be asked, or the answer is no.
    """
    if not is_terminal(sys.stdin):
        raise InputError("nobody is there to confirm the kill", "Use --yes.")
    for one in found:
        ends = "; its experiment ends as killed" if one.open else ""
        say(one_line(f"{one.name}: {one.experiment_id} of {one.title}, {IN_WORDS[one.standing]}{ends}"))
    if not click.confirm(f"End {together(found)} for good?", default=False, err=True):
        raise InputError("nothing was killed")


def _say_killed(one: StillOpen, left: Mapping[str, FumehoodError], *, as_json: bool) -> None:
    error = left.get(one.name)
    if as_json:
        told = {"id": one.name, "killed": error is None, "error": str(error) if error else None}
        Screen.of().line(json.dumps(told))
    elif error is not None:
        say(f"fumehood: {one_line(f'{one.name} may still be there: {error}')}")
    else:
        by = "is being ended by its engine" if one.standing == "driven" else "has ended"
        Screen.of().line(one_line(f"{one.name}: {one.experiment_id} {by}"))
