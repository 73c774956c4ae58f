"""Keys that the user has changed: ``[keys]`` in the settings, by the id of a binding.

Every binding of the console has an id, such as ``run.pause``; ``fumehood`` shows them in its help.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import KEY_NAME_REPLACEMENTS, Keys, _character_to_key

GRAVE = re.compile(
    r"\.(approve|kill|delete|remove|detach|quit|stop|yes|send|launch|start|raise|budget|seeds)\w*$"
)
"""Bindings that spend, destroy or leave, by the last part of their id."""

PARTS_OF_SEQUENCES = re.compile(
    r"escape|left_square_bracket|[A-Z]|[0-9]|shift\+[a-z]|semicolon|tilde|less_than_sign"
)
"""Keys that a split escape sequence can seem to press."""

PACKAGES = ("tui.screens", "tui.widgets")


@dataclass(frozen=True)
class Known:
    """A binding of the console.

    Attributes:
        owner: the class that has it.
        binding: the binding, with one key.
    """

    owner: type[DOMNode]
    binding: Binding


def known_bindings() -> list[Known]:
    """Every binding of every screen and widget of the console; those not yet imported are."""
    for package in PACKAGES:
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
            importlib.import_module(module.name)
    return [
        Known(owner, binding)
        for owner in _classes(DOMNode)
        if owner.__module__.startswith("tui.") and "BINDINGS" in vars(owner)
        for binding in Binding.make_bindings(owner.BINDINGS)
    ]


def normal_keys(typed: str) -> list[str]:
    """Keys as Textual names them.

    Args:
        typed: one key or several, with commas between them, such as ``P`` or ``ctrl+x,f3``.
    """
    parts = [","] if typed.strip() == "," else [part.strip() for part in typed.split(",")]
    names = [_character_to_key(part) if len(part) == 1 else part.lower() for part in parts if part]
    return [KEY_NAME_REPLACEMENTS.get(name, name) for name in names]


def check(wanted: Mapping[str, str], known: list[Known] | None = None) -> tuple[dict[str, str], list[str]]:
    """Take the keys that can be used, and say what is wrong with the others.

    Args:
        wanted: keys by binding, as the user wrote them.
        known: all bindings; None for those of the console.

    Returns:
        The keys that can be used, by binding, and a sentence for each problem.
    """
    known = known_bindings() if known is None else known
    accepted: dict[str, str] = {}
    problems: list[str] = []
    ids = {entry.binding.id for entry in known}
    for name, typed in wanted.items():
        keys = normal_keys(typed)
        if name not in ids:
            problems.append(f"{name!r} is no binding; the help names them all.")
        elif not keys or not all(_is_key(key) for key in keys):
            problems.append(f"{typed!r} for {name} is no key. Write it like p, P, ctrl+x or f3.")
        elif GRAVE.search(name) and (unsafe := [key for key in keys if PARTS_OF_SEQUENCES.fullmatch(key)]):
            problems.append(
                f"{name} cannot have {unsafe[0]!r}: a cut-off arrow key would press it. Choose another key."
            )
        else:
            accepted[name] = ",".join(keys)
    problems += list(_conflicts(accepted, known))
    return accepted, problems


def _conflicts(accepted: dict[str, str], known: list[Known]) -> Iterator[str]:
    """Name keys that two bindings have in one place; the changed one of them is dropped."""
    for name in list(accepted):
        for key in accepted[name].split(","):
            other = _same_place(name, key, accepted, known)
            if other is not None:
                yield f"{name} and {other} both have {key!r}. {name} keeps its own key."
                del accepted[name]
                break


def _same_place(name: str, key: str, accepted: Mapping[str, str], known: list[Known]) -> str | None:
    """The id of another binding that has this key where the named one is active, too."""
    owners = [entry.owner for entry in known if entry.binding.id == name]
    for entry in known:
        other = entry.binding.id
        if other is None or other == name or key not in accepted.get(other, entry.binding.key).split(","):
            continue
        if any(
            issubclass(owner, entry.owner) or issubclass(entry.owner, owner) or issubclass(entry.owner, App)
            for owner in owners
        ):
            return other
    return None


def _is_key(key: str) -> bool:
    *modifiers, last = key.split("+")
    if not all(modifier in ("ctrl", "alt", "shift", "super", "meta", "hyper") for modifier in modifiers):
        return False
    return len(last) == 1 or last in _NAMED or _character_name(last)


def _character_name(name: str) -> bool:
    """Whether a word is the name of a punctuation mark, such as ``question_mark``."""
    return any(_character_to_key(chr(code)) == name for code in range(0x21, 0x7F)) or name in (
        KEY_NAME_REPLACEMENTS.values()
    )


_NAMED = {key.value for key in Keys} | {f"f{number}" for number in range(1, 25)}


def _classes(base: type[DOMNode]) -> Iterator[type[DOMNode]]:
    for child in base.__subclasses__():
        yield child
        yield from _classes(child)
