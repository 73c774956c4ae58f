"""The first run: which keys are missing, where to get them, and taking them on the spot."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from core.errors import ConfigError
from core.keys.lookup import key_store
from core.keys.names import MODAL_ID, MODAL_SECRET
from core.keys.pasted import name_by_shape, pasted_key
from core.keys.store import Found, Search
from core.models.choice import SCRIPTED, Declarations, choice_of
from tui.hidden_input import can_ask, read_hidden
from tui.key_checks import OTHER_HALF, verdict_on
from tui.key_entry import checked, in_words, keep, say, search, typed_key, where_from

TRIES = 3


def keys_needed(models: Iterable[str], sandbox: str, settings: Declarations) -> list[str]:
    """The keys that a run cannot do without.

    Args:
        models: who thinks.
        sandbox: where experiments run.
        settings: where models are declared.

    Raises:
        ConfigError: a name means no model.
    """
    needed: dict[str, None] = {}
    for name in models:
        if not name.startswith(SCRIPTED):
            choice = choice_of(name, settings)
            if choice.by_vendor:
                needed[choice.vendor.key_name] = None
    if sandbox == "modal":
        needed |= {MODAL_ID: None, MODAL_SECRET: None}
    return list(needed)


def take_missing_keys(names: Sequence[str]) -> None:
    """Take the keys that a run needs and that are missing, where a human can be asked.

    Where nobody can, or a place that may have them cannot be read, nothing is asked: whoever looks for
    the keys next says what is amiss.

    Args:
        names: of ``core.keys.names.KEY_NAMES``.

    Raises:
        ConfigError: a key was refused by its provider again and again.
        KeysError: a key could not be kept.
        InputError: what was typed is no key.
    """
    if not names or not can_ask():
        return
    found = search(key_store(), names)
    if found.troubles:
        return
    missing = [name for name in names if name not in found.found]
    for name in missing:
        if name not in OTHER_HALF:
            say(f"This run needs {name}. {where_from(name)}.")
            _take(name)
    if halves := [name for name in missing if name in OTHER_HALF]:
        say(f"This run needs {' and '.join(halves)}. {where_from(halves[0])}.")
        _take_token(halves, found)


def take_any_key(names: Sequence[str]) -> Search:
    """Take one of several keys, where a human can be asked; which one it is, its shape tells.

    Args:
        names: of ``core.keys.names.KEY_NAMES``; any of them will do.

    Returns:
        What is there afterwards.

    Raises:
        ConfigError: a key was refused by its provider again and again.
        KeysError: a key could not be kept.
        InputError: what was typed is no key.
    """
    found = search(key_store(), names)
    if found.found or found.troubles or not can_ask():
        return found
    say("A run needs a language model, and there is no key for one.")
    for name in names:
        say(f"  {name}: {where_from(name)}.")
    for _ in range(TRIES):
        typed = read_hidden("Paste one (not shown; empty to leave): ")
        if not typed:
            return found
        name_of_typed = name_by_shape(names, typed)
        if name_of_typed is None:
            say(f"That looks like neither {' nor '.join(names)}.")
            continue
        _take(name_of_typed, typed)
        return search(key_store(), names)
    return found


def _take_token(missing: Sequence[str], found: Search) -> None:
    """Take what is missing of Modal's token, check both halves together and keep what was taken.

    Where Modal refuses them, all that was taken is asked for again: nobody knows which half is wrong.
    """
    name = missing[0]
    for _ in range(TRIES):
        typed = {half: typed_key(half) for half in missing}
        halves = {half: known.secret for half, known in found.found.items()} | typed
        verdict = asyncio.run(verdict_on(name, halves[name], halves.get(OTHER_HALF[name])))
        if verdict.state != "refused":
            break
        say(f"{in_words(verdict)}.")
    else:
        there = f" If the {OTHER_HALF[name]} that is there is an old one, set it anew, too."
        raise ConfigError(
            "Modal's token was refused", f"{where_from(name)}.{there if len(missing) == 1 else ''}"
        )
    for half, secret in typed.items():
        kept = keep(key_store(), half, secret)
        if kept.note:
            say(f"{kept.note}.")
        say(f"{half}  {secret.masked}  {kept.title}, {in_words(verdict)}")


def _take(name: str, typed: str | None = None) -> None:
    """Take a key from the terminal, check it and keep it."""
    for _ in range(TRIES):
        secret = typed_key(name) if typed is None else pasted_key(name, typed)
        typed = None
        verdict = checked(Found(name, secret, "session", ""))
        if verdict.state != "refused":
            break
        say(f"{name} {in_words(verdict)}.")
    else:
        raise ConfigError(f"{name} was refused", f"{where_from(name)}.")
    kept = keep(key_store(), name, secret)
    if kept.note:
        say(f"{kept.note}.")
    say(f"{name}  {secret.masked}  {kept.title}, {in_words(verdict)}")
