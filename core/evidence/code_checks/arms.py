"""One value that is recorded for several arms: at most one of them was run for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from core.evidence.code_checks.fabricated import named
from core.evidence.code_checks.script import Recorded, Script, names_in, names_set, not_a_number
from core.evidence.code_checks.warning import CodeWarning


def values_for_several_arms(script: Script) -> Iterator[CodeWarning]:
    """Values that are recorded under one condition after another without having been made anew."""
    results = {recorded.node: recorded for recorded in script.results}
    for node in script.nodes:
        for block in ("body", "orelse", "finalbody"):
            statements = getattr(node, block, None)
            if isinstance(statements, list):
                yield from _in_a_row(script, statements, results)
        if isinstance(node, ast.For):
            yield from _over_arms(script, node, results)


def _in_a_row(
    script: Script, statements: list[ast.stmt], results: dict[ast.AST, Recorded]
) -> Iterator[CodeWarning]:
    """The same value under two conditions in one block of statements."""
    condition: str | None = None
    recorded_before: dict[tuple[str, str], tuple[str, Recorded]] = {}
    for statement in statements:
        call = statement.value if isinstance(statement, ast.Expr) else None
        if call is not None and script.is_condition(call):
            condition = ast.dump(call)
        elif call in results and condition is not None:
            recorded = results[call]
            value = recorded.value
            if not _is_kept(value) or not_a_number(script, value) or not recorded.name:
                continue
            identity = recorded.name, ast.dump(value)
            earlier, first = recorded_before.setdefault(identity, (condition, recorded))
            if earlier != condition:
                text = (
                    f"{named(recorded)} is the value of line {first.line} again, under another condition: "
                    "nothing was run for it in between"
                )
                yield CodeWarning("one value for several arms", recorded.line, text)
        elif call is None or not script.is_record(call):
            changed = names_set(statement)
            recorded_before = {
                identity: kept
                for identity, kept in recorded_before.items()
                if not changed & {name.id for name in names_in(kept[1].value)}
            }


def _over_arms(script: Script, loop: ast.For, results: dict[ast.AST, Recorded]) -> Iterator[CodeWarning]:
    """A loop over arms that records for each what was computed before the loop."""
    factors = {name.id for name in names_in(loop.target)}
    statements = [inner for statement in loop.body for inner in ast.walk(statement)]
    varied = [
        keyword.arg
        for inner in statements
        if isinstance(inner, ast.Call) and script.is_condition(inner)
        for keyword in inner.keywords
        if factors & {name.id for name in names_in(keyword.value)}
    ]
    if not varied:
        return
    changed = factors | {
        name
        for statement in loop.body
        if not (isinstance(statement, ast.Expr) and script.is_record(statement.value))
        for name in names_set(statement)
    }
    for inner in statements:
        recorded = results.get(inner)
        if recorded is None or not recorded.name or not _is_kept(recorded.value):
            continue
        used = {name.id for name in names_in(recorded.value)}
        if used and not used & changed and not not_a_number(script, recorded.value):
            text = (
                f"{named(recorded)} is the same for every {' and '.join(map(str, dict.fromkeys(varied)))}: "
                f"it was computed before the loop of line {loop.lineno}"
            )
            yield CodeWarning("one value for several arms", recorded.line, text)


def _is_kept(value: ast.expr) -> bool:
    """Whether an expression only reads what is kept in names, so that it gives the same again."""
    calls = [node for node in ast.walk(value) if isinstance(node, ast.Call)]
    plain = all(isinstance(c.func, ast.Name) and c.func.id in {"float", "round", "int", "abs"} for c in calls)
    attributes = any(isinstance(node, ast.Attribute) for node in ast.walk(value))
    return plain and not attributes and any(True for _ in names_in(value))
