"""Seeds that are recorded and change nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from core.evidence.code_checks.script import Script
from core.evidence.code_checks.warning import CodeWarning

_SEEDED_BY = frozenset({"default_rng", "RandomState", "Random", "seed", "manual_seed", "PRNGKey"})


def ignored_seeds(script: Script) -> Iterator[CodeWarning]:
    """Seeds that a script records while its randomness is fixed, or comes from nowhere.

    Without a generator of its own a script is seeded by ``lab.condition`` itself, and is fine.
    """
    for name, line in _recorded_seeds(script).items():
        if _used_elsewhere(script, name):
            continue
        for what, where in _own_seeding(script):
            text = f"the seed {name!r} is recorded and never used, while {what} in line {where}"
            yield CodeWarning("seed without effect", line, text)
            break


def _recorded_seeds(script: Script) -> dict[str, int]:
    """Names that are recorded as the seed, with the first line where they are."""
    found: dict[str, int] = {}
    for node in script.nodes:
        if isinstance(node, ast.Call) and script.is_condition(node):
            for keyword in node.keywords:
                if keyword.arg == "seed" and isinstance(keyword.value, ast.Name):
                    found.setdefault(keyword.value.id, node.lineno)
    return found


def _used_elsewhere(script: Script, name: str) -> bool:
    """Whether a seed is read by anything but what records or prints it."""
    for node in script.nodes:
        if not (isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)):
            continue
        if not any(isinstance(outer, ast.Call) and script.is_record(outer) for outer in script.within(node)):
            return True
    return False


def _own_seeding(script: Script) -> Iterator[tuple[str, int]]:
    """Where a script fixes its randomness, in words and with the line."""
    for node in script.nodes:
        if not isinstance(node, ast.Call):
            continue
        for keyword in node.keywords:
            fixes = keyword.arg in {"random_state", "seed"} and _fixed(keyword.value)
            if fixes and not script.is_condition(node):
                yield f"{keyword.arg} is fixed to {ast.unparse(keyword.value)}", node.lineno
        last = script.called(node).rpartition(".")[2]
        if last in _SEEDED_BY and len(node.args) == 1 and _fixed(node.args[0]):
            yield f"{last} is given {ast.unparse(node.args[0])}", node.lineno
        if last in {"default_rng", "RandomState", "Random"} and not node.args and not node.keywords:
            yield f"{last} is given no seed", node.lineno


def _fixed(value: ast.expr) -> bool:
    return (
        isinstance(value, ast.Constant) and isinstance(value.value, int) and not isinstance(value.value, bool)
    )
