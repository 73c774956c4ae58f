"""``fumehood edit``: changing an experiment before it is locked."""

from __future__ import annotations

import json
from typing import Any

import click

from core import decisions
from core.budget import estimate
from core.errors import DecisionError, InputError
from core.experiment import Experiment, Proposal
from core.pricing import price_range
from core.rates import rates_of
from core.record.events import ExperimentEdited
from core.record.folder import RunFolder
from core.record.state import RunState
from tui.editor import edited
from tui.exit_codes import ExitCode
from tui.open_run import decide, run_and_rest, say_if_no_engine
from tui.safe_text import one_line
from tui.screen import Screen


@click.command()
@click.argument("words", nargs=-1, metavar="[RUN] EXPERIMENT")
@click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="Such as compute.timeout_seconds=600."
)
@click.option("--editor", is_flag=True, help="Open the proposal in $EDITOR, as JSON.")
def edit(words: tuple[str, ...], settings: tuple[str, ...], editor: bool) -> ExitCode:
    """Change an experiment before it is locked; it is priced again and waits for approval again."""
    folder, names = run_and_rest(words)
    if len(names) != 1:
        raise InputError("say which experiment to edit", "Name one, such as E1.")
    if editor == bool(settings):
        raise InputError("say what to change", "Use --set NAME=VALUE, or --editor.")
    before = _spec(folder.state(), names[0])
    changes = _edited_by_hand(before) if editor else dict(map(_setting, settings))

    def decision(state: RunState) -> tuple[ExperimentEdited, ...]:
        if editor and _spec(state, names[0]) != before:
            raise DecisionError(f"{names[0]} was changed by someone else meanwhile", "Edit it again.")
        return decisions.edit(state, names[0], changes)

    (edited,), state = decide(folder, decision)
    assert isinstance(edited, ExperimentEdited)
    _report(folder, before, edited.experiment, state)
    return ExitCode.DONE


def _spec(state: RunState, name: str) -> Experiment:
    experiment = state.experiments.get(name.upper())
    if experiment is None:
        known = ", ".join(state.experiments) or "none yet"
        raise DecisionError(f"there is no experiment {name!r}", f"There are: {known}.")
    return experiment.spec


def _setting(text: str) -> tuple[str, Any]:
    """Read ``NAME=VALUE``; a value that is no JSON is taken as text."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InputError(f"{text!r} is not NAME=VALUE", "Like: --set compute.timeout_seconds=600.")
    try:
        return name.strip(), json.loads(value)
    except ValueError:
        return name.strip(), value


def _edited_by_hand(spec: Experiment) -> dict[str, Any]:
    """Let the human change the proposal in their editor.

    Raises:
        InputError: it was not saved, or is not JSON any more.
    """
    proposal = spec.model_dump(mode="json", include=set(Proposal.model_fields))
    proposal["compute"]["domains"] = list(spec.compute.domains)  # left out where there are none
    text = edited(json.dumps(proposal, indent=2, ensure_ascii=False) + "\n", ".json")
    if text is None:
        raise InputError("nothing was saved", "Nothing was changed.")
    try:
        changes = json.loads(text)
    except ValueError as error:
        raise InputError(
            f"what was saved is not JSON: {error}", "Nothing was changed; edit it again."
        ) from None
    if not isinstance(changes, dict):
        raise InputError("what was saved is not a JSON object", "Nothing was changed; edit it again.")
    if missing := proposal.keys() - changes.keys():
        raise InputError(f"{', '.join(sorted(missing))} is missing", "Nothing was changed; edit it again.")
    return changes


def _report(folder: RunFolder, before: Experiment, after: Experiment, state: RunState) -> None:
    """Say what differs, and the price that the engine will ask for."""
    screen = Screen.of()
    screen.line(f"edited {after.id}  {one_line(after.title)}")
    old, new = _flat(before.model_dump(mode="json")), _flat(after.model_dump(mode="json"))
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            screen.line(f"  {name}: {_shown(old.get(name))} → {_shown(new.get(name))}")
    price = price_range(estimate(after, rates_of(state)))
    screen.line(f"  Its price is {price} now; it waits for approval again.")
    say_if_no_engine(folder, state, screen)


def _flat(document: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in document.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _shown(value: Any) -> str:
    return one_line(json.dumps(value, ensure_ascii=False), 120)
