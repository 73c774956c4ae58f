"""The first run: which keys are missing, where to get them, and taking them on the spot."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import ConfigError, KeysError
from core.keys.lookup import key_store
from core.keys.names import KEY_NAMES
from core.keys.store import Found
from tui.hidden_input import can_ask
from tui.key_entry import checked, in_words, keep, say, search, typed_key, where_from

TRIES = 3


def have_keys(names: Sequence[str]) -> None:
    """See that the keys are there which a run needs; where a human can be asked, take what is missing.

    Args:
        names: of ``core.keys.names.KEY_NAMES``.

    Raises:
        ConfigError: a key is missing and nobody can be asked.
        KeysError: a key is missing, and a place that may have it cannot be read.
    """
    if not names:
        return
    store = key_store()
    found = search(store, names)
    missing = [name for name in names if name not in found.found]
    if not missing:
        return
    if not can_ask():
        for error in found.troubles.values():
            raise error
        raise _missing(missing)
    for error in found.troubles.values():
        say(f"{error}")
    if found.troubles:
        raise KeysError(
            f"{' and '.join(missing)} cannot be looked for while that lasts",
            "Mend it and start the run again.",
        )
    for name in missing:
        _take(name)


def _take(name: str) -> None:
    say(f"This run needs {name}. {where_from(name)}.")
    for _ in range(TRIES):
        secret = typed_key(name)
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


def _missing(names: Sequence[str]) -> ConfigError:
    steps = "; ".join(f"get {name} at {KEY_NAMES[name].url}" for name in names)
    return ConfigError(
        f"this run needs {' and '.join(names)}",
        f"{steps[0].upper()}{steps[1:]}, then: fumehood keys set {names[0]}.",
    )
