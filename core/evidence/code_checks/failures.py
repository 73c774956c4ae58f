"""Results that are recorded where something has failed."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from core.evidence.code_checks.fabricated import named
from core.evidence.code_checks.script import Function, Recorded, Script, names_in, not_a_number
from core.evidence.code_checks.warning import CodeWarning


def results_of_failures(script: Script) -> Iterator[CodeWarning]:
    """Results recorded inside ``except``, and numbers set there that are recorded later.

    A result that says that it is not a number is honest about a failure, and no warning.
    """
    for recorded in script.results:
        if not_a_number(script, recorded.value):
            continue
        if _handler_of(script, recorded.node) is not None:
            text = f"{named(recorded)} is recorded where something failed, inside 'except'"
            yield CodeWarning("result of a failure", recorded.line, text)
        else:
            yield from _stand_ins(script, recorded)


def _stand_ins(script: Script, recorded: Recorded) -> Iterator[CodeWarning]:
    """Numbers that take the place of what failed."""
    used = {name.id for name in names_in(recorded.value)}
    scope = script.function_of(recorded.node)
    for node in script.nodes:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Constant | ast.UnaryOp):
            continue
        handler = _handler_of(script, node)
        if handler is None or script.function_of(node) is not scope or not _is_number(node.value):
            continue
        if _is_about_imports(script, handler):
            continue
        for target in node.targets:
            if isinstance(target, ast.Name) and target.id in used and node.lineno < recorded.line:
                text = (
                    f"{target.id!r} is set to a number where something failed, inside 'except', and "
                    f"recorded as {named(recorded).removeprefix('the result ')} in line {recorded.line}"
                )
                yield CodeWarning("result of a failure", node.lineno, text)


def _handler_of(script: Script, node: ast.AST) -> ast.ExceptHandler | None:
    for outer in script.within(node):
        if isinstance(outer, Function):
            return None
        if isinstance(outer, ast.ExceptHandler):
            return None if _is_about_imports(script, outer) else outer
    return None


def _is_about_imports(script: Script, handler: ast.ExceptHandler) -> bool:
    """Whether it only deals with a library that is not there."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return all(
        kind is not None and script.dotted(kind) in {"ImportError", "ModuleNotFoundError"} for kind in kinds
    )


def _is_number(value: ast.expr) -> bool:
    inner = value.operand if isinstance(value, ast.UnaryOp) else value
    return (
        isinstance(inner, ast.Constant)
        and isinstance(inner.value, int | float)
        and not isinstance(inner.value, bool)
    )
